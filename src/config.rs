//! The options of a session and of a diarizer: one builder, each value checked when it is set, so that a
//! mistake is reported where it is made. Zero means zero; a default is stated with its setter.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Result};

/// Where the model comes from.
#[derive(Clone, Debug, Default)]
pub enum ModelSource {
    /// The model compiled into the library (feature `embedded-model`).
    #[default]
    Embedded,
    /// An ONNX file.
    File(PathBuf),
    /// The bytes of an ONNX file.
    Memory(Arc<[u8]>),
}

/// Hardware that runs the network, an ONNX Runtime execution provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Provider {
    /// The fastest that is available: TensorRT is never chosen by itself, CUDA before CPU.
    #[default]
    Auto = 0,
    /// The processor.
    Cpu = 1,
    /// An NVIDIA GPU through CUDA.
    Cuda = 2,
    /// An NVIDIA GPU through TensorRT.
    TensorRt = 3,
}

impl Provider {
    /// Lower-case name: `auto`, `cpu`, `cuda`, `tensorrt`.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Auto => "auto",
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::TensorRt => "tensorrt",
        }
    }
}

/// What to do when the provider asked for is not available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum ProviderPolicy {
    /// Fall back to the CPU and say so by a warning in the log; the provider in use can be asked for.
    #[default]
    Preferred = 0,
    /// Fail with [`Error::Provider`].
    Required = 1,
}

/// How the features that a public speaker-embedding model takes are computed from the audio. The settings of both
/// are listed with `FeatureSettings` in src/model/features/settings.rs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Frontend {
    /// As in the training of the model.
    #[default]
    Trained = 0,
    /// As sherpa-onnx computes them, whatever the model was trained with: for embeddings comparable with its own.
    Sherpa = 1,
}

impl Frontend {
    /// Lower-case name: `trained`, `sherpa`.
    pub fn name(self) -> &'static str {
        match self {
            Frontend::Trained => "trained",
            Frontend::Sherpa => "sherpa",
        }
    }
}

/// Most threads of one run of the network.
pub const MAX_THREADS: usize = 256;
/// Most run slots of one session.
pub const MAX_SLOTS: usize = 64;
/// Most windows in one run of the network.
pub const MAX_BATCH: usize = 1024;
/// Most speakers that can be asked for in one recording.
pub const MAX_SPEAKERS: usize = 100;

/// Options of a session or a diarizer.
#[derive(Clone, Debug)]
pub struct Config {
    model: ModelSource,
    runtime_library: Option<PathBuf>,
    provider: Provider,
    provider_policy: ProviderPolicy,
    device_id: i32,
    threads: usize,
    slots: usize,
    batch: usize,
    deadline: Option<Duration>,
    min_speakers: usize,
    max_speakers: usize,
    hop_s: Option<f64>,
    clustering_threshold: Option<f32>,
    min_speech_s: f64,
    min_silence_s: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: ModelSource::Embedded,
            runtime_library: None,
            provider: Provider::Auto,
            provider_policy: ProviderPolicy::Preferred,
            device_id: 0,
            threads: 0,
            slots: 1,
            batch: 8,
            deadline: None,
            min_speakers: 0,
            max_speakers: MAX_SPEAKERS,
            hop_s: None,
            clustering_threshold: None,
            min_speech_s: 0.0,
            min_silence_s: 0.0,
        }
    }
}

/// Checks that `value` lies in `range`; the error names the option, the range and the value.
fn within<T: PartialOrd + std::fmt::Display + Copy>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (low, high) = (range.start(), range.end());
    Err(Error::InvalidArgument(format!("{name}: expected {low} to {high}, got {value}")))
}

impl Config {
    /// Takes the model from `source`. Default: the embedded model.
    pub fn set_model(&mut self, source: ModelSource) {
        self.model = source;
    }

    /// Loads ONNX Runtime from this file. Default: the places in the crate documentation.
    /// The first session of the process decides; a later, different path is refused there.
    pub fn set_runtime_library(&mut self, path: PathBuf) {
        self.runtime_library = Some(path);
    }

    /// Runs the network on `provider`. Default: [`Provider::Auto`], preferred.
    pub fn set_provider(&mut self, provider: Provider, policy: ProviderPolicy) {
        self.provider = provider;
        self.provider_policy = policy;
    }

    /// Number of the GPU, 0 to 63. Default 0.
    pub fn set_device_id(&mut self, device_id: i32) -> Result<()> {
        self.device_id = within("device_id", device_id, 0..=63)?;
        Ok(())
    }

    /// Processor threads, 1 to 256; 0 (the default) is one for each physical core. A session uses them in one
    /// run of the network; a diarizer analyses as many windows at once, at most 64, on one thread each, so
    /// that its result does not depend on their number.
    pub fn set_threads(&mut self, threads: usize) -> Result<()> {
        self.threads = within("threads", threads, 0..=MAX_THREADS)?;
        Ok(())
    }

    /// Runs of the network that may be under way at once in one session, 1 to 64. Default 1. A diarizer has
    /// one for each thread instead.
    pub fn set_slots(&mut self, slots: usize) -> Result<()> {
        self.slots = within("slots", slots, 1..=MAX_SLOTS)?;
        Ok(())
    }

