//! `voiceflow enroll`: the speakers of a gallery.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use voiceflow::gallery::Gallery;
use voiceflow::{Call, Diarizer, Error};

use crate::exit::{Failure, Outcome, complain, print};
use crate::gallery_args::check_name;
use crate::input;
use crate::model_args::ModelArgs;
use crate::part_args::PartArgs;
use crate::progress::{Place, work_on};
use crate::runtime_args::RuntimeArgs;
use crate::table::{Align, Table};

const AFTER_HELP: &str = "\
Examples:
  voiceflow enroll --gallery team.json ada ada-1.wav ada-2.wav
  voiceflow enroll --gallery team.json --list
  voiceflow enroll --gallery team.json --remove ada

Each recording is of one speaker, with at least 3 s of speech; 20 s are better. A speaker enrolled again is known by \
all recordings together. One channel and one track are used: --channels separate and --track all are refused. When \
one recording is refused, the gallery stays as it was. A gallery is for one model, and holds voices, which are \
personal data.";

/// Arguments of `enroll`.
#[derive(Args)]
#[command(after_help = AFTER_HELP, group = ArgGroup::new("action").required(true).args(["name", "remove", "list"]))]
pub struct EnrollArgs {
    /// Gallery, made where there is none
    #[arg(long, value_name = "FILE")]
    gallery: PathBuf,
    /// Whom to enroll
    #[arg(requires = "files")]
    name: Option<String>,
    /// Recordings of this speaker; - for standard input
    #[arg(value_name = "AUDIO")]
    files: Vec<PathBuf>,
    /// Remove this speaker
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
    /// Show who is enrolled
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    parts: PartArgs,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &EnrollArgs) -> Outcome {
    match (&args.name, &args.remove) {
        (Some(name), _) => enroll(args, name),
        (None, Some(name)) => remove(args, name),
        (None, None) => list(args),
    }
}

fn enroll(args: &EnrollArgs, name: &str) -> Outcome {
    check_name(name)?;
    input::check(&args.files)?;
    let mut config = args.runtime.config()?;
    args.models.apply(&mut config)?;
    let diarizer = Diarizer::new(&config)?;
    let mut gallery = match Gallery::load(&args.gallery, diarizer.model()) {
        Err(Error::NotFound(_)) => Gallery::new(diarizer.model()),
        loaded => loaded?,
    };
    let mut failed = false;
    for (index, file) in args.files.iter().enumerate() {
        let place = Place { index, count: args.files.len() };
        let work = |call: &Call<'_>| diarizer.voice(&mut input::open(file, call)?, &args.parts.apply(call));
        match work_on(file, place, None, work) {
            Ok(voice) => gallery.enroll(name, &voice)?,
            Err(Failure::Failed(text)) => {
                complain(&text);
                failed = true;
            }
            Err(other) => return Err(other),
        }
    }
    if failed {
        return Err(Failure::Reported);
    }
    gallery.save(&args.gallery)?;
    let Some(voice) = gallery.voices().iter().find(|voice| voice.name == name) else { return Ok(()) };
    let recordings = if voice.recordings == 1 { "recording" } else { "recordings" };
    print(&format!("{name}: {} {recordings}, {:.1} s of speech\n", voice.recordings, voice.speech_s))
}

fn remove(args: &EnrollArgs, name: &str) -> Outcome {
    let mut gallery = Gallery::read(&args.gallery)?;
    gallery.remove(name).map_err(|error| Failure::Failed(format!("{}: {error}", args.gallery.display())))?;
    Ok(gallery.save(&args.gallery)?)
}

fn list(args: &EnrollArgs) -> Outcome {
    let gallery = Gallery::read(&args.gallery)?;
    let mut table =
        Table::new(&[("name", Align::Left), ("recordings", Align::Right), ("speech s", Align::Right)]);
    for voice in gallery.voices() {
        table.row([voice.name.clone(), voice.recordings.to_string(), format!("{:.1}", voice.speech_s)]);
    }
    print(&table.render())
}
