package voiceflow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryStatusOfTheHeaderIsAnError(t *testing.T) {
	header := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "include", "voiceflow.h"))))
	source := string(must[[]byte](t)(os.ReadFile("errors.go")))
	statuses := regexp.MustCompile(`(?m)^    (VF_E_\w+) = -`).FindAllStringSubmatch(header, -1)
	if len(statuses) < 19 {
		t.Fatalf("expected 19 statuses or more, got %d", len(statuses))
	}
	for _, status := range statuses {
		if !regexp.MustCompile(`Err\w+ +Status = C\.` + status[1] + `\n`).MatchString(source) {
			t.Errorf("%s: expected a constant for it", status[1])
		}
	}
}

func TestErrorsAreThoseOfTheStandardLibraryToo(t *testing.T) {
	for status, standard := range map[Status]error{
		ErrNotFound: fs.ErrNotExist, ErrDeadline: os.ErrDeadlineExceeded, ErrClosed: fs.ErrClosed,
	} {
		err := error(&Error{Status: status, Text: "text"})
		if !errors.Is(err, standard) || !errors.Is(err, status) || errors.Is(err, fs.ErrPermission) {
			t.Errorf("expected %v to be %v", err, standard)
		}
	}
	if errors.Is(ErrCancelled, context.Canceled) {
		t.Error("expected no context where none ended the call")
	}
}

func TestTheTextOfAnError(t *testing.T) {
	for expected, err := range map[string]error{
		"voiceflow: cancelled by the caller": &Error{Status: ErrCancelled},
		"voiceflow: x: context canceled":     &Error{Status: ErrCancelled, Text: "x", cause: context.Canceled},
		"voiceflow: threads: 1":              &Error{Status: ErrInvalidArgument, Text: "threads: 1"},
		"voiceflow: closed":                  ErrClosed,
		"voiceflow: unknown status":          Status(-12345),
	} {
		if err.Error() != expected {
			t.Errorf("expected %q, got %q", expected, err.Error())
		}
	}
	if !strings.Contains(ErrABI.Error(), "binary interface") {
		t.Errorf("got %q", ErrABI.Error())
	}
}

func TestTheCauseOfACancellationIsTold(t *testing.T) {
	closing := errors.New("the room closes")
	for name, call := range map[string]func(context.Context) error{
		"before": func(ctx context.Context) error {
			_, err := diarizer(t).ProcessFile(ctx, conversationFile)
			return err
		},
		"a push before": func(ctx context.Context) error { return stream(t).PushInt16(ctx, conversation()) },
		"an inference before": func(ctx context.Context) error {
			_, err := session(t).Infer(ctx, window, 1)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(background)
			cancel(closing)
			err := call(ctx)
			expectError(t, err, closing, "context canceled: the room closes")
			expectError(t, err, context.Canceled)
			expectError(t, err, ErrCancelled)
		})
	}
	ctx, cancel := context.WithCancelCause(background)
	_, err := diarizer(t).ProcessFile(ctx, conversationFile, WithProgress(func(Stage, float64) { cancel(closing) }))
	expectError(t, err, closing, "cancelled while", "context canceled: the room closes")
	if err := endOf(background); err != nil {
		t.Errorf("expected nothing of a context that is not done, got %v", err)
	}
	wrapped := fmt.Errorf("the room closes: %w", context.Canceled)
	ctx, cancel = context.WithCancelCause(background)
	if cancel(wrapped); endOf(ctx) != wrapped {
		t.Errorf("expected the cause, which is the context's error too, got %v", endOf(ctx))
	}
	plain, end := context.WithCancel(background)
	end()
	if err := endOf(plain); err != context.Canceled {
		t.Errorf("expected no more than the context says, got %v", err)
	}
}

func TestAFailureOfTheLibraryIsAnErrorWithItsStatusAndText(t *testing.T) {
	_, err := diarizer(t).ProcessFile(background, "missing.wav")
	var failed *Error
	if !errors.As(err, &failed) || failed.Status != ErrNotFound || failed.Text != "missing.wav: no such file" {
		t.Fatalf("expected a missing file, got %#v", err)
	}
	expectError(t, err, fs.ErrNotExist)
}
