//! `voiceflow assign`: the words of a speech recogniser with their speakers.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use voiceflow::output::rttm;
use voiceflow::transcript::{
    AssignOptions, PassageOptions, Transcript, assign, diarized_json, parse, passages, srt, vtt,
};
use voiceflow::{Call, Diarization, Diarizer, Error, Segment, Speaker, Turn, files};

use crate::exit::{Failure, Outcome, print, warn};
use crate::gallery_args::GalleryArgs;
use crate::input;
use crate::model_args::ModelArgs;
use crate::progress::{Place, work_on};
use crate::result_file;
use crate::runtime_args::{RuntimeArgs, usage};

const AFTER_HELP: &str = "\
Examples:
  whisper --word_timestamps True --output_format json meeting.wav
  voiceflow assign meeting.json meeting.wav
  voiceflow assign --format vtt --gallery team.json meeting.json meeting.wav > meeting.vtt
  voiceflow assign --format srt --output meeting.srt meeting.json meeting.rttm

WORDS is JSON of openai-whisper, faster-whisper or WhisperX, of whisper.cpp (--output-json-full, or --output-json with \
--max-len 1), of OpenAI (verbose_json with words), or of sherpa-onnx. A segment without words is taken for one word. \
Each word is said by the speaker whose turns overlap it the longest, else by the nearest within --nearest seconds, else \
by nobody known. json is the form of OpenAI's diarized_json.";

/// Most bytes of a file of words: a day of speech takes some 20 MB.
const MAX_WORDS_BYTES: u64 = 256 << 20;

/// Arguments of `assign`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct AssignArgs {
    /// Words with times, as a speech recogniser writes them in JSON
    #[arg(value_name = "WORDS")]
    words: PathBuf,
    /// The recording, which is diarized without overlap, or who speaks when in it: a file that ends
    /// in .rttm
    #[arg(value_name = "AUDIO|RTTM")]
    source: PathBuf,
    /// Form of the result
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Write the result into this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Longest time from a word that no turn overlaps to the nearest turn, whose speaker it gets
    #[arg(long, value_name = "SECONDS", default_value_t = AssignOptions::default().nearest_s)]
    nearest: f64,
    /// Exact number of speakers, 1 to 100
    #[arg(long, value_name = "N")]
    num_speakers: Option<usize>,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    known: GalleryArgs,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Forms of a transcript with speakers.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// OpenAI's diarized_json
    Json,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles, with the speakers as voices
    Vtt,
}

/// Runs the command.
pub fn run(args: &AssignArgs) -> Outcome {
    args.known.check()?;
    let options = AssignOptions::within(args.nearest);
    // Assigning nothing checks the options before any file is read.
    assign(&[], &Diarization::default(), options).map_err(usage)?;
    let words = read(&args.words)?;
    let mut diarization = match rttm_of(&args.source) {
        Some(path) => diarization_of(path)?,
        None => diarize(args)?,
    };
    let last_s = words.words.iter().map(|word| word.end_s).fold(diarization.duration_s, f64::max);
    if rttm_of(&args.source).is_some() {
        // RTTM does not say how long the recording is.
        diarization.duration_s = last_s;
    }
    let speakers = assign(&words.words, &diarization, options)?;
    let unknown = speakers.iter().filter(|speaker| speaker.is_none()).count();
    if unknown > 0 {
        warn(&format!("{}: {unknown} of {} words are near no turn", args.words.display(), speakers.len()));
    }
    let parts = match args.format {
        Format::Json => PassageOptions::turns(),
        Format::Srt | Format::Vtt => PassageOptions::cues(),
    };
    let passages = passages(&words.words, &speakers, parts)?;
    let text = match args.format {
        Format::Json => diarized_json(&passages, &diarization),
        Format::Srt => srt(&passages, &diarization),
        Format::Vtt => vtt(&passages, &diarization),
    }?;
    match &args.output {
        Some(path) => result_file::write(path, &text),
        None => print(&text),
    }
}

fn read(path: &Path) -> Result<Transcript, Failure> {
    let named = |text: String| Failure::Failed(format!("{}: {text}", path.display()));
    let bytes = files::read(path, MAX_WORDS_BYTES, |reason| Error::Io {
        path: path.to_owned(),
        reason,
        source: None,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| named(format!("expected UTF-8, got {error}")))?;
    let words = parse(&text).map_err(|error| named(error.to_string()))?;
    if words.has_segments {
        let text = "some words are whole segments; ask the recogniser for the times of words";
        warn(&format!("{}: {text}", path.display()));
    }
    Ok(words)
}

/// The path, where it names annotations and not audio.
fn rttm_of(path: &Path) -> Option<&Path> {
    path.extension().is_some_and(|extension| extension == "rttm").then_some(path)
}

/// The result that the turns of an RTTM file of one recording are.
fn diarization_of(path: &Path) -> Result<Diarization, Failure> {
    let mut recordings = rttm::read(path)?;
    if recordings.len() > 1 {
        let (path, count) = (path.display(), recordings.len());
        return Err(Failure::Failed(format!("{path}: expected turns of one recording, got {count}")));
    }
    let mut turns: Vec<Turn> = recordings.pop_first().map(|(_, turns)| turns).unwrap_or_default();
    turns.sort_by(|a, b| {
        (a.start_s, a.end_s).partial_cmp(&(b.start_s, b.end_s)).unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut found = Diarization::default();
    for turn in turns {
        let times = (turn.start_s, turn.end_s);
        let known = found.speakers.iter().position(|speaker| speaker.label == turn.speaker);
        let speaker = known.unwrap_or_else(|| {
            found.speakers.push(Speaker { label: turn.speaker, speech_s: 0.0, embedding: Vec::new() });
            found.speakers.len() - 1
        });
        let (start_s, end_s) = times;
        found.speakers[speaker].speech_s += end_s - start_s;
        found.segments.push(Segment { start_s, end_s, speaker, confidence: 1.0, overlap: false });
    }
    Ok(found)
}

fn diarize(args: &AssignArgs) -> Result<Diarization, Failure> {
    input::check(std::slice::from_ref(&args.source))?;
    let mut config = args.runtime.config()?;
    args.models.apply(&mut config)?;
    if let Some(count) = args.num_speakers {
        config.set_num_speakers(count).map_err(usage)?;
    }
    let diarizer = Diarizer::new(&config)?;
    let known = args.known.load(diarizer.model())?;
    work_on(&args.source, Place { index: 0, count: 1 }, None, |call: &Call<'_>| {
        let call = call.exclusive();
        let mut diarization = diarizer.process(&mut input::open(&args.source, &call)?, &call)?;
        known.name_speakers(&mut diarization)?;
        Ok(diarization)
    })
}
