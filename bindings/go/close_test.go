package voiceflow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func TestAfterCloseEveryCallIsAnError(t *testing.T) {
	ctx := background
	d := must[*Diarizer](t)(NewDiarizer(background, WithBundle("fast-cnn"), WithThreads(1)))
	s := must[*Session](t)(NewSession(background, WithThreads(1)))
	live := must[*Stream](t)(d.NewStream(background, rate, 1))
	g := must[*Gallery](t)(d.NewGallery())
	result := must[*Diarization](t)(d.ProcessInt16(ctx, conversation(), rate, 1))
	check(t, d.Close())
	// What was made of it works on.
	check(t, live.PushInt16(ctx, conversation()))
	found := must[*Diarization](t)(g.EnrollFloat32(ctx, diarizer(t), "ada", piece("ada"), rate, 1))
	for _, closed := range []interface{ Close() error }{d, s, live, g, result, found} {
		check(t, closed.Close())
		check(t, closed.Close())
	}
	if len(segmentsOf(result)) == 0 || d.Info().Name == "" || s.Info().Name == "" {
		t.Error("expected plain data to stay")
	}
	for name, call := range map[string]func() error{
		"ProcessFile":         func() error { _, err := d.ProcessFile(ctx, conversationFile); return err },
		"ProcessFloat32":      func() error { _, err := d.ProcessFloat32(ctx, nil, rate, 1); return err },
		"ProcessInt16":        func() error { _, err := d.ProcessInt16(ctx, nil, rate, 1); return err },
		"NewStream":           func() error { _, err := d.NewStream(background, rate, 1); return err },
		"NewGallery":          func() error { _, err := d.NewGallery(); return err },
		"LoadGallery":         func() error { _, err := d.LoadGallery("x"); return err },
		"Infer":               func() error { _, err := s.Infer(ctx, window, 1); return err },
		"Frames":              func() error { _, err := s.Frames(rate); return err },
		"PushFloat32":         func() error { return live.PushFloat32(ctx, nil) },
		"PushInt16":           func() error { return live.PushInt16(ctx, nil) },
		"Write":               func() error { _, err := live.Writer(ctx).Write(make([]byte, 2)); return err },
		"Read":                func() error { _, err := live.Read(nil); return err },
		"ReadAll":             func() error { _, err := live.ReadAll(); return err },
		"Updates":             func() error { _, err := live.Updates(); return err },
		"SpeakerCount":        func() error { _, err := live.SpeakerCount(); return err },
		"SpeakerEmbedding":    func() error { _, err := live.SpeakerEmbedding(0); return err },
		"FinalSpeakers":       func() error { _, err := live.FinalSpeakers(); return err },
		"Finish":              func() error { _, err := live.Finish(ctx); return err },
		"Reset":               func() error { return live.Reset(ctx) },
		"RTTM":                func() error { _, err := result.RTTM("x"); return err },
		"JSON":                func() error { _, err := result.JSON("x"); return err },
		"JSONWithEmbeddings":  func() error { _, err := result.JSONWithEmbeddings("x"); return err },
		"SRT":                 func() error { _, err := result.SRT(); return err },
		"Save":                func() error { return g.Save("x") },
		"EnrollFile":          func() error { return errorOf(g.EnrollFile(ctx, diarizer(t), "ada", conversationFile)) },
		"EnrollEmbedding":     func() error { return g.EnrollEmbedding("ada", nil, 1) },
		"Remove":              func() error { return g.Remove("ada") },
		"Names":               func() error { _, err := g.Names(); return err },
		"Identify":            func() error { _, err := g.Identify(nil, 0.5); return err },
		"IdentifyDiarization": func() error { _, err := g.IdentifyDiarization(result, 0.5); return err },
	} {
		t.Run(name, func(t *testing.T) { expectError(t, call(), ErrClosed, "closed before") })
	}
}

