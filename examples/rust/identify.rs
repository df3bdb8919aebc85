//! Enrolls speakers by recordings of them, and names them in another recording:
//! `cargo run --release --example identify -- meeting.wav ada=ada.wav bob=bob.wav`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::path::Path;
use std::process::ExitCode;

use voiceflow::{Call, Config, Diarizer, Gallery};

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (recording, speakers) = arguments.split_first().ok_or("usage: identify AUDIO NAME=AUDIO...")?;
    let diarizer = Diarizer::new(&Config::default())?;
    let mut gallery = Gallery::new(diarizer.model());
    for argument in speakers {
        let (name, file) =
            argument.split_once('=').ok_or_else(|| format!("{argument}: expected NAME=FILE"))?;
        gallery.enroll(name, &diarizer.voice_file(Path::new(file), &Call::none())?)?;
    }
    let result = diarizer.process_file(Path::new(recording), &Call::none())?;
    let identities = gallery.identify_speakers(&result, gallery.threshold())?;
    for (speaker, identity) in result.speakers.iter().zip(&identities) {
        let name = gallery.name_of(identity).unwrap_or("a stranger");
        println!("{} is {name} (similarity {:.2})", speaker.label, identity.score);
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("identify: {error}");
            ExitCode::FAILURE
        }
    }
}
