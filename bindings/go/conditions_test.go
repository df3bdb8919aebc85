package voiceflow

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheSpeakersOfOneCall(t *testing.T) {
	d, s := diarizer(t), stream(t)
	process := func(options ...CallOption) (*Diarization, error) {
		return d.ProcessInt16(background, conversation(), rate, 1, options...)
	}
	finish := func(options ...CallOption) (*Diarization, error) {
		check(t, s.Reset(background))
		check(t, s.PushInt16(background, conversation()))
		return s.Finish(background, options...)
	}
	for name, give := range map[string]func(...CallOption) (*Diarization, error){
		"process": process, "finish": finish,
	} {
		t.Run(name, func(t *testing.T) {
			work := func(options ...CallOption) *Diarization { return must[*Diarization](t)(give(options...)) }
			for _, test := range []struct {
				speakers int
				options  []CallOption
			}{
				{2, []CallOption{WithNumSpeakers(2)}},
				{4, []CallOption{WithNumSpeakers(9), WithNumSpeakers(4)}},
				{2, []CallOption{WithSpeakerRange(0, 2)}},
				{4, []CallOption{WithSpeakerRange(4, 100), Exclusive()}},
				// Nothing of it stays.
				{3, nil},
			} {
				if got := len(work(test.options...).Speakers()); got != test.speakers {
					t.Errorf("expected %d speakers, got %d", test.speakers, got)
				}
			}
			overlaps := func(result *Diarization) bool {
				segments := segmentsOf(result)
				for i := 1; i < len(segments); i++ {
					if segments[i].Start < segments[i-1].End {
						return true
					}
				}
				return slices.ContainsFunc(segments, Segment.Overlap)
			}
			if !overlaps(work()) || overlaps(work(Exclusive())) {
				t.Error("expected overlap, and none where the result is exclusive")
			}
		})
	}
}

// What is asked of the channels of samples, and what the result says of them.
func TestChannelsAndTracksOfACall(t *testing.T) {
	d := diarizer(t)
	mono := conversation()
	frames := make([]int16, 0, 2*len(mono))
	for _, sample := range mono {
		frames = append(frames, sample, -sample)
	}
	process := func(options ...CallOption) *Diarization {
		return must[*Diarization](t)(d.ProcessInt16(background, frames, rate, 2, options...))
	}
	warnings := process().Warnings()
	if len(warnings) != 1 || warnings[0].Code != WarningInvertedChannels || warnings[0].Time >= time.Second ||
		!strings.Contains(warnings[0].Text, "each other's inverse") {
		t.Errorf("expected a warning of inverted channels, got %v", warnings)
	}
	for expected, options := range map[string][]CallOption{
		"SPEAKER_00":        {SeparateChannels(), Channel(1)},
		"CH1_SPEAKER_00":    {Channel(1), SeparateChannels()},
		"TRACK1_SPEAKER_00": {Track(1), AllTracks(), Channel(2)},
	} {
		result := process(options...)
		if got := result.Label(0); got != expected || len(result.Warnings()) != 0 {
			t.Errorf("expected %s and no warning, got %s and %v", expected, got, result.Warnings())
		}
	}
	for words, option := range map[string]CallOption{
		"channel: expected one of the 2 that there are, got number 3": Channel(3),
		"track: expected one of the 1 that there are, got number 2":   Track(2),
	} {
		_, err := d.ProcessInt16(background, frames, rate, 2, option)
		expectError(t, err, ErrAudio, words)
	}
	_, err := d.ProcessInt16(background, frames, rate, 2, Channel(0))
	expectError(t, err, ErrInvalidArgument, "call: channel: expected 1 to 32, got 0")
}

// The speakers of a call take the place of those of its diarizer.
func TestTheSpeakersOfACallAreNotThoseOfTheDiarizer(t *testing.T) {
	d := must[*Diarizer](t)(NewDiarizer(background, WithBundle("fast-cnn"), WithNumSpeakers(2)))
	defer d.Close()
	for expected, options := range map[int][]CallOption{2: nil, 4: {WithNumSpeakers(4)}} {
		result := must[*Diarization](t)(d.ProcessInt16(background, conversation(), rate, 1, options...))
		if got := len(result.Speakers()); got != expected {
			t.Errorf("expected %d speakers, got %d", expected, got)
		}
	}
}

