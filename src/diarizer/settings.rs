//! What a diarizer works with, be it by an option or as its model was tuned.

use super::{Diarizer, Method};
use crate::audio::SAMPLE_RATE;
use crate::config::ClusteringMethod;

/// The numbers that a diarizer works with: those of its options, and its model's where no option is
/// set.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Length of a window in seconds.
    pub window_s: f64,
    /// Time from one window to the next, in seconds.
    pub hop_s: f64,
    /// How voices are clustered: never [`ClusteringMethod::Auto`].
    pub clustering: ClusteringMethod,
    /// Distance under which two clusters of voices are one speaker.
    pub clustering_threshold: f32,
    /// Fewest windows of a speaker of centroid clustering; `None` for other methods.
    pub min_cluster_size: Option<usize>,
    /// Segments shorter than these seconds are dropped.
    pub min_speech_s: f64,
    /// Pauses of one speaker shorter than these seconds are filled.
    pub min_silence_s: f64,
    /// Cosine similarity from which a voice is taken for one that is enrolled in a gallery.
    pub identity_threshold: f32,
}

impl Diarizer {
    /// What recordings are diarized with.
    pub fn settings(&self) -> Settings {
        let seconds = |samples: usize| samples as f64 / f64::from(SAMPLE_RATE);
        let tuning = self.tuning();
        Settings {
            window_s: seconds(self.plan.long.window),
            hop_s: seconds(self.plan.long.hop),
            clustering: self.clustering_method(),
            clustering_threshold: self.clustering_threshold(),
            min_cluster_size: match self.method {
                Method::Centroid { min_cluster_size } => Some(min_cluster_size),
                _ => None,
            },
            min_speech_s: self.config.min_speech_s().unwrap_or(tuning.min_speech_s),
            min_silence_s: self.config.min_silence_s().unwrap_or(tuning.min_silence_s),
            identity_threshold: self.model().thresholds.identity,
        }
    }
}
