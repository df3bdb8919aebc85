//! Prints who spoke when in a recording: `cargo run --release --example diarize -- meeting.wav`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::path::PathBuf;
use std::process::ExitCode;

use voiceflow::{Call, Config, Diarizer};

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("usage: diarize AUDIO")?.into();
    let diarizer = Diarizer::new(&Config::default())?;
    let result = diarizer.process_file(&path, &Call::none())?;
    for segment in &result.segments {
        let overlap = if segment.overlap { "  (overlap)" } else { "" };
        let label = &result.speakers[segment.speaker].label;
        println!("{:8.2} {:8.2}  {label}{overlap}", segment.start_s, segment.end_s);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("diarize: {error}");
            ExitCode::FAILURE
        }
    }
}
