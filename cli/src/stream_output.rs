//! What `voiceflow stream` prints.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stdout};

use clap::ValueEnum;
use serde::Serialize;
use voiceflow::output::rttm;
use voiceflow::{Diarization, LiveSegment, Stream, Turn};

use crate::exit::{Failure, Outcome, print};
use crate::gallery_args::{KnownVoices, Named};
use crate::rounding::{milliseconds, thousandths};

/// Form of what is printed.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Format {
    /// Turns as lines of text
    Text,
    /// JSON, one object a line, for programs
    Ndjson,
    /// RTTM, a line for each turn once it is final
    Rttm,
}

/// Clears the line that the cursor is on.
const CLEAR_LINE: &str = "\r\x1b[2K";

/// Prints segments as they come.
pub struct LiveOutput {
    format: Format,
    recording: String,
    voices: KnownVoices,
    /// Whether a line that changes can be shown.
    terminal: bool,
    /// Updates of the stream that were printed, and whether the last one had segments that are not
    /// final.
    updates: u64,
    open: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    Segment {
        start: f64,
        end: f64,
        /// The stream's own label, which stays.
        speaker: String,
        /// The name of the speaker in the gallery.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Similarity to the enrolled voice.
        #[serde(skip_serializing_if = "Option::is_none")]
        score: Option<f32>,
        confidence: f32,
        overlap: bool,
        r#final: bool,
    },
    /// No provisional segment holds any longer.
    Silence { at: f64 },
    EndStream {
        duration: f64,
        /// The label of each speaker of the stream in the final result.
        speakers: BTreeMap<String, Option<String>>,
    },
}

impl Event {
    fn line(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self);
        text.map(|text| text + "\n").map_err(|error| Failure::Failed(format!("JSON: {error}")))
    }
}

impl LiveOutput {
    /// Nothing is printed yet.
    pub fn new(format: Format, recording: String, voices: KnownVoices) -> Self {
        Self { format, recording, voices, terminal: stdout().is_terminal(), updates: 0, open: false }
    }

    /// Prints the segments since the last time.
    pub fn print_updates(&mut self, stream: &Stream) -> Outcome {
        let updates = stream.updates();
        if std::mem::replace(&mut self.updates, updates) == updates {
            return Ok(());
        }
        let segments = stream.read(usize::MAX);
        let was_open = std::mem::replace(&mut self.open, segments.iter().any(|live| !live.is_final));
        let ends = was_open && !self.open;
        if segments.is_empty() && !ends {
            return Ok(());
        }
        let speakers = stream.speakers();
        let names = self.voices.names_of(&speakers)?;
        let label =
            |live: &LiveSegment| speakers.get(live.segment.speaker).map_or("?", |it| it.label.as_str());
        let known = |live: &LiveSegment| names.get(live.segment.speaker)?.as_ref();
        let name = |live: &LiveSegment| known(live).map_or(label(live), |known| known.name.as_str());
        let mut text = String::new();
        match self.format {
            Format::Ndjson => {
                for live in &segments {
                    text += &event(live, label(live), known(live)).line()?;
                }
                if ends {
                    text += &Event::Silence { at: milliseconds(stream.received_s()) }.line()?;
                }
            }
            Format::Rttm => {
                for live in segments.iter().filter(|live| live.is_final) {
                    text += &rttm::line(&self.recording, &turn(live, name(live)));
                }
            }
            Format::Text => {
                if self.terminal {
                    text += CLEAR_LINE;
                }
                for live in segments.iter().filter(|live| live.is_final) {
                    text += &line(live, name(live));
                }
                if self.terminal {
                    text += &now(&segments, name);
                }
            }
        }
        print(&text)
    }

    /// Prints the end, with the labels that the speakers have in the final result, where enrolled
    /// ones have their names.
    pub fn end(
        &mut self,
        stream: &Stream,
        result: &mut Diarization,
        final_speakers: &[Option<usize>],
    ) -> Outcome {
        self.voices.name_speakers(result)?;
        let label = |speaker: Option<usize>| Some(result.speakers.get(speaker?)?.label.clone());
        let labels = stream.speakers().into_iter().map(|speaker| speaker.label);
        let speakers = labels.zip(final_speakers.iter().map(|&speaker| label(speaker)));
        match self.format {
            Format::Text => print(if self.terminal { CLEAR_LINE } else { "" }),
            Format::Rttm => Ok(()),
            Format::Ndjson => {
                print(&Event::EndStream { duration: result.duration_s, speakers: speakers.collect() }.line()?)
            }
        }
    }
}

fn event(live: &LiveSegment, speaker: &str, known: Option<&Named>) -> Event {
    let segment = live.segment;
    Event::Segment {
        start: milliseconds(segment.start_s),
        end: milliseconds(segment.end_s),
        speaker: speaker.to_owned(),
        name: known.map(|known| known.name.clone()),
        score: known.map(|known| thousandths(known.score)),
        confidence: thousandths(segment.confidence),
        overlap: segment.overlap,
        r#final: live.is_final,
    }
}

/// A turn as annotation files have it.
fn turn(live: &LiveSegment, speaker: &str) -> Turn {
    let (start_s, end_s) = (live.segment.start_s, live.segment.end_s);
    Turn { start_s, end_s, speaker: speaker.to_owned() }
}

/// A final turn as a line of text.
fn line(live: &LiveSegment, speaker: &str) -> String {
    let (segment, overlap) = (live.segment, if live.segment.overlap { "  *" } else { "" });
    format!("{:10.2}  {:10.2}  {speaker}{overlap}\n", segment.start_s, segment.end_s)
}

/// Who speaks by now.
fn now<'a>(segments: &[LiveSegment], name: impl Fn(&LiveSegment) -> &'a str) -> String {
    let open: Vec<&LiveSegment> = segments.iter().filter(|live| !live.is_final).collect();
    let end_s = open.iter().map(|live| live.segment.end_s).fold(0.0, f64::max);
    let speaking = open.iter().filter(|live| live.segment.end_s >= end_s);
    speaking.map(|live| format!("{:10.2}           …  {} ", live.segment.start_s, name(live))).collect()
}
