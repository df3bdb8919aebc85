//! Diarizes a recording, but for no longer than some milliseconds:
//! `cargo run --release --example deadline -- meeting.wav 5`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use voiceflow::{Call, Config, Diarizer, Error};

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [recording, milliseconds] = &arguments[..] else {
        return Err("usage: deadline AUDIO MILLISECONDS".into());
    };
    let limit = Duration::from_millis(milliseconds.parse()?);
    let diarizer = Diarizer::new(&Config::default())?;
    // `Call::with_cancel` takes a switch that any thread may set.
    match diarizer.process_file(Path::new(recording), &Call::none().with_deadline(limit)) {
        Ok(result) => println!("{} segments", result.segments.len()),
        Err(Error::Deadline { .. }) => println!("not done within {milliseconds} ms"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deadline: {error}");
            ExitCode::FAILURE
        }
    }
}
