package voiceflow

import (
	"context"
	"slices"
	"testing"
	"time"

	"voiceflow/internal/bare"
)

// window is three seconds of audio.
var window = noise(3 * rate)

func BenchmarkInfer(b *testing.B) {
	s := session(b, WithThreads(1))
	b.ReportAllocs()
	for b.Loop() {
		must[*Inference](b)(s.Infer(background, window, 1))
	}
}

func BenchmarkInferInto(b *testing.B) {
	s, out := session(b, WithThreads(1)), &Inference{}
	check(b, s.InferInto(background, window, 1, out))
	b.ReportAllocs()
	for b.Loop() {
		check(b, s.InferInto(background, window, 1, out))
	}
}

// By a switch.
func BenchmarkInferIntoCancellable(b *testing.B) {
	s, out := session(b, WithThreads(1)), &Inference{}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		check(b, s.InferInto(ctx, window, 1, out))
	}
}

// What a call costs by itself: the library looks up a number that it knows.
func BenchmarkCrossing(b *testing.B) {
	s := session(b)
	must[int](b)(s.Frames(3 * rate))
	b.ReportAllocs()
	for b.Loop() {
		must[int](b)(s.Frames(3 * rate))
	}
}

// A loop in C.
func BenchmarkInferC(b *testing.B) {
	s, out := session(b, WithThreads(1)), &Inference{}
	check(b, s.InferInto(background, window, 1, out))
	b.ResetTimer()
	bareRuns(b, s, out, b.N)
}

func bareRuns(t testing.TB, s *Session, out *Inference, runs int) []time.Duration {
	t.Helper()
	return must[[]time.Duration](t)(bare.Infer(s.h.pointer, window, out.Activity, out.Embedding, runs))
}

// The medians of all of them, taken in turn, in microseconds: a machine that slows down slows all.
func BenchmarkInferInTurn(b *testing.B) {
	s, out := session(b, WithThreads(1)), &Inference{}
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	names := []string{"C", "Infer", "InferInto", "cancellable"}
	took := make([][]time.Duration, len(names))
	since := func(of int, began time.Time) { took[of] = append(took[of], time.Since(began)) }
	check(b, s.InferInto(background, window, 1, out))
	// Before each of the others.
	bareRun := func() { took[0] = append(took[0], bareRuns(b, s, out, 1)...) }
	for b.Loop() {
		bareRun()
		began := time.Now()
		must[*Inference](b)(s.Infer(background, window, 1))
		since(1, began)
		bareRun()
		began = time.Now()
		check(b, s.InferInto(background, window, 1, out))
		since(2, began)
		bareRun()
		began = time.Now()
		check(b, s.InferInto(ctx, window, 1, out))
		since(3, began)
	}
	for of, name := range names {
		slices.Sort(took[of])
		b.ReportMetric(float64(took[of][len(took[of])/2])/1e3, "µs-"+name)
	}
}
