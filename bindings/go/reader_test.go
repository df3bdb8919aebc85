package voiceflow

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/iotest"
)

func TestEncodedAudioFromMemoryAndReaders(t *testing.T) {
	d := diarizer(t)
	content := must[[]byte](t)(os.ReadFile(conversationFile))
	whole := must[*Diarization](t)(d.ProcessFile(background, conversationFile))
	expected := slices.Collect(whole.Segments())
	behind := bytes.NewReader(append([]byte("some bytes"), content...))
	must[int64](t)(behind.Seek(10, io.SeekStart))
	file := must[*os.File](t)(os.Open(conversationFile))
	defer file.Close()
	for name, from := range map[string]io.Reader{
		"seeks": bytes.NewReader(content), "behind its beginning": behind, "a file": file,
		"only reads":               iotest.HalfReader(bytes.NewReader(content)),
		"ends with its last bytes": iotest.DataErrReader(io.MultiReader(bytes.NewReader(content))),
	} {
		result := must[*Diarization](t)(d.ProcessReader(background, from))
		if found := slices.Collect(result.Segments()); !slices.Equal(found, expected) {
			t.Errorf("%s: expected %v, got %v", name, expected, found)
		}
	}
	result := must[*Diarization](t)(d.ProcessEncoded(background, content))
	if found := slices.Collect(result.Segments()); !slices.Equal(found, expected) {
		t.Errorf("expected %v, got %v", expected, found)
	}
}

func TestReadersThatFail(t *testing.T) {
	d := diarizer(t)
	dead := errors.New("the line went dead")
	if _, err := d.ProcessReader(background, iotest.ErrReader(dead)); !errors.Is(err, dead) {
		t.Errorf("expected %v, got %v", dead, err)
	}
	empty := iotest.ErrReader(io.EOF)
	_, err := d.ProcessReader(background, empty)
	expectError(t, err, ErrAudio, "got an empty file (0 bytes)")
	_, err = d.ProcessReader(background, nil)
	expectError(t, err, ErrInvalidArgument, "reader: expected one, got nil")
	_, err = d.ProcessEncoded(background, nil)
	expectError(t, err, ErrAudio, "got an empty file (0 bytes)")
	expectPanic(t, "a panic of the reader", func() {
		d.ProcessReader(background, readerFunc(func([]byte) (int, error) { panic("a panic of the reader") }))
	})
	ctx, cancel := context.WithCancel(background)
	endless := readerFunc(func(to []byte) (int, error) {
		cancel()
		return len(to), nil
	})
	if _, err := d.ProcessReader(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, got %v", context.Canceled, err)
	}
}

func TestEnrollingByReaders(t *testing.T) {
	d := diarizer(t)
	g := gallery(t)
	content := must[[]byte](t)(os.ReadFile(conversationFile))
	// Three speakers: found and refused, so decoded.
	for _, err := range []error{
		errorOf(g.EnrollEncoded(background, d, "ada", content)),
		errorOf(g.EnrollReader(background, d, "ada", bytes.NewReader(content))),
	} {
		expectError(t, err, ErrAudio, "speaker")
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(to []byte) (int, error) { return f(to) }
