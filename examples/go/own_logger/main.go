// Sends the library's log records to the program's own logger, here one of log/slog that writes
// JSON to a file.
//
//	go run ./own_logger meeting.flac program.log
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"voiceflow"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: own_logger AUDIO LOG")
		os.Exit(2)
	}
	if err := diarize(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "own_logger:", err)
		os.Exit(1)
	}
}

func diarize(ctx context.Context, recording, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	logger := slog.New(slog.NewJSONHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if err := voiceflow.SetLogger(logger.With("library", "voiceflow "+voiceflow.Version())); err != nil {
		return err
	}
	// The file is closed when nothing can be written to it any more.
	defer voiceflow.SetLogger(nil)
	diarizer, err := voiceflow.NewDiarizer(ctx)
	if err != nil {
		return err
	}
	defer diarizer.Close()
	result, err := diarizer.ProcessFile(ctx, recording)
	if err != nil {
		return err
	}
	defer result.Close()
	fmt.Printf("%d speakers\n", len(result.Speakers()))
	return nil
}
