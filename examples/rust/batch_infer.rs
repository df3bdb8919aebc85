//! Runs the network directly on batches of windows, and prints how much of each window each local
//! speaker talks: `cargo run --release --example batch_infer -- meeting.wav`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::path::PathBuf;
use std::process::ExitCode;

use ndarray::{Array2, Axis, s};
use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::model::{Inference, Session};
use voiceflow::{Call, Config};

const BATCH: usize = 4;

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("usage: batch_infer AUDIO")?.into();
    // Decoded, mixed down and resampled to the input of the network.
    let (mut source, mut samples) = (FileSource::open(&path)?, Vec::new());
    while source.read(&mut samples)? > 0 {}

    let session = Session::new(&Config::default())?;
    let window = session.info().window_samples;
    // The last window is padded with silence.
    let mut windows = Array2::zeros((samples.len().div_ceil(window), window));
    windows.iter_mut().zip(&samples).for_each(|(to, from)| *to = *from);

    // Its memory is used again from batch to batch.
    let mut found = Inference::default();
    for (batch, rows) in windows.axis_chunks_iter(Axis(0), BATCH).enumerate() {
        session.infer(rows, &mut found, &Call::none())?;
        for row in 0..rows.nrows() {
            let activity = found.activity.slice(s![row, .., ..]);
            let shares = activity.axis_iter(Axis(1)).map(|frames| {
                let active = frames.iter().filter(|&&probability| probability > 0.5).count();
                format!(" {:3} %", 100 * active / frames.len())
            });
            println!("window {:2}:{}", batch * BATCH + row, shares.collect::<String>());
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("batch_infer: {error}");
            ExitCode::FAILURE
        }
    }
}
