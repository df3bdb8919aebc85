//! Log mel filterbank features, what the public speaker-embedding networks take instead of audio.
//! Owns the arithmetic from samples to `[frames, bins]`; which settings a network wants, its
//! metadata says elsewhere.
//!
//! ```text
//! audio ──> framing ──> mean, pre-emphasis ──> window ──> |FFT|² ──> mel filters ──> log ──> normalization
//!           10 ms step                         25 ms      257 bins   80 bins                 of any stretch
//! ```
//!
//! All of it in double precision: errors of 2e-4 in a mel energy have been seen to invent a
//! speaker.

mod extractor;
mod framing;
mod mel;
mod normalization;
mod settings;
mod window;

#[cfg(test)]
mod golden_tests;

pub(crate) use extractor::FeatureExtractor;
pub(crate) use framing::{SAMPLE_RATE, STEP_SAMPLES};
pub(crate) use normalization::Normalization;
pub(crate) use settings::FeatureSettings;
