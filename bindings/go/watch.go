package voiceflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Most of the time by which a question comes earlier or later, as a share of the interval.
const jitter = 0.2

// ErrRegistry says that a registry did not answer, or that what it has could not be fetched or is
// not to be trusted.
var ErrRegistry = errors.New("registry")

// WatchConfig says what a [Watch] follows.
type WatchConfig struct {
	// Registry is a folder, or a URL of s3:// or gs://.
	Registry string
	// Model and its channel, such as "fast-cnn@stable".
	Model string
	// Interval from one question to the next, more or less a fifth, so that many processes do not ask
	// at once; 0 is 30 s.
	Interval time.Duration
	// Command is voiceflow-models, which fetches a version and checks its signature; empty is that
	// name, looked for in PATH. Trusted keys, the cache and credentials are those of its variables and
	// its file of settings.
	Command string
	// Options of each new version, without models.
	Options []Option
	// OnReload, if set, is called with what the new version is.
	OnReload func(ModelInfo)
	// OnError, if set, is called with what went wrong; what runs goes on.
	OnError func(error)
}

// Watch follows a channel of a registry, see [Diarizer.Watch].
type Watch struct {
	stop context.CancelFunc
	done chan struct{}
	once sync.Once
}

// Watch asks a channel of a registry again and again, and reloads when it has another version. The
// first time is now. [Watch.Close] ends it; so does the end of ctx, and Close of the diarizer.
func (d *Diarizer) Watch(ctx context.Context, config WatchConfig) (*Watch, error) {
	if _, err := d.owned(); err != nil {
		return nil, err
	}
	if config.Model == "" || strings.HasPrefix(config.Model, "-") {
		return nil, invalid("model: expected a name such as fast-cnn@stable, got %q", config.Model)
	}
	if config.Interval < 0 {
		return nil, invalid("interval: expected more than 0, got %v", config.Interval)
	}
	if config.Interval == 0 {
		config.Interval = 30 * time.Second
	}
	if config.Command == "" {
		config.Command = "voiceflow-models"
	}
	ctx, stop := context.WithCancel(ctx)
	w := &Watch{stop: stop, done: make(chan struct{})}
	go w.run(ctx, d, config)
	return w, nil
}

// Close ends the watch, with what it is fetching or loading, and waits for its end. It can be
// repeated; not from OnReload or OnError.
func (w *Watch) Close() error {
	w.once.Do(w.stop)
	<-w.done
	return nil
}

// pulled is what voiceflow-models answers.
type pulled struct {
	Folder string `json:"folder"`
	// Why the registry did not answer, where the version is the one that it said last.
	Stale    string `json:"stale"`
	Resolved struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		SHA256  string `json:"sha256"`
	} `json:"resolved"`
}

func (w *Watch) run(ctx context.Context, d *Diarizer, config WatchConfig) {
	defer close(w.done)
	var last string
	for {
		found, err := pull(ctx, config)
		if err == nil {
			err = d.follow(ctx, found, &last, config)
		}
		if err == nil && found.Stale != "" {
			err = fmt.Errorf("%w: %s: %s; what it said last holds", ErrRegistry, config.Command, found.Stale)
		}
		if ctx.Err() != nil || errors.Is(err, ErrClosed) {
			return
		}
		if err != nil && config.OnError != nil {
			config.OnError(err)
		}
		wait := time.Duration(float64(config.Interval) * (1 - jitter + 2*jitter*rand.Float64()))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// follow reloads where the channel has another version than the last time.
func (d *Diarizer) follow(ctx context.Context, found pulled, last *string, config WatchConfig) error {
	now := d.Info()
	same := found.Resolved.Name == now.Name && found.Resolved.Version == now.Version
	if *last == found.Resolved.SHA256 || *last == "" && same {
		*last = found.Resolved.SHA256
		return nil
	}
	options := append([]Option{WithBundle(found.Folder)}, config.Options...)
	if err := d.Reload(ctx, options...); err != nil {
		return err
	}
	*last = found.Resolved.SHA256
	if config.OnReload != nil {
		config.OnReload(d.Info())
	}
	return nil
}

func pull(ctx context.Context, config WatchConfig) (found pulled, err error) {
	var out, problem bytes.Buffer
	command := exec.CommandContext(ctx, config.Command, "pull", config.Model, "--registry="+config.Registry, "--json")
	command.Stdout, command.Stderr = &out, &problem
	if err = command.Run(); err != nil {
		text := strings.TrimSpace(problem.String())
		if text == "" {
			text = err.Error()
		}
		return found, fmt.Errorf("%w: %s: %s", ErrRegistry, config.Command, text)
	}
	if err = json.Unmarshal(out.Bytes(), &found); err == nil && (found.Folder == "" || found.Resolved.SHA256 == "") {
		err = errors.New("no folder or no sha256")
	}
	if err != nil {
		return found, fmt.Errorf("%w: %s: expected an answer in JSON: %w", ErrRegistry, config.Command, err)
	}
	return found, nil
}
