package voiceflow

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// finals pushes samples in pieces and gives all final segments.
func finals(t testing.TB, s *Stream, samples []int16, piece int) []Segment {
	t.Helper()
	var told []Segment
	for part := range slices.Chunk(samples, piece) {
		check(t, s.PushInt16(background, part))
		told = append(told, finalOf(must[[]Segment](t)(s.ReadAll()))...)
	}
	must[*Diarization](t)(s.Finish(background))
	return append(told, finalOf(must[[]Segment](t)(s.ReadAll()))...)
}

func finalOf(segments []Segment) []Segment {
	return slices.DeleteFunc(segments, func(s Segment) bool { return !s.Final() })
}

func TestALiveSource(t *testing.T) {
	s := stream(t, WithLatency(1500*time.Millisecond), WithHistory(time.Hour))
	if latency := s.Latency(); latency < time.Second || latency > 2*time.Second {
		t.Fatalf("expected some 1.5 s, got %v", latency)
	}
	var told, provisional []Segment
	updates := uint64(0)
	for part := range slices.Chunk(conversation(), rate/10) {
		check(t, s.PushInt16(background, part))
		if number := must[uint64](t)(s.Updates()); number != updates {
			provisional, updates = nil, number
		}
		var room [3]Segment
		for n := -1; n != 0; {
			n = must[int](t)(s.Read(room[:]))
			for _, segment := range room[:n] {
				if segment.Final() {
					told = append(told, segment)
				} else {
					provisional = append(provisional, segment)
				}
			}
		}
	}
	if len(told) < 10 || len(provisional) == 0 || updates < 100 {
		t.Fatalf("expected turns, got %d final, %d others, %d updates", len(told), len(provisional), updates)
	}
	if s.Result() != nil {
		t.Fatal("expected no result before the end")
	}
	stages := 0
	result := must[*Diarization](t)(s.Finish(background, WithProgress(func(Stage, float64) { stages++ })))
	if result != s.Result() || len(result.Speakers()) != 3 || stages == 0 {
		t.Fatalf("expected a result with 3 speakers, got %v", result.Speakers())
	}
	count := must[int](t)(s.SpeakerCount())
	final := must[[]int32](t)(s.FinalSpeakers())
	if count < 3 || len(final) != count {
		t.Fatalf("expected 3 speakers or more, got %d, and %v", count, final)
	}
	for number := range count {
		voice := must[[]float32](t)(s.SpeakerEmbedding(int32(number)))
		if len(voice) != diarizer(t).Info().EmbeddingDim {
			t.Fatalf("speaker %d: got %d values", number, len(voice))
		}
	}
	expectError(t, s.PushInt16(background, conversation()), ErrInvalidArgument, "finish")
	check(t, s.Reset(background))
	if s.Result() != nil || must[int](t)(s.SpeakerCount()) != 0 {
		t.Fatal("expected a stream as new")
	}
	if again := finals(t, s, conversation(), 7_777); !slices.Equal(again[:len(told)], told) {
		t.Fatalf("expected %v, got %v", told, again)
	}
}

// Pages of one segment, and a push after the first one that is not final.
func TestAPushBetweenTwoPagesLeavesNothingOutdated(t *testing.T) {
	heard, next := conversation()[:18*rate], conversation()[18*rate:20*rate]
	s, other := stream(t), stream(t)
	check(t, s.PushInt16(background, heard))
	check(t, other.PushInt16(background, heard))
	var outdated []Segment
	read := func(page []Segment) (int, error) {
		n, err := s.Read(page)
		if n > 0 && !page[0].Final() && len(outdated) == 0 {
			outdated = append(outdated, page[0])
			check(t, s.PushInt16(background, next))
		}
		return n, err
	}
	got := must[[]Segment](t)(readPages(make([]Segment, 1), read, s.Updates))
	check(t, other.PushInt16(background, next))
	expected := must[[]Segment](t)(other.ReadAll())
	if len(outdated) == 0 || slices.Contains(expected, outdated[0]) || !slices.Equal(got, expected) {
		t.Fatalf("expected %v without %v, got %v", expected, outdated, got)
	}
}

func TestFloatsAreHeardAsIntegersAre(t *testing.T) {
	expected := finals(t, stream(t), conversation()[:20*rate], rate)
	s := stream(t)
	check(t, s.PushFloat32(background, floatsOf(conversation()[:20*rate])))
	must[*Diarization](t)(s.Finish(background))
	if got := finalOf(must[[]Segment](t)(s.ReadAll())); !slices.Equal(got, expected) {
		t.Fatalf("expected %v, got %v", expected, got)
	}
}

