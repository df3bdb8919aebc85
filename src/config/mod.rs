//! The options of a session and of a diarizer: one builder, each value checked when it is set, so
//! that a mistake is reported where it is made. Zero means zero; a default is stated with its
//! setter.

mod choices;
mod consumers;
mod runtime;
mod values;

use std::ops::RangeInclusive;
use std::path::PathBuf;

pub use choices::{ClusteringMethod, EmbeddingFamily, Frontend, ModelSource, Provider, ProviderPolicy};

pub use crate::call::MAX_SPEAKERS;
use crate::error::{Error, Result};

/// Most threads of one run of the network.
pub const MAX_THREADS: usize = 256;
/// Most run slots of one session.
pub const MAX_SLOTS: usize = 64;
/// Most windows in one run of the network.
pub const MAX_BATCH: usize = 1024;
/// Most windows that a cluster can be asked to have.
pub const MAX_CLUSTER_SIZE: usize = 1000;
/// Least and most latency of a stream in seconds.
pub const LATENCY_S: RangeInclusive<f64> = 0.5..=5.0;
/// Longest history of a stream in seconds: a day.
pub const MAX_HISTORY_S: f64 = 86_400.0;
/// Least and most memory in bytes that a GPU can be limited to: 1 MiB to 1 TiB.
pub const DEVICE_MEMORY: RangeInclusive<u64> = 1 << 20..=1 << 40;
/// Longest receptive field of a segmentation model in samples: 10 s.
const MAX_RECEPTIVE_FIELD: usize = 160_000;

/// Options of a session or a diarizer.
#[derive(Clone, Debug)]
pub struct Config {
    model: Option<ModelSource>,
    bundle: Option<PathBuf>,
    segmentation_model: Option<ModelSource>,
    segmentation_receptive_field: Option<(usize, usize)>,
    embedding_model: Option<ModelSource>,
    embedding_family: EmbeddingFamily,
    frontend: Frontend,
    runtime_library: Option<PathBuf>,
    telemetry: Option<bool>,
    provider: Provider,
    provider_policy: ProviderPolicy,
    device_id: i32,
    device_memory_limit: u64,
    cache_folder: Option<PathBuf>,
    threads: usize,
    slots: usize,
    batch: usize,
    min_speakers: usize,
    max_speakers: usize,
    hop_s: Option<f64>,
    clustering_method: ClusteringMethod,
    clustering_threshold: Option<f32>,
    min_cluster_size: Option<usize>,
    plda: Option<PathBuf>,
    min_speech_s: Option<f64>,
    min_silence_s: Option<f64>,
    latency_s: f64,
    history_s: f64,
    follow_reloads: bool,
    /// Names of the options that were set, of those that not everybody has a use for.
    marks: Vec<&'static str>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            model: None,
            bundle: None,
            segmentation_model: None,
            segmentation_receptive_field: None,
            embedding_model: None,
            embedding_family: EmbeddingFamily::Auto,
            frontend: Frontend::Trained,
            runtime_library: None,
            telemetry: None,
            provider: Provider::Auto,
            provider_policy: ProviderPolicy::Preferred,
            device_id: 0,
            device_memory_limit: 0,
            cache_folder: None,
            threads: 0,
            slots: 1,
            batch: 8,
            min_speakers: 0,
            max_speakers: MAX_SPEAKERS,
            hop_s: None,
            clustering_method: ClusteringMethod::Auto,
            clustering_threshold: None,
            min_cluster_size: None,
            plda: None,
            min_speech_s: None,
            min_silence_s: None,
            latency_s: 1.0,
            history_s: 7_200.0,
            follow_reloads: false,
            marks: Vec::new(),
        }
    }
}

/// Checks that `value` lies in `range`; the error names the option, the range and the value.
fn within<T: PartialOrd + std::fmt::Display + Copy>(
    name: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (low, high) = (range.start(), range.end());
    Err(Error::invalid(name, format!("expected {low} to {high}, got {value}")))
}

/// Refuses the embedded model where only a file or its bytes will do.
fn not_embedded(name: &'static str, source: ModelSource) -> Result<ModelSource> {
    match source {
        ModelSource::Embedded => {
            let reason = "expected a file or its bytes; the library has no such model embedded";
            Err(Error::invalid(name, reason))
        }
        source => Ok(source),
    }
}

impl Config {
    /// Takes the joint model from `source`, for recordings too. Default: the embedded model, and
    /// for recordings the accurate bundle where the library has it (feature `accurate-model`) or it
    /// is installed.
    pub fn set_model(&mut self, source: ModelSource) {
        self.model = Some(source);
    }

    /// Takes the models of a bundle: `fast-cnn` or `accurate` as compiled into the library; a
    /// folder with `model.onnx`, or with `segmentation.onnx` and `embedding.onnx`, and
    /// `metadata.json`; or the name of such a folder in `$VOICEFLOW_MODELS`, in `.models` of the
    /// working directory or of a folder above the library, or where packages install them: `models`
    /// beside the library, `share/voiceflow/models` of its prefix. Options that are not set are
    /// what the bundle was tuned to. No other model can be set with it. Default: accurate for
    /// recordings where it is compiled in, installed or in `$VOICEFLOW_MODELS`, and fast-cnn for
    /// the rest.
    pub fn set_bundle(&mut self, bundle: impl Into<PathBuf>) {
        self.bundle = Some(bundle.into());
    }

