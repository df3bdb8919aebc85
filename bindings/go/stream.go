package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// cancelEvery is the time between two tries to cancel a push, which the library may not have begun at the
// first.
const cancelEvery = time.Millisecond

// takenAfter are the failures of a push that has taken its samples.
var takenAfter = []Status{ErrCancelled, ErrDeadline, ErrRuntime, ErrModel}

// Stream is one source of live audio over a diarizer. Pushes, Finish and Reset wait for each other; all else
// waits for nothing that takes long.
type Stream struct {
	h                    *handle
	sampleRate, channels int
	latency              time.Duration
	// Taken by the push, finish or reset under way.
	turn chan struct{}

	mu sync.Mutex
	// Of the calls that the next Cancel ends.
	calls    context.Context
	endCalls context.CancelFunc
	result   *Diarization
}

// NewStream makes a stream for interleaved samples at sampleRate hertz (1,000 to 768,000) of 1 to 32
// channels, whose mean is used. Its options are WithLatency, WithHistory, WithSpeakerRange (of which the most
// counts), WithMinSpeech, WithMinSilence, WithClusteringThreshold and WithDeadline; models and providers are
// the diarizer's, and the result of Finish follows the diarizer's options alone.
func (d *Diarizer) NewStream(sampleRate, channels int, options ...Option) (*Stream, error) {
	_, rate, count, err := format(0, sampleRate, channels)
	if err != nil {
		return nil, err
	}
	s := &Stream{sampleRate: sampleRate, channels: channels, turn: make(chan struct{}, 1)}
	s.calls, s.endCalls = context.WithCancel(context.Background())
	destroy := func(p unsafe.Pointer) { C.vf_stream_destroy((*C.vf_stream)(p)) }
	s.h, err = own(s, "stream", destroy, func(out unsafe.Pointer) error {
		return withOptions(forStream, options, func(o *C.vf_options) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_stream_create(c, o, rate, count, (**C.vf_stream)(out))
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

// Close frees the stream; see the package. It does not end a push: Cancel does.
func (s *Stream) Close() error {
	if s == nil {
		return nil
	}
	return s.h.closeEarly()
}

// Latency gives the time until what the stream says of a moment never changes: from the end of that moment to
// the last audio that is needed. What it says first comes with the next window, at most 400 ms after.
func (s *Stream) Latency() time.Duration {
	if s == nil {
		return 0
	}
	return s.latency
}

// PushFloat32 takes the next samples, -1 to 1 and finite, the channels of a frame side by side, and analyses
// the windows that they complete. All samples are taken or none; the field Taken of an [Error] tells which,
// and the next call goes on with what was taken. Push from one goroutine: which of two concurrent pushes
// comes first is not known.
func (s *Stream) PushFloat32(ctx context.Context, samples []float32) error {
	return s.push(ctx, len(samples), func(c *C.vf_stream, frames C.size_t) C.vfgo_answer {
		return C.go_vf_stream_push_f32(c, floats(samples), frames)
	})
}

// PushInt16 is PushFloat32 of 16-bit samples.
func (s *Stream) PushInt16(ctx context.Context, samples []int16) error {
	return s.push(ctx, len(samples), func(c *C.vf_stream, frames C.size_t) C.vfgo_answer {
		return C.go_vf_stream_push_i16(c, shorts(samples), frames)
	})
}

func (s *Stream) push(ctx context.Context, values int,
	push func(*C.vf_stream, C.size_t) C.vfgo_answer,
) error {
	if _, err := s.owned(); err != nil {
		return err
	}
	frames, _, _, err := format(values, s.sampleRate, s.channels)
	if err != nil {
		return err
	}
	return s.inTurn(ctx, func(ctx context.Context, c *C.vf_stream) error {
		over := make(chan struct{})
		settle := whenDone(ctx, func() { cancelUntil(c, over) })
		defer func() {
			close(over)
			settle()
		}()
		err := call(func() C.vfgo_answer { return push(c, frames) })
		if failed, ok := err.(*Error); ok {
			failed.Taken = slices.Contains(takenAfter, failed.Status)
		}
		return err
	})
}

// cancelUntil ends the push under way. The library cancels what it has begun, so that one try may come too
// soon; no other push begins before the last.
func cancelUntil(c *C.vf_stream, over <-chan struct{}) {
	tick := time.NewTicker(cancelEvery)
	defer tick.Stop()
	for {
		// Not by call: what this comes to is told by the push.
		C.vf_stream_cancel(c)
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// inTurn does work when no other work of the stream is under way. The context that work gets is done also
// when Cancel is called.
func (s *Stream) inTurn(ctx context.Context, work func(context.Context, *C.vf_stream) error) error {
	h, err := s.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	return h.with(func(p unsafe.Pointer) error {
		s.mu.Lock()
		calls := s.calls
		s.mu.Unlock()
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		both, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(calls, cancel)()
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-both.Done():
		}
		// Not both, which learns of the end of calls a little later.
		if calls.Err() != nil || ctx.Err() != nil {
			text := "cancelled while another call uses the stream"
			return &Error{Status: ErrCancelled, Text: text, cause: endOf(ctx)}
		}
		return because(ctx, work(both, (*C.vf_stream)(p)))
	})
}

// Cancel ends pushes and finishes of this stream that were called before, soon, with [ErrCancelled]. Later
// calls are not concerned.
func (s *Stream) Cancel() {
	if _, err := s.owned(); err != nil {
		return
	}
	s.mu.Lock()
	end := s.endCalls
	s.calls, s.endCalls = context.WithCancel(context.Background())
	s.mu.Unlock()
	end()
}

// Read takes out segments that were not read yet, as many as there is room for: first the final ones, each
// once, in the order of their end; then those that are not final, each once. The latter hold until Updates
// gives another number: forget them then, also where there are no others. It gives the number of segments, 0
// when there is nothing new.
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

// ReadAll takes out all segments that were not read yet, as Read does, however many they are. Where a push
// comes between, only the newest of those that are not final are given.
func (s *Stream) ReadAll() ([]Segment, error) {
	return readPages(make([]Segment, 64), s.Read, s.Updates)
}

// readPages reads until a page is not full. A push between two pages tells anew what is not final: what
// earlier pages have of it is dropped.
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

// Updates tells how many times the provisional segments were replaced, by pushes that completed a window and by Finish.
// Once the number has changed, segments read before that were not final hold no longer.
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

// SpeakerEmbedding gives the voice of a speaker as it is known by now, a vector of unit length: what
// [Gallery.Identify] asks for.
func (s *Stream) SpeakerEmbedding(speaker int32) ([]float32, error) {
	return fill(256, func(out *float32, cap C.size_t, n *C.size_t) error {
		return s.call(func(c *C.vf_stream) C.vfgo_answer {
			return C.go_vf_stream_speaker_embedding(c, C.int32_t(speaker), (*C.float)(out), cap, n)
		})
	})
}

// Finish ends the stream: all segments become final and can be read, and what was heard is clustered anew as
// a whole, over the time of the option history. The speakers of the result are numbered anew, see
// FinalSpeakers. Afterwards the stream takes no audio until it is reset. After ErrCancelled and ErrDeadline
// it may be called again.
func (s *Stream) Finish(ctx context.Context, progress ...Progress) (*Diarization, error) {
	var result *Diarization
	err := s.inTurn(ctx, func(ctx context.Context, c *C.vf_stream) (err error) {
		result, err = resultOf(func(out **C.vf_diarization) error {
			return controlled(ctx, progress, func(control *C.vfgo_control) error {
				return call(func() C.vfgo_answer { return C.go_vf_stream_finish(c, control, out) })
			})
		})
		if err == nil {
			s.keep(result)
		}
		return err
	})
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

func (s *Stream) keep(result *Diarization) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result = result
}

// FinalSpeakers tells for each speaker of a finished stream who that is in the result of Finish; -1 for one
// who is nobody there.
func (s *Stream) FinalSpeakers() ([]int32, error) {
	return fill(16, func(out *int32, cap C.size_t, n *C.size_t) error {
		return s.call(func(c *C.vf_stream) C.vfgo_answer {
			return C.go_vf_stream_final_speakers(c, (*C.int32_t)(out), cap, n)
		})
	})
}

// Reset forgets all that was heard: the stream is as new, segments that were not read included. It waits for
// a push or finish under way.
func (s *Stream) Reset(ctx context.Context) error {
	return s.inTurn(ctx, func(_ context.Context, c *C.vf_stream) error {
		err := call(func() C.vfgo_answer { return C.go_vf_stream_reset(c) })
		if err == nil {
			s.keep(nil)
		}
		return err
	})
}
