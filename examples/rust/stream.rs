//! Prints who speaks, live: raw 16-bit samples, 16 kHz, mono, from standard input.
//!
//! `arecord -q -f S16_LE -r 16000 -c 1 | cargo run --release --example stream`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::io::{ErrorKind, Read, stdin};
use std::process::ExitCode;

use voiceflow::{Call, Config, Diarizer, Stream};

/// Segments that never change again; those that may still change are left out.
fn print_final(stream: &Stream) {
    for live in stream.read(usize::MAX).into_iter().filter(|live| live.is_final) {
        println!("{:8.2} {:8.2}  speaker {}", live.segment.start_s, live.segment.end_s, live.segment.speaker);
    }
}

/// Fills `buffer` from `input`, less of it only at the end.
fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::default();
    let stream = Stream::new(&Diarizer::new(&config)?, &config, 16_000, 1)?;
    // A tenth of a second.
    let mut bytes = [0; 3200];
    loop {
        let count = read_full(&mut stdin(), &mut bytes)?;
        if count == 0 {
            break;
        }
        let samples: Vec<i16> =
            bytes[..count].chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect();
        stream.push_i16(&samples, &Call::none())?;
        print_final(&stream);
    }
    let finished = stream.finish(&Call::none())?;
    print_final(&stream);
    eprintln!("clustered anew: {} speakers", finished.diarization.speakers.len());
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stream: {error}");
            ExitCode::FAILURE
        }
    }
}
