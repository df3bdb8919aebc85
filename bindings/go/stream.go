package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// takenAfter are the failures of a push that has taken its samples.
var takenAfter = []Status{ErrCancelled, ErrDeadline, ErrRuntime, ErrModel}

// Stream is one source of live audio over a diarizer. Pushes, Finish and Reset wait for each other,
// in the order in which they came; all else waits for nothing that takes long.
type Stream struct {
	h                    *handle
	sampleRate, channels int
	latency              time.Duration

	mu     sync.Mutex
	result *Diarization
}

// NewStream makes a stream for interleaved samples at sampleRate hertz (1,000 to 768,000) of 1 to
// 32 channels, whose mean is used. Its options are WithLatency, WithHistory, WithSpeakerRange (of
// which the most counts), WithMinSpeech, WithMinSilence, WithClusteringThreshold and WithProgress;
// models and providers are the diarizer's, and the result of Finish follows the options of the
// diarizer and of its own call alone.
//
// The first stream of a diarizer for which no model was named may load one, which the context ends.
func (d *Diarizer) NewStream(ctx context.Context, sampleRate, channels int, options ...Option) (*Stream, error) {
	_, rate, count, err := format(0, sampleRate, channels)
	if err != nil {
		return nil, err
	}
	s := &Stream{sampleRate: sampleRate, channels: channels}
	destroy := func(p unsafe.Pointer) { C.vf_stream_destroy((*C.vf_stream)(p)) }
	s.h, err = own(s, "stream", destroy, func(out unsafe.Pointer) error {
		return withOptions(forStream, options, func(o *C.vf_options, load conditions) error {
			return load.during(ctx, func(asked *C.vfgo_call) error {
				return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
					return C.go_vf_stream_create(c, o, rate, count, asked, (**C.vf_stream)(out))
				})
			})
		})
	})
	if err != nil {
		return nil, err
	}
	var ms C.double
	err = s.call(func(c *C.vf_stream) C.vfgo_answer { return C.go_vf_stream_latency_ms(c, &ms) })
	if err != nil {
		s.Close()
		return nil, err
	}
	s.latency = ofSeconds(ms / 1000)
	return s, nil
}

func (s *Stream) owned() (*handle, error) {
	if s == nil || s.h == nil {
		return nil, unmade("stream")
	}
	return s.h, nil
}

func (s *Stream) call(function func(*C.vf_stream) C.vfgo_answer) error {
	h, err := s.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	return h.call(func(p unsafe.Pointer) C.vfgo_answer { return function((*C.vf_stream)(p)) })
}

// Close frees the stream; see the package. It does not end a push: the context of the push does.
func (s *Stream) Close() error {
	if s == nil {
		return nil
	}
	return s.h.closeEarly()
}

// Latency gives the time until what the stream says of a moment never changes: from the end of that
// moment to the last audio that is needed. What it says first comes with the next window, at most
// 400 ms after.
func (s *Stream) Latency() time.Duration {
	if s == nil {
		return 0
	}
	return s.latency
}

// PushFloat32 takes the next samples, -1 to 1 and finite, the channels of a frame side by side, and
// analyses the windows that they complete. All samples are taken or none; the field Taken of an
// [Error] tells which, and the next call goes on with what was taken. Push from one goroutine:
// which of two concurrent pushes comes first is not known. A push that waits for another call of
// the stream has its samples taken in its turn, also where its context ends it.
func (s *Stream) PushFloat32(ctx context.Context, samples []float32, options ...CallOption) error {
	return s.push(ctx, len(samples), options,
		func(c *C.vf_stream, frames C.size_t, asked *C.vfgo_call) C.vfgo_answer {
			return C.go_vf_stream_push_f32(c, floats(samples), frames, asked)
		})
}

// PushInt16 is PushFloat32 of 16-bit samples.
func (s *Stream) PushInt16(ctx context.Context, samples []int16, options ...CallOption) error {
	return s.push(ctx, len(samples), options,
		func(c *C.vf_stream, frames C.size_t, asked *C.vfgo_call) C.vfgo_answer {
			return C.go_vf_stream_push_i16(c, shorts(samples), frames, asked)
		})
}

func (s *Stream) push(ctx context.Context, values int, options []CallOption,
	push func(*C.vf_stream, C.size_t, *C.vfgo_call) C.vfgo_answer,
) error {
	if _, err := s.owned(); err != nil {
		return err
	}
	frames, _, _, err := format(values, s.sampleRate, s.channels)
	if err != nil {
		return err
	}
	return under(ctx, options, func(asked *C.vfgo_call) error {
		err := s.call(func(c *C.vf_stream) C.vfgo_answer { return push(c, frames, asked) })
		if failed, ok := err.(*Error); ok {
			failed.Taken = slices.Contains(takenAfter, failed.Status)
		}
		return err
	})
}

