package voiceflow

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
	"time"
)

func TestRawAudioIsHeardWhateverItsPieces(t *testing.T) {
	samples := conversation()[:20*rate]
	expected := finals(t, stream(t), samples, rate)
	raw := bytesOf(samples)
	for name, feed := range map[string]func(*Writer) error{
		"one write": func(w *Writer) error { _, err := w.Write(raw); return err },
		"odd writes": func(w *Writer) error {
			for part := range slices.Chunk(raw, 3_333) {
				if n, err := w.Write(part); err != nil || n != len(part) {
					return errors.Join(err, io.ErrShortWrite)
				}
			}
			return nil
		},
		"io.Copy": func(w *Writer) error {
			_, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(raw)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := stream(t)
			w := s.Writer(background)
			check(t, feed(w))
			check(t, w.Close())
			must[*Diarization](t)(s.Finish(background))
			if got := finalOf(must[[]Segment](t)(s.ReadAll())); !slices.Equal(got, expected) {
				t.Fatalf("expected %v, got %v", expected, got)
			}
		})
	}
}

func TestRunGivesTheTurnsOfAReader(t *testing.T) {
	samples := conversation()[:20*rate]
	expected := finals(t, stream(t), samples, rate)
	s := stream(t)
	var got []Segment
	others := 0
	for segment, err := range s.Run(background, iotest.DataErrReader(bytes.NewReader(bytesOf(samples)))) {
		check(t, err)
		if segment.Final() {
			got = append(got, segment)
		} else {
			others++
		}
	}
	if !slices.Equal(got, expected) || others == 0 || s.Result() == nil {
		t.Fatalf("expected %v and others, got %v, %d others and the result %v", expected, got, others, s.Result())
	}
}

func TestARunThatIsLeftCanGoOn(t *testing.T) {
	samples := conversation()[:20*rate]
	s, reader := stream(t), bytes.NewReader(bytesOf(samples))
	for _, err := range s.Run(background, reader) {
		check(t, err)
		break
	}
	if reader.Len() == 0 || s.Result() != nil {
		t.Fatal("expected a rest of the audio, and no result")
	}
	for _, err := range s.Run(background, reader) {
		check(t, err)
	}
	expected := segmentsOf(must[*Diarization](t)(diarizer(t).ProcessInt16(background, samples, rate, 1)))
	if got := segmentsOf(s.Result()); !slices.Equal(got, expected) {
		t.Fatalf("expected %v, got %v", expected, got)
	}
}

// last gives the error that ends a run, which is its only one.
func last(t *testing.T, s *Stream, ctx context.Context, reader io.Reader) error {
	t.Helper()
	var found error
	for _, err := range s.Run(ctx, reader) {
		if found != nil {
			t.Fatalf("expected the end after %v", found)
		}
		found = err
	}
	return found
}

func TestRunsThatFail(t *testing.T) {
	raw, broken := bytesOf(conversation()[:rate]), errors.New("broken")
	s := stream(t)
	err := last(t, s, background, io.MultiReader(bytes.NewReader(raw), iotest.ErrReader(broken)))
	expectError(t, err, broken)
	ctx, cancel := context.WithCancel(background)
	cancel()
	expectError(t, last(t, s, ctx, bytes.NewReader(raw)), context.Canceled)
	stereo := must[*Stream](t)(diarizer(t).NewStream(background, rate, 2))
	defer stereo.Close()
	err = last(t, stereo, background, bytes.NewReader(raw[:4*100+3]))
	expectError(t, err, io.ErrUnexpectedEOF, "expected frames of 4 bytes, got 3 bytes at the end")
	if stereo.Result() == nil {
		t.Fatal("expected a result of what was whole")
	}
	expectError(t, last(t, stereo, background, bytes.NewReader(raw)), ErrInvalidArgument, "finish")
	check(t, stereo.Reset(background))
	check(t, last(t, stereo, background, bytes.NewReader(nil)))
}

func TestAWriteThatIsNotTakenIsNotCounted(t *testing.T) {
	s := stream(t)
	ctx, cancel := context.WithCancel(background)
	w := s.Writer(ctx)
	if n, err := w.Write([]byte{1, 2, 3}); n != 3 || err != nil {
		t.Fatalf("expected 3, got %d and %v", n, err)
	}
	cancel()
	n, err := w.Write([]byte{4, 5})
	expectError(t, err, context.Canceled)
	if n != 0 || !bytes.Equal(w.rest, []byte{3}) {
		t.Fatalf("expected the byte of before, got %d and %v", n, w.rest)
	}
	n64, err := w.ReadFrom(bytes.NewReader(make([]byte, 100)))
	expectError(t, err, ErrCancelled)
	if n64 != 0 {
		t.Fatalf("expected nothing to be taken, got %d", n64)
	}
	// What waits for another call is taken, of one write no more than the first push.
	release := hold(t, s, conversation()[:4*rate])
	late, end := context.WithTimeout(background, 3*time.Second)
	defer end()
	n, err = s.Writer(late).Write(bytesOf(conversation()[4*rate : 8*rate]))
	expectError(t, err, ErrDeadline)
	if n != blockBytes {
		t.Fatalf("expected the %d bytes of the first push, got %d", blockBytes, n)
	}
	release()
}

// A pipe to which nobody writes, as the standard input of a service may be.
func TestAContextEndsAReadThatBlocks(t *testing.T) {
	for name, read := range map[string]func(context.Context, *Stream, io.Reader) error{
		"Run": func(ctx context.Context, s *Stream, reader io.Reader) error { return last(t, s, ctx, reader) },
		"ReadFrom": func(ctx context.Context, s *Stream, reader io.Reader) error {
			_, err := s.Writer(ctx).ReadFrom(reader)
			return err
		},
		"io.Copy": func(ctx context.Context, s *Stream, reader io.Reader) error {
			_, err := io.Copy(s.Writer(ctx), reader)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := stream(t)
			idle, feed, err := os.Pipe()
			check(t, err)
			defer idle.Close()
			defer feed.Close()
			before := bytesOf(conversation()[:rate])
			must[int](t)(feed.Write(before))
			ctx, cancel := context.WithCancel(background)
			defer cancel()
			reader := &watched{Reader: idle, left: len(before), waits: make(chan struct{})}
			ended := make(chan error, 1)
			go func() { ended <- read(ctx, s, reader) }()
			<-reader.waits
			// Without that, it would wait for ever.
			cancel()
			err = <-ended
			expectError(t, err, context.Canceled)
			expectError(t, err, ErrCancelled, "cancelled while waiting for audio")
			// What came before was taken, and the stream goes on.
			result := must[*Diarization](t)(s.Finish(background))
			if result.Duration() != time.Second {
				t.Errorf("expected a second of audio, got %v", result.Duration())
			}
		})
	}
}

// watched says when a Read begins for which nothing is left.
type watched struct {
	io.Reader
	left  int
	waits chan struct{}
}

func (w *watched) Read(into []byte) (int, error) {
	if w.left == 0 {
		close(w.waits)
	}
	n, err := w.Reader.Read(into)
	w.left -= n
	return n, err
}

// panicking is a reader that does so.
type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("read") }

// leaving is a reader that ends its goroutine, as t.FailNow does.
type leaving struct{}

func (leaving) Read([]byte) (int, error) {
	runtime.Goexit()
	return 0, nil
}

func TestReadersThatDoNotReturn(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	for _, ctx := range []context.Context{background, ctx} {
		expectPanic(t, "read", func() { last(t, stream(t), ctx, panicking{}) })
	}
	expectError(t, last(t, stream(t), ctx, leaving{}), io.ErrNoProgress)
}