    /// Takes a pyannote-style segmentation model (segmentation-3.0, Reverb v1) from `source`, to be
    /// run together with the embedding model in place of the joint model. Default: none.
    pub fn set_segmentation_model(&mut self, source: ModelSource) -> Result<()> {
        self.segmentation_model = Some(not_embedded("segmentation_model", source)?);
        self.mark("segmentation_model");
        Ok(())
    }

    /// The receptive field of one frame of the segmentation model and the step from one frame to
    /// the next, in samples: 1 to 160,000, the step no larger than the field. Default: the file's
    /// metadata, else detected.
    pub fn set_segmentation_receptive_field(&mut self, size: usize, step: usize) -> Result<()> {
        within("receptive_field_size", size, 1..=MAX_RECEPTIVE_FIELD)?;
        within("receptive_field_step", step, 1..=size)?;
        self.segmentation_receptive_field = Some((size, step));
        self.mark("segmentation_receptive_field");
        Ok(())
    }

    /// Takes a speaker embedding model of one of the families of [`EmbeddingFamily`] from `source`,
    /// to be run together with the segmentation model. Default: none.
    pub fn set_embedding_model(&mut self, source: ModelSource) -> Result<()> {
        self.embedding_model = Some(not_embedded("embedding_model", source)?);
        self.mark("embedding_model");
        Ok(())
    }

    /// The family of the embedding model, for a file that does not say. Default:
    /// [`EmbeddingFamily::Auto`].
    pub fn set_embedding_family(&mut self, family: EmbeddingFamily) {
        self.embedding_family = family;
        self.mark("embedding_family");
    }

