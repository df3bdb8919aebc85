//! Results as clients get them.

use serde::Serialize;
use voiceflow::output::{rttm, srt, vtt};
use voiceflow::transcript::{self, AssignOptions, PassageOptions, Word};
use voiceflow::{Diarization, Segment, Speaker, Warning};

use super::fields::Format;
use crate::voices::Answered;

/// Types of answers.
const JSON: &str = "application/json";
const SRT: &str = "application/x-subrip; charset=utf-8";
const VTT: &str = "text/vtt; charset=utf-8";

/// A diarization in the shape of LocalAI and SGLang-Omni, with additions of ours.
#[derive(Debug, Serialize)]
pub struct Diarized {
    task: &'static str,
    duration: f64,
    num_speakers: usize,
    segments: Vec<DiarizedSegment>,
    speakers: Vec<DiarizedSpeaker>,
    /// What was skipped, missing or chosen, where there is any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<DiarizedWarning>,
    /// The model, in verbose answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct DiarizedSegment {
    id: usize,
    speaker: String,
    /// Where a gallery knows the speaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    start: f64,
    end: f64,
    confidence: f32,
    /// Whether somebody else talks too, in verbose answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap: Option<bool>,
}

#[derive(Debug, Serialize)]
struct DiarizedSpeaker {
    id: usize,
    label: String,
    /// Where a gallery was asked; null for a stranger.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Option<String>>,
    /// Cosine similarity to that voice, of a stranger to the nearest one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_score: Option<f32>,
    total_speech_duration: f64,
    segment_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Vec<f32>>,
}

/// What was skipped, missing or chosen.
#[derive(Debug, Serialize)]
pub(super) struct DiarizedWarning {
    code: &'static str,
    time: f64,
    text: String,
}

/// What is said beside segments and speakers.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// The name of the model and what overlaps, where that is wanted.
    pub model: Option<String>,
    /// Whether speakers have their voice embeddings.
    pub embeddings: bool,
}

impl Diarized {
    /// The diarization, with times to the millisecond and confidences with four decimals, as the
    /// library writes them.
    pub fn new(answered: &Answered, extent: &Extent) -> Self {
        let diarization = &answered.diarization;
        let segment = |(id, segment): (usize, &Segment)| {
            let speaker = diarization.speakers.get(segment.speaker);
            DiarizedSegment {
                id,
                speaker: speaker.map(|speaker| speaker.label.clone()).unwrap_or_default(),
                name: answered.name_of(segment.speaker).map(str::to_owned),
                start: to_millisecond(segment.start_s),
                end: to_millisecond(segment.end_s),
                confidence: to_four_decimals(segment.confidence),
                overlap: extent.model.is_some().then_some(segment.overlap),
            }
        };
        let score_of = |id: usize| {
            let identified = answered.identified.as_ref()?.get(id)?;
            Some(to_four_decimals(identified.score))
        };
        let speaker = |(id, speaker): (usize, &Speaker)| DiarizedSpeaker {
            id,
            label: speaker.label.clone(),
            name: answered.identified.as_ref().map(|_| answered.name_of(id).map(str::to_owned)),
            name_score: score_of(id),
            total_speech_duration: to_millisecond(speaker.speech_s),
            segment_count: diarization.segments.iter().filter(|segment| segment.speaker == id).count(),
            embedding: extent.embeddings.then(|| speaker.embedding.clone()),
        };
        Self {
            task: "diarize",
            duration: to_millisecond(diarization.duration_s),
            num_speakers: diarization.speakers.len(),
            segments: diarization.segments.iter().enumerate().map(segment).collect(),
            speakers: diarization.speakers.iter().enumerate().map(speaker).collect(),
            warnings: warnings_of(diarization),
            model: extent.model.clone(),
        }
    }
}

/// The warnings of a recording.
pub(super) fn warnings_of(diarization: &Diarization) -> Vec<DiarizedWarning> {
    let shown = |warning: &Warning| DiarizedWarning {
        code: warning.code.name(),
        time: to_millisecond(warning.time_s),
        text: warning.text.clone(),
    };
    diarization.warnings.iter().map(shown).collect()
}

