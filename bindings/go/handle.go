package voiceflow

// #include "shim.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A handle owns something in C memory. It is closed once, by Close or by the garbage collector, and freed
// when no call uses it any more.
type handle struct {
	name    string
	pointer unsafe.Pointer
	destroy func(unsafe.Pointer)
	// Calls under way, and closedBit once it is closed.
	state   atomic.Int64
	cleanup runtime.Cleanup
}

const closedBit = 1 << 62

// own makes the handle of owner, which closes it when it is collected; owner must not be reached from it.
func own[T any](owner *T, name string, pointer unsafe.Pointer, destroy func(unsafe.Pointer)) *handle {
	h := &handle{name: name, pointer: pointer, destroy: destroy}
	h.cleanup = runtime.AddCleanup(owner, (*handle).close, h)
	return h
}

func (h *handle) acquire() error {
	for {
		state := h.state.Load()
		if state&closedBit != 0 {
			return &Error{Status: ErrClosed, Text: h.name + ": expected one that is open, got one closed before"}
		}
		if h.state.CompareAndSwap(state, state+1) {
			return nil
		}
	}
}

func (h *handle) release() {
	if h.state.Add(-1) == closedBit {
		h.free()
	}
}

func (h *handle) close() {
	if state := h.state.Or(closedBit); state == 0 {
		h.free()
	}
}

// Close is close for a method of the owner.
func (h *handle) Close() error {
	h.cleanup.Stop()
	h.close()
	return nil
}

// free destroys what is owned. The library destroys nothing on a thread that is inside a callback.
func (h *handle) free() {
	if C.vfgo_inside() != 0 {
		go h.free()
		return
	}
	collectGarbage()
	h.destroy(h.pointer)
}

// call makes one call with what is owned.
func (h *handle) call(function func(unsafe.Pointer) C.vfgo_answer) error {
	if err := h.acquire(); err != nil {
		return err
	}
	defer h.release()
	return call(func() C.vfgo_answer { return function(h.pointer) })
}