func TestBadInputOfAStream(t *testing.T) {
	d, ctx := diarizer(t), background
	stereo := must[*Stream](t)(d.NewStream(background, 8000, 2))
	defer stereo.Close()
	made := func(rate, channels int, options ...Option) error {
		_, err := d.NewStream(background, rate, channels, options...)
		return err
	}
	for _, bad := range []struct {
		err   error
		kind  Status
		words string
	}{
		{made(1, 1), ErrInvalidArgument, "sample rate"},
		{made(-1, 1), ErrInvalidArgument, "sample rate"},
		{made(rate, 0), ErrInvalidArgument, "channels"},
		{made(rate, 40), ErrInvalidArgument, "channels"},
		{made(rate, 1, WithLatency(time.Hour)), ErrInvalidArgument, "latency"},
		{made(rate, 1, WithHistory(25*time.Hour)), ErrInvalidArgument, "history"},
		{stereo.PushInt16(ctx, make([]int16, 3)), ErrInvalidArgument, "samples: expected a multiple of the 2"},
		{stereo.PushFloat32(ctx, []float32{0, float32(math.NaN())}), ErrAudio, "1"},
		{func() error { _, err := stereo.SpeakerEmbedding(0); return err }(), ErrInvalidArgument, "speaker: "},
		{func() error { _, err := stereo.SpeakerEmbedding(-1); return err }(), ErrInvalidArgument, "speaker"},
		{func() error { _, err := stereo.FinalSpeakers(); return err }(), ErrInvalidArgument, "finished first"},
		{(&Stream{channels: 1}).PushInt16(ctx, nil), ErrInvalidArgument, "zero value"},
	} {
		expectError(t, bad.err, bad.kind, bad.words)
		var failed *Error
		if errors.As(bad.err, &failed); failed.Taken {
			t.Errorf("%v: expected no samples to be taken", bad.err)
		}
	}
	check(t, stereo.PushInt16(ctx, nil))
	check(t, stereo.PushFloat32(ctx, []float32{}))
	if n := must[int](t)(stereo.Read(nil)); n != 0 {
		t.Fatalf("expected nothing, got %d", n)
	}
	result := must[*Diarization](t)(stereo.Finish(ctx))
	if len(segmentsOf(result)) != 0 {
		t.Fatalf("expected nobody, got %v", segmentsOf(result))
	}
	_, err := stereo.Finish(ctx)
	expectError(t, err, ErrInvalidArgument, "reset it first")
}

// long is minutes of speech, whose push takes a while.
func long() []int16 { return slices.Repeat(conversation(), 4) }

func TestAContextEndsAPush(t *testing.T) {
	s := stream(t)
	expected := finals(t, s, long(), math.MaxInt32)
	var err error
	// Again where the push was done before it was cancelled.
	for try := 0; try < 5 && err == nil; try++ {
		check(t, s.Reset(background))
		before := must[uint64](t)(s.Updates())
		ctx, cancel := context.WithCancel(background)
		pushed := make(chan error)
		go func() { pushed <- s.PushInt16(ctx, long()) }()
		waitFor(t, "some windows", func() bool { return must[uint64](t)(s.Updates()) > before+2 })
		cancel()
		err = <-pushed
	}
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled, "cancelled while")
	var failed *Error
	if !errors.As(err, &failed) || !failed.Taken {
		t.Fatalf("expected the samples to be taken, got %#v", err)
	}
	told := finalOf(must[[]Segment](t)(s.ReadAll()))
	if len(told) >= len(expected) {
		t.Fatalf("expected less than the %d segments of all", len(expected))
	}
	check(t, s.PushInt16(background, nil))
	must[*Diarization](t)(s.Finish(background))
	if told = append(told, finalOf(must[[]Segment](t)(s.ReadAll()))...); !slices.Equal(told, expected) {
		t.Fatalf("expected %v, got %v", expected, told)
	}
}

// Wherever a cancellation falls, it ends its own push or none, and nothing is lost or heard twice.
func TestPushesCancelledAtAnyTime(t *testing.T) {
	s, samples := stream(t), conversation()
	expected := finals(t, stream(t), samples, rate)
	var told []Segment
	var ended, taken int
	for i, piece := 0, rate/4; i < len(samples); i += piece {
		ctx, cancel := context.WithCancel(background)
		go func() {
			time.Sleep(time.Duration(i/piece%30) * 50 * time.Microsecond)
			cancel()
		}()
		part := samples[i:min(i+piece, len(samples))]
		if err := s.PushInt16(ctx, part); err != nil {
			expectError(t, err, ErrCancelled)
			expectError(t, err, context.Canceled)
			ended++
			if err.(*Error).Taken {
				taken++
				part = nil
			}
			check(t, s.PushInt16(background, part))
		}
		told = append(told, finalOf(must[[]Segment](t)(s.ReadAll()))...)
		cancel()
	}
	must[*Diarization](t)(s.Finish(background))
	if told = append(told, finalOf(must[[]Segment](t)(s.ReadAll()))...); !slices.Equal(told, expected) {
		t.Fatalf("expected %v, got %v", expected, told)
	}
	t.Logf("%d pushes cancelled, %d of them with their samples taken", ended, taken)
}

