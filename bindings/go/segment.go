package voiceflow

// #include "shim.h"
import "C"

import "unsafe"

// Segment is a stretch of time in which one speaker talks. It lies in memory as vf_segment does.
type Segment struct {
	// Start in seconds from the beginning of the recording.
	Start float64
	// End in seconds, greater than Start, never past the end of the recording.
	End float64
	// Speaker is the number of the speaker, 0 to the speaker count less 1. A stream numbers its own speakers, not
	// those of its result: [Stream.FinalSpeakers] tells which is which.
	Speaker int32
	// Confidence is the mean probability, 0 to 1, that the speaker is talking.
	Confidence float32
	// Flags are bits of [SegmentOverlap] and [SegmentFinal]; ignore others.
	Flags uint32

	_ uint32
}

const (
	// SegmentOverlap is set where another speaker talks during some part of the segment.
	SegmentOverlap uint32 = C.VF_SEGMENT_OVERLAP
	// SegmentFinal is set in a stream's segment that never changes again.
	SegmentFinal uint32 = C.VF_SEGMENT_FINAL
)

// Overlap tells whether another speaker talks during some part of the segment.
func (s Segment) Overlap() bool { return s.Flags&SegmentOverlap != 0 }

// Final tells of a stream's segment whether it never changes again. Those of a [Diarization] never do, and
// are not marked.
func (s Segment) Final() bool { return s.Flags&SegmentFinal != 0 }

// A layout other than that of C does not compile: an array has another length then.
var _ = [...][32]byte{[unsafe.Sizeof(Segment{})]byte{}, [unsafe.Sizeof(C.vf_segment{})]byte{}}
var _ = [...][0]struct{}{
	[unsafe.Offsetof(Segment{}.Start) - unsafe.Offsetof(C.vf_segment{}.start_s)]struct{}{},
	[unsafe.Offsetof(Segment{}.End) - unsafe.Offsetof(C.vf_segment{}.end_s)]struct{}{},
	[unsafe.Offsetof(Segment{}.Speaker) - unsafe.Offsetof(C.vf_segment{}.speaker)]struct{}{},
	[unsafe.Offsetof(Segment{}.Confidence) - unsafe.Offsetof(C.vf_segment{}.confidence)]struct{}{},
	[unsafe.Offsetof(Segment{}.Flags) - unsafe.Offsetof(C.vf_segment{}.flags)]struct{}{},
}
