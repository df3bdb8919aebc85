package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime/cgo"
	"sync"
	"unsafe"
)

// CallOption is a condition of one call: [WithProgress], [WithNumSpeakers], [WithSpeakerRange],
// [Exclusive], [Channel], [SeparateChannels], [Track] or [AllTracks]. What a call has no use for is
// an error, [ErrInvalidArgument]. Of one option given twice, and of two that exclude each other,
// the last counts. Its deadline, and what else ends a call, is its context.
type CallOption interface {
	ask(of *conditions) error
}

// SharedOption is both: an option of a call, and one of a constructor.
type SharedOption interface {
	Option
	CallOption
}

// conditions are what is asked of one call.
type conditions struct {
	progress                              Progress
	flags                                 C.uint64_t
	numSpeakers, minSpeakers, maxSpeakers C.uint64_t
	channel, track                        C.uint64_t
}

// condition is a CallOption.
type condition func(of *conditions) error

func (c condition) ask(of *conditions) error { return c(of) }

// sharedOption is a SharedOption.
type sharedOption struct {
	constructorOption
	condition
}

// WithProgress reports to a function how far the call is; given to a constructor, how far the load
// of the model is.
func WithProgress(progress Progress) SharedOption {
	report := condition(func(of *conditions) error {
		if progress == nil {
			return invalid("progress: expected a function, got nil")
		}
		of.progress = progress
		return nil
	})
	everywhere := forDiarizer | forSession | forStream
	return sharedOption{constructorOption{name: "WithProgress", usedBy: everywhere, load: report}, report}
}

// Exclusive asks for a result in which no two segments overlap: where several speakers talk, the
// one who is the most active has the time.
func Exclusive() CallOption {
	return condition(func(of *conditions) error {
		of.flags |= C.VF_CALL_EXCLUSIVE
		return nil
	})
}

// Channel asks for one channel of a recording, 1 to 32, in place of the mean of all; 1 is the left
// one.
func Channel(number int) CallOption {
	return condition(func(of *conditions) error {
		number, err := size("channel", number)
		of.flags = of.flags&^C.VF_CALL_SEPARATE_CHANNELS | C.VF_CALL_CHANNEL
		of.channel = C.uint64_t(number)
		return err
	})
}

// SeparateChannels asks for each channel by itself, for recordings with a party on each: no two
// have a speaker in common, labels are "CH1_SPEAKER_00", "CH2_SPEAKER_00", and so on, and what
// leaks from one channel into another is dropped.
func SeparateChannels() CallOption {
	return condition(func(of *conditions) error {
		of.flags = of.flags&^C.VF_CALL_CHANNEL | C.VF_CALL_SEPARATE_CHANNELS
		of.channel = 0
		return nil
	})
}

// Track asks for one audio track of a file, 1 to 32, in place of the one that has the speech.
func Track(number int) CallOption {
	return condition(func(of *conditions) error {
		number, err := size("track", number)
		of.flags = of.flags&^C.VF_CALL_ALL_TRACKS | C.VF_CALL_TRACK
		of.track = C.uint64_t(number)
		return err
	})
}

// AllTracks asks for each audio track by itself: no two have a speaker in common, and labels are
// "TRACK1_SPEAKER_00", "TRACK2_SPEAKER_00", and so on.
func AllTracks() CallOption {
	return condition(func(of *conditions) error {
		of.flags = of.flags&^C.VF_CALL_TRACK | C.VF_CALL_ALL_TRACKS
		of.track = 0
		return nil
	})
}

// WithNumSpeakers asks for exactly this many speakers, 1 to 100: of every recording of a diarizer,
// or of the result of one call, whatever its diarizer was asked for. Default: the voices decide. A
// recording without speech has none whatever is asked for.
func WithNumSpeakers(count int) SharedOption {
	set := sizeSetter("num_speakers", count, func(o *C.vf_options, count C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_num_speakers(o, count)
	})
	ask := func(of *conditions) error {
		count, err := size("num_speakers", count)
		of.flags |= C.VF_CALL_NUM_SPEAKERS
		of.numSpeakers = C.uint64_t(count)
		return err
	}
	return sharedOption{constructorOption{name: "WithNumSpeakers", usedBy: forDiarizer, set: set}, ask}
}

