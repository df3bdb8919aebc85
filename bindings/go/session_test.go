package voiceflow

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestAnInference(t *testing.T) {
	s := session(t, WithThreads(1))
	info := s.Info()
	if info.Name == "" || info.Version == "" || len(info.SHA256) != 64 || info.WindowSamples < rate ||
		info.HopSamples < 1 || info.FrameStepSamples < 1 || info.FrameOffsetSamples < 1 || info.SampleRate != rate {
		t.Fatalf("expected a description, got %+v", info)
	}
	const batch = 3
	audio := floatsOf(conversation())[:batch*3*rate]
	out := must[*Inference](t)(s.Infer(background, audio, batch))
	frames := must[int](t)(s.Frames(3 * rate))
	if out.Frames != frames || out.Speakers != info.MaxSpeakers || out.Dim != info.EmbeddingDim ||
		len(out.Activity) != batch*frames*out.Speakers || len(out.Embedding) != batch*out.Speakers*out.Dim {
		t.Fatalf("expected the shapes of the model, got %d frames of %d speakers, %d and %d values",
			out.Frames, out.Speakers, len(out.Activity), len(out.Embedding))
	}
	for _, value := range out.Activity {
		if !(value >= 0 && value <= 1) {
			t.Fatalf("expected probabilities, got %v", value)
		}
	}
	// One after the other is the same, whatever the buffers held.
	again := &Inference{Activity: []float32{7}, Embedding: make([]float32, 1, 1<<20)}
	for row := range batch {
		check(t, s.InferInto(background, audio[row*3*rate:(row+1)*3*rate], 1, again))
		expected := out.Activity[row*len(again.Activity) : (row+1)*len(again.Activity)]
		for i, value := range again.Activity {
			if math.Abs(float64(value-expected[i])) > 1e-4 {
				t.Fatalf("row %d: expected %v at %d, got %v", row, expected[i], i, value)
			}
		}
	}
}

func TestInferenceIntoBuffersAllocatesNothing(t *testing.T) {
	s, out := session(t, WithThreads(1)), &Inference{}
	check(t, s.InferInto(background, window, 1, out))
	allocations := testing.AllocsPerRun(20, func() { check(t, s.InferInto(background, window, 1, out)) })
	if allocations != 0 {
		t.Fatalf("expected no allocations, got %v", allocations)
	}
}

func TestTheBareLoopOfTheBenchmarkRuns(t *testing.T) {
	s, expected := session(t, WithThreads(1)), &Inference{}
	check(t, s.InferInto(background, window, 1, expected))
	got := &Inference{Activity: make([]float32, len(expected.Activity))}
	got.Embedding = make([]float32, len(expected.Embedding))
	took := bareRuns(t, s, got, 2)
	if len(took) != 2 || took[0] <= 0 || !slices.Equal(got.Activity, expected.Activity) {
		t.Fatalf("expected two durations and the same activity, got %v", took)
	}
}

func TestBadAudioForASession(t *testing.T) {
	s, ctx := session(t, WithModelPath(filepath.Join(modelsFolder, "good.onnx"))), background
	infer := func(audio []float32, batch int) error { _, err := s.Infer(ctx, audio, batch); return err }
	for _, bad := range []struct {
		err   error
		kind  Status
		words string
	}{
		{infer(nil, 1), ErrInvalidArgument, "samples"},
		{infer([]float32{}, 1), ErrInvalidArgument, "samples"},
		{infer(window, 0), ErrInvalidArgument, "batch: expected 1 to 1,024, got 0"},
		{infer(window, -1), ErrInvalidArgument, "batch: expected 1 to 1,024, got -1"},
		{infer(window, 7), ErrInvalidArgument, "audio: expected 7 windows of one length, got 48000 values"},
		{infer(make([]float32, 2048*160), 2048), ErrLimit, "batch: expected at most 1024, got 2048"},
		{infer(make([]float32, 61*rate), 1), ErrLimit, "samples"},
		{infer(append([]float32{float32(math.NaN())}, window...), 1), ErrAudio, "audio"},
		{s.InferInto(ctx, window, 1, nil), ErrInvalidArgument, "out: expected an inference, got nil"},
		{func() error { _, err := s.Frames(-1); return err }(), ErrInvalidArgument, "samples: expected 0 or more"},
		{func() error { _, err := s.Frames(0); return err }(), ErrInvalidArgument, "samples"},
		{func() error { _, err := NewSession(background, WithSlots(0)); return err }(), ErrInvalidArgument, "slots"},
		{(&Session{}).InferInto(ctx, window, 1, &Inference{}), ErrInvalidArgument, "zero value"},
	} {
		if bad.err == nil {
			t.Fatalf("expected an error with %q", bad.words)
		}
		expectError(t, bad.err, bad.kind, bad.words)
	}
	check(t, infer(window, 1))
}

func TestACancelledInferenceIsTheOnlyOne(t *testing.T) {
	s := session(t, WithModelPath(filepath.Join(modelsFolder, "slow.onnx")), WithThreads(1), WithSlots(2))
	audio := noise(20 * rate)
	must[int](t)(s.Frames(len(audio)))
	began := time.Now()
	expected := must[*Inference](t)(s.Infer(background, audio, 1))
	whole := time.Since(began)
	// Of rows that take as long as 64 runs.
	ctx, cancel := context.WithTimeout(background, whole)
	defer cancel()
	other, cancelOther := context.WithCancel(background)
	defer cancelOther()
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		out, err := s.Infer(other, audio, 1)
		if err != nil || !slices.Equal(out.Activity, expected.Activity) {
			t.Errorf("expected the other inference to be whole, got %v", err)
		}
	}()
	_, err := s.Infer(ctx, slices.Repeat(audio, 64), 64)
	expectError(t, err, context.DeadlineExceeded)
	expectError(t, err, ErrDeadline)
	group.Wait()
	cancelOther()
	_, err = s.Infer(other, audio, 1)
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled)
}

// Wherever a cancellation falls in a call, the call ends one way or the other, and the next one is
// whole.
func TestInferencesCancelledAtAnyTime(t *testing.T) {
	s, out := session(t, WithThreads(1)), &Inference{}
	var whole, ended int
	for i := range max(40, 200/slower) {
		ctx, cancel := context.WithCancel(background)
		go func() {
			time.Sleep(time.Duration(i%20) * 20 * time.Microsecond)
			cancel()
		}()
		switch err := s.InferInto(ctx, window, 1, out); {
		case err == nil:
			whole++
		case errors.Is(err, ErrCancelled) && errors.Is(err, context.Canceled):
			ended++
		default:
			t.Fatal(err)
		}
		check(t, s.InferInto(background, window, 1, out))
	}
	t.Logf("%d whole, %d cancelled", whole, ended)
}

func TestGoroutinesShareASession(t *testing.T) {
	s := session(t, WithThreads(1), WithSlots(2))
	expected := must[*Inference](t)(s.Infer(background, window, 1))
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			out := &Inference{}
			for range 4 {
				err := s.InferInto(background, window, 1, out)
				if err != nil || !slices.Equal(out.Embedding, expected.Embedding) ||
					!slices.Equal(out.Activity, expected.Activity) {
					t.Errorf("expected the same for the same audio, got the error %v", err)
				}
			}
		}()
	}
	group.Wait()
}

func TestAContextEndsALoad(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	s := must[*Session](t)(NewSession(ctx, WithThreads(1)))
	check(t, s.Close())
	cancel()
	if _, err := NewDiarizer(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("expected the error of the context, got %v", err)
	}
	ctx, cancel = context.WithTimeout(background, time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := NewSession(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("expected the error of the context, got %v", err)
	}
}
