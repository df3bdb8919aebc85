// Enrolls speakers by recordings of them, and names them in another recording.
//
//	go run ./identify meeting.flac ada=ada.wav ben=ben.wav
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"voiceflow"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: identify AUDIO NAME=AUDIO...")
		os.Exit(2)
	}
	if err := identify(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "identify:", err)
		os.Exit(1)
	}
}

func identify(ctx context.Context, recording string, speakers []string) error {
	diarizer, err := voiceflow.NewDiarizer(ctx)
	if err != nil {
		return err
	}
	defer diarizer.Close()
	gallery, err := diarizer.NewGallery()
	if err != nil {
		return err
	}
	defer gallery.Close()
	for _, argument := range speakers {
		name, file, found := strings.Cut(argument, "=")
		if !found {
			return fmt.Errorf("%s: expected NAME=FILE", argument)
		}
		enrolled, err := gallery.EnrollFile(ctx, diarizer, name, file)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, warning := range enrolled.Warnings() {
			fmt.Fprintf(os.Stderr, "%s: %s\n", file, warning.Text)
		}
		enrolled.Close()
	}
	result, err := diarizer.ProcessFile(ctx, recording)
	if err != nil {
		return err
	}
	defer result.Close()
	threshold, err := gallery.Threshold()
	if err != nil {
		return err
	}
	matches, err := gallery.IdentifyDiarization(result, threshold)
	if err != nil {
		return err
	}
	for speaker, match := range matches {
		name := match.Name
		if name == "" {
			name = "a stranger"
		}
		fmt.Printf("%s is %s (similarity %.2f)\n", result.Label(int32(speaker)), name, match.Score)
	}
	return nil
}
