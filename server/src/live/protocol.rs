//! The messages, as text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::Wanted;
use crate::http::{Diarized, ErrorBody, json_text, to_four_decimals, to_millisecond};
use crate::work::live::Labelled;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum FromClient {
    #[serde(rename = "session.update")]
    Update(Wanted),
    #[serde(rename = "session.reset")]
    Reset,
    #[serde(rename = "audio.end")]
    End,
    #[serde(rename = "ping")]
    Ping {
        #[serde(default)]
        t: Value,
    },
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum ToClient<'a> {
    #[serde(rename = "session.ready")]
    Ready {
        id: &'a str,
        model: &'a str,
        arm: &'a str,
        encoding: &'static str,
        sample_rate: u32,
        channels: u16,
        latency: f64,
        hop: f64,
    },
    #[serde(rename = "session.updated")]
    Updated {
        model: &'a str,
        arm: &'a str,
        encoding: &'static str,
        sample_rate: u32,
        channels: u16,
        latency: f64,
    },
    #[serde(rename = "diarization.update")]
    Final { start: f64, end: f64, segments: Vec<Segment<'a>> },
    #[serde(rename = "diarization.provisional")]
    Provisional { segments: Vec<Segment<'a>> },
    #[serde(rename = "diarization.revision")]
    Revision { map: &'a BTreeMap<String, Option<String>> },
    #[serde(rename = "audio.ack")]
    Processed { processed_until: f64 },
    #[serde(rename = "diarization.done")]
    Done { duration: f64, result: Option<Diarized> },
    #[serde(rename = "session.reset")]
    Reset,
    #[serde(rename = "session.going_away")]
    GoingAway { within: f64 },
    #[serde(rename = "pong")]
    Pong { t: &'a Value },
    #[serde(rename = "error")]
    Error(ErrorBody<'a>),
}

/// A segment in a message.
#[derive(Debug, Serialize)]
pub(super) struct Segment<'a> {
    start: f64,
    end: f64,
    speaker: &'a str,
    /// Where a gallery knows the speaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    confidence: f32,
}

impl<'a> Segment<'a> {
    fn of(labelled: &'a Labelled) -> Self {
        Self {
            start: to_millisecond(labelled.start_s),
            end: to_millisecond(labelled.end_s),
            speaker: &labelled.speaker,
            name: labelled.name.as_deref(),
            confidence: to_four_decimals(labelled.confidence),
        }
    }
}

impl<'a> ToClient<'a> {
    /// Segments that are final.
    pub(super) fn settled(segments: &'a [Labelled]) -> Self {
        let segments: Vec<Segment<'a>> = segments.iter().map(Segment::of).collect();
        let start = segments.iter().map(|segment| segment.start).fold(f64::MAX, f64::min);
        let end = segments.iter().map(|segment| segment.end).fold(0.0, f64::max);
        ToClient::Final { start, end, segments }
    }

    /// Segments in place of the last ones.
    pub(super) fn provisional(segments: &'a [Labelled]) -> Self {
        ToClient::Provisional { segments: segments.iter().map(Segment::of).collect() }
    }

    /// The message.
    ///
    /// # Errors
    /// None that these types can have.
    pub(super) fn text(&self) -> voiceflow::Result<String> {
        json_text(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_types() {
        let labelled = Labelled {
            start_s: 0.1,
            end_s: 1.30049,
            speaker: "SPEAKER_00".into(),
            name: None,
            confidence: 0.9,
        };
        let segments = r#""segments":[{"start":0.1,"end":1.3,"speaker":"SPEAKER_00","confidence":0.9}]}"#;
        assert_eq!(
            ToClient::settled(std::slice::from_ref(&labelled)).text().unwrap(),
            format!(r#"{{"type":"diarization.update","start":0.1,"end":1.3,{segments}"#)
        );
        let text = ToClient::provisional(std::slice::from_ref(&labelled)).text().unwrap();
        assert_eq!(text, format!(r#"{{"type":"diarization.provisional",{segments}"#));
        let known = Labelled { name: Some("Ada".into()), ..labelled };
        let text = ToClient::provisional(&[known]).text().unwrap();
        assert!(text.contains(r#""speaker":"SPEAKER_00","name":"Ada","confidence":0.9"#), "{text}");
        assert_eq!(ToClient::Reset.text().unwrap(), r#"{"type":"session.reset"}"#);
    }

    #[test]
    fn clients_are_understood() {
        let parse = |text: &str| serde_json::from_str::<FromClient>(text);
        let update = r#"{"type":"session.update","encoding":"f32le","latency":2.0,"key":"call-4711"}"#;
        let Ok(FromClient::Update(wanted)) = parse(update) else { panic!("{update}") };
        assert_eq!((wanted.encoding.as_deref(), wanted.latency), (Some("f32le"), Some(2.0)));
        assert!(matches!(parse(r#"{"type":"audio.end"}"#), Ok(FromClient::End)));
        assert!(matches!(parse(r#"{"type":"ping","t":1}"#), Ok(FromClient::Ping { .. })));
        assert!(parse(r#"{"type":"unheard.of"}"#).is_err() && parse("{}").is_err() && parse("x").is_err());
    }
}
