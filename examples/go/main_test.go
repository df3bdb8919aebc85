package main

import (
	"strings"
	"testing"
)

func TestTheRecordingHasTurnsInOrder(t *testing.T) {
	segments, err := diarize("../data/conversation.flac")
	if err != nil {
		t.Fatal(err)
	}
	if len(segments) < 5 {
		t.Fatalf("expected at least 5 segments, got %d", len(segments))
	}
	for i, segment := range segments {
		if segment.end_s <= segment.start_s {
			t.Errorf("segment %d: expected its end after its start, got %v", i, segment)
		}
		if i > 0 && segment.start_s < segments[i-1].start_s {
			t.Errorf("segment %d: expected segments by start, got %v after %v", i, segment, segments[i-1])
		}
	}
}

func TestAMissingFileIsAnErrorThatNamesIt(t *testing.T) {
	_, err := diarize("missing.wav")
	if err == nil || !strings.Contains(err.Error(), "missing.wav") {
		t.Fatalf("expected an error that names missing.wav, got %v", err)
	}
}