func TestConditionsThatAreRefused(t *testing.T) {
	d, s, g, session := diarizer(t), stream(t), gallery(t), session(t)
	process := func(options ...CallOption) error {
		_, err := d.ProcessInt16(background, conversation()[:4*rate], rate, 1, options...)
		return err
	}
	infer := func(option CallOption) error { _, err := session.Infer(background, window, 1, option); return err }
	for words, err := range map[string]error{
		"call: num_speakers: expected 1 to 100, got 0":                   process(WithNumSpeakers(0)),
		"num_speakers: expected 0 or more, got -1":                       process(WithNumSpeakers(-1)),
		"call: max_speakers: expected 1 to 100, got 101":                 process(WithSpeakerRange(0, 101)),
		"min: expected 0 or more, got -2":                                process(WithSpeakerRange(-2, 1)),
		"call: min_speakers: expected at most max_speakers (2), got 3":   process(WithSpeakerRange(3, 2)),
		"expected without min_speakers and max_speakers, got both":       process(WithNumSpeakers(2), WithSpeakerRange(1, 2)),
		"progress: expected a function, got nil":                         process(WithProgress(nil)),
		"options: expected one made by this package at index 1, got nil": process(Exclusive(), nil),
		"call: num_speakers: expected none":                              s.PushInt16(background, conversation(), WithNumSpeakers(2)),
		"call: min_speakers: expected none":                              s.Reset(background, WithSpeakerRange(0, 2)),
		"call: exclusive: expected none":                                 infer(Exclusive()),
		"call: exclusive: expected none, as":                             errorOf(g.EnrollFloat32(background, d, "ada", piece("ada"), rate, 1, Exclusive())),
	} {
		expectError(t, err, ErrInvalidArgument, words)
		if err.(*Error).Taken {
			t.Errorf("%v: expected no samples to be taken", err)
		}
	}
	if n := must[uint64](t)(s.Updates()); n != 0 {
		t.Errorf("expected no audio to be analysed, got %d updates", n)
	}
	check(t, process())
}

func TestALoadTellsItsProgressAndEndsByItsContext(t *testing.T) {
	loads := map[string]func(context.Context, Option) error{
		"NewDiarizer": func(ctx context.Context, option Option) error {
			d, err := NewDiarizer(ctx, option)
			d.Close()
			return err
		},
		"NewSession": func(ctx context.Context, option Option) error {
			s, err := NewSession(ctx, option)
			s.Close()
			return err
		},
	}
	for name, load := range loads {
		t.Run(name, func(t *testing.T) {
			told := 0
			check(t, load(background, WithProgress(func(stage Stage, fraction float64) {
				if stage != StageLoading || fraction < 0 || fraction > 1 {
					t.Errorf("expected a load, got %v %v", stage, fraction)
				}
				told++
			})))
			if told == 0 {
				t.Error("expected the load to be told")
			}
			ctx, cancel := context.WithCancel(background)
			err := load(ctx, WithProgress(func(Stage, float64) { cancel() }))
			expectError(t, err, context.Canceled)
			expectError(t, err, ErrCancelled, "loading")
			expectPanic(t, "load", func() { load(background, WithProgress(func(Stage, float64) { panic("load") })) })
			expectError(t, load(background, WithProgress(nil)), ErrInvalidArgument, "progress: expected a function")
		})
	}
	// No model is loaded for it.
	s := must[*Stream](t)(diarizer(t).NewStream(background, rate, 1, WithProgress(func(Stage, float64) {})))
	check(t, s.Close())
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err := diarizer(t).NewStream(ctx, rate, 1)
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled)
}

func kept() int {
	calls.mu.Lock()
	defer calls.mu.Unlock()
	return len(calls.unset)
}

// What a call had for its conditions is used again, unless its switch was set.
func TestConditionsAreUsedAgain(t *testing.T) {
	s := session(t)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for range 3 {
		must[*Inference](t)(s.Infer(ctx, window, 1))
	}
	before := kept()
	must[*Inference](t)(s.Infer(ctx, window, 1, WithProgress(func(Stage, float64) {})))
	if before == 0 || kept() != before {
		t.Fatalf("expected %d, got %d", before, kept())
	}
	for _, end := range []func(){
		func() {
			ctx, cancel := context.WithCancel(background)
			_, err := diarizer(t).ProcessFile(ctx, conversationFile, WithProgress(func(Stage, float64) { cancel() }))
			expectError(t, err, ErrCancelled)
		},
		func() {
			expectPanic(t, "told", func() {
				diarizer(t).ProcessFile(background, conversationFile, WithProgress(func(Stage, float64) { panic("told") }))
			})
		},
	} {
		must[*Inference](t)(s.Infer(ctx, window, 1))
		before := kept()
		if end(); kept() != before-1 {
			t.Errorf("expected %d without the one that was set, got %d", before-1, kept())
		}
	}
	var many []int
	all := make([]func(), 0, mostKept+6)
	for range cap(all) {
		made, err := calls.take()
		check(t, err)
		all = append(all, func() { calls.give(made, false) })
	}
	for _, give := range all {
		give()
		many = append(many, kept())
	}
	if most := slices.Max(many); most != mostKept {
		t.Errorf("expected at most %d, got %d", mostKept, most)
	}
}