// WithSpeakerRange asks for at least atLeast (0 to 100) and at most atMost speakers (1 to 100): of
// every recording of a diarizer, of a stream while it is live, of which the most counts, or of the
// result of one call, whatever its diarizer was asked for. Default 0 and 100.
func WithSpeakerRange(atLeast, atMost int) SharedOption {
	bounds := func() (low, high C.size_t, err error) {
		if low, err = size("min", atLeast); err == nil {
			high, err = size("max", atMost)
		}
		return low, high, err
	}
	set := func(o *C.vf_options) error {
		low, high, err := bounds()
		if err != nil {
			return err
		}
		return call(func() C.vfgo_answer { return C.go_vf_options_set_speaker_range(o, low, high) })
	}
	ask := func(of *conditions) error {
		low, high, err := bounds()
		of.flags |= C.VF_CALL_MIN_SPEAKERS | C.VF_CALL_MAX_SPEAKERS
		of.minSpeakers, of.maxSpeakers = C.uint64_t(low), C.uint64_t(high)
		return err
	}
	return sharedOption{constructorOption{name: "WithSpeakerRange", usedBy: forDiarizer | forStream, set: set}, ask}
}

// conditionsOf collects what is asked of one call. Without options it allocates nothing.
func conditionsOf(options []CallOption) (conditions, error) {
	if len(options) == 0 {
		return conditions{}, nil
	}
	var asked conditions
	for i, option := range options {
		if option == nil {
			return asked, invalid("options: expected one made by this package at index %d, got nil", i)
		}
		if err := option.ask(&asked); err != nil {
			return asked, err
		}
	}
	return asked, nil
}

// under makes one call of the library, which the context ends, under the conditions of the options.
func under(ctx context.Context, options []CallOption, work func(*C.vfgo_call) error) error {
	asked, err := conditionsOf(options)
	if err != nil {
		return err
	}
	return asked.during(ctx, work)
}

// during makes one call of the library, which the context ends, under the conditions.
func (asked conditions) during(ctx context.Context, work func(*C.vfgo_call) error) error {
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	if ctx.Done() == nil && asked.progress == nil && asked.flags == 0 {
		return work(nil)
	}
	made, err := calls.take()
	if err != nil {
		return err
	}
	made.given.flags = asked.flags
	made.given.num_speakers = asked.numSpeakers
	made.given.min_speakers = asked.minSpeakers
	made.given.max_speakers = asked.maxSpeakers
	made.given.channel = asked.channel
	made.given.track = asked.track
	if asked.progress != nil {
		handle := cgo.NewHandle(reporter{ctx, asked.progress})
		defer handle.Delete()
		made.progress = C.uintptr_t(handle)
		made.given.progress = C.vf_progress_fn(C.vfgo_progress)
		made.given.user_data = unsafe.Pointer(made)
	}
	settle := whenDone(ctx, func() { C.vf_cancel_set(made.given.cancel) })
	defer func() { calls.give(made, settle()) }()
	return because(ctx, work(made))
}

// whenDone runs end once the context is done. The function it gives says that this is no longer
// wanted, and waits for an end under way.
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

// calls keeps what calls that were not ended had for their conditions.
var calls keptCalls

// mostKept is how many are kept at most, some hundred bytes each.
const mostKept = 64

type keptCalls struct {
	mu    sync.Mutex
	unset []*C.vfgo_call
}

// take gives one that asks for nothing, with a switch that is not set.
func (k *keptCalls) take() (*C.vfgo_call, error) {
	if kept := k.kept(); kept != nil {
		cancel := kept.given.cancel
		*kept = C.vfgo_call{given: C.vf_call{size: C.sizeof_vf_call, cancel: cancel}}
		return kept, nil
	}
	var cancel *C.vf_cancel
	// Where the handler of the logger has panicked in a call that succeeded.
	defer func() { C.vf_cancel_destroy(cancel) }()
	if err := call(func() C.vfgo_answer { return C.go_vf_cancel_create(&cancel) }); err != nil {
		return nil, err
	}
	made := (*C.vfgo_call)(C.malloc(C.sizeof_vfgo_call))
	*made = C.vfgo_call{given: C.vf_call{size: C.sizeof_vf_call, cancel: cancel}}
	cancel = nil
	return made, nil
}

func (k *keptCalls) kept() *C.vfgo_call {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := len(k.unset) - 1
	if last < 0 {
		return nil
	}
	kept := k.unset[last]
	k.unset = k.unset[:last]
	return kept
}

// give takes one back after its call.
func (k *keptCalls) give(used *C.vfgo_call, set bool) {
	if set || used.ended != 0 || !k.keep(used) {
		free(used)
	}
}

func (k *keptCalls) keep(used *C.vfgo_call) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.unset) == mostKept {
		return false
	}
	k.unset = append(k.unset, used)
	return true
}

// free frees one. The library destroys nothing on a thread that is inside a callback.
func free(used *C.vfgo_call) {
	if C.vfgo_inside() != 0 {
		go free(used)
		return
	}
	C.vf_cancel_destroy((*C.vf_cancel)(used.given.cancel))
	C.free(unsafe.Pointer(used))
}
