// Diarizes a recording, but for no longer than some time: the context of the call ends it.
//
//	go run ./deadline meeting.flac 5ms
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"voiceflow"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: deadline AUDIO DURATION")
		os.Exit(2)
	}
	if err := diarize(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "deadline:", err)
		os.Exit(1)
	}
}

func diarize(recording, duration string) error {
	limit, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	diarizer, err := voiceflow.NewDiarizer(context.Background())
	if err != nil {
		return err
	}
	defer diarizer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	result, err := diarizer.ProcessFile(ctx, recording)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Printf("not done within %v\n", limit)
		return nil
	}
	if err != nil {
		return err
	}
	defer result.Close()
	fmt.Printf("%d segments\n", len(result.AppendSegments(nil)))
	return nil
}
