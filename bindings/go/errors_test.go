package voiceflow

import (
	"context"
	"errors"
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

func TestAFailureOfTheLibraryIsAnErrorWithItsStatusAndText(t *testing.T) {
	_, err := diarizer(t).ProcessFile(background, "missing.wav")
	var failed *Error
	if !errors.As(err, &failed) || failed.Status != ErrNotFound || failed.Text != "missing.wav: no such file" {
		t.Fatalf("expected a missing file, got %#v", err)
	}
	expectError(t, err, fs.ErrNotExist)
}
