//! `voiceflow diarize`: who spoke when in recordings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use voiceflow::config::MAX_SPEAKERS;
use voiceflow::files;
use voiceflow::score::{ScoreOptions, score};
use voiceflow::{Call, Config, Diarization, Diarizer, Turn};

use crate::annotations::{Loaded, load};
use crate::diarize_output::{Format, plan};
use crate::documents::Documents;
use crate::exit::{Failure, Outcome, complain, print, settled, warn};
use crate::gallery_args::GalleryArgs;
use crate::input::{self, recording};
use crate::model_args::ModelArgs;
use crate::part_args::PartArgs;
use crate::progress::{Place, work_on};
use crate::runtime_args::{RuntimeArgs, usage};
use crate::score::Scores;
use crate::score_report;

const AFTER_HELP: &str = "\
Examples:
  voiceflow diarize meeting.wav
  voiceflow diarize --num-speakers 2 --format srt call.mp3 > call.srt
  voiceflow diarize --format rttm --output results/ recordings/*.flac
  voiceflow diarize --reference meeting.rttm meeting.wav
  voiceflow diarize --gallery team.json meeting.wav
  voiceflow diarize --models accurate meeting.wav
  ffmpeg -i video.mov -f wav - | voiceflow diarize -
  voiceflow diarize --segmentation-model s.onnx --embedding-model e.onnx call.wav

A recording is called after its file: without folders and the last extension; stdin is that of standard input. \
What comes through a pipe is read to its end first, into memory or, beyond 32 MiB, a temporary file. When a file fails, the others are \
still worked on, and the exit code is 1. With --output, each result is written whole or not at all, in place of \
an older one. Without it, several results follow each other on standard output: as one array with --format json, \
one on each line with --format jsonl.
--reference scores without collar, overlap included. For a single input, a reference of one recording is taken \
whatever it is called.";

/// Arguments of `diarize`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct DiarizeArgs {
    /// Audio files or pipes; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Form of the results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Add the speakers' voice embeddings to JSON; they are biometric data
    #[arg(long)]
    embeddings: bool,
    /// Write each result into this folder, which is made if need be, as <stem>.rttm, .json, .jsonl,
    /// .srt, .vtt or .txt
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Exact number of speakers, 1 to 100
    #[arg(long, value_name = "N", conflicts_with_all = ["min_speakers", "max_speakers"])]
    num_speakers: Option<usize>,
    /// Fewest speakers, 0 to 100 [default: 0]
    #[arg(long, value_name = "N")]
    min_speakers: Option<usize>,
    /// Most speakers, 1 to 100 [default: 100]
    #[arg(long, value_name = "N")]
    max_speakers: Option<usize>,
    /// Time from one window to the next, from 0.1 to the length of the model's window [default: the
    /// model's; 1.75 for a pair of models]
    #[arg(long, value_name = "SECONDS")]
    hop: Option<f64>,
    /// Drop turns shorter than this [default: the bundle's, else 0]
    #[arg(long, value_name = "SECONDS")]
    min_speech: Option<f64>,
    /// Fill pauses of one speaker shorter than this [default: the bundle's, else 0]
    #[arg(long, value_name = "SECONDS")]
    min_silence: Option<f64>,
    /// No two speakers at once: where several talk, the most active has the time
    #[arg(long)]
    exclusive: bool,
    #[command(flatten)]
    parts: PartArgs,
    /// Longest time that each file may take
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<f64>,
    /// Score the results against this RTTM file or folder
    #[arg(long, value_name = "REF")]
    reference: Option<PathBuf>,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    known: GalleryArgs,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

impl DiarizeArgs {
    fn config(&self) -> Result<Config, Failure> {
        let mut config = self.runtime.config()?;
        self.models.apply(&mut config)?;
        match self.num_speakers {
            Some(count) => config.set_num_speakers(count).map_err(usage)?,
            None => {
                let (min, max) = (self.min_speakers.unwrap_or(0), self.max_speakers.unwrap_or(MAX_SPEAKERS));
                if min > max && (1..=MAX_SPEAKERS).contains(&max) {
                    let text = format!("--min-speakers: expected at most --max-speakers ({max}), got {min}");
                    return Err(Failure::Usage(text));
                }
                config.set_speaker_range(min, max).map_err(usage)?;
            }
        }
        if let Some(hop) = self.hop {
            config.set_hop(hop).map_err(usage)?;
        }
        if let Some(shortest) = self.min_speech {
            config.set_min_speech(shortest).map_err(usage)?;
        }
        if let Some(shortest) = self.min_silence {
            config.set_min_silence(shortest).map_err(usage)?;
        }
        Ok(config)
    }

    fn deadline(&self) -> Result<Option<Duration>, Failure> {
        let Some(seconds) = self.deadline else { return Ok(None) };
        let limit = Duration::try_from_secs_f64(seconds);
        limit
            .map(Some)
            .map_err(|_| Failure::Usage(format!("--deadline: expected 0 seconds or more, got {seconds}")))
    }

    /// Refuses what only shows when the arguments are seen together.
    fn check(&self) -> Outcome {
        self.known.check()?;
        if self.embeddings && !self.format.is_json() {
            return Err(Failure::Usage("--embeddings: expected --format json or jsonl with it".to_owned()));
        }
        if self.output.is_some() {
            return Ok(());
        }
        if self.reference.is_some() && self.format != Format::Table {
            return Err(Failure::Usage(
                "--reference: expected --format table or --output with it".to_owned(),
            ));
        }
        if let (Format::Srt | Format::Vtt, 2..) = (self.format, self.files.len()) {
            let name = self.format.extension();
            let text = format!("--format {name}: expected one file, or --output for several");
            return Err(Failure::Usage(text));
        }
        if self.format == Format::Rttm { distinct_recordings(&self.files) } else { Ok(()) }
    }
}

/// Refuses two files of one name: in one output, RTTM distinguishes recordings by their names
/// alone.
fn distinct_recordings(files: &[PathBuf]) -> Outcome {
    let mut seen: HashMap<String, &Path> = HashMap::new();
    for file in files {
        let recording = recording(file);
        if let Some(other) = seen.get(&recording) {
            return Err(Failure::Usage(format!(
                "{} and {} would both be recording `{recording}` in one output; rename one or run them apart",
                other.display(),
                file.display()
            )));
        }
        seen.insert(recording, file);
    }
    Ok(())
}

/// Runs the command.
pub fn run(args: &DiarizeArgs) -> Outcome {
    let (config, deadline) = (args.config()?, args.deadline()?);
    args.check()?;
    input::check(&args.files)?;
    let reference = match &args.reference {
        Some(path) => Some(load(path)?),
        None => None,
    };
    let outputs = prepare_outputs(args)?;
    let diarizer = Diarizer::new(&config)?;
    let model = diarizer.model();
    let known = args.known.load(model)?;
    log::info!("model {} {} on {}", model.name, model.version, model.provider.name());

    let mut failed = false;
    let mut scores = Scores::new(ScoreOptions::default());
    let array = args.format == Format::Json && args.output.is_none() && args.files.len() > 1;
    let mut documents = Documents::new(array);
    for (index, file) in args.files.iter().enumerate() {
        let place = Place { index, count: args.files.len() };
        let work = |call: &Call<'_>| {
            let wanted = args.parts.apply(call);
            let wanted = if args.exclusive { wanted.exclusive() } else { wanted };
            let mut diarization = diarizer.process(&mut input::open(file, call)?, &wanted)?;
            known.name_speakers(&mut diarization)?;
            Ok(diarization)
        };
        let result = work_on(file, place, deadline, work).and_then(|diarization| {
            let recording = recording(file);
            let text = args.format.render(&diarization, &recording, args.embeddings)?;
            match outputs.get(index) {
                Some(output) => files::write(output, &text)?,
                None => documents.print(&titled(args, index, text))?,
            }
            if let Some(reference) = &reference {
                add_score(&mut scores, reference, args.files.len() == 1, recording, &diarization)?;
            }
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(Failure::Failed(text)) => {
                complain(&text);
                failed = true;
            }
            Err(other) => return settled(Err(other), failed),
        }
    }
    let ended = documents.end();
    if ended.is_err() {
        return settled(ended, failed);
    }
    if !scores.recordings.is_empty() {
        let gap = if args.output.is_none() { "\n" } else { "" };
        return settled(print(&format!("{gap}{}", score_report::table(&scores))), failed);
    }
    settled(Ok(()), failed)
}

/// Makes the output folder and gives the file of each input; none without `--output`.
fn prepare_outputs(args: &DiarizeArgs) -> Result<Vec<PathBuf>, Failure> {
    let Some(folder) = &args.output else { return Ok(Vec::new()) };
    let read = args.reference.iter().chain(args.known.file());
    let others: Vec<PathBuf> = read.cloned().chain(args.models.files()?).collect();
    let outputs = plan(folder, args.format, &args.files, &others)?;
    std::fs::create_dir_all(folder).map_err(|error| {
        let reason =
            if folder.is_file() { "is a file, expected a folder".to_owned() } else { error.to_string() };
        Failure::Failed(format!("{}: cannot make this folder: {reason}", folder.display()))
    })?;
    Ok(outputs)
}

/// Several tables have the name of their file above them.
fn titled(args: &DiarizeArgs, index: usize, text: String) -> String {
    match args.files.get(index) {
        Some(file) if args.format == Format::Table && args.files.len() > 1 => {
            let gap = if index > 0 { "\n" } else { "" };
            let name = file.display().to_string().replace(char::is_control, "?");
            format!("{gap}{name}\n\n{text}")
        }
        _ => text,
    }
}

/// Scores a result; a recording that the reference lacks is left out with a warning.
fn add_score(
    scores: &mut Scores,
    reference: &Loaded,
    single: bool,
    recording: String,
    diarization: &Diarization,
) -> Outcome {
    let only = || reference.recordings.values().next().filter(|_| single && reference.recordings.len() == 1);
    let silence: &[Turn] = &[];
    let turns = match reference.recordings.get(&recording).or_else(only) {
        Some(turns) => turns.as_slice(),
        None if reference.silent_file => silence,
        None => {
            warn(&format!("{recording}: not scored: the reference lacks it"));
            return Ok(());
        }
    };
    let error = score(turns, &diarization.turns(), None, &scores.options)?;
    scores.recordings.push((recording, error));
    Ok(())
}