// Read takes out segments that were not read yet, as many as there is room for: first the final
// ones, each once, in the order of their end; then those that are not final, each once. The latter
// hold until Updates gives another number: forget them then, also where there are no others. It
// gives the number of segments, 0 when there is nothing new.
func (s *Stream) Read(into []Segment) (int, error) {
	var n C.size_t
	out := make([]C.vf_segment, len(into))
	err := s.call(func(c *C.vf_stream) C.vfgo_answer {
		return C.go_vf_stream_read(c, unsafe.SliceData(out), C.size_t(len(out)), &n)
	})
	for i, segment := range out[:n] {
		into[i] = segmentOf(segment)
	}
	return int(n), err
}

// ReadAll takes out all segments that were not read yet, as Read does, however many they are. Where
// a push comes between, only the newest of those that are not final are given.
func (s *Stream) ReadAll() ([]Segment, error) {
	return readPages(make([]Segment, 64), s.Read, s.Updates)
}

// readPages reads until a page is not full. A push between two pages tells anew what is not final:
// what earlier pages have of it is dropped.
func readPages(page []Segment, read func([]Segment) (int, error), updates func() (uint64, error)) (
	all []Segment, err error,
) {
	// The numbers before the first segment in all that is not final, and before the next page.
	first, err := updates()
	if err != nil {
		return nil, err
	}
	for before := first; ; {
		n, err := read(page)
		if err != nil {
			return all, err
		}
		after, err := updates()
		if err == nil && after != first {
			all = slices.DeleteFunc(all, func(s Segment) bool { return !s.Final() })
			first = before
		}
		before = after
		all = append(all, page[:n]...)
		if err != nil || n < len(page) {
			return all, err
		}
	}
}

// Updates tells how many times the provisional segments were replaced, by pushes that completed a
// window and by Finish. Once the number has changed, segments read before that were not final hold
// no longer.
func (s *Stream) Updates() (uint64, error) {
	var n C.uint64_t
	err := s.call(func(c *C.vf_stream) C.vfgo_answer { return C.go_vf_stream_updates(c, &n) })
	return uint64(n), err
}

// SpeakerCount gives the number of speakers heard so far.
func (s *Stream) SpeakerCount() (int, error) {
	var n C.size_t
	err := s.call(func(c *C.vf_stream) C.vfgo_answer { return C.go_vf_stream_speaker_count(c, &n) })
	return int(n), err
}

// SpeakerEmbedding gives the voice of a speaker as it is known by now, a vector of unit length:
// what [Gallery.Identify] asks for.
func (s *Stream) SpeakerEmbedding(speaker int32) ([]float32, error) {
	return fill(256, func(out *float32, cap C.size_t, n *C.size_t) error {
		return s.call(func(c *C.vf_stream) C.vfgo_answer {
			return C.go_vf_stream_speaker_embedding(c, C.int32_t(speaker), (*C.float)(out), cap, n)
		})
	})
}

// Finish ends the stream: all segments become final and can be read, and what was heard is
// clustered anew as a whole, over the time of the option history. The speakers of the result are
// numbered anew, see FinalSpeakers. Afterwards the stream takes no audio until it is reset. After
// ErrCancelled and ErrDeadline it may be called again. A progress function must not wait for a
// goroutine that pushes into the stream or resets it: they wait for Finish.
func (s *Stream) Finish(ctx context.Context, options ...CallOption) (*Diarization, error) {
	result, err := resultOf(func(out **C.vf_diarization) error {
		return under(ctx, options, func(asked *C.vfgo_call) error {
			return s.call(func(c *C.vf_stream) C.vfgo_answer { return C.go_vf_stream_finish(c, asked, out) })
		})
	})
	if err == nil {
		s.keep(result)
	}
	return result, err
}

// Result gives what Finish gave, or nil before it.
func (s *Stream) Result() *Diarization {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

// keep keeps the result of a Finish, or none after a Reset. Of two that ran at once the library
// knows which came last: a stream that was finished then has final speakers.
func (s *Stream) keep(result *Diarization) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch _, err := s.FinalSpeakers(); {
	case errors.Is(err, ErrInvalidArgument):
		s.result = nil
	case result != nil:
		s.result = result
	}
}

// FinalSpeakers tells for each speaker of a finished stream who that is in the result of Finish; -1
// for one who is nobody there.
func (s *Stream) FinalSpeakers() ([]int32, error) {
	return fill(16, func(out *int32, cap C.size_t, n *C.size_t) error {
		return s.call(func(c *C.vf_stream) C.vfgo_answer {
			return C.go_vf_stream_final_speakers(c, (*C.int32_t)(out), cap, n)
		})
	})
}

// Reset forgets all that was heard: the stream is as new, segments that were not read included. It
// waits for the calls that came before; where its context ends it meanwhile, the stream is as it
// was.
func (s *Stream) Reset(ctx context.Context, options ...CallOption) error {
	err := under(ctx, options, func(asked *C.vfgo_call) error {
		return s.call(func(c *C.vf_stream) C.vfgo_answer { return C.go_vf_stream_reset(c, asked) })
	})
	if err == nil {
		s.keep(nil)
	}
	return err
}
