//! What the options are set to.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{ClusteringMethod, Config, EmbeddingFamily, Frontend, ModelSource, Provider, ProviderPolicy};

impl Config {
    /// Where the joint model comes from.
    pub fn model(&self) -> &ModelSource {
        self.model.as_ref().unwrap_or(&ModelSource::Embedded)
    }
    /// Whether a joint model was set.
    pub(crate) fn names_model(&self) -> bool {
        self.model.is_some()
    }
    /// Whether a model of whatever kind was set.
    pub(crate) fn names_models(&self) -> bool {
        self.names_model() || self.bundle.is_some() || self.names_pair()
    }
    /// Whether one of a pair of models was set.
    pub(crate) fn names_pair(&self) -> bool {
        self.segmentation_model.is_some() || self.embedding_model.is_some()
    }
    /// Folder or name of the bundle, if one was set.
    pub fn bundle(&self) -> Option<&PathBuf> {
        self.bundle.as_ref()
    }
    /// Where the segmentation model comes from.
    pub fn segmentation_model(&self) -> Option<&ModelSource> {
        self.segmentation_model.as_ref()
    }
    /// Receptive field and step of the segmentation model in samples.
    pub fn segmentation_receptive_field(&self) -> Option<(usize, usize)> {
        self.segmentation_receptive_field
    }
    /// Where the embedding model comes from.
    pub fn embedding_model(&self) -> Option<&ModelSource> {
        self.embedding_model.as_ref()
    }
    /// The family of the embedding model.
    pub fn embedding_family(&self) -> EmbeddingFamily {
        self.embedding_family
    }
    /// The features of the embedding model.
    pub fn frontend(&self) -> Frontend {
        self.frontend
    }
    /// The provider asked for and what happens when it is not available.
    pub fn provider(&self) -> (Provider, ProviderPolicy) {
        (self.provider, self.provider_policy)
    }
    /// Number of the GPU.
    pub fn device_id(&self) -> i32 {
        self.device_id
    }
    /// Most memory in bytes on a GPU for one run slot; 0 is without limit.
    pub fn device_memory_limit(&self) -> u64 {
        self.device_memory_limit
    }
    /// Folder of optimised models, if one was set.
    pub fn cache_folder(&self) -> Option<&PathBuf> {
        self.cache_folder.as_ref()
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
    /// Fewest and most speakers.
    pub fn speaker_range(&self) -> RangeInclusive<usize> {
        self.min_speakers..=self.max_speakers
    }
    /// Window hop in seconds, if one was set.
    pub fn hop_s(&self) -> Option<f64> {
        self.hop_s
    }
    /// How voices are clustered.
    pub fn clustering_method(&self) -> ClusteringMethod {
        self.clustering_method
    }
    /// Clustering threshold, if one was set.
    pub fn clustering_threshold(&self) -> Option<f32> {
        self.clustering_threshold
    }
    /// Minimum cluster size, if one was set.
    pub fn min_cluster_size(&self) -> Option<usize> {
        self.min_cluster_size
    }
    /// Folder of the PLDA, if one was set.
    pub fn plda(&self) -> Option<&PathBuf> {
        self.plda.as_ref()
    }
    /// Shortest segment in seconds, if it was set.
    pub fn min_speech_s(&self) -> Option<f64> {
        self.min_speech_s
    }
    /// Shortest pause in seconds, if it was set.
    pub fn min_silence_s(&self) -> Option<f64> {
        self.min_silence_s
    }
    /// Latency of a stream in seconds.
    pub fn latency_s(&self) -> f64 {
        self.latency_s
    }
    /// History of a stream in seconds.
    pub fn history_s(&self) -> f64 {
        self.history_s
    }
    /// Whether a stream follows the versions of its diarizer.
    pub fn follows_reloads(&self) -> bool {
        self.follow_reloads
    }
    /// The same options without the models, which may be large.
    pub(crate) fn without_models(&self) -> Self {
        Self { model: None, segmentation_model: None, embedding_model: None, ..self.clone() }
    }
    /// Takes over what `other` sets of the options that shape a result after its windows.
    pub(crate) fn adopt_result_options(&mut self, other: &Config) {
        self.clustering_threshold = other.clustering_threshold.or(self.clustering_threshold);
        self.min_speech_s = other.min_speech_s.or(self.min_speech_s);
        self.min_silence_s = other.min_silence_s.or(self.min_silence_s);
    }
}
