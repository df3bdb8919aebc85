//! metadata.json of a bundle: its name, its version, and what its models are tuned to.

use std::fmt::Display;

use crate::config::ClusteringMethod;
use crate::error::{Error, Result};

/// What a pair of models was tuned to. What is not said has the default of [`TwoStage`](crate::model::TwoStage).
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::model) struct BundleTuning {
    /// Time in seconds from one window to the next.
    pub(in crate::model) hop_s: Option<f64>,
    /// Longest piece of solo speech in seconds that is embedded once for all windows with it; without it, what a local
    /// speaker says in a window is embedded as a whole.
    pub(in crate::model) piece_s: Option<f64>,
    /// Name of the clustering method.
    clustering: Option<String>,
    /// Its threshold.
    pub(in crate::model) clustering_threshold: Option<f32>,
    /// Cosine similarity from which a voice is taken for one that is enrolled.
    pub(in crate::model) identity_threshold: Option<f32>,
    /// Solo speech in seconds from which a voice is trusted enough to be clustered.
    pub(in crate::model) trusted_s: Option<f64>,
    /// Share of the clustered voices that a speaker of average linkage has at least; without it, two speakers of one
    /// window are never joined.
    pub(in crate::model) min_cluster_share: Option<f64>,
    /// Segments shorter than this many seconds are dropped.
    pub(in crate::model) min_speech_s: Option<f64>,
    /// Pauses of one speaker shorter than this many seconds are filled.
    pub(in crate::model) min_silence_s: Option<f64>,
}

/// What a bundle says of itself. Other keys are for people.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) tuning: BundleTuning,
}

impl Metadata {
    /// Reads a metadata.json, which messages call `label`.
    ///
    /// # Errors
    /// [`Error::Model`] for one that is none.
    pub(super) fn parse(text: &[u8], label: &dyn Display) -> Result<Self> {
        let broken = |reason: String| Error::Model(format!("{label}: {reason}"));
        let metadata: Self = serde_json::from_slice(text)
            .map_err(|error| broken(format!("expected the metadata of a bundle, found another ({error})")))?;
        metadata.tuning.check().map_err(|reason| broken(format!("tuning: {reason}")))?;
        Ok(metadata)
    }
}

impl BundleTuning {
    /// The clustering method.
    pub(in crate::model) fn clustering(&self) -> Option<ClusteringMethod> {
        const METHODS: [ClusteringMethod; 2] = [ClusteringMethod::Average, ClusteringMethod::Centroid];
        METHODS.into_iter().find(|method| Some(method.name()) == self.clustering.as_deref())
    }

    /// Which value is out of its range.
    fn check(&self) -> std::result::Result<(), String> {
        if let (Some(name), None) = (&self.clustering, self.clustering()) {
            return Err(format!("clustering: expected average or centroid, found {name:?}"));
        }
        let ranges = [
            ("hop_s", self.hop_s, 0.1..=60.0),
            ("piece_s", self.piece_s, 0.5..=60.0),
            ("clustering_threshold", self.clustering_threshold.map(f64::from), 0.0..=2.0),
            ("identity_threshold", self.identity_threshold.map(f64::from), -1.0..=1.0),
            ("trusted_s", self.trusted_s, 0.0..=60.0),
            ("min_cluster_share", self.min_cluster_share, 0.0..=1.0),
            ("min_speech_s", self.min_speech_s, 0.0..=60.0),
            ("min_silence_s", self.min_silence_s, 0.0..=60.0),
        ];
        for (name, value, range) in ranges {
            if let Some(value) = value.filter(|value| !range.contains(value)) {
                let (low, high) = (range.start(), range.end());
                return Err(format!("{name}: expected {low} to {high}, found {value}"));
            }
        }
        Ok(())
    }
}
