//! `voiceflow identify`: the enrolled speakers in recordings.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use voiceflow::gallery::{Gallery, Identity};
use voiceflow::{Diarization, Diarizer};

use crate::documents::Documents;
use crate::exit::{Failure, Outcome, complain, print, settled};
use crate::gallery_args::ThresholdArg;
use crate::input::{self, recording};
use crate::model_args::ModelArgs;
use crate::part_args::PartArgs;
use crate::progress::{Place, work_on};
use crate::rounding::{milliseconds, thousandths};
use crate::runtime_args::RuntimeArgs;
use crate::table::{Align, Table};

const AFTER_HELP: &str = "\
Examples:
  voiceflow identify --gallery team.json meeting.wav
  voiceflow identify --gallery team.json --format json calls/*.mp3

For each speaker: the name, or `stranger`, how similar the voice is, and how long the speaker talks. A stranger's \
similarity is that to the nearest known voice. No two speakers of one recording are the same enrolled speaker. When a file \
fails, the others are still worked on, and the exit code is 1.";

/// Arguments of `identify`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct IdentifyArgs {
    /// Audio files
    #[arg(required = true, value_name = "AUDIO")]
    files: Vec<PathBuf>,
    /// Gallery of known voices; see `voiceflow enroll`
    #[arg(long, value_name = "FILE")]
    gallery: PathBuf,
    #[command(flatten)]
    threshold: ThresholdArg,
    #[command(flatten)]
    parts: PartArgs,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// A table
    Table,
    /// JSON: one object, or an array of them for several files
    Json,
    /// JSON Lines: one object on a line for each file
    Jsonl,
}

/// One recording in JSON.
#[derive(Serialize)]
struct Recording {
    recording: String,
    speakers: Vec<Speaker>,
}

#[derive(Serialize)]
struct Speaker {
    label: String,
    name: Option<String>,
    score: f32,
    speech_s: f64,
}

/// Runs the command.
pub fn run(args: &IdentifyArgs) -> Outcome {
    args.threshold.check()?;
    input::check(&args.files)?;
    let mut config = args.runtime.config()?;
    args.models.apply(&mut config)?;
    let diarizer = Diarizer::new(&config)?;
    let gallery = Gallery::load(&args.gallery, diarizer.model())?;
    let threshold = args.threshold.of(&gallery);
    let mut table = Table::new(&[
        ("recording", Align::Left),
        ("speaker", Align::Left),
        ("name", Align::Left),
        ("score", Align::Right),
        ("speech s", Align::Right),
    ]);
    let mut failed = false;
    let mut documents = Documents::new(args.format == Format::Json && args.files.len() > 1);
    for (index, file) in args.files.iter().enumerate() {
        let place = Place { index, count: args.files.len() };
        let found = work_on(file, place, None, |call| {
            let diarization = diarizer.process(&mut input::open(file, call)?, &args.parts.apply(call))?;
            let identities = gallery.identify_speakers(&diarization, threshold)?;
            Ok(Recording {
                recording: recording(file),
                speakers: speakers(&gallery, diarization, &identities),
            })
        });
        let printed = match found {
            Ok(recording) if args.format == Format::Table => {
                add_rows(&mut table, recording);
                Ok(())
            }
            Ok(recording) => documents.print(&line(&recording)?),
            Err(Failure::Failed(text)) => {
                complain(&text);
                failed = true;
                Ok(())
            }
            Err(other) => Err(other),
        };
        if printed.is_err() {
            return settled(printed, failed);
        }
    }
    let ended = if args.format == Format::Table { print(&table.render()) } else { documents.end() };
    settled(ended, failed)
}

fn speakers(gallery: &Gallery, diarization: Diarization, identities: &[Identity]) -> Vec<Speaker> {
    let speaker = |(speaker, identity): (voiceflow::Speaker, &Identity)| Speaker {
        label: speaker.label,
        name: gallery.name_of(identity).map(str::to_owned),
        score: thousandths(identity.score),
        speech_s: milliseconds(speaker.speech_s),
    };
    diarization.speakers.into_iter().zip(identities).map(speaker).collect()
}

fn line(recording: &Recording) -> Result<String, Failure> {
    let text = serde_json::to_string(recording).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(text + "\n")
}

fn add_rows(table: &mut Table, recording: Recording) {
    for Speaker { label, name, score, speech_s } in recording.speakers {
        let name = name.unwrap_or_else(|| "stranger".to_owned());
        table.row([
            recording.recording.clone(),
            label,
            name,
            format!("{score:.3}"),
            format!("{speech_s:.1}"),
        ]);
    }
}
