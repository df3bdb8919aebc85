// Runs the network directly on batches of windows, and prints how much of each window each local
// speaker talks: raw 16-bit samples, 16 kHz, mono, from standard input.
//
//	ffmpeg -v error -i meeting.flac -f s16le -ac 1 -ar 16000 - | go run ./batch_infer
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"voiceflow"
)

const batch = 4

func main() {
	if err := inferAll(context.Background(), bufio.NewReader(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, "batch_infer:", err)
		os.Exit(1)
	}
}

func inferAll(ctx context.Context, input io.Reader) error {
	session, err := voiceflow.NewSession(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	window := session.Info().WindowSamples
	// Made once, used for every batch.
	samples, audio := make([]int16, window), make([]float32, 0, batch*window)
	inference := &voiceflow.Inference{}
	for number, ended := 0, false; !ended; {
		audio = audio[:0]
		for len(audio) < batch*window && !ended {
			clear(samples)
			var some bool
			if some, ended, err = read(input, samples); err != nil {
				return err
			}
			for i := 0; some && i < window; i++ {
				audio = append(audio, float32(samples[i])/32_768)
			}
		}
		rows := len(audio) / window
		if rows == 0 {
			break
		}
		if err := session.InferInto(ctx, audio, rows, inference); err != nil {
			return err
		}
		for row := range rows {
			printWindow(number, inference, row)
			number++
		}
	}
	return nil
}

// read fills a window with what comes next; what is missing at the end stays silence.
func read(input io.Reader, samples []int16) (some, ended bool, err error) {
	raw := make([]byte, 2*len(samples))
	n, err := io.ReadFull(input, raw)
	if ended = err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF); ended {
		err = nil
	}
	for i := range n / 2 {
		samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return n > 1, ended, err
}

func printWindow(number int, inference *voiceflow.Inference, row int) {
	frames, speakers := inference.Frames, inference.Speakers
	activity := inference.Activity[row*frames*speakers:][:frames*speakers]
	fmt.Printf("window %2d:", number)
	for speaker := range speakers {
		active := 0
		for frame := range frames {
			if activity[frame*speakers+speaker] > 0.5 {
				active++
			}
		}
		fmt.Printf(" %3d %%", 100*active/frames)
	}
	fmt.Println()
}
