package voiceflow

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// What nobody made, and what is nil, is refused by every call, whatever the context.
func TestValuesThatOwnNothingAreRefused(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	good := diarizer(t)
	for name, call := range map[string]func(made bool) error{
		"diarizer: ProcessFile": func(made bool) error {
			_, err := zero[Diarizer](made).ProcessFile(ctx, conversationFile)
			return err
		},
		"diarizer: ProcessInt16": func(made bool) error {
			_, err := zero[Diarizer](made).ProcessInt16(ctx, nil, rate, 1)
			return err
		},
		"diarizer: NewStream": func(made bool) error {
			_, err := zero[Diarizer](made).NewStream(background, rate, 1)
			return err
		},
		"diarizer: LoadGallery": func(made bool) error {
			_, err := zero[Diarizer](made).LoadGallery("x")
			return err
		},
		"diarization: RTTM": func(made bool) error { _, err := zero[Diarization](made).RTTM("x"); return err },
		"diarization: SRT":  func(made bool) error { _, err := zero[Diarization](made).SRT(); return err },
		"diarization: IdentifyDiarization": func(made bool) error {
			_, err := gallery(t).IdentifyDiarization(zero[Diarization](made), 0.5)
			return err
		},
		"session: Infer": func(made bool) error {
			_, err := zero[Session](made).Infer(ctx, window, 1)
			return err
		},
		"session: Infer, never cancelled": func(made bool) error {
			_, err := zero[Session](made).Infer(background, window, 1)
			return err
		},
		"session: Frames":     func(made bool) error { _, err := zero[Session](made).Frames(rate); return err },
		"stream: PushInt16":   func(made bool) error { return zero[Stream](made).PushInt16(ctx, nil) },
		"stream: PushFloat32": func(made bool) error { return zero[Stream](made).PushFloat32(ctx, nil) },
		"stream: Read":        func(made bool) error { _, err := zero[Stream](made).Read(nil); return err },
		"stream: ReadAll":     func(made bool) error { _, err := zero[Stream](made).ReadAll(); return err },
		"stream: Updates":     func(made bool) error { _, err := zero[Stream](made).Updates(); return err },
		"stream: Finish":      func(made bool) error { _, err := zero[Stream](made).Finish(ctx); return err },
		"stream: Reset":       func(made bool) error { return zero[Stream](made).Reset(ctx) },
		"stream: Write": func(made bool) error {
			_, err := zero[Stream](made).Writer(ctx).Write(make([]byte, 2))
			return err
		},
		"stream: ReadFrom": func(made bool) error {
			_, err := zero[Stream](made).Writer(ctx).ReadFrom(bytes.NewReader(nil))
			return err
		},
		"stream: Run": func(made bool) error {
			return last(t, zero[Stream](made), ctx, bytes.NewReader(make([]byte, 2)))
		},
		"gallery: EnrollFile": func(made bool) error {
			return errorOf(zero[Gallery](made).EnrollFile(ctx, good, "ada", conversationFile))
		},
		"gallery: EnrollEmbedding": func(made bool) error {
			return zero[Gallery](made).EnrollEmbedding("ada", nil, 1)
		},
		"gallery: Save":     func(made bool) error { return zero[Gallery](made).Save("x") },
		"gallery: Remove":   func(made bool) error { return zero[Gallery](made).Remove("ada") },
		"gallery: Names":    func(made bool) error { _, err := zero[Gallery](made).Names(); return err },
		"gallery: Identify": func(made bool) error { _, err := zero[Gallery](made).Identify(nil, 0); return err },
		"gallery: IdentifyDiarization": func(made bool) error {
			_, err := zero[Gallery](made).IdentifyDiarization(nil, 0.5)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			what, _, _ := strings.Cut(name, " ")
			expectError(t, call(false), ErrInvalidArgument, what+" expected", "got nil or a zero value")
			expectError(t, call(true), ErrInvalidArgument, what+" expected", "got nil or a zero value")
		})
	}
}

// zero is an empty value, or none.
func zero[T any](made bool) *T {
	if made {
		return new(T)
	}
	return nil
}

// What answers no error has nothing to tell of them.
func TestValuesThatOwnNothingTellNothing(t *testing.T) {
	for _, made := range []bool{true, false} {
		d, s, live := zero[Diarizer](made), zero[Session](made), zero[Stream](made)
		result := zero[Diarization](made)
		if d.Info() != (ModelInfo{}) || s.Info() != (ModelInfo{}) || live.Latency() != 0 || live.Result() != nil {
			t.Errorf("expected nothing of %v, %v and %v", d, s, live)
		}
		if result.Duration() != 0 || len(result.Speakers()) > 0 || len(segmentsOf(result)) > 0 ||
			len(result.AppendSegments(nil)) > 0 || result.Label(0) != "" {
			t.Errorf("expected nothing of %v", result)
		}
		for _, closed := range []interface{ Close() error }{d, s, live, result, zero[Gallery](made)} {
			check(t, closed.Close())
		}
	}
}
