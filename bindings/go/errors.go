package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Status is what kind of failure an [Error] is. Its constants are for [errors.Is].
type Status int32

// Failures. The negative numbers are those of vf_status_code in voiceflow.h; the others are of this
// package alone.
const (
	// ErrInvalidArgument: a value is outside its documented range, or the call came from inside a
	// callback.
	ErrInvalidArgument Status = C.VF_E_INVALID_ARGUMENT
	// ErrNull: a pointer that must not be NULL is NULL.
	ErrNull Status = C.VF_E_NULL
	// ErrBufferTooSmall: a buffer is too small.
	ErrBufferTooSmall Status = C.VF_E_BUFFER_TOO_SMALL
	// ErrNotFound: a file does not exist. It is fs.ErrNotExist, too.
	ErrNotFound Status = C.VF_E_NOT_FOUND
	// ErrIO: the system refuses to read or write a file.
	ErrIO Status = C.VF_E_IO
	// ErrAudio: the input is no audio that can be decoded, or holds NaN or infinity.
	ErrAudio Status = C.VF_E_AUDIO
	// ErrModel: the model is not valid ONNX, or breaks the model contract.
	ErrModel Status = C.VF_E_MODEL
	// ErrRuntimeNotFound: no ONNX Runtime was found; the text lists the places searched.
	ErrRuntimeNotFound Status = C.VF_E_RUNTIME_NOT_FOUND
	// ErrRuntimeVersion: the ONNX Runtime found is older than the library can use.
	ErrRuntimeVersion Status = C.VF_E_RUNTIME_VERSION
	// ErrRuntime: ONNX Runtime failed.
	ErrRuntime Status = C.VF_E_RUNTIME
	// ErrProvider: a required execution provider is not available.
	ErrProvider Status = C.VF_E_PROVIDER
	// ErrCancelled: the call's context, which was cancelled, ended the call.
	ErrCancelled Status = C.VF_E_CANCELLED
	// ErrDeadline: the deadline of the call's context passed before the work was done. It is
	// os.ErrDeadlineExceeded, too.
	ErrDeadline Status = C.VF_E_DEADLINE
	// ErrLimit: the input exceeds a hard limit of the library.
	ErrLimit Status = C.VF_E_LIMIT
	// ErrPanic: a fault inside the library. The values that the call used answer ErrPoisoned from then
	// on.
	ErrPanic Status = C.VF_E_PANIC
	// ErrPoisoned: the value was in use during an earlier ErrPanic.
	ErrPoisoned Status = C.VF_E_POISONED
	// ErrAnnotation: an annotation file cannot be read.
	ErrAnnotation Status = C.VF_E_ANNOTATION
	// ErrForked: the process was forked after the model was loaded.
	ErrForked Status = C.VF_E_FORKED
	// ErrGallery: a gallery file is none, is damaged, or a gallery belongs to another model.
	ErrGallery Status = C.VF_E_GALLERY
	// ErrEnding: the thread or the process is ending, and networks cannot run any more.
	ErrEnding Status = C.VF_E_ENDING

	// ErrClosed: the value was closed before. It is fs.ErrClosed, too.
	ErrClosed Status = 1
	// ErrABI: the library that was loaded has another binary interface than the header this package
	// was built with.
	ErrABI Status = 2
	// ErrLibrary: the library cannot be loaded, where the program was built with the tag dlopen.
	ErrLibrary Status = 3
)

// Error gives the meaning of the status in a few words.
func (s Status) Error() string {
	switch s {
	case ErrClosed:
		return "voiceflow: closed"
	case ErrABI:
		return "voiceflow: library with another binary interface"
	case ErrLibrary:
		return "voiceflow: library that cannot be loaded"
	}
	return "voiceflow: " + C.GoString(C.vf_status_str(C.vf_status(s)))
}

// Is tells which errors of the standard library a status is, too.
func (s Status) Is(target error) bool {
	switch s {
	case ErrNotFound:
		return target == fs.ErrNotExist
	case ErrDeadline:
		return target == os.ErrDeadlineExceeded
	case ErrClosed:
		return target == fs.ErrClosed
	}
	return false
}

// Error is a failed call. [errors.Is] finds its Status in it, and the error and the cause of the
// context that ended the call.
type Error struct {
	// Status is the kind of failure.
	Status Status
	// Text says what went wrong, naming the thing, what was expected and what it was.
	Text string
	// Taken is true of a push that failed after it took the samples: do not push them again.
	Taken bool

	cause error
}

// Error gives the text.
func (e *Error) Error() string {
	switch {
	case e.Text == "":
		return e.Status.Error()
	case e.cause != nil:
		return "voiceflow: " + e.Text + ": " + e.cause.Error()
	}
	return "voiceflow: " + e.Text
}

// Unwrap gives the status, and the error of the context where there is one.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Status}
	}
	return []error{e.Status, e.cause}
}

func invalid(format string, values ...any) error {
	return &Error{Status: ErrInvalidArgument, Text: fmt.Sprintf(format, values...)}
}

// cancelled is the error of a call that its context ended before the library was asked.
func cancelled(ctx context.Context) error {
	return because(ctx, &Error{Status: ErrCancelled, Text: "cancelled before the work began"})
}

// because adds the error of the context to that of a call which was cancelled by it.
func because(ctx context.Context, err error) error {
	failed, ok := err.(*Error)
	if !ok || failed.Status != ErrCancelled {
		return err
	}
	failed.cause = endOf(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		failed.Status = ErrDeadline
	}
	return failed
}

// endOf is the error of a context, and its cause where that says more; nil of one that is not done.
func endOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil || errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
