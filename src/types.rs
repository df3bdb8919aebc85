//! What the library gives back: segments, speakers, and the diarization that holds them. Plain data, no
//! behaviour beyond small accessors.

use std::collections::BTreeMap;

/// A stretch of time in which one speaker talks. Segments of different speakers may overlap in time;
/// segments of one speaker never do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Start in seconds from the beginning of the recording.
    pub start_s: f64,
    /// End in seconds, greater than `start_s`, never past the end of the recording.
    pub end_s: f64,
    /// Index of the speaker in [`Diarization::speakers`].
    pub speaker: usize,
    /// Mean probability, 0 to 1, that the speaker is talking, over the segment's frames.
    pub confidence: f32,
    /// Whether another speaker talks during some part of the segment.
    pub overlap: bool,
}

/// One of the people heard in a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Speaker {
    /// Label: `SPEAKER_00`, `SPEAKER_01`, …, in the order of first appearance, or the name of a known voice.
    pub label: String,
    /// Total speaking time in seconds.
    pub speech_s: f64,
    /// Voice embedding, unit length; its size is the model's embedding dimension.
    pub embedding: Vec<f32>,
}

/// Who spoke when in one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diarization {
    /// Segments by start, then end, then speaker.
    pub segments: Vec<Segment>,
    /// Speakers in the order of first appearance.
    pub speakers: Vec<Speaker>,
    /// Length of the recording in seconds.
    pub duration_s: f64,
}

impl Diarization {
    /// The same segments as labelled turns, as scoring uses them.
    pub fn turns(&self) -> Vec<Turn> {
        let turn = |(segment, label): (&Segment, &str)| Turn {
            start_s: segment.start_s,
            end_s: segment.end_s,
            speaker: label.to_owned(),
        };
        self.labelled().map(turn).collect()
    }

    /// Each segment with the label of its speaker.
    pub(crate) fn labelled(&self) -> impl Iterator<Item = (&Segment, &str)> {
        let speaker = |segment: &Segment| self.speakers.get(segment.speaker);
        self.segments.iter().filter_map(move |segment| Some((segment, speaker(segment)?.label.as_str())))
    }
}

/// A labelled stretch of speech, as an annotation file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Start in seconds.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
    /// The speaker's name.
    pub speaker: String,
}

/// The turns of several recordings by recording name (the RTTM `file` field).
pub type Annotations = BTreeMap<String, Vec<Turn>>;
