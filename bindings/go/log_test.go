package voiceflow

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// panics is a handler that panics with each record of the library.
type panics struct{ slog.Handler }

func (panics) Handle(context.Context, slog.Record) error { panic("log") }

// written is a buffer for several threads.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(text)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func at(level slog.Level, to *written) *slog.Logger {
	return slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: level}))
}

// damaged is a recording that ends too early, which the library warns of.
func damaged(t *testing.T) string {
	t.Helper()
	whole := must[[]byte](t)(os.ReadFile(conversationFile))
	path := filepath.Join(t.TempDir(), "damaged.flac")
	check(t, os.WriteFile(path, whole[:len(whole)/4], 0o600))
	return path
}

// whole makes a diarizer with a network that cannot be split, which the library tells at the level
// debug.
func whole() (*Diarizer, error) {
	families := filepath.Join(modelsFolder, "..", "families")
	return NewDiarizer(background, WithSegmentationModel(filepath.Join(families, "segmentation.onnx")),
		WithEmbeddingModel(filepath.Join(families, "titanet.onnx")))
}

func TestRecordsGoToTheLogger(t *testing.T) {
	d, path := diarizer(t), damaged(t)
	defer func() { check(t, SetLogger(nil)) }()
	work := func() {
		must[*Diarizer](t)(whole()).Close()
		must[*Diarization](t)(d.ProcessFile(background, path)).Close()
	}
	var warn, debug, trace, none written
	check(t, SetLogger(at(slog.LevelWarn, &warn)))
	work()
	text := warn.String()
	if !strings.Contains(text, "level=WARN") || !strings.Contains(text, "target=voiceflow") ||
		!strings.Contains(text, path) || strings.Contains(text, "level=DEBUG") {
		t.Fatalf("expected a warning, got %q", text)
	}
	check(t, SetLogger(at(slog.LevelDebug, &debug)))
	work()
	if text := debug.String(); !strings.Contains(text, "level=DEBUG") || !strings.Contains(text, "titanet") {
		t.Fatalf("expected records of the level debug, got %q", text)
	}
	check(t, SetLogger(at(LevelTrace, &trace)))
	work()
	if !strings.Contains(trace.String(), "titanet") {
		t.Errorf("expected all records, got %q", trace.String())
	}
	check(t, SetLogger(at(slog.LevelError+1, &none)))
	work()
	check(t, SetLogger(nil))
	before := warn.String() + debug.String() + trace.String()
	work()
	if none.String() != "" || warn.String()+debug.String()+trace.String() != before {
		t.Errorf("expected silence, got %q", none.String())
	}
}

func TestALoggerThatIsRefusedChangesNothing(t *testing.T) {
	d, path := diarizer(t), damaged(t)
	defer func() { check(t, SetLogger(nil)) }()
	var first, second written
	check(t, SetLogger(at(slog.LevelWarn, &first)))
	var refused error
	must[*Diarization](t)(d.ProcessInt16(background, conversation()[:4*rate], rate, 1, WithProgress(func(Stage, float64) {
		refused = SetLogger(at(slog.LevelWarn, &second))
	}))).Close()
	expectError(t, refused, ErrInvalidArgument, "callback")
	must[*Diarization](t)(d.ProcessFile(background, path)).Close()
	if !strings.Contains(first.String(), path) || second.String() != "" {
		t.Errorf("expected records for the first logger alone, got %q and %q", first.String(), second.String())
	}
}

// In a process of its own, whose end is what is looked for.
func TestAPanicOfTheHandlerOutsideACallEndsTheProgram(t *testing.T) {
	if os.Getenv("VOICEFLOW_STRAY_RECORD") != "" {
		check(t, SetLogger(slog.New(panics{slog.NewTextHandler(&written{}, nil)})))
		// As the library does on a thread of its own.
		goLog(1, nil, nil)
		time.Sleep(time.Minute)
		return
	}
	program := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	program.Env = append(os.Environ(), "VOICEFLOW_STRAY_RECORD=1")
	output, err := program.CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 {
		t.Fatalf("expected the end of a program that panics, got %v and %s", err, output)
	}
	for _, words := range []string{"panic of the log handler outside a call: log", "panics.Handle"} {
		if !strings.Contains(string(output), words) {
			t.Errorf("expected %q, got %s", words, output)
		}
	}
}

// Nothing panics for it but the call: a later one is as any other.
func TestAPanicOfTheHandlerComesOutOfTheCall(t *testing.T) {
	d, path := diarizer(t), damaged(t)
	defer func() { check(t, SetLogger(nil)) }()
	handler := slog.NewTextHandler(&written{}, &slog.HandlerOptions{Level: slog.LevelDebug})
	check(t, SetLogger(slog.New(panics{handler})))
	expectPanic(t, "log", func() { whole() })
	expectPanic(t, "log", func() { d.ProcessFile(background, path) })
	check(t, SetLogger(nil))
	result := must[*Diarization](t)(d.ProcessFile(background, path))
	if len(segmentsOf(result)) == 0 {
		t.Error("expected the start of the recording")
	}
}
