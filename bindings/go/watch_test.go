package voiceflow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is a program of the project, as a build of the workspace leaves it.
func program(name string) string {
	folder := os.Getenv("VOICEFLOW_PROGRAMS")
	if folder == "" {
		folder = filepath.Join("..", "..", "target", "debug")
	}
	return filepath.Join(folder, name)
}

// run runs a command, which has to succeed.
func run(t *testing.T, name string, arguments ...string) {
	t.Helper()
	if said, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(arguments, " "), err, said)
	}
}

// publisher makes this process one that publishes to a registry in a folder with a key of its own,
// and follows it.
func publisher(t *testing.T) (registry string) {
	t.Helper()
	home := t.TempDir()
	public, secret := filepath.Join(home, "minisign.pub"), filepath.Join(home, "minisign.key")
	run(t, "minisign", "-G", "-W", "-p", public, "-s", secret)
	registry = filepath.Join(home, "registry")
	t.Setenv("VOICEFLOW_REGISTRY", registry)
	t.Setenv("VOICEFLOW_TRUSTED_KEYS", public)
	t.Setenv("VOICEFLOW_SIGNING_KEY", secret)
	t.Setenv("VOICEFLOW_MODELS_CACHE", filepath.Join(home, "cache"))
	return registry
}

// release publishes the model that ships as this version, which has as many letters as its own, and
// moves the channel to it.
func release(t *testing.T, version string) {
	t.Helper()
	const own = "1.0.1"
	folder := t.TempDir()
	read := func(file string) []byte {
		return must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "models", "fast-cnn", own, file)))
	}
	digest := func(contents []byte) string {
		sum := sha256.Sum256(contents)
		return hex.EncodeToString(sum[:])
	}
	// In the metadata of an ONNX file a text stands behind its length.
	shipped, mark := read("model.onnx"), "voiceflow.version\x12\x05"
	if count := bytes.Count(shipped, []byte(mark+own)); count != 1 {
		t.Fatalf("expected the version once in the model, found it %d times", count)
	}
	model := bytes.Replace(shipped, []byte(mark+own), []byte(mark+version), 1)
	check(t, os.WriteFile(filepath.Join(folder, "model.onnx"), model, 0o600))
	names := strings.NewReplacer(digest(shipped), digest(model), `"`+own+`"`, `"`+version+`"`)
	for _, file := range []string{"metadata.json", "golden.json", "validation_report.json"} {
		check(t, os.WriteFile(filepath.Join(folder, file), []byte(names.Replace(string(read(file)))), 0o600))
	}
	run(t, program("voiceflow-models"), "publish", folder)
	run(t, program("voiceflow-models"), "promote", "fast-cnn@"+version, "stable")
}

// next is what comes, in time.
func next[T any](t *testing.T, from <-chan T, what string) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatalf("expected %s within %v", what, patience)
	}
	return value
}

func TestWatchFollowsItsChannelAndNoLie(t *testing.T) {
	registry := publisher(t)
	release(t, "1.0.1")
	d := small(t)
	reloads, problems := make(chan ModelInfo, 100), make(chan error, 10_000)
	w := must[*Watch](t)(d.Watch(background, WatchConfig{
		Registry: registry, Model: "fast-cnn@stable", Interval: 100 * time.Millisecond,
		Command: program("voiceflow-models"), Options: []Option{WithThreads(1)},
		OnReload: func(info ModelInfo) { reloads <- info },
		OnError:  func(err error) { problems <- err },
	}))
	takes := func(version string) {
		t.Helper()
		if info := next(t, reloads, version); info.Name != "fast-cnn" || info.Version != version || d.Info() != info {
			t.Fatalf("expected fast-cnn %s, got %v, with %v running", version, info, d.Info())
		}
	}
	takes("1.0.1")
	release(t, "1.0.2")
	takes("1.0.2")

	// A channel that somebody without the key has moved.
	channel := filepath.Join(registry, "fast-cnn", "channels", "stable.json")
	signed := must[[]byte](t)(os.ReadFile(channel))
	check(t, os.WriteFile(channel, bytes.Replace(signed, []byte("1.0.2"), []byte("1.0.1"), 1), 0o600))
	for range 2 {
		expectError(t, next(t, problems, "an error"), ErrRegistry, "fast-cnn/channels/stable.json: not trusted")
	}
	check(t, must[*Diarization](t)(d.ProcessInt16(background, conversation()[:5*rate], rate, 1)).Close())
	if d.Info().Version != "1.0.2" || len(reloads) != 0 {
		t.Errorf("expected 1.0.2 to go on, got %v", d.Info())
	}
	check(t, os.WriteFile(channel, signed, 0o600))
	run(t, program("voiceflow-models"), "rollback", "fast-cnn@stable")
	takes("1.0.1")

	check(t, w.Close())
	check(t, os.RemoveAll(registry))
	told := len(problems)
	time.Sleep(500 * time.Millisecond)
	if len(problems) != told {
		t.Errorf("expected nothing after Close, got %v", <-problems)
	}
}

func TestWatchReportsAndEnds(t *testing.T) {
	d := small(t)
	reported := make(chan error, 10_000)
	w := must[*Watch](t)(d.Watch(background, WatchConfig{
		Registry: t.TempDir(), Model: "fast-cnn@stable", Interval: 10 * time.Millisecond,
		Command: filepath.Join(t.TempDir(), "nowhere"),
		OnError: func(err error) { reported <- err },
	}))
	expectError(t, <-reported, ErrRegistry, "nowhere")
	<-reported
	check(t, w.Close())
	check(t, w.Close())
	_, err := d.Watch(background, WatchConfig{Model: "-x"})
	expectError(t, err, ErrInvalidArgument, "model: expected a name")
	// A fetch under way is ended, and so is a watch whose diarizer was closed.
	slow := filepath.Join(t.TempDir(), "slow")
	check(t, os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700))
	w = must[*Watch](t)(d.Watch(background, WatchConfig{Registry: "r", Model: "m", Command: slow}))
	start := time.Now()
	check(t, w.Close())
	if time.Since(start) > patience {
		t.Errorf("expected Close to end the fetch, took %v", time.Since(start))
	}
}
