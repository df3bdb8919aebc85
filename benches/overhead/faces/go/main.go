// The Go interface: overhead RUNTIME MODEL ROUNDS
package main

// #cgo LDFLAGS: -lreference
// #include <stdlib.h>
// #include "../../reference.h"
import "C"

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"voiceflow"
)

func run(library, model, rounds string) error {
	count, err := strconv.Atoi(rounds)
	if err != nil {
		return err
	}
	libraryText, modelText := C.CString(library), C.CString(model)
	defer C.free(unsafe.Pointer(libraryText))
	defer C.free(unsafe.Pointer(modelText))
	C.reference_open(libraryText, modelText, C.size_t(count))
	audio := unsafe.Slice((*float32)(unsafe.Pointer(C.reference_audio())), int(C.reference_samples()))

	ctx := context.Background()
	session, err := voiceflow.NewSession(ctx, voiceflow.WithRuntimeLibrary(library),
		voiceflow.WithModelPath(model), voiceflow.WithThreads(1))
	if err != nil {
		return err
	}
	defer session.Close()
	var found voiceflow.Inference
	var before, after runtime.MemStats
	var own uint64
	for C.reference_next() != 0 {
		start := time.Now()
		err := session.InferInto(ctx, audio, 1, &found)
		elapsed := time.Since(start)
		C.reference_record(C.uint64_t(elapsed.Nanoseconds()))
		if err != nil {
			return err
		}
	}
	// Apart from the times: reading the statistics stops the world.
	for range 100 {
		runtime.ReadMemStats(&before)
		err := session.InferInto(ctx, audio, 1, &found)
		runtime.ReadMemStats(&after)
		if err != nil {
			return err
		}
		own += after.Mallocs - before.Mallocs
	}
	C.reference_own_allocations(C.double(float64(own) / 100))
	C.reference_report()
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: overhead RUNTIME MODEL ROUNDS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
