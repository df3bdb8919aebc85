//! The library's log records in the program's own logger. In Rust they come by the crate `log`, so
//! that any logger for it has them; this one writes lines to a file:
//! `cargo run --release --example own_logger -- meeting.wav program.log`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::SystemTime;

use log::{LevelFilter, Log, Metadata, Record};
use voiceflow::{Call, Config, Diarizer};

struct FileLogger(File);

/// A logger is there until the program ends.
static LOGGER: OnceLock<FileLogger> = OnceLock::new();

impl Log for FileLogger {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    /// Called on any thread, on several at once: a line is written by one call of the system.
    fn log(&self, record: &Record) {
        let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs());
        let line = format!("{time} {} {}: {}\n", record.level(), record.target(), record.args());
        // Who cannot write the log cannot log that either.
        _ = (&self.0).write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [recording, file] = &arguments[..] else { return Err("usage: own_logger AUDIO LOG".into()) };
    let file = OpenOptions::new().create(true).append(true).open(file)?;
    log::set_logger(LOGGER.get_or_init(|| FileLogger(file))).map_err(|error| error.to_string())?;
    log::set_max_level(LevelFilter::Debug);

    let result = Diarizer::new(&Config::default())?.process_file(recording, &Call::none())?;
    println!("{} speakers", result.speakers.len());
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("own_logger: {error}");
            ExitCode::FAILURE
        }
    }
}
