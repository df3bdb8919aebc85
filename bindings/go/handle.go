package voiceflow

// #include "shim.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A handle owns something in C memory. It is closed once, by Close or by the garbage collector, and
// freed when no call uses it any more.
type handle struct {
	name    string
	pointer unsafe.Pointer
	destroy func(unsafe.Pointer)
	// Calls under way, and closedBit once it is closed.
	state   atomic.Int64
	cleanup runtime.Cleanup
}

const closedBit = 1 << 62

// own makes the handle of owner, which closes it when it is collected, for what create stores in
// out; owner must not be reached from destroy.
func own[T any](owner *T, name string, destroy func(unsafe.Pointer), create func(out unsafe.Pointer) error) (
	*handle, error,
) {
	var made unsafe.Pointer
	// Where the handler of the logger has panicked in a call that succeeded.
	defer func() {
		if made != nil {
			destroy(made)
		}
	}()
	if err := create(unsafe.Pointer(&made)); err != nil {
		return nil, err
	}
	h := &handle{name: name, pointer: made, destroy: destroy}
	h.cleanup = runtime.AddCleanup(owner, (*handle).close, h)
	made = nil
	return h, nil
}

// unmade is the error of a call with a value that owns nothing.
func unmade(name string) error {
	return invalid("%s: expected one that this package made, got nil or a zero value", name)
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

// closeEarly is close before the owner is collected.
func (h *handle) closeEarly() error {
	if h != nil {
		h.cleanup.Stop()
		h.close()
	}
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

// with uses what is owned, which is not freed meanwhile.
func (h *handle) with(use func(unsafe.Pointer) error) error {
	if err := h.acquire(); err != nil {
		return err
	}
	defer h.release()
	return use(h.pointer)
}

// call makes one call with what is owned.
func (h *handle) call(function func(unsafe.Pointer) C.vfgo_answer) error {
	return h.with(func(p unsafe.Pointer) error {
		return call(func() C.vfgo_answer { return function(p) })
	})
}