    /// The features that the embedding model is given. Default: [`Frontend::Trained`].
    pub fn set_frontend(&mut self, frontend: Frontend) {
        self.frontend = frontend;
        self.mark("frontend");
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

    /// Most memory in bytes that ONNX Runtime takes on a GPU for one run slot, 1,048,576 (1 MiB) to
    /// 1,099,511,627,776 (1 TiB); 0 (the default) is without limit. With CUDA the limit of the
    /// arena, which holds weights and intermediate results; with TensorRT that of the workspace. A
    /// run that needs more fails. Without effect on the CPU.
    pub fn set_device_memory_limit(&mut self, bytes: u64) -> Result<()> {
        if bytes != 0 && !DEVICE_MEMORY.contains(&bytes) {
            let (least, most) = (DEVICE_MEMORY.start(), DEVICE_MEMORY.end());
            let reason = format!("expected 0 or {least} to {most} bytes, got {bytes}");
            return Err(Error::invalid("device_memory_limit", reason));
        }
        self.device_memory_limit = bytes;
        Ok(())
    }

    /// Folder in which models are kept as ONNX Runtime has optimised them for this processor, so
    /// that they load faster the next time; made where it does not exist. With TensorRT its engines
    /// and timings are kept there. Any number of processes may share it. Results are the same with
    /// and without. It is trusted as the model is: whoever can write to it decides what runs.
    /// Default: none, and nothing is written.
    pub fn set_cache_folder(&mut self, folder: impl Into<PathBuf>) {
        self.cache_folder = Some(folder.into());
    }

    /// Keeps nothing.
    pub(crate) fn clear_cache_folder(&mut self) {
        self.cache_folder = None;
    }

    /// Processor threads, 1 to 256; 0 (the default) is one for each physical core. A session uses
    /// them in one run of the network; a diarizer analyses as many windows at once, at most 64, on
    /// one thread each, so that its result does not depend on their number.
    pub fn set_threads(&mut self, threads: usize) -> Result<()> {
        self.threads = within("threads", threads, 0..=MAX_THREADS)?;
        Ok(())
    }

    /// Runs of the network that may be under way at once in one session, 1 to 64. Default 1. A
    /// diarizer has one for each thread instead.
    pub fn set_slots(&mut self, slots: usize) -> Result<()> {
        self.slots = within("slots", slots, 1..=MAX_SLOTS)?;
        self.mark("slots");
        Ok(())
    }

    /// Most windows in one run of the network, 1 to 1024. Default 8.
    pub fn set_batch(&mut self, batch: usize) -> Result<()> {
        self.batch = within("batch", batch, 1..=MAX_BATCH)?;
        self.mark("batch");
        Ok(())
    }

    /// Exactly `count` speakers, 1 to 100, in every recording whose [`Call`](crate::Call) asks for
    /// no number.
    pub fn set_num_speakers(&mut self, count: usize) -> Result<()> {
        within("num_speakers", count, 1..=MAX_SPEAKERS)?;
        self.set_speaker_range(count, count)
    }

    /// At least `min` (0 to 100) and at most `max` (1 to 100) speakers, in every recording whose
    /// [`Call`](crate::Call) asks for no number. Default 0 to 100. A recording without speech has
    /// none whatever is asked for.
    pub fn set_speaker_range(&mut self, min: usize, max: usize) -> Result<()> {
        within("min_speakers", min, 0..=MAX_SPEAKERS)?;
        within("max_speakers", max, 1..=MAX_SPEAKERS)?;
        if min > max {
            let reason = format!("expected at most max_speakers ({max}), got {min}");
            return Err(Error::invalid("min_speakers", reason));
        }
        (self.min_speakers, self.max_speakers) = (min, max);
        self.mark("speaker_range");
        Ok(())
    }

    /// Time from the start of one window to the next in seconds, 0.1 to 60 and at most the model's
    /// window, which is checked when the model is loaded. Default: stored in the model; 1.75 s for
    /// two public models.
    pub fn set_hop(&mut self, hop_s: f64) -> Result<()> {
        self.hop_s = Some(within("hop_s", hop_s, 0.1..=60.0)?);
        self.mark("hop_s");
        Ok(())
    }

    /// How voices are clustered. Default: [`ClusteringMethod::Auto`], what the model was tuned
    /// with.
    pub fn set_clustering_method(&mut self, method: ClusteringMethod) {
        self.clustering_method = method;
        self.mark("clustering_method");
    }

    /// Distance, 0 to 2, under which two clusters of voices are one speaker: cosine distance for
    /// average linkage, and for VBx with the PLDA of a joint model, which starts from it; Euclidean
    /// distance of voices of unit length for centroid linkage and VBx with another PLDA. Default:
    /// stored in the model, else that of the method.
    pub fn set_clustering_threshold(&mut self, threshold: f32) -> Result<()> {
        self.clustering_threshold = Some(within("clustering_threshold", threshold, 0.0..=2.0)?);
        self.mark("clustering_threshold");
        Ok(())
    }

    /// Windows, 1 to 1000, that a speaker of centroid linkage has at least; smaller clusters join
    /// the nearest larger one. At most a tenth of all is asked for. Default: as many as begin in 12
    /// s.
    pub fn set_min_cluster_size(&mut self, windows: usize) -> Result<()> {
        self.min_cluster_size = Some(within("min_cluster_size", windows, 1..=MAX_CLUSTER_SIZE)?);
        self.mark("min_cluster_size");
        Ok(())
    }

    /// Folder with the PLDA of [`ClusteringMethod::Vbx`]: `xvec_transform.npz` and `plda.npz`, as
    /// pyannote's community-1 has them. Default: none.
    pub fn set_plda(&mut self, folder: impl Into<PathBuf>) {
        self.plda = Some(folder.into());
        self.mark("plda");
    }

    /// Segments shorter than this many seconds are dropped, 0 to 60. Default: the bundle's, else 0.
    pub fn set_min_speech(&mut self, min_speech_s: f64) -> Result<()> {
        self.min_speech_s = Some(within("min_speech_s", min_speech_s, 0.0..=60.0)?);
        self.mark("min_speech_s");
        Ok(())
    }

    /// Pauses of one speaker shorter than this many seconds are filled, 0 to 60. Default: the
    /// bundle's, else 0.
    pub fn set_min_silence(&mut self, min_silence_s: f64) -> Result<()> {
        self.min_silence_s = Some(within("min_silence_s", min_silence_s, 0.0..=60.0)?);
        self.mark("min_silence_s");
        Ok(())
    }

    /// Longest time in seconds, 0.5 to 5, until the segments of a moment are final. Default 1.
    pub fn set_latency(&mut self, latency_s: f64) -> Result<()> {
        self.latency_s = within("latency_s", latency_s, LATENCY_S)?;
        self.mark("latency_s");
        Ok(())
    }

    /// Time in seconds, 0 to 86,400, that a stream remembers for the answer when it is finished:
    /// what lies farther back is not in it. An hour takes some 14 MB with fast-cnn, and a third of
    /// the work of a stream; making the answer takes up to 72 MB more for its time. Default 7,200
    /// (two hours); 0 for no such answer.
    pub fn set_history(&mut self, history_s: f64) -> Result<()> {
        self.history_s = within("history_s", history_s, 0.0..=MAX_HISTORY_S)?;
        self.mark("history_s");
        Ok(())
    }

    /// Whether a stream goes over to the versions that take the place of its diarizer's. To one of
    /// another voice space its speakers are known by their newest speech, of which it keeps 8 s
    /// each in memory. Default: it stays with the one that it began with.
    pub fn set_follow_reloads(&mut self, follow: bool) {
        self.follow_reloads = follow;
        self.mark("follow_reloads");
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
        let error = config.set_device_memory_limit(1_048_575).unwrap_err();
        let range = "device_memory_limit: expected 0 or 1048576 to 1099511627776 bytes, got 1048575";
        assert_eq!(error.to_string(), range);
        assert!(config.set_device_memory_limit((1 << 40) + 1).is_err());
        assert_eq!(config.device_memory_limit(), 0);
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
