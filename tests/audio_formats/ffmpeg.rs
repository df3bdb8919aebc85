//! The reference: ffmpeg makes the files and decodes them.

use std::path::Path;
use std::process::Command;

/// Runs ffmpeg with `arguments` in `folder`.
pub fn make(folder: &Path, arguments: &[&str]) {
    let output = command().args(arguments).current_dir(folder).output();
    let output = output.expect("ffmpeg: scripts/install_tools.sh test installs it");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {}: {text}", arguments.join(" "));
}

/// Seconds of silence that ffmpeg's resampler gets behind the audio, and that are cut again: at the
/// end it would mirror the audio, where here silence follows.
const PADDING_S: usize = 1;

/// What ffmpeg decodes the first audio track of `path` to, as [`decode_track`].
pub fn decode(path: &Path, filter: &str) -> Option<Vec<f32>> {
    decode_track(path, 0, filter)
}

/// What ffmpeg decodes an audio track of `path` to: 16 kHz mono; `None` where it cannot. Channels
/// are mixed by their mean as here, not by ffmpeg's weights. The resampler's filter is as steep as
/// here: of speech at 8 kHz the one it has by itself lets the images above 4 kHz through.
pub fn decode_track(path: &Path, track: u16, filter: &str) -> Option<Vec<f32>> {
    let mut command = command();
    let filter = format!("{filter},apad=pad_dur={PADDING_S},aresample=16000:filter_size=256");
    command.arg("-i").arg(path).args(["-map", &format!("0:a:{track}"), "-af", &filter]);
    let output = command.args(["-f", "au", "-c:a", "pcm_f32be", "-"]).output();
    let output = output.expect("ffmpeg: scripts/install_tools.sh test installs it");
    let word = |at: usize| Some(u32::from_be_bytes(*output.stdout.get(at..at + 4)?.first_chunk()?) as usize);
    let (header, channels) = (word(4)?, word(20)?);
    let samples = output.stdout.get(header..)?.chunks_exact(4);
    let mut samples: Vec<f32> = samples.map(|b| f32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
    samples.truncate(samples.len().saturating_sub(PADDING_S * 16_000 * channels));
    let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
    (!samples.is_empty()).then(|| samples.chunks_exact(channels).map(mean).collect())
}

fn command() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]);
    command
}
