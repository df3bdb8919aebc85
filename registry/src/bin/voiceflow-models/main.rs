//! The voiceflow-models command line: one file for each command; [`exit`] ends them all. What needs
//! a model that runs, and what makes signatures, is here and not in the library.

mod bundle;
mod exit;
mod gates;
mod gc;
mod list;
mod moves;
mod publish;
mod pull;
mod report;
mod settings;
mod show;
mod signer;
#[path = "../../../../cli/src/table.rs"]
mod table;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use log::{Level, LevelFilter};

use crate::settings::RegistryArgs;

/// Registry of diarization models
///
/// Publishes bundles of models as versions that never change, lets channels name one of them, and
/// fetches them into a cache. Results go to standard output, everything else to standard error.
#[derive(Parser)]
#[command(name = "voiceflow-models", version, max_term_width = 100, after_help = exit::AFTER_HELP)]
struct Cli {
    /// Say more on standard error; twice for details
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    registry: RegistryArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List models with their versions and channels
    List(list::ListArgs),
    /// Show what a version is and which files it has
    Show(show::ShowArgs),
    /// Fetch a version into the cache and print its folder
    Pull(pull::PullArgs),
    /// Compare every file of a version with its signed list
    Verify(verify::VerifyArgs),
    /// Check a bundle and make it a version
    Publish(Box<publish::PublishArgs>),
    /// Move a channel up to a version
    Promote(moves::PromoteArgs),
    /// Move a channel back to a version before
    Rollback(moves::RollbackArgs),
    /// Remove versions that no channel names, and what killed publishers left
    Gc(gc::GcArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.verbose);
    exit::finish(run(&cli))
}

fn run(cli: &Cli) -> exit::Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| exit::Failure::Failed(format!("runtime: {error}")))?;
    let settings = cli.registry.settings()?;
    runtime.block_on(async {
        match &cli.command {
            Command::List(args) => list::run(args, &settings).await,
            Command::Show(args) => show::run(args, &settings).await,
            Command::Pull(args) => pull::run(args, &settings).await,
            Command::Verify(args) => verify::run(args, &settings).await,
            Command::Publish(args) => publish::run(args, &settings).await,
            Command::Promote(args) => moves::promote(args, &settings).await,
            Command::Rollback(args) => moves::rollback(args, &settings).await,
            Command::Gc(args) => gc::run(args, &settings).await,
        }
    })
}

/// Sends log records to standard error: those of this project by `verbose`, of other packages only
/// errors. The variable `RUST_LOG` overrides both.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        _ => LevelFilter::Debug,
    };
    env_logger::Builder::new()
        .filter_level(if verbose > 1 { LevelFilter::Info } else { LevelFilter::Error })
        .filter_module("voiceflow", level)
        .parse_default_env()
        .format(|out, record| {
            let level = match record.level() {
                Level::Warn => "warning".to_owned(),
                level => level.as_str().to_lowercase(),
            };
            writeln!(out, "voiceflow-models: {level}: {}", exit::one_line(&record.args().to_string()))
        })
        .init();
}
