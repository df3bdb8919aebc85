package voiceflow

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// How long what is waited for may take on a busy machine.
const patience = 2 * time.Minute

const rate = 16_000

var background = context.Background()

var (
	conversationFile = filepath.Join("..", "..", "examples", "data", "conversation.flac")
	modelsFolder     = filepath.Join("..", "..", "tests", "data", "models")
)

// conversation is the recording that ships with the project: 52 s, three speakers, 16 kHz, mono.
var conversation = sync.OnceValue(func() []int16 {
	flac := exec.Command("flac", "--decode", "--stdout", "--silent", "--force-raw-format", "--endian=little",
		"--sign=signed", conversationFile)
	flac.Stderr = os.Stderr
	raw, err := flac.Output()
	if err != nil {
		panic("flac: " + err.Error())
	}
	samples := make([]int16, len(raw)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return samples
})

// bytesOf is samples as raw audio.
func bytesOf(samples []int16) []byte {
	raw := make([]byte, 0, 2*len(samples))
	for _, sample := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(sample))
	}
	return raw
}

func floatsOf(samples []int16) []float32 {
	values := make([]float32, len(samples))
	for i, sample := range samples {
		values[i] = float32(sample) / 32_768
	}
	return values
}

// noise is samples of some loudness.
func noise(samples int) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, samples)
	for i := range values {
		values[i] = random.Float32() - 0.5
	}
	return values
}

func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shared has the fast model, loaded once: most tests ask nothing about accuracy.
var shared = sync.OnceValues(func() (*Diarizer, error) { return NewDiarizer(background, WithBundle("fast-cnn")) })

func diarizer(t testing.TB) *Diarizer {
	t.Helper()
	return must[*Diarizer](t)(shared())
}

func session(t testing.TB, options ...Option) *Session {
	t.Helper()
	s := must[*Session](t)(NewSession(background, options...))
	t.Cleanup(func() { s.Close() })
	return s
}

func stream(t testing.TB, options ...Option) *Stream {
	t.Helper()
	s := must[*Stream](t)(diarizer(t).NewStream(background, rate, 1, options...))
	t.Cleanup(func() { s.Close() })
	return s
}

func gallery(t testing.TB) *Gallery {
	t.Helper()
	g := must[*Gallery](t)(diarizer(t).NewGallery())
	t.Cleanup(func() { g.Close() })
	return g
}

func segmentsOf(result *Diarization) []Segment { return slices.Collect(result.Segments()) }

// expectError checks the kind of an error, and that its text has these words.
func expectError(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("expected the error %q, got %v", kind, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Fatalf("expected an error with the words %q, got %q", word, err)
		}
	}
}

// endsSoon makes a call that is ended, once more where its end took long: a machine that does other
// work may hold up anybody once.
func endsSoon(t testing.TB, call func()) {
	t.Helper()
	const soon, tries = 2 * time.Second, 5
	var took []time.Duration
	for range tries {
		began := time.Now()
		call()
		if took = append(took, time.Since(began)); took[len(took)-1] < soon {
			return
		}
	}
	t.Errorf("expected the end within %v, took %v", soon, took)
}

// expectPanic checks that work panics with this value.
func expectPanic(t testing.TB, value any, work func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != value {
			t.Fatalf("expected a panic with %v, got %v", value, got)
		}
	}()
	work()
}

// waitFor waits until something is so.
func waitFor(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("expected %s within %v", what, patience)
		}
	}
}