// hold pushes samples, and keeps the push inside its progress function until it is released.
func hold(t testing.TB, s *Stream, samples []int16) (release func()) {
	t.Helper()
	held, holding, pushed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		pushed <- s.PushInt16(background, samples, WithProgress(func(Stage, float64) {
			once.Do(func() { close(holding) })
			<-held
		}))
	}()
	<-holding
	return func() {
		t.Helper()
		close(held)
		check(t, <-pushed)
	}
}

func TestAPushThatWaitsIsEndedAloneAndTaken(t *testing.T) {
	expected := finals(t, stream(t), conversation(), rate)
	s := stream(t)
	release := hold(t, s, conversation()[:20*rate])
	ctx, cancel := context.WithTimeout(background, time.Second)
	defer cancel()
	err := s.PushInt16(ctx, conversation()[20*rate:])
	expectError(t, err, context.DeadlineExceeded)
	expectError(t, err, ErrDeadline, "cancelled while waiting")
	if !err.(*Error).Taken {
		t.Error("expected the samples to be taken")
	}
	release()
	must[*Diarization](t)(s.Finish(background))
	if told := finalOf(must[[]Segment](t)(s.ReadAll())); !slices.Equal(told, expected) {
		t.Fatalf("expected %v, got %v", expected, told)
	}
}

func TestAContextEndsEveryCallThatWaitsWithIt(t *testing.T) {
	s := stream(t)
	release := hold(t, s, conversation()[:20*rate])
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var waiting [3]atomic.Bool
	tell := func(call int) CallOption {
		return WithProgress(func(stage Stage, fraction float64) {
			if stage == StageWaiting && fraction == 0 {
				waiting[call].Store(true)
			}
		})
	}
	ended := make(chan error, 3)
	go func() { ended <- s.PushInt16(ctx, conversation()[20*rate:], tell(0)) }()
	go func() { ended <- s.Reset(ctx, tell(1)) }()
	go func() { _, err := s.Finish(ctx, tell(2)); ended <- err }()
	for call := range waiting {
		waitFor(t, "a call that waits", waiting[call].Load)
	}
	cancel()
	for range waiting {
		err := <-ended
		expectError(t, err, ErrCancelled, "cancelled while waiting")
		expectError(t, err, context.Canceled)
	}
	release()
	// The push was taken; the stream was neither finished nor reset.
	result := must[*Diarization](t)(s.Finish(background))
	if len(result.Speakers()) != 3 || result.Duration() < 52*time.Second {
		t.Errorf("expected the whole recording, got %v of %v", result.Duration(), result.Speakers())
	}
}

// Whichever of them comes last in the library, the stream has a result if it is finished, and none
// if it is not.
func TestTheResultIsThatOfTheStream(t *testing.T) {
	s := stream(t)
	for range max(5, 50/slower) {
		check(t, s.PushInt16(background, conversation()[:4*rate]))
		var group sync.WaitGroup
		group.Add(2)
		go func() { defer group.Done(); check(t, s.Reset(background)) }()
		go func() { defer group.Done(); must[*Diarization](t)(s.Finish(background)) }()
		group.Wait()
		_, err := s.FinalSpeakers()
		if finished := err == nil; finished != (s.Result() != nil) {
			t.Fatalf("expected a result as the stream is finished (%v), got %v", finished, s.Result())
		}
		check(t, s.Reset(background))
	}
}

func TestAContextEndsAFinish(t *testing.T) {
	s := stream(t)
	check(t, s.PushInt16(background, conversation()))
	ctx, cancel := context.WithCancel(background)
	_, err := s.Finish(ctx, WithProgress(func(Stage, float64) {
		cancel()
		<-ctx.Done()
	}))
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled)
	expectPanic(t, 7, func() { s.Finish(background, WithProgress(func(Stage, float64) { panic(7) })) })
	must[*Diarization](t)(s.Finish(background))
}

func TestStreamsInParallel(t *testing.T) {
	expected := finals(t, stream(t), conversation(), rate)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			if got := finals(t, stream(t), conversation(), rate/2+i); !slices.Equal(got, expected) {
				t.Errorf("expected %v, got %v", expected, got)
			}
		})
	}
}
