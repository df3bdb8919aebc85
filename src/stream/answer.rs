//! What a stream answers: segments as they come, and the result at its end.

use crate::types::{Diarization, Segment};

/// A segment of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LiveSegment {
    /// The segment; its speaker is a number of the stream, see
    /// [`Stream::speakers`](super::Stream::speakers).
    pub segment: Segment,
    /// Whether it never changes again. Those that are not final hold until
    /// [`Stream::updates`](super::Stream::updates) changes.
    pub is_final: bool,
}

/// What a stream comes to in the end.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finished {
    /// Who spoke when as the diarizer finds it for a recording: clustered anew, over the time of
    /// the history.
    pub diarization: Diarization,
    /// For each speaker of the stream, who that is in the diarization; `None` for one who is nobody
    /// there.
    pub final_speakers: Vec<Option<usize>>,
}
