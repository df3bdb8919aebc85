//! `voiceflow score`: compares annotations with their reference.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use voiceflow::output::uem;
use voiceflow::score::{DiarizationError, ScoreOptions, score};
use voiceflow::{Annotations, Error};

use crate::annotations::{Loaded, load, stem};
use crate::exit::{Failure, Outcome, print, warn};
use crate::score_report;
use crate::score_words;

const AFTER_HELP: &str = "\
Examples:
  voiceflow score reference.rttm hypothesis.rttm
  voiceflow score --collar 0.5 --skip-overlap references/ hypotheses/
  voiceflow score --uem all.uem --format json reference.rttm hypothesis.rttm
  voiceflow score --words reference.json assigned.json

Figures are those of pyannote.metrics. Without --uem, each recording is scored from the first to the last moment \
at which either annotation has a turn.
A recording that HYP lacks counts as missed, with a warning. A recording that REF lacks is not scored, with a \
warning, since it is unknown whether anybody speaks in it; so is one that the UEM file lacks. It is an error when \
no recording of HYP is in REF.
A file without turns says that nobody speaks: in every recording of the other side or, inside a folder, in the \
recording that the file is named after.
--words gives the word diarization error rate (Shafey et al. 2019): the share of correct and substituted words whose \
speaker is wrong.";

/// Arguments of `score`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ScoreArgs {
    /// Reference: an RTTM file, or a folder of .rttm files; with --words, diarized JSON
    #[arg(value_name = "REF")]
    reference: PathBuf,
    /// Hypothesis: the same
    #[arg(value_name = "HYP")]
    hypothesis: PathBuf,
    /// Seconds around each reference boundary that are not scored, half before and half after it
    /// (twice the collar of NIST's md-eval.pl and of dscore)
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, allow_negative_numbers = true)]
    collar: f64,
    /// Do not score time in which reference turns overlap
    #[arg(long)]
    skip_overlap: bool,
    /// Compare words with speakers, as `voiceflow assign` writes them: word diarization error rate
    #[arg(long, conflicts_with_all = ["collar", "skip_overlap", "uem"])]
    words: bool,
    /// Score only the stretches of this UEM file
    #[arg(long, value_name = "FILE")]
    uem: Option<PathBuf>,
    /// How to show the scores
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Forms of the scores.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// A table
    Table,
    /// For programs; rates are fractions, 1 is 100 %
    Json,
}

/// Scores of recordings, and those left out.
pub struct Scores {
    /// What was left out of the scoring.
    pub options: ScoreOptions,
    /// Scored recordings by name.
    pub recordings: Vec<(String, DiarizationError)>,
    /// Recordings of either side that were not scored.
    pub unscored: BTreeSet<String>,
}

impl Scores {
    /// No scores yet.
    pub fn new(options: ScoreOptions) -> Self {
        Self { options, recordings: Vec::new(), unscored: BTreeSet::new() }
    }
}

/// Runs the command.
pub fn run(args: &ScoreArgs) -> Outcome {
    if args.words {
        return score_words::run(&args.reference, &args.hypothesis, args.format);
    }
    let options = ScoreOptions { collar_s: args.collar, skip_overlap: args.skip_overlap };
    // Scoring nothing checks the options before any file is read.
    score(&[], &[], None, &options).map_err(|error| Failure::Usage(error.to_string()))?;
    let uem = match &args.uem {
        Some(path) => Some(uem::read(path)?),
        None => None,
    };
    let (reference, hypothesis) = paired(args)?;
    let mut scores = Scores::new(options);
    for name in hypothesis.keys().filter(|name| !reference.contains_key(*name)) {
        warn(&format!("{name}: not scored: {} lacks it", args.reference.display()));
        scores.unscored.insert(name.clone());
    }
    for (name, turns) in &reference {
        let stretches = uem.as_ref().map(|map| map.get(name).map(Vec::as_slice));
        if stretches == Some(None) {
            warn(&format!("{name}: not scored: the UEM file lacks it"));
            scores.unscored.insert(name.clone());
            continue;
        }
        let found = hypothesis.get(name).map_or(&[][..], Vec::as_slice);
        let error = score(turns, found, stretches.flatten(), &options).map_err(|error| named(name, error))?;
        scores.recordings.push((name.clone(), error));
    }
    if scores.recordings.is_empty() {
        return Err(Failure::Failed("the UEM file has none of the recordings: nothing to score".to_owned()));
    }
    match args.format {
        Format::Table => print(&score_report::table(&scores)),
        Format::Json => print(&score_report::json(&scores)?),
    }
}

/// An error of one recording, with its name.
fn named(name: &str, error: Error) -> Failure {
    Failure::Failed(format!("{name}: {error}"))
}

/// Reads both sides, settles in which recordings the files without turns are silent, and sees to it
/// that the sides have something in common.
fn paired(args: &ScoreArgs) -> Result<(Annotations, Annotations), Failure> {
    let Loaded { recordings: mut reference, silent_file: silent_reference } = load(&args.reference)?;
    let Loaded { recordings: hypothesis, silent_file: silent_hypothesis } = load(&args.hypothesis)?;
    if silent_reference {
        reference = hypothesis.keys().map(|name| (name.clone(), Vec::new())).collect();
        if reference.is_empty() {
            reference.insert(stem(&args.reference), Vec::new());
        }
    }
    if !silent_hypothesis && !hypothesis.keys().any(|name| reference.contains_key(name)) {
        let (one, other) = (args.reference.display(), args.hypothesis.display());
        let (some, others) = (first(&reference), first(&hypothesis));
        return Err(Failure::Failed(format!(
            "{other}: expected recordings that {one} has, such as {some}; found {others}"
        )));
    }
    if !silent_hypothesis {
        for name in reference.keys().filter(|name| !hypothesis.contains_key(*name)) {
            warn(&format!("{name}: all of it counts as missed: {} lacks it", args.hypothesis.display()));
        }
    }
    Ok((reference, hypothesis))
}

/// The name of the first recording, as an example.
fn first(annotations: &Annotations) -> &str {
    annotations.keys().next().map_or("none", String::as_str)
}
