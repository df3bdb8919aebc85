//! The voiceflow command line: one file for each command; [`exit`] ends them all.

mod annotations;
mod assign;
mod bench;
mod completions;
mod diarize;
mod diarize_output;
mod documents;
mod enroll;
mod exit;
mod flags;
mod gallery_args;
mod identify;
mod import_model;
mod info;
mod input;
mod model_args;
mod part_args;
mod progress;
mod result_file;
mod rounding;
mod runtime_args;
mod score;
mod score_report;
mod score_words;
mod stream;
mod stream_output;
mod table;
mod timeline;
mod validate;

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};
use log::{Level, LevelFilter};

/// Who spoke when
///
/// Finds the speakers of recordings and scores the result. Results go to standard output,
/// everything else to standard error.
#[derive(Parser)]
#[command(name = "voiceflow", version, max_term_width = 100, after_help = exit::EXIT_CODES)]
struct Cli {
    /// Say more on standard error; twice for details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find out who spoke when in audio files
    Diarize(Box<diarize::DiarizeArgs>),
    /// Add speakers to a gallery, list or remove them
    Enroll(Box<enroll::EnrollArgs>),
    /// Find out which enrolled speakers talk in audio files
    Identify(Box<identify::IdentifyArgs>),
    /// Find out who speaks while they speak: a file, a pipe, or raw samples
    Stream(Box<stream::StreamArgs>),
    /// Give the words of a speech recogniser their speakers
    Assign(Box<assign::AssignArgs>),
    /// Compare annotations with their reference: diarization and Jaccard error rate
    Score(score::ScoreArgs),
    /// Check a model: the contract of a joint model, or what the family of a public one asks for
    Validate(validate::ValidateArgs),
    /// Prepare a speaker embedding model for fast loading
    ImportModel(import_model::ImportModelArgs),
    /// Measure what inference and live streams cost on this machine
    Bench(Box<bench::BenchArgs>),
    /// Show versions, ONNX Runtime, its providers and the models
    Info(info::InfoArgs),
    /// Print the script that completes arguments in a shell
    Completions(completions::CompletionsArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    exit::finish(match &cli.command {
        Command::Diarize(args) => diarize::run(args),
        Command::Enroll(args) => enroll::run(args),
        Command::Identify(args) => identify::run(args),
        Command::Stream(args) => stream::run(args),
        Command::Assign(args) => assign::run(args),
        Command::Score(args) => score::run(args),
        Command::Validate(args) => validate::run(args),
        Command::ImportModel(args) => import_model::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Info(args) => info::run(args),
        Command::Completions(args) => completions::run(args, Cli::command()),
    })
}

/// Sends log records to standard error: those of this project by `verbose`, of other packages only
/// errors until everything is asked for. The variable `RUST_LOG` overrides both.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    let others = if verbose > 1 { LevelFilter::Info } else { LevelFilter::Error };
    env_logger::Builder::new()
        .filter_level(others)
        .filter_module("voiceflow", level)
        .parse_default_env()
        .format(|out, record| {
            let level = match record.level() {
                Level::Warn => "warning".to_owned(),
                level => level.as_str().to_lowercase(),
            };
            writeln!(out, "voiceflow: {level}: {}", exit::one_line(&record.args().to_string()))
        })
        .init();
}
