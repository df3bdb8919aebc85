// Prints who speaks, live: raw 16-bit samples, 16 kHz, mono, from standard input.
//
//	arecord -q -f S16_LE -r 16000 -c 1 -t raw | go run ./stream
//
// A provisional turn is what is known by now; a final one never changes.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"voiceflow"
)

func main() {
	// Ctrl-C ends the work, also while no audio comes.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := stream(ctx, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "stream:", err)
		os.Exit(1)
	}
}

func stream(ctx context.Context, audio io.Reader) error {
	diarizer, err := voiceflow.NewDiarizer(ctx)
	if err != nil {
		return err
	}
	defer diarizer.Close()
	live, err := diarizer.NewStream(ctx, 16_000, 1, voiceflow.WithLatency(time.Second))
	if err != nil {
		return err
	}
	defer live.Close()
	for segment, err := range live.Run(ctx, audio) {
		if err != nil {
			return err
		}
		kind := "provisional"
		if segment.Final() {
			kind = "final"
		}
		start, end := segment.Start.Seconds(), segment.End.Seconds()
		fmt.Printf("%8.2f %8.2f  speaker %d  %s\n", start, end, segment.Speaker, kind)
	}
	fmt.Printf("%d speakers in all\n", len(live.Result().Speakers()))
	return nil
}