    /// Windows in one run of the network, 1 to 1024. Default 8.
    pub fn set_batch(&mut self, batch: usize) -> Result<()> {
        self.batch = within("batch", batch, 1..=MAX_BATCH)?;
        Ok(())
    }

    /// Longest time that one call may take; `None` (the default) is without limit, zero has always passed.
    pub fn set_deadline(&mut self, deadline: Option<Duration>) {
        self.deadline = deadline;
    }

    /// Exactly `count` speakers, 1 to 100.
    pub fn set_num_speakers(&mut self, count: usize) -> Result<()> {
        within("num_speakers", count, 1..=MAX_SPEAKERS)?;
        self.set_speaker_range(count, count)
    }

    /// At least `min` (0 to 100) and at most `max` (1 to 100) speakers. Default 0 to 100. A recording without
    /// speech has none whatever is asked for.
    pub fn set_speaker_range(&mut self, min: usize, max: usize) -> Result<()> {
        within("min_speakers", min, 0..=MAX_SPEAKERS)?;
        within("max_speakers", max, 1..=MAX_SPEAKERS)?;
        if min > max {
            let text = format!("min_speakers: expected at most max_speakers ({max}), got {min}");
            return Err(Error::InvalidArgument(text));
        }
        (self.min_speakers, self.max_speakers) = (min, max);
        Ok(())
    }

    /// Time from the start of one window to the next in seconds, 0.1 to 60 and at most the model's window,
    /// which is checked when the model is loaded. Default: stored in the model.
    pub fn set_hop(&mut self, hop_s: f64) -> Result<()> {
        self.hop_s = Some(within("hop_s", hop_s, 0.1..=60.0)?);
        Ok(())
    }

    /// Cosine distance, 0 to 2, under which two clusters of voices are one speaker. Default: stored in the
    /// model.
    pub fn set_clustering_threshold(&mut self, threshold: f32) -> Result<()> {
        self.clustering_threshold = Some(within("clustering_threshold", threshold, 0.0..=2.0)?);
        Ok(())
    }

    /// Segments shorter than this many seconds are dropped, 0 to 60. Default 0.
    pub fn set_min_speech(&mut self, min_speech_s: f64) -> Result<()> {
        self.min_speech_s = within("min_speech_s", min_speech_s, 0.0..=60.0)?;
        Ok(())
    }

    /// Pauses of one speaker shorter than this many seconds are filled, 0 to 60. Default 0.
    pub fn set_min_silence(&mut self, min_silence_s: f64) -> Result<()> {
        self.min_silence_s = within("min_silence_s", min_silence_s, 0.0..=60.0)?;
        Ok(())
    }

    /// Where the model comes from.
    pub fn model(&self) -> &ModelSource {
        &self.model
    }
    /// The ONNX Runtime library asked for.
    pub fn runtime_library(&self) -> Option<&PathBuf> {
        self.runtime_library.as_ref()
    }
    /// The provider asked for and what happens when it is not available.
    pub fn provider(&self) -> (Provider, ProviderPolicy) {
        (self.provider, self.provider_policy)
    }
    /// Number of the GPU.
    pub fn device_id(&self) -> i32 {
        self.device_id
    }
    /// Threads of one run; 0 is one for each physical core.
    pub fn threads(&self) -> usize {
        self.threads
    }
    /// Concurrent runs of one session.
    pub fn slots(&self) -> usize {
        self.slots
    }
    /// Windows in one run.
    pub fn batch(&self) -> usize {
        self.batch
    }
    /// Longest time of one call.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
    /// Fewest and most speakers.
    pub fn speaker_range(&self) -> RangeInclusive<usize> {
        self.min_speakers..=self.max_speakers
    }
    /// Window hop in seconds, if one was set.
    pub fn hop_s(&self) -> Option<f64> {
        self.hop_s
    }
    /// Clustering threshold, if one was set.
    pub fn clustering_threshold(&self) -> Option<f32> {
        self.clustering_threshold
    }
    /// Shortest segment in seconds.
    pub fn min_speech_s(&self) -> f64 {
        self.min_speech_s
    }
    /// Shortest pause in seconds.
    pub fn min_silence_s(&self) -> f64 {
        self.min_silence_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named_and_leave_the_option_as_it_was() {
        let mut config = Config::default();
        let error = config.set_threads(1000).unwrap_err();
        assert_eq!(error.to_string(), "threads: expected 0 to 256, got 1000");
        assert_eq!(config.threads(), 0);
        assert!(config.set_hop(f64::NAN).unwrap_err().to_string().contains("got NaN"));
        assert!(config.set_clustering_threshold(-0.1).is_err());
        assert!(config.set_slots(0).is_err());
        assert!(
            config
                .set_speaker_range(3, 2)
                .unwrap_err()
                .to_string()
                .contains("at most max_speakers (2), got 3")
        );
        assert_eq!(config.speaker_range(), 0..=MAX_SPEAKERS);
    }

    #[test]
    fn zero_means_zero() {
        let mut config = Config::default();
        config.set_clustering_threshold(0.0).unwrap();
        assert_eq!(config.clustering_threshold(), Some(0.0));
    }
}
