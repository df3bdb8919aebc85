package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// Stage is a stage of the work, as told to a [Progress].
type Stage int

// Stages; later versions may have more.
const (
	// StageAnalysis: decoding, resampling and running the network over the windows.
	StageAnalysis Stage = C.VF_STAGE_ANALYSIS
	// StageClustering: clustering the voices of all windows.
	StageClustering Stage = C.VF_STAGE_CLUSTERING
	// StageReconstruction: putting the windows together into segments.
	StageReconstruction Stage = C.VF_STAGE_RECONSTRUCTION
)

// String gives the name of the stage.
func (s Stage) String() string {
	switch s {
	case StageAnalysis:
		return "analysis"
	case StageClustering:
		return "clustering"
	case StageReconstruction:
		return "reconstruction"
	}
	return "another stage"
}

// Progress is told how much of a stage of a call is done, 0 to 1, in the goroutine of the call. To end the
// call, cancel its context. It must not call this package.
type Progress func(stage Stage, fraction float64)

//export goProgress
func goProgress(handle C.uintptr_t, stage C.int32_t, fraction C.float) (fault C.uintptr_t) {
	defer catch(&fault)
	for _, progress := range cgo.Handle(handle).Value().([]Progress) {
		progress(Stage(stage), float64(fraction))
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

// controlled runs one call that reports progress and that the context ends.
func controlled(ctx context.Context, progress []Progress, work func(*C.vfgo_control) error) error {
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	control := (*C.vfgo_control)(C.calloc(1, C.sizeof_vfgo_control))
	defer C.free(unsafe.Pointer(control))
	for i, progress := range progress {
		if progress == nil {
			return invalid("progress: expected a function at index %d, got nil", i)
		}
	}
	if len(progress) > 0 {
		handle := cgo.NewHandle(progress)
		defer handle.Delete()
		control.progress = C.uintptr_t(handle)
	}
	defer whenDone(ctx, func() { C.vfgo_control_cancel(control) })()
	return because(ctx, work(control))
}

// loading loads one model, which the context ends.
func loading(ctx context.Context, load func(*C.vf_cancel) C.vfgo_answer) error {
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	if ctx.Done() == nil {
		return call(func() C.vfgo_answer { return load(nil) })
	}
	var cancel *C.vf_cancel
	defer func() { C.vf_cancel_destroy(cancel) }()
	if err := call(func() C.vfgo_answer { return C.go_vf_cancel_create(&cancel) }); err != nil {
		return err
	}
	defer whenDone(ctx, func() { C.vf_cancel_set(cancel) })()
	return because(ctx, call(func() C.vfgo_answer { return load(cancel) }))
}

// whenDone runs end once the context is done. The function it gives says that this is no longer wanted, and
// waits for an end under way.
func whenDone(ctx context.Context, end func()) (settle func() (ended bool)) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	var running sync.WaitGroup
	running.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer running.Done()
		end()
	})
	return func() bool {
		if stop() {
			return false
		}
		running.Wait()
		return true
	}
}