/// A time in seconds, rounded.
pub fn to_millisecond(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// A probability, rounded.
pub fn to_four_decimals(probability: f32) -> f32 {
    (probability * 1e4).round() / 1e4
}

/// The text of an answer and its type.
///
/// # Errors
/// [`voiceflow::Error::Memory`].
pub(super) fn render(
    answered: &Answered,
    name: &str,
    format: Format,
    extent: &Extent,
    words: Option<&[Word]>,
) -> voiceflow::Result<(&'static str, String)> {
    if let Format::Json | Format::VerboseJson | Format::Ndjson = format {
        return Ok((JSON, json_text(&Diarized::new(answered, extent))?));
    }
    // Whose labels are all that there is of a name.
    let diarization = &answered.labelled();
    if let Some(words) = words {
        return with_words(diarization, format, words);
    }
    Ok(match format {
        Format::Rttm => ("text/plain; charset=utf-8", rttm::write(diarization, name)?),
        Format::Srt => (SRT, srt::write(diarization)?),
        Format::Vtt => (VTT, vtt::write(diarization)?),
        // Words come with `diarized_json`; the others are above.
        _ => (JSON, json_text(&Diarized::new(answered, extent))?),
    })
}

/// The same of words, each with its speaker.
fn with_words(
    diarization: &Diarization,
    format: Format,
    words: &[Word],
) -> voiceflow::Result<(&'static str, String)> {
    let speakers = transcript::assign(words, diarization, AssignOptions::default())?;
    let subtitles = matches!(format, Format::Srt | Format::Vtt);
    let options = if subtitles { PassageOptions::cues() } else { PassageOptions::turns() };
    let passages = transcript::passages(words, &speakers, options)?;
    Ok(match format {
        Format::Srt => (SRT, transcript::srt(&passages, diarization)?),
        Format::Vtt => (VTT, transcript::vtt(&passages, diarization)?),
        _ => (JSON, transcript::diarized_json(&passages, diarization)?),
    })
}

/// A value of this server as JSON.
pub fn json_text(value: &impl Serialize) -> voiceflow::Result<String> {
    // Structs of strings and numbers have no keys that JSON could refuse.
    serde_json::to_string(value).map_err(|error| voiceflow::Error::Runtime(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voices::Identified;

    #[test]
    fn numbers_are_rounded_and_counted() {
        let segment =
            Segment { start_s: 0.1, end_s: 1.30049, speaker: 0, confidence: 0.123_46, overlap: true };
        let speaker = Speaker { label: "SPEAKER_00".into(), speech_s: 1.200_49, embedding: vec![0.6, 0.8] };
        let diarization = Diarization {
            segments: vec![segment],
            speakers: vec![speaker],
            duration_s: 2.000_4,
            ..Diarization::default()
        };
        let mut answered = Answered { diarization, identified: None };
        let json = |answered: &Answered, extent: Extent| {
            serde_json::to_string(&Diarized::new(answered, &extent)).unwrap()
        };
        assert_eq!(
            json(&answered, Extent::default()),
            r#"{"task":"diarize","duration":2.0,"num_speakers":1,"segments":[{"id":0,"speaker":"SPEAKER_00","#
                .to_owned()
                + r#""start":0.1,"end":1.3,"confidence":0.1235}],"speakers":[{"id":0,"label":"SPEAKER_00","#
                + r#""total_speech_duration":1.2,"segment_count":1}]}"#
        );
        let verbose = json(&answered, Extent { model: Some("m/1".into()), embeddings: true });
        assert!(verbose.contains(r#""overlap":true"#) && verbose.contains(r#""embedding":[0.6,0.8]"#));
        assert!(verbose.ends_with(r#""model":"m/1"}"#), "{verbose}");
        answered.identified = Some(vec![Identified { name: Some("Ada".into()), score: 0.812_34 }]);
        let named = json(&answered, Extent::default());
        assert!(named.contains(r#""speaker":"SPEAKER_00","name":"Ada","start""#), "{named}");
        assert!(named.contains(r#""label":"SPEAKER_00","name":"Ada","name_score":0.8123,"total"#), "{named}");
        answered.identified = Some(vec![Identified { name: None, score: -1.0 }]);
        let stranger = json(&answered, Extent::default());
        assert!(stranger.contains(r#""speaker":"SPEAKER_00","start""#), "{stranger}");
        assert!(stranger.contains(r#""label":"SPEAKER_00","name":null,"name_score":-1.0,"#), "{stranger}");
    }
}
