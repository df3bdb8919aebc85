package voiceflow

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func small(t *testing.T) *Diarizer {
	t.Helper()
	d := must[*Diarizer](t)(NewDiarizer(background, WithModelPath(filepath.Join(modelsFolder, "good.onnx")), WithThreads(1)))
	t.Cleanup(func() { check(t, d.Close()) })
	return d
}

func TestReloadTakesOver(t *testing.T) {
	d := small(t)
	live := must[*Stream](t)(d.NewStream(background, rate, 1))
	if info := d.Info(); info.Name != "fixture" || info.VoiceSpace != "" {
		t.Fatalf("expected the fixture, got %v", info)
	}
	check(t, d.Reload(background, WithBundle("fast-cnn"), WithThreads(1)))
	if info := d.Info(); info.Name != "fast-cnn" || info.VoiceSpace != "fast-cnn-1" {
		t.Fatalf("expected fast-cnn, got %v", info)
	}
	versions := must[[]ModelVersion](t)(d.Versions())
	if len(versions) != 2 || versions[0].Number != 2 || !versions[0].Current || versions[0].SHA256 != d.Info().SHA256 ||
		versions[1].Name != "fixture" || versions[1].Streams != 1 || versions[1].Current {
		t.Fatalf("expected the new version, and the old one with a stream, got %+v", versions)
	}
	check(t, live.PushInt16(background, conversation()[:5*rate]))
	check(t, live.Close())
	if versions := must[[]ModelVersion](t)(d.Versions()); len(versions) != 1 {
		t.Errorf("expected one version, got %+v", versions)
	}
}

func TestFailedReloadChangesNothing(t *testing.T) {
	d := small(t)
	expectError(t, d.Reload(background, WithModelPath(filepath.Join(modelsFolder, "activity_range.onnx"))), ErrModel,
		"reload: smoke: ")
	cancelled, cancel := context.WithCancel(background)
	cancel()
	if err := d.Reload(cancelled, WithBundle("fast-cnn")); err == nil {
		t.Error("expected a context that has ended to end the reload")
	}
	versions := must[[]ModelVersion](t)(d.Versions())
	if len(versions) != 1 || versions[0].Number != 1 || d.Info().Name != "fixture" {
		t.Errorf("expected the first version alone, got %+v", versions)
	}
}

func TestSessionKeepsItsSizes(t *testing.T) {
	s := must[*Session](t)(NewSession(background, WithThreads(1)))
	defer func() { check(t, s.Close()) }()
	float := filepath.Join("..", "..", "models", "fast-cnn", "1.0.1", "model.fp32.onnx")
	check(t, s.Reload(background, WithModelPath(float), WithThreads(1)))
	expectError(t, s.Reload(background, WithModelPath(filepath.Join(modelsFolder, "good.onnx"))), ErrModel,
		"as of the running model")
	if versions := must[[]ModelVersion](t)(s.Versions()); len(versions) != 1 || versions[0].Number != 2 {
		t.Errorf("expected the second version alone, got %+v", versions)
	}
}

func TestCallsGoOnDuringReloads(t *testing.T) {
	d := small(t)
	var done atomic.Bool
	var group sync.WaitGroup
	for range 2 {
		group.Add(1)
		go func() {
			defer group.Done()
			for !done.Load() {
				result, err := d.ProcessInt16(background, conversation()[:2*rate], rate, 1)
				if err != nil {
					t.Error(err)
					return
				}
				check(t, result.Close())
			}
		}()
	}
	for range 3 {
		check(t, d.Reload(background, WithModelPath(filepath.Join(modelsFolder, "good.onnx")), WithThreads(1)))
	}
	done.Store(true)
	group.Wait()
}
