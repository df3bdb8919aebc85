//! Scores as text: a table for readers, JSON for programs.

use serde::Serialize;
use voiceflow::score::DiarizationError;

use crate::exit::Failure;
use crate::rounding::sum;
use crate::score::Scores;
use crate::table::{Align, Table};

/// A row for each recording and one for all: rates in percent, then durations in seconds.
pub fn table(scores: &Scores) -> String {
    let mut table = Table::new(&[
        ("recording", Align::Left),
        ("DER %", Align::Right),
        ("missed %", Align::Right),
        ("false alarm %", Align::Right),
        ("confusion %", Align::Right),
        ("JER %", Align::Right),
        ("speech s", Align::Right),
        ("missed s", Align::Right),
        ("false alarm s", Align::Right),
        ("confusion s", Align::Right),
    ]);
    for (name, error) in &scores.recordings {
        table.row(cells(name, error));
    }
    table.row(cells("OVERALL", &overall(scores)));
    table.render()
}

fn cells(name: &str, error: &DiarizationError) -> [String; 10] {
    let percent = |rate: f64| format!("{:.2}", 100.0 * rate);
    // A share of no speech at all has no value.
    let share = |part: f64| {
        if error.reference_s > 0.0 { percent(part / error.reference_s) } else { "-".to_owned() }
    };
    let seconds = |seconds: f64| format!("{seconds:.3}");
    [
        name.to_owned(),
        percent(error.der()),
        share(error.missed_s),
        share(error.false_alarm_s),
        share(error.confusion_s),
        percent(error.jer()),
        seconds(error.reference_s),
        seconds(error.missed_s),
        seconds(error.false_alarm_s),
        seconds(error.confusion_s),
    ]
}

fn overall(scores: &Scores) -> DiarizationError {
    scores.recordings.iter().map(|(_, error)| error).sum()
}

/// The JSON form, version 1. Within a version, members are only ever added.
#[derive(Serialize)]
struct Report<'a> {
    format: &'static str,
    version: u32,
    collar_s: f64,
    skip_overlap: bool,
    recordings: Vec<Recording<'a>>,
    unscored: Vec<&'a str>,
    overall: Figures,
}

#[derive(Serialize)]
struct Recording<'a> {
    recording: &'a str,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct Figures {
    der: f64,
    jer: f64,
    reference_s: f64,
    correct_s: f64,
    missed_s: f64,
    false_alarm_s: f64,
    confusion_s: f64,
    reference_speakers: usize,
    jaccard_error: f64,
}

impl From<&DiarizationError> for Figures {
    fn from(error: &DiarizationError) -> Self {
        Self {
            der: sum(error.der()),
            jer: sum(error.jer()),
            reference_s: sum(error.reference_s),
            correct_s: sum(error.correct_s),
            missed_s: sum(error.missed_s),
            false_alarm_s: sum(error.false_alarm_s),
            confusion_s: sum(error.confusion_s),
            reference_speakers: error.reference_speakers,
            jaccard_error: sum(error.jaccard_error),
        }
    }
}

/// All figures as JSON, with a line break at the end.
pub fn json(scores: &Scores) -> Result<String, Failure> {
    let recordings = scores.recordings.iter();
    let report = Report {
        format: "voiceflow.score",
        version: 1,
        collar_s: scores.options.collar_s,
        skip_overlap: scores.options.skip_overlap,
        recordings: recordings
            .map(|(name, error)| Recording { recording: name, figures: error.into() })
            .collect(),
        unscored: scores.unscored.iter().map(String::as_str).collect(),
        overall: (&overall(scores)).into(),
    };
    let text = serde_json::to_string_pretty(&report);
    text.map(|text| text + "\n").map_err(|error| Failure::Failed(error.to_string()))
}
