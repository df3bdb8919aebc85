//! The segment as C sees it: plain data, 32 bytes, frozen.

use std::mem::offset_of;

use super::status::Failure;
use crate::memory;
use crate::stream::LiveSegment;
use crate::types::Segment;

/// Set in `vf_segment.flags` where another speaker talks during some part of the segment.
pub const VF_SEGMENT_OVERLAP: u32 = 1;

/// Set in `vf_segment.flags` of a segment that never changes again: of the final ones of a stream,
/// and of all segments of a result.
pub const VF_SEGMENT_FINAL: u32 = 2;

/// A stretch of time in which one speaker talks. 32 bytes; this layout never changes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct vf_segment {
    /// Start in seconds from the beginning of the recording.
    pub start_s: f64,
    /// End in seconds, greater than `start_s`, never past the end of the recording.
    pub end_s: f64,
    /// Number of the speaker, 0 to the speaker count less 1, of the result or of the stream, which
    /// number their speakers apart (`vf_stream_final_speakers`).
    pub speaker: i32,
    /// Mean probability, 0 to 1, that the speaker is talking.
    pub confidence: f32,
    /// `VF_SEGMENT_` bits; ignore bits that you do not know.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<vf_segment>() == 32);
    assert!(offset_of!(vf_segment, start_s) == 0);
    assert!(offset_of!(vf_segment, end_s) == 8);
    assert!(offset_of!(vf_segment, speaker) == 16);
    assert!(offset_of!(vf_segment, confidence) == 20);
    assert!(offset_of!(vf_segment, flags) == 24);
    assert!(offset_of!(vf_segment, reserved) == 28);
};

impl From<&Segment> for vf_segment {
    fn from(segment: &Segment) -> Self {
        Self {
            start_s: segment.start_s,
            end_s: segment.end_s,
            // At most config::MAX_SPEAKERS.
            speaker: i32::try_from(segment.speaker).unwrap_or(i32::MAX),
            confidence: segment.confidence,
            flags: VF_SEGMENT_FINAL | if segment.overlap { VF_SEGMENT_OVERLAP } else { 0 },
            reserved: 0,
        }
    }
}

impl From<&LiveSegment> for vf_segment {
    fn from(live: &LiveSegment) -> Self {
        let mut segment = Self::from(&live.segment);
        if !live.is_final {
            segment.flags &= !VF_SEGMENT_FINAL;
        }
        segment
    }
}

/// The segments that C gives, of `speakers` speakers in a recording of `duration_s` seconds.
pub(super) fn checked(
    given: &[vf_segment],
    speakers: usize,
    duration_s: f64,
) -> Result<Vec<Segment>, Failure> {
    let mut segments: Vec<Segment> = memory::with_capacity("segments", given.len())?;
    for (index, one) in given.iter().enumerate() {
        let segment = one
            .checked(speakers, duration_s)
            .map_err(|text| Failure::invalid(format!("segments: segment {index}: {text}")))?;
        let key = |segment: &Segment| (segment.start_s, segment.end_s, segment.speaker);
        if segments.last().is_some_and(|last| key(last) > key(&segment)) {
            let text = "expected it by start, then end, then speaker, got one that belongs before the last";
            return Err(Failure::invalid(format!("segments: segment {index}: {text}")));
        }
        segments.push(segment);
    }
    Ok(segments)
}

impl vf_segment {
    /// The segment as the library has it, or what is wrong with it.
    fn checked(&self, speakers: usize, duration_s: f64) -> Result<Segment, String> {
        let vf_segment { start_s, end_s, confidence, .. } = *self;
        // Each comparison is false for NaN.
        if !(0.0 <= start_s && start_s < end_s && end_s <= duration_s) {
            return Err(format!(
                "expected start_s before end_s, both 0 to {duration_s} s, got {start_s} to {end_s}"
            ));
        }
        if !(0.0..=1.0).contains(&confidence) {
            return Err(format!("confidence: expected 0 to 1, got {confidence}"));
        }
        let found = usize::try_from(self.speaker).ok().filter(|&speaker| speaker < speakers);
        let speaker = found.ok_or_else(|| {
            format!("speaker: expected a number of one of {speakers} speakers, from 0, got {}", self.speaker)
        })?;
        Ok(Segment { start_s, end_s, speaker, confidence, overlap: self.flags & VF_SEGMENT_OVERLAP != 0 })
    }
}
