package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime/cgo"
)

// Stage is a stage of the work, as a [Progress] gets it.
type Stage int

// Stages; later versions may have more.
const (
	// StageWaiting: waiting for a free run slot, or for another call of a stream.
	StageWaiting Stage = C.VF_STAGE_WAITING
	// StageAnalysis: decoding, resampling and running the network over the windows.
	StageAnalysis Stage = C.VF_STAGE_ANALYSIS
	// StageClustering: clustering the voices of all windows.
	StageClustering Stage = C.VF_STAGE_CLUSTERING
	// StageReconstruction: putting the windows together into segments.
	StageReconstruction Stage = C.VF_STAGE_RECONSTRUCTION
	// StageLoading: loading a model.
	StageLoading Stage = C.VF_STAGE_LOADING
)

// String gives the name of the stage.
func (s Stage) String() string {
	switch s {
	case StageWaiting:
		return "waiting"
	case StageAnalysis:
		return "analysis"
	case StageClustering:
		return "clustering"
	case StageReconstruction:
		return "reconstruction"
	case StageLoading:
		return "loading"
	}
	return "another stage"
}

// Progress gets how much of a stage of a call is done, 0 to 1, in the goroutine of the call: at
// least every 50 ms while the call waits, loads or has networks run for it. To end the call, cancel
// its context. It must not call this package.
type Progress func(stage Stage, fraction float64)

// reporter is what goProgress finds by its handle.
type reporter struct {
	ctx      context.Context
	progress Progress
}

//export goProgress
func goProgress(asked *C.vfgo_call, stage C.int32_t, fraction C.float) (fault C.uintptr_t) {
	defer catch(&fault)
	to := cgo.Handle(asked.progress).Value().(reporter)
	to.progress(Stage(stage), float64(fraction))
	if to.ctx.Err() != nil {
		// At once, before the library goes on.
		C.vfgo_end(asked)
	}
	return 0
}

// catch keeps a panic from the frames of C: the call panics with it when it has returned.
func catch(fault *C.uintptr_t) {
	if value := recover(); value != nil {
		*fault = keptFault(value)
	}
}

func keptFault(value any) C.uintptr_t { return C.uintptr_t(cgo.NewHandle(value)) }

//export goDropFault
func goDropFault(fault C.uintptr_t) {
	cgo.Handle(fault).Delete()
}
