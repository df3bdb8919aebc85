// Prints who spoke when in a recording.
//
//	go run ./diarize meeting.flac
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"voiceflow"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: diarize AUDIO")
		os.Exit(2)
	}
	// Ctrl-C ends the work.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := diarize(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "diarize:", err)
		os.Exit(1)
	}
}

func diarize(ctx context.Context, path string) error {
	diarizer, err := voiceflow.NewDiarizer(ctx)
	if err != nil {
		return err
	}
	defer diarizer.Close()
	result, err := diarizer.ProcessFile(ctx, path)
	if err != nil {
		return err
	}
	defer result.Close()
	for segment := range result.Segments() {
		overlap := ""
		if segment.Overlap() {
			overlap = "  (overlap)"
		}
		start, end := segment.Start.Seconds(), segment.End.Seconds()
		fmt.Printf("%8.2f %8.2f  speaker %d%s\n", start, end, segment.Speaker, overlap)
	}
	return nil
}
