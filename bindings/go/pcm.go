package voiceflow

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
)

// blockBytes is the most raw audio that one push of a Writer takes.
const blockBytes = 64 << 10

// Writer pushes raw 16-bit samples into a stream, little-endian, the channels of a frame side by
// side. Writes may end anywhere, also within a sample. One goroutine at a time.
type Writer struct {
	stream *Stream
	ctx    context.Context
	// The start of a frame that was not whole yet.
	rest    []byte
	samples []int16
}

// Writer makes a writer into the stream; the context ends its writes.
func (s *Stream) Writer(ctx context.Context) *Writer { return &Writer{stream: s, ctx: ctx} }

// Write pushes raw audio. It gives the bytes that the stream has taken, also where it failed to
// analyse them.
func (w *Writer) Write(data []byte) (int, error) {
	if _, err := w.stream.owned(); err != nil {
		return 0, err
	}
	for at := 0; at < len(data); at += blockBytes {
		block := data[at:min(at+blockBytes, len(data))]
		if taken, err := w.write(block); err != nil {
			if taken {
				at += len(block)
			}
			return at, err
		}
	}
	return len(data), nil
}

func (w *Writer) write(block []byte) (taken bool, err error) {
	frame := 2 * w.stream.channels
	had := len(w.rest)
	w.rest = append(w.rest, block...)
	whole := w.rest[:len(w.rest)/frame*frame]
	w.samples = w.samples[:0]
	for at := 0; at < len(whole); at += 2 {
		w.samples = append(w.samples, int16(binary.LittleEndian.Uint16(whole[at:])))
	}
	if len(whole) > 0 {
		err = w.stream.PushInt16(w.ctx, w.samples)
	}
	failed, ok := err.(*Error)
	if taken = err == nil || ok && failed.Taken; !taken {
		w.rest = w.rest[:had]
		return false, err
	}
	w.rest = w.rest[:copy(w.rest, w.rest[len(whole):])]
	return true, err
}

// ReadFrom pushes all that a reader gives, as it comes, until its end, which is no error. The
// context of the writer ends it also while a Read blocks, see [Stream.Run].
func (w *Writer) ReadFrom(reader io.Reader) (total int64, err error) {
	if _, err := w.stream.owned(); err != nil {
		return 0, err
	}
	buffer := make([]byte, w.stream.chunkBytes())
	for {
		n, ended := readUnder(w.ctx, reader, buffer)
		written, err := w.Write(buffer[:n])
		total += int64(written)
		switch {
		case err != nil:
			return total, err
		case ended == io.EOF:
			return total, nil
		case ended != nil:
			return total, ended
		}
	}
}

// Close tells whether the audio ended within a frame: io.ErrUnexpectedEOF. The stream stays open.
func (w *Writer) Close() error {
	if left := len(w.rest); left > 0 {
		w.rest = w.rest[:0]
		return fmt.Errorf("voiceflow: audio: expected frames of %d bytes, got %d bytes at the end: %w",
			2*w.stream.channels, left, io.ErrUnexpectedEOF)
	}
	return nil
}

// chunkBytes is 100 ms of raw audio.
func (s *Stream) chunkBytes() int { return max(1, s.sampleRate/10) * 2 * s.channels }

// readUnder is a Read whose wait the context ends. The goroutine that reads stays until the Read
// returns, and has the buffer until then.
func readUnder(ctx context.Context, reader io.Reader, buffer []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, cancelled(ctx)
	}
	if ctx.Done() == nil {
		return reader.Read(buffer)
	}
	type outcome struct {
		n     int
		err   error
		fault any
	}
	done := make(chan outcome, 1)
	go func() {
		// Where Read ends its goroutine.
		got := outcome{err: io.ErrNoProgress}
		defer func() {
			got.fault = recover()
			done <- got
		}()
		got.n, got.err = reader.Read(buffer)
	}()
	select {
	case got := <-done:
		if got.fault != nil {
			panic(got.fault)
		}
		return got.n, got.err
	case <-ctx.Done():
		return 0, because(ctx, &Error{Status: ErrCancelled, Text: "cancelled while waiting for audio"})
	}
}

// Run pushes raw 16-bit samples, as a [Writer] does, until the end of the reader, finishes the
// stream and gives the segments as soon as they are there, as Read does: final ones, and others
// that hold until the next are read. The options are those of Finish, and Result has the result
// afterwards. An error is the last thing given. A loop that is left does not finish the stream.
//
// The context ends it also while a Read of the reader blocks, such as one of [os.Stdin] to which
// nothing comes: reading is done in a goroutine of its own then, which stays until its Read
// returns. What that Read still gives is lost; to end it, close what it reads from.
func (s *Stream) Run(ctx context.Context, reader io.Reader, options ...CallOption) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		if _, err := s.owned(); err != nil {
			yield(Segment{}, err)
			return
		}
		writer, buffer := s.Writer(ctx), make([]byte, s.chunkBytes())
		for ended := error(nil); ended == nil; {
			var n int
			n, ended = readUnder(ctx, reader, buffer)
			if _, err := writer.Write(buffer[:n]); err != nil {
				yield(Segment{}, err)
				return
			}
			if ended != nil && ended != io.EOF {
				yield(Segment{}, ended)
				return
			}
			if !s.yieldAll(yield) {
				return
			}
		}
		if _, err := s.Finish(ctx, options...); err != nil {
			yield(Segment{}, err)
			return
		}
		if !s.yieldAll(yield) {
			return
		}
		if err := writer.Close(); err != nil {
			yield(Segment{}, err)
		}
	}
}

// yieldAll gives what can be read; false where no more is wanted.
func (s *Stream) yieldAll(yield func(Segment, error) bool) bool {
	segments, err := s.ReadAll()
	if err != nil {
		yield(Segment{}, err)
		return false
	}
	for _, segment := range segments {
		if !yield(segment, nil) {
			return false
		}
	}
	return true
}
