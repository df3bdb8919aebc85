//! How fast files of each codec become 16 kHz mono, beside ffmpeg, in turn: `make bench-decoding`.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program of ours that prints")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use voiceflow::audio::{AudioSource, FileSource};

/// Times that each of the two decodes each file.
const ROUNDS: usize = 5;
/// Times that the example recording of 52 s follows itself.
const REPEATS: &str = "11";

/// Codec, container, and how ffmpeg encodes it.
const KINDS: [(&str, &str, &[&str]); 16] = [
    ("PCM, 16 bits", "wav", &["-c:a", "pcm_s16le"]),
    ("PCM, float", "caf", &["-c:a", "pcm_f32be"]),
    ("A-law", "wav", &["-c:a", "pcm_alaw"]),
    ("IMA ADPCM", "wav", &["-c:a", "adpcm_ima_wav"]),
    ("GSM 6.10", "wav", &["-c:a", "libgsm_ms", "-ar", "8000", "-ac", "1"]),
    ("G.722", "wav", &["-c:a", "g722", "-ar", "16000", "-ac", "1"]),
    ("FLAC", "flac", &[]),
    ("ALAC", "m4a", &["-c:a", "alac"]),
    ("MP2", "mp2", &["-b:a", "192k"]),
    ("MP3", "mp3", &["-b:a", "128k"]),
    ("AAC", "m4a", &["-c:a", "aac", "-b:a", "128k"]),
    ("AAC, transport stream", "ts", &["-c:a", "aac", "-b:a", "128k"]),
    ("Vorbis", "ogg", &["-c:a", "libvorbis", "-b:a", "128k"]),
    ("Opus", "opus", &["-c:a", "libopus", "-b:a", "64k", "-ar", "48000"]),
    ("Opus, 24 kbit/s mono", "ogg", &["-c:a", "libopus", "-b:a", "24k", "-ar", "48000", "-ac", "1"]),
    ("Opus", "webm", &["-c:a", "libopus", "-b:a", "64k", "-ar", "48000"]),
];

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-threads", "1"]);
    command
}

/// The example recording over and over, 44.1 kHz stereo unless the codec has it otherwise.
fn make(folder: &Path, number: usize, ending: &str, codec: &[&str]) -> PathBuf {
    let path = folder.join(format!("{number}.{ending}"));
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/conversation.flac");
    let input = ["-stream_loop", REPEATS, "-i", recording, "-ar", "44100", "-ac", "2"];
    let made = ffmpeg().args(input).args(codec).arg(&path).status().expect("ffmpeg, of the package ffmpeg");
    assert!(made.success(), "{}", path.display());
    path
}

/// Seconds that the library takes, and the seconds of audio.
fn ours(path: &Path) -> (f64, f64) {
    let began = Instant::now();
    let mut source = FileSource::open(path).expect("a file that can be read");
    let (mut samples, mut block) = (0, Vec::new());
    while source.read(&mut block).expect("audio") > 0 {
        samples += block.len();
        block.clear();
    }
    (began.elapsed().as_secs_f64(), samples as f64 / f64::from(voiceflow::audio::SAMPLE_RATE))
}

/// Seconds that ffmpeg takes, its start included.
fn theirs(path: &Path) -> f64 {
    let began = Instant::now();
    let form = ["-ac", "1", "-ar", "16000", "-f", "f32le", "-"];
    let done = ffmpeg().arg("-i").arg(path).args(form).stdout(Stdio::null()).status().expect("ffmpeg");
    assert!(done.success(), "{}", path.display());
    began.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the files");
    println!("| codec | file | hours of audio a second | MB a second | time, of ffmpeg's |");
    println!("| -- | -- | -: | -: | -: |");
    for (number, (codec, ending, how)) in KINDS.into_iter().enumerate() {
        let path = make(folder.path(), number, ending, how);
        let bytes = std::fs::metadata(&path).expect("what was made").len() as f64;
        let (mut own, mut other, mut audio_s) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..ROUNDS {
            let (seconds, length) = ours(&path);
            audio_s = length;
            own.push(seconds);
            other.push(theirs(&path));
        }
        let (own, other) = (median(own), median(other));
        let (hours, megabytes) = (audio_s / 3600.0 / own, bytes / 1e6 / own);
        println!("| {codec} | {ending} | {hours:.2} | {megabytes:.1} | {:.2} |", own / other);
    }
}
