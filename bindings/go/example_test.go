package voiceflow_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"voiceflow"
)

const meeting = "../../examples/data/conversation.flac"

func fail(err error) {
	if err != nil {
		panic(err)
	}
}

// Who spoke when in a file.
func ExampleDiarizer_ProcessFile() {
	diarizer, err := voiceflow.NewDiarizer(context.Background())
	fail(err)
	defer diarizer.Close()
	result, err := diarizer.ProcessFile(context.Background(), meeting)
	fail(err)
	for segment := range result.Segments() {
		fmt.Printf("%.1f %.1f %s\n", segment.Start.Seconds(), segment.End.Seconds(), result.Label(segment.Speaker))
		if segment.End > 15*time.Second {
			break
		}
	}
	// Output:
	// 0.5 5.2 SPEAKER_00
	// 5.5 10.7 SPEAKER_01
	// 10.7 14.7 SPEAKER_02
	// 14.9 19.9 SPEAKER_01
}

// A call that may not take longer than some time.
func ExampleDiarizer_ProcessFile_deadline() {
	diarizer, err := voiceflow.NewDiarizer(context.Background())
	fail(err)
	defer diarizer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Microsecond)
	defer cancel()
	_, err = diarizer.ProcessFile(ctx, meeting)
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, voiceflow.ErrDeadline))
	// Output: true true
}

// What is wrong, for the program and for people.
func ExampleError() {
	diarizer, err := voiceflow.NewDiarizer(context.Background(), voiceflow.WithThreads(1000))
	fmt.Println(errors.Is(err, voiceflow.ErrInvalidArgument), err)
	diarizer, err = voiceflow.NewDiarizer(context.Background())
	fail(err)
	defer diarizer.Close()
	_, err = diarizer.ProcessFile(context.Background(), "missing.wav")
	fmt.Println(errors.Is(err, fs.ErrNotExist), err)
	// Output:
	// true voiceflow: threads: expected 0 to 256, got 1000
	// true voiceflow: missing.wav: no such file
}

// Live audio from a reader, here a decoder's standard output.
func ExampleStream_Run() {
	diarizer, err := voiceflow.NewDiarizer(context.Background())
	fail(err)
	defer diarizer.Close()
	stream, err := diarizer.NewStream(context.Background(), 16_000, 1, voiceflow.WithLatency(time.Second))
	fail(err)
	defer stream.Close()
	decoder := exec.Command("flac", "-dcs", "--force-raw-format", "--endian=little", "--sign=signed", meeting)
	audio, err := decoder.StdoutPipe()
	fail(err)
	fail(decoder.Start())
	for segment, err := range stream.Run(context.Background(), audio) {
		fail(err)
		if segment.Final() && segment.End < 12*time.Second {
			fmt.Printf("%.1f %.1f speaker %d\n", segment.Start.Seconds(), segment.End.Seconds(), segment.Speaker)
		}
	}
	fail(decoder.Wait())
	fmt.Println(len(stream.Result().Speakers()), "speakers")
	// Output:
	// 0.6 5.2 speaker 0
	// 6.2 10.6 speaker 1
	// 10.8 11.4 speaker 0
	// 3 speakers
}

// The network itself, with buffers that are used again.
func ExampleSession_InferInto() {
	session, err := voiceflow.NewSession(context.Background())
	fail(err)
	defer session.Close()
	silence := make([]float32, 2*3*16_000)
	inference := &voiceflow.Inference{}
	for range 3 {
		fail(session.InferInto(context.Background(), silence, 2, inference))
	}
	fmt.Println(len(inference.Activity) == 2*inference.Frames*inference.Speakers)
	// Output: true
}

// Who the speakers are.
func ExampleGallery() {
	ctx := context.Background()
	diarizer, err := voiceflow.NewDiarizer(context.Background())
	fail(err)
	defer diarizer.Close()
	result, err := diarizer.ProcessFile(ctx, meeting)
	fail(err)
	gallery, err := diarizer.NewGallery()
	fail(err)
	defer gallery.Close()
	first := result.Speakers()[0]
	fail(gallery.EnrollEmbedding("ada", first.Embedding, first.Speech))
	threshold, err := gallery.Threshold()
	fail(err)
	matches, err := gallery.IdentifyDiarization(result, threshold)
	fail(err)
	for speaker, match := range matches {
		fmt.Printf("%s %q\n", result.Label(int32(speaker)), match.Name)
	}
	// Output:
	// SPEAKER_00 "ada"
	// SPEAKER_01 ""
	// SPEAKER_02 ""
}

// The library's records into a logger of the program.
func ExampleSetLogger() {
	fail(voiceflow.SetLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	defer voiceflow.SetLogger(nil)
	// Output:
}
