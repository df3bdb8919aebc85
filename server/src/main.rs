//! `voiceflow-server`: who speaks when, over HTTP and WebSocket.
//!
//! ```text
//! listen ──> http, live ──> admission ──> work ──> models ──> voiceflow
//! sockets    protocols      429, 503      threads  diarizers
//!                 └───────> rollout: reloads, arms
//! ```
//!
//! Only `work` calls a diarizer or a stream, and only `models` makes one.

mod admission;
mod allocator;
mod ask;
mod auth;
mod config;
mod http;
mod listen;
mod live;
mod logs;
mod metrics;
mod models;
mod priority;
mod report;
mod rollout;
mod serve;
mod traces;
mod voices;
mod work;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use config::{AFTER_HELP, Arguments, Config};

/// The arguments or the configuration make no sense.
const EXIT_USAGE: u8 = 2;
/// The server could not start, or broke down.
const EXIT_FAILED: u8 = 1;
/// The drain ran out of time, and work under way was cut off.
const EXIT_CUT_OFF: u8 = 3;

/// Speaker diarization over HTTP and WebSocket.
#[derive(Parser)]
#[command(name = "voiceflow-server", version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Program {
    #[command(flatten)]
    server: Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Compares arms by what a Prometheus has scraped of servers
    AbReport(report::Arguments),
}

fn main() -> ExitCode {
    let Program { server: arguments, command } = Program::parse();
    if let Some(Command::AbReport(asked)) = command {
        return compare(&asked);
    }
    let config = match Config::load(&arguments, std::env::vars_os()) {
        Ok(config) => config,
        Err(reason) => return ended(EXIT_USAGE, &reason),
    };
    if arguments.check_config {
        return match config.to_toml().map(|text| std::io::stdout().lock().write_all(text.as_bytes())) {
            Ok(_) => ExitCode::SUCCESS,
            Err(reason) => ended(EXIT_FAILED, &reason),
        };
    }
    if arguments.health {
        return match ask::health(&config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => ended(EXIT_FAILED, &reason),
        };
    }
    logs::start(config.log.level, config.log.format);
    allocator::bound();
    match serve::run(arguments, config) {
        Ok(serve::Ended::Drained) => ExitCode::SUCCESS,
        Ok(serve::Ended::CutOff) => {
            ended(EXIT_CUT_OFF, "the drain ran out of time");
            // Threads are at work in ONNX Runtime, whose destructors must not run beside them: none
            // does. What was logged is written already.
            signal_hook::low_level::exit(EXIT_CUT_OFF.into())
        }
        Err(reason) => ended(EXIT_FAILED, &reason),
    }
}

/// Prints a comparison of arms.
fn compare(asked: &report::Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = runtime.map_err(|error| error.to_string()).and_then(|it| it.block_on(report::report(asked)));
    match report.map(|text| std::io::stdout().lock().write_all(text.as_bytes())) {
        Ok(_) => ExitCode::SUCCESS,
        Err(reason) => ended(EXIT_FAILED, &reason),
    }
}

/// Says why the server ends with `code`.
fn ended(code: u8, reason: &str) -> ExitCode {
    // With standard error closed there is nowhere left to write.
    let _ = writeln!(std::io::stderr().lock(), "voiceflow-server: {reason}");
    ExitCode::from(code)
}
