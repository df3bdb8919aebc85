package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/cgo"
	"unsafe"
)

// ProcessEncoded finds who spoke when in the content of an audio file, of any format that
// [Diarizer.ProcessFile] takes.
func (d *Diarizer) ProcessEncoded(ctx context.Context, content []byte, options ...CallOption) (*Diarization, error) {
	return d.process(ctx, options,
		func(c *C.vf_diarizer, asked *C.vfgo_call, out **C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarizer_process_encoded(c, octets(content), C.size_t(len(content)), asked, out)
		})
}

// ProcessReader finds who spoke when in encoded audio that a reader gives, of any format that
// [Diarizer.ProcessFile] takes. Of an [io.ReadSeeker] that can seek, it reads what is behind its
// position. Any other is read to its end first: up to 32 MiB of it are kept in memory, more in a
// temporary file. The reader is used in the goroutine of the call; the context is looked at between
// its reads, and one that waits is waited for. An error of the reader is wrapped.
func (d *Diarizer) ProcessReader(ctx context.Context, from io.Reader, options ...CallOption) (*Diarization, error) {
	var result *Diarization
	err := withReader(from, func(source *C.vfgo_source) (err error) {
		result, err = d.process(ctx, options,
			func(c *C.vf_diarizer, asked *C.vfgo_call, out **C.vf_diarization) C.vfgo_answer {
				return C.go_vf_diarizer_process_source(c, source, asked, out)
			})
		return err
	})
	return result, err
}

// EnrollEncoded enrolls a person by the content of an audio file, as EnrollFile does by a file.
func (g *Gallery) EnrollEncoded(ctx context.Context, d *Diarizer, name string, content []byte,
	options ...CallOption,
) (*Diarization, error) {
	return g.enroll(ctx, d, name, options, func(at enrolment) error {
		return at.under(func(c *C.vf_gallery, d *C.vf_diarizer) C.vfgo_answer {
			return C.go_vf_gallery_enroll_encoded(c, d, at.name, octets(content), C.size_t(len(content)),
				at.asked, at.out)
		})
	})
}

// EnrollReader enrolls a person by encoded audio that a reader gives, as [Diarizer.ProcessReader]
// takes it.
func (g *Gallery) EnrollReader(ctx context.Context, d *Diarizer, name string, from io.Reader,
	options ...CallOption,
) (*Diarization, error) {
	return g.enroll(ctx, d, name, options, func(at enrolment) error {
		return withReader(from, func(source *C.vfgo_source) error {
			return at.under(func(c *C.vf_gallery, d *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_gallery_enroll_source(c, d, at.name, source, at.asked, at.out)
			})
		})
	})
}

// octets is the start of bytes for C, NULL where there are none.
func octets(values []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(values))) }

// reading is what goRead and goSeek find by its handle.
type reading struct {
	from io.Reader
	// Where the audio begins in a reader that can seek.
	begin int64
	// What the reader failed with, at once or behind its last bytes.
	err error
}

// withReader hands a reader to the library, and gives the reader's own error where it failed.
func withReader(from io.Reader, use func(*C.vfgo_source) error) error {
	if from == nil {
		return invalid("reader: expected one, got nil")
	}
	of := &reading{from: from}
	handle := cgo.NewHandle(of)
	defer handle.Delete()
	source := C.vfgo_source{reader: C.uintptr_t(handle)}
	if seeker, ok := from.(io.Seeker); ok {
		if begin, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			end, err := seeker.Seek(0, io.SeekEnd)
			if err == nil {
				_, err = seeker.Seek(begin, io.SeekStart)
			}
			if err != nil {
				return fmt.Errorf("voiceflow: the reader: %w", err)
			}
			of.begin, source.seeks, source.length = begin, 1, C.uint64_t(max(end-begin, 0))
		}
	}
	err := use(&source)
	if err != nil && of.err != nil && !errors.Is(of.err, io.EOF) {
		return fmt.Errorf("voiceflow: the reader: %w", of.err)
	}
	return err
}

// mostEmptyReads is how many reads may give neither bytes nor an error, as in package bufio.
const mostEmptyReads = 100

//export goRead
func goRead(reader C.uintptr_t, out *C.uint8_t, room C.size_t, fault *C.uintptr_t) (count C.int64_t) {
	defer catchRead(fault, &count)
	of := cgo.Handle(reader).Value().(*reading)
	to := unsafe.Slice((*byte)(unsafe.Pointer(out)), int(room))
	for range mostEmptyReads {
		if of.err != nil {
			break
		}
		n, err := of.from.Read(to)
		of.err = err
		if n > 0 {
			return C.int64_t(n)
		}
	}
	switch {
	case of.err == nil:
		of.err = io.ErrNoProgress
		return -1
	case errors.Is(of.err, io.EOF):
		return 0
	}
	return -1
}

//export goSeek
func goSeek(reader C.uintptr_t, position C.uint64_t, fault *C.uintptr_t) (failed C.int64_t) {
	defer catchRead(fault, &failed)
	of := cgo.Handle(reader).Value().(*reading)
	if _, of.err = of.from.(io.Seeker).Seek(of.begin+int64(position), io.SeekStart); of.err != nil {
		return -1
	}
	return 0
}

// catchRead is catch, and the read or seek fails.
func catchRead(fault *C.uintptr_t, answer *C.int64_t) {
	if value := recover(); value != nil {
		*fault, *answer = keptFault(value), -1
	}
}
