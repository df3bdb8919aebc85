//! Every container and codec of docs/AUDIO.md, made by ffmpeg and decoded by both: length, samples
//! and level agree, or the file is refused by the name of what it is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests
#![allow(clippy::print_stdout)]

mod cases;
mod compare;
mod damaged;
mod edits;
mod ffmpeg;
mod tracks;

use std::path::Path;
use std::time::Instant;

use voiceflow::Error;
use voiceflow::audio::{AudioSource, FileSource};

use cases::{CASES, Case, Expected};

/// Most seconds by which a length may differ from ffmpeg's.
const LENGTH_S: f64 = 0.010;
/// Most seconds by which samples may be early or late.
const SHIFT_S: f64 = 0.001;
/// Most by which the level may differ, in dB.
const LEVEL_DB: f64 = 0.2;

/// The speech that all files are made of: 1.5 s at 16 kHz.
fn speech() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/audio/original.wav"))
}

fn decode(path: &Path) -> Result<Vec<f32>, Error> {
    let mut source = FileSource::open(path)?;
    let mut samples = Vec::new();
    while source.read(&mut samples)? > 0 {}
    Ok(samples)
}

/// What is wrong with how the file of a case is read; it is `repeats` times the speech.
fn fault(folder: &Path, case: &Case, rate: u32, channels: u32, repeats: u32) -> Option<String> {
    let name =
        format!("{}.{rate}.{channels}.{}", case.arguments.join("").replace([':', '-'], ""), case.ending);
    let (rate, channels, repeats) = (rate.to_string(), channels.to_string(), (repeats - 1).to_string());
    let input = ["-stream_loop", &repeats, "-i", speech().to_str().unwrap(), "-ar", &rate, "-ac", &channels];
    ffmpeg::make(folder, &[&input[..], case.arguments, &[&name]].concat());
    let path = folder.join(&name);
    let start = Instant::now();
    let ours = decode(&path);
    let took_s = start.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(&path).map_err(|error| error.to_string()).err().or_else(|| {
        match (ours, case.expected) {
            (Ok(ours), Expected::Read(least)) => {
                ffmpeg::make(folder, &[&input[..], case.arguments, &[&name]].concat());
                let reference = ffmpeg::decode(&path, "anull").unwrap();
                let d = compare::compare(&ours, &reference);
                println!(
                    "{name}: {bytes} bytes, {:.2} s of audio in {took_s:.4} s, {d:?}",
                    ours.len() as f64 / 16_000.0
                );
                let good = d.longer_s.abs() <= LENGTH_S
                    && d.later_s.abs() <= SHIFT_S
                    && d.correlation >= least
                    && d.level_db.abs() <= LEVEL_DB;
                (!good).then(|| format!("{name}: {d:?}"))
            }
            (Err(Error::Audio(text)), Expected::Refused(what)) => {
                let good = text.contains(what) && text.contains("ffmpeg -i");
                (!good).then(|| format!("{name}: refused as {text}"))
            }
            (Ok(_), Expected::Refused(what)) => {
                Some(format!("{name}: read, expected to be refused as {what}"))
            }
            (Err(error), _) => Some(format!("{name}: {error}")),
        }
    })
}

fn check(cases: impl Iterator<Item = (&'static Case, u32, u32)>, repeats: u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut tried = 0;
    let mut faults = Vec::new();
    for (case, rate, channels) in cases {
        tried += 1;
        faults.extend(fault(folder.path(), case, rate, channels, repeats));
    }
    assert!(faults.is_empty(), "{} of {tried} files:\n{}", faults.len(), faults.join("\n"));
    println!("{tried} files");
}

/// Each container with each codec once.
#[test]
fn every_container_and_codec_is_read_as_ffmpeg_reads_it() {
    check(CASES.iter().map(|case| (case, *case.rates.last().unwrap(), *case.channels.last().unwrap())), 1);
}

/// The same at every rate and channel count: `make test-audio`.
#[test]
#[ignore = "some hundred files"]
fn every_rate_and_channel_count_is_read_as_ffmpeg_reads_it() {
    let all = CASES.iter().flat_map(|case| {
        let layouts = move |&rate| case.channels.iter().map(move |&channels| (case, rate, channels));
        case.rates.iter().flat_map(layouts)
    });
    check(all, 4);
}
