//! What the library gives back: segments, speakers, and the diarization that holds them. Plain
//! data, no behaviour beyond small accessors.

use std::collections::BTreeMap;

/// A stretch of time in which one speaker talks. Segments of different speakers may overlap in
/// time; segments of one speaker never do.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

/// One of the speakers of a recording.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Speaker {
    /// Label: `SPEAKER_00`, `SPEAKER_01`, …, in the order of first appearance, or the name of a
    /// known voice.
    pub label: String,
    /// Total speaking time in seconds.
    pub speech_s: f64,
    /// Voice embedding, unit length; its size is the model's embedding dimension.
    pub embedding: Vec<f32>,
}

/// What kind of thing a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum WarningCode {
    /// Bytes of the file that are no audio were skipped.
    SkippedBytes,
    /// Audio that is damaged or missing was replaced by silence.
    LostAudio,
    /// The file ends, or cannot be read on, before its audio does.
    EndsEarly,
    /// Two channels are each other's inverse, so that the first alone is used.
    InvertedChannels,
    /// One of several audio tracks was taken without being asked for.
    ChosenTrack,
    /// An audio track cannot be decoded.
    SkippedTrack,
    /// The container's edit list is not followed as it is; the text says in what.
    UnfollowedEdit,
}

impl WarningCode {
    /// The name by which JSON has it: `skipped_bytes`, `lost_audio`, and so on.
    pub fn name(self) -> &'static str {
        match self {
            Self::SkippedBytes => "skipped_bytes",
            Self::LostAudio => "lost_audio",
            Self::EndsEarly => "ends_early",
            Self::InvertedChannels => "inverted_channels",
            Self::ChosenTrack => "chosen_track",
            Self::SkippedTrack => "skipped_track",
            Self::UnfollowedEdit => "unfollowed_edit",
        }
    }
}

/// Something about a recording with which its result should be read.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Warning {
    /// What kind of thing it is about.
    pub code: WarningCode,
    /// Where in the recording it is, in seconds from the beginning.
    pub time_s: f64,
    /// What there is to say, in English.
    pub text: String,
}

/// Which embeddings can be compared: those of one model file, and those of models which say that
/// they share a voice space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VoiceSpace {
    /// Name of the space; empty where the model does not say.
    pub name: String,
    /// SHA-256 of the model file, as [`ModelInfo::sha256`](crate::model::ModelInfo::sha256).
    pub sha256: String,
}

impl VoiceSpace {
    /// Whether embeddings of the two can be compared.
    pub fn shares_voices_with(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 || (!self.name.is_empty() && self.name == other.name)
    }
}

impl std::fmt::Display for VoiceSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Twelve digits distinguish models, and leave the line readable.
        let short: String = self.sha256.chars().take(12).collect();
        match self.name.as_str() {
            "" => write!(f, "that of the model with sha256 {short}…"),
            name => write!(f, "{name:?} (sha256 {short}…)"),
        }
    }
}

/// Who spoke when in one recording.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Diarization {
    /// Segments by start, then end, then speaker.
    pub segments: Vec<Segment>,
    /// Speakers in the order of first appearance.
    pub speakers: Vec<Speaker>,
    /// Length of the recording in seconds.
    pub duration_s: f64,
    /// What was skipped or missing in the recording, in its order; at most 100.
    #[cfg_attr(feature = "serde", serde(default))]
    pub warnings: Vec<Warning>,
    /// What the embeddings of the speakers can be compared with; `None` where that is not known, as
    /// of a result that is no diarizer's.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub voice_space: Option<VoiceSpace>,
}

impl Diarization {
    /// A result with the labels and the speaking times of its speakers, who are as many as
    /// `embeddings`.
    pub(crate) fn of_parts(duration_s: f64, segments: Vec<Segment>, embeddings: Vec<Vec<f32>>) -> Self {
        let speaker = |(index, embedding)| {
            let own = segments.iter().filter(|segment| segment.speaker == index);
            Speaker {
                label: format!("SPEAKER_{index:02}"),
                speech_s: own.map(|segment| segment.end_s - segment.start_s).sum(),
                embedding,
            }
        };
        let speakers = embeddings.into_iter().enumerate().map(speaker).collect();
        Self { segments, speakers, duration_s, ..Self::default() }
    }

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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_diarization_survives_serde() {
        let segment = Segment { start_s: 0.1, end_s: 1.3, speaker: 0, confidence: 0.9, overlap: false };
        let diarization = Diarization::of_parts(2.5, vec![segment], vec![vec![0.6, -0.8]]);
        let text = serde_json::to_string(&diarization).unwrap();
        assert!(text.starts_with(r#"{"segments":[{"start_s":0.1,"end_s":1.3,"speaker":0,"#), "{text}");
        assert_eq!(serde_json::from_str::<Diarization>(&text).unwrap(), diarization);
    }

    #[test]
    fn speakers_follow_from_segments_and_voices() {
        let segment = |start_s, speaker| Segment {
            start_s,
            end_s: start_s + 1.5,
            speaker,
            confidence: 1.0,
            overlap: true,
        };
        let parts = vec![segment(0.0, 0), segment(1.0, 1), segment(3.0, 0)];
        let diarization = Diarization::of_parts(9.0, parts, vec![vec![1.0], Vec::new()]);
        let speakers: Vec<_> =
            diarization.speakers.iter().map(|it| (it.label.as_str(), it.speech_s)).collect();
        assert_eq!(speakers, [("SPEAKER_00", 3.0), ("SPEAKER_01", 1.5)]);
    }
}
