package voiceflow

// #include "shim.h"
import "C"

import (
	"runtime/cgo"
	"strings"
	"unsafe"
)

// call makes one call of the library: every one that can fail comes through here.
func call(function func() C.vfgo_answer) error {
	collectGarbage()
	answer := function()
	collectGarbage()
	if answer.status == C.VF_OK && answer.fault == 0 {
		return nil
	}
	return failure(answer)
}

// failure turns what a call came to into an error; it panics where a callback did.
func failure(answer C.vfgo_answer) error {
	var text string
	if answer.text != nil {
		text = C.GoString(answer.text)
		C.free(unsafe.Pointer(answer.text))
	}
	if answer.fault != 0 {
		handle := cgo.Handle(answer.fault)
		value := handle.Value()
		handle.Delete()
		panic(value)
	}
	return &Error{Status: Status(answer.status), Text: text}
}

// fill asks for a whole answer, first with room for guess elements.
func fill[T any](guess int, ask func(out *T, cap C.size_t, n *C.size_t) error) ([]T, error) {
	for {
		out := make([]T, guess)
		var n C.size_t
		err := ask(unsafe.SliceData(out), C.size_t(len(out)), &n)
		if failed, ok := err.(*Error); ok && failed.Status == ErrBufferTooSmall {
			guess = int(n)
			continue
		}
		if err != nil {
			return nil, err
		}
		return out[:n], nil
	}
}

// text asks for a text; names are shorter than 257 bytes with the zero that ends them.
func text(ask func(out *C.char, cap C.size_t, n *C.size_t) error) (string, error) {
	out, err := fill(257, ask)
	if err != nil || len(out) == 0 {
		return "", err
	}
	// C.GoStringN takes no lengths above 2 GiB.
	return string(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), len(out)-1)), nil
}

// withText hands a text to the library, which would end it at a zero byte.
func withText(what, text string, use func(*C.char) error) error {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return invalid("%s: expected text without zero bytes, got one at byte %d of %q", what, at, text)
	}
	c := C.CString(text)
	defer C.free(unsafe.Pointer(c))
	return use(c)
}

// size and the others refuse numbers that the types of C cannot hold; ranges are checked by the
// library.
func size(what string, value int) (C.size_t, error) {
	if value < 0 {
		return 0, invalid("%s: expected 0 or more, got %d", what, value)
	}
	return C.size_t(value), nil
}

func number32(what string, value int) (C.int32_t, error) {
	if int(C.int32_t(value)) != value {
		return 0, invalid("%s: expected a number of 32 bits, got %d", what, value)
	}
	return C.int32_t(value), nil
}

// format checks what interleaved samples are said to be, and that values of them are whole frames.
func format(values, sampleRate, channels int) (frames C.size_t, rate, count C.uint32_t, err error) {
	switch {
	case int(C.uint32_t(sampleRate)) != sampleRate:
		err = invalid("sample rate: expected 1000 to 768000 Hz, got %d Hz", sampleRate)
	case channels < 1 || int(C.uint32_t(channels)) != channels:
		err = invalid("channels: expected 1 to 32, got %d", channels)
	case values%channels != 0:
		err = invalid("samples: expected a multiple of the %d channels, got %d values", channels, values)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	return C.size_t(values / channels), C.uint32_t(sampleRate), C.uint32_t(channels), nil
}
