package voiceflow

// #include "shim.h"
import "C"

import (
	"math"
	"time"
	"unsafe"
)

// Segment is a stretch of time in which one speaker talks.
type Segment struct {
	// Start from the beginning of the recording.
	Start time.Duration
	// End from the beginning of the recording, greater than Start, never past the end of the
	// recording.
	End time.Duration
	// Speaker is the number of the speaker, 0 to the speaker count less 1. A stream numbers its own
	// speakers, not those of its result: [Stream.FinalSpeakers] tells which is which.
	Speaker int32
	// Confidence is the mean probability, 0 to 1, that the speaker is talking.
	Confidence float32
	// Flags are bits of [SegmentOverlap] and [SegmentFinal]; ignore others.
	Flags uint32
}

const (
	// SegmentOverlap is set where another speaker talks during some part of the segment.
	SegmentOverlap uint32 = C.VF_SEGMENT_OVERLAP
	// SegmentFinal is set in a segment that never changes again.
	SegmentFinal uint32 = C.VF_SEGMENT_FINAL
)

// Overlap tells whether another speaker talks during some part of the segment.
func (s Segment) Overlap() bool { return s.Flags&SegmentOverlap != 0 }

// Final tells whether the segment never changes again. Those of a [Diarization] never do.
func (s Segment) Final() bool { return s.Flags&SegmentFinal != 0 }

// The layout of a segment in C, which never changes: another one does not compile.
var (
	_ [32]byte = [unsafe.Sizeof(C.vf_segment{})]byte{}
	_ [0]byte  = [unsafe.Offsetof(C.vf_segment{}.start_s)]byte{}
	_ [8]byte  = [unsafe.Offsetof(C.vf_segment{}.end_s)]byte{}
	_ [16]byte = [unsafe.Offsetof(C.vf_segment{}.speaker)]byte{}
	_ [20]byte = [unsafe.Offsetof(C.vf_segment{}.confidence)]byte{}
	_ [24]byte = [unsafe.Offsetof(C.vf_segment{}.flags)]byte{}
	_ [28]byte = [unsafe.Offsetof(C.vf_segment{}.reserved)]byte{}
)

func segmentOf(c C.vf_segment) Segment {
	return Segment{
		Start:      ofSeconds(c.start_s),
		End:        ofSeconds(c.end_s),
		Speaker:    int32(c.speaker),
		Confidence: float32(c.confidence),
		Flags:      uint32(c.flags),
	}
}

func (s Segment) c() C.vf_segment {
	return C.vf_segment{
		start_s:    C.double(s.Start.Seconds()),
		end_s:      C.double(s.End.Seconds()),
		speaker:    C.int32_t(s.Speaker),
		confidence: C.float(s.Confidence),
		flags:      C.uint32_t(s.Flags),
	}
}

// ofSeconds is a time to the nearest nanosecond.
func ofSeconds(s C.double) time.Duration {
	return time.Duration(math.Round(float64(s) * float64(time.Second)))
}
