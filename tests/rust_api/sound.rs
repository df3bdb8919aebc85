//! Sound to run on: a conversation of three people, pieces of it, and other sample rates.

use std::path::PathBuf;
use std::sync::OnceLock;

use voiceflow::audio::{AudioSource, FileSource, SAMPLE_RATE};

use crate::support::root;

/// Taps of the resampling filter on each side, at the lower of the two rates.
const HALF_TAPS: f64 = 16.0;
/// Passband of the resampling filter as a share of the lower rate's.
const PASSBAND: f64 = 0.95;

/// 52 s of 16-bit samples at 16 kHz.
pub fn conversation_file() -> PathBuf {
    root().join("examples/data/conversation.flac")
}

/// The samples of [`conversation_file`].
pub fn conversation() -> &'static [f32] {
    static SAMPLES: OnceLock<Vec<f32>> = OnceLock::new();
    SAMPLES.get_or_init(|| samples_of(conversation_file()))
}

/// The conversation between two times in seconds.
pub fn piece(from_s: f64, to_s: f64) -> &'static [f32] {
    let [from, to] = [from_s, to_s].map(|seconds| (seconds * f64::from(SAMPLE_RATE)) as usize);
    &conversation()[from..to]
}

/// All of a file at 16 kHz.
pub fn samples_of(path: PathBuf) -> Vec<f32> {
    let (mut source, mut samples) = (FileSource::open(&path).unwrap(), Vec::new());
    while source.read(&mut samples).unwrap() > 0 {}
    samples
}

/// White noise up to `amplitude`.
pub fn noise(count: usize, amplitude: f32) -> Vec<f32> {
    let mut state = 7_u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * amplitude
        })
        .collect()
}

/// 16 kHz `samples` at `rate` Hz, by a filter of its own: a windowed sinc.
pub fn at_rate(samples: &[f32], rate: u32) -> Vec<f32> {
    let ratio = f64::from(rate) / f64::from(SAMPLE_RATE);
    let cutoff = ratio.min(1.0) * PASSBAND;
    let reach = HALF_TAPS / ratio.min(1.0);
    let value = |index: usize| {
        let at = index as f64 / ratio;
        let (first, last) = ((at - reach).ceil().max(0.0) as usize, (at + reach) as usize);
        let near = samples.iter().enumerate().take(last + 1).skip(first);
        near.map(|(tap, &sample)| {
            let distance = at - tap as f64;
            let window = (std::f64::consts::FRAC_PI_2 * distance / reach).cos().powi(2);
            f64::from(sample) * cutoff * sinc(cutoff * distance) * window
        })
        .sum::<f64>() as f32
    };
    (0..(samples.len() as f64 * ratio) as usize).map(value).collect()
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// Mono samples as `channels` equal interleaved channels.
pub fn spread(samples: &[f32], channels: u16) -> Vec<f32> {
    samples.iter().flat_map(|&sample| std::iter::repeat_n(sample, channels.into())).collect()
}
