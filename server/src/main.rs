//! `voiceflow-server`: who speaks when, over HTTP and WebSocket.
//!
//! ```text
//! listen ──> http, live ──> admission ──> work ──> models ──> voiceflow
//! sockets    protocols      429, 503      threads  diarizers
//! ```
//!
//! Only `work` calls a diarizer or a stream, and only `models` makes one.

mod admission;
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
mod serve;
mod traces;
mod voices;
mod work;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use config::{Arguments, Config};

/// The arguments or the configuration make no sense.
const EXIT_USAGE: u8 = 2;
/// The server could not start, or broke down.
const EXIT_FAILED: u8 = 1;
/// The drain ran out of time, and work under way was cut off.
const EXIT_CUT_OFF: u8 = 3;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
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
    match serve::run(config) {
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

/// Says why the server ends with `code`.
fn ended(code: u8, reason: &str) -> ExitCode {
    // With standard error closed there is nowhere left to write.
    let _ = writeln!(std::io::stderr().lock(), "voiceflow-server: {reason}");
    ExitCode::from(code)
}