// A call under way ends as it would have, and only then is what it uses freed.
func TestClosingDuringCalls(t *testing.T) {
	for range 5 {
		d := must[*Diarizer](t)(NewDiarizer(background, WithBundle("fast-cnn"), WithThreads(1)))
		s := must[*Session](t)(NewSession(background, WithThreads(1)))
		live := must[*Stream](t)(d.NewStream(background, rate, 1))
		inside := make(chan struct{})
		var once sync.Once
		var group sync.WaitGroup
		work := func(call func() error) {
			group.Add(1)
			go func() {
				defer group.Done()
				// A stream that another goroutine has finished says so.
				err := call()
				if err != nil && !errors.Is(err, ErrClosed) && !strings.Contains(err.Error(), "reset it first") {
					t.Error(err)
				}
			}()
		}
		processed := make(chan error, 1)
		go func() {
			_, err := d.ProcessInt16(background, conversation(), rate, 1, WithProgress(func(Stage, float64) {
				once.Do(func() { close(inside) })
			}))
			processed <- err
		}()
		<-inside
		for range 3 {
			work(func() error { _, err := s.Infer(background, window, 1); return err })
			work(func() error { return live.PushInt16(background, conversation()[:4*rate]) })
			work(func() error { _, err := live.Finish(background); return err })
		}
		for _, closed := range []interface{ Close() error }{d, s, live, d, s, live} {
			work(closed.Close)
		}
		group.Wait()
		check(t, <-processed)
	}
}

func TestWhatIsDroppedIsFreed(t *testing.T) {
	freed := make(chan string, 1)
	func() {
		owner := &Gallery{}
		var err error
		destroy := func(unsafe.Pointer) { freed <- "freed" }
		owner.h, err = own(owner, "gallery", destroy, func(out unsafe.Pointer) error {
			*(*unsafe.Pointer)(out) = unsafe.Pointer(new(int))
			return nil
		})
		check(t, err)
	}()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-time.After(time.Millisecond):
		}
	}
	t.Fatal("expected the cleanup of a value that was dropped")
}

// resident is the memory of the process in bytes.
func resident(t testing.TB) int {
	t.Helper()
	for line := range strings.Lines(string(must[[]byte](t)(os.ReadFile("/proc/self/status")))) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			return 1024 * must[int](t)(strconv.Atoi(strings.Fields(value)[0]))
		}
	}
	t.Fatal("expected VmRSS in /proc/self/status")
	return 0
}

func TestNothingLeaks(t *testing.T) {
	d, ctx := diarizer(t), background
	good, samples := filepath.Join(modelsFolder, "good.onnx"), conversation()[:6*rate]
	s, missing := session(t, WithModelPath(good)), "missing"+strings.Repeat("/missing", 100)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for name, test := range map[string]struct {
		rounds int
		// Bytes that a round would lose at least.
		lost int
		work func()
	}{
		"sessions": {20, 100 << 10, func() {
			s := must[*Session](t)(NewSession(background, WithModelPath(good), WithThreads(1)))
			must[*Inference](t)(s.Infer(ctx, window[:rate], 1))
			s.Close()
		}},
		"streams": {40, 100 << 10, func() {
			s := must[*Stream](t)(d.NewStream(background, rate, 1))
			check(t, s.PushInt16(ctx, samples))
			must[*Diarization](t)(s.Finish(ctx)).Close()
			s.Close()
		}},
		"galleries and results": {100, 8 << 10, func() {
			g := must[*Gallery](t)(d.NewGallery())
			result := must[*Diarization](t)(d.ProcessInt16(ctx, samples, rate, 1))
			must[string](t)(result.JSON("x"))
			must[[]Match](t)(g.IdentifyDiarization(result, 0.5))
			result.Close()
			g.Close()
		}},
		"errors": {2000, 8 << 10, func() {
			_, err := d.ProcessFile(ctx, missing)
			expectError(t, err, ErrNotFound)
			_, err = s.Infer(cancelled, window, 1)
			expectError(t, err, ErrCancelled)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rounds := max(5, test.rounds/slower)
			for range rounds {
				test.work()
			}
			runtime.GC()
			before := resident(t)
			for range rounds {
				test.work()
			}
			runtime.GC()
			grown := resident(t) - before
			t.Logf("%d rounds: %d kB more", rounds, grown>>10)
			if limit := 4<<20 + rounds*test.lost/2; grown > limit {
				t.Errorf("expected at most %d bytes more, got %d", limit, grown)
			}
		})
	}
}
