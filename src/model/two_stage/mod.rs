//! The local diarizer made of two public models: a segmentation network finds who talks in each window, an embedding
//! network gives the voices. As the pipeline of pyannote.audio (Bredin, "pyannote.audio 2.1 speaker diarization
//! pipeline", Interspeech 2023), but the work on the audio is done once for many windows and speakers.
//!
//! ```text
//! stretch ──> windows ──> segmentation ──> powerset ──> activity ──────────────┬──> LocalWindow
//!    │                                                     │ crops             │
//!    └──────> features ──> frames, once for the stretch ───┴──> pooling, of crops or shared pieces ──> voices
//! ```

mod embedding;
mod frames;
mod layout;
mod pieces;
mod segmentation;
mod speech;

pub use embedding::{Imported, import_model};

#[cfg(fuzzing)]
pub(super) use layout::features_of;

use self::embedding::Embedding;
use self::segmentation::Segmentation;
use self::speech::{Crop, FramePlaces, crops};
use super::bundle::{BundleTuning, Pair};
use super::contract::{ModelInfo, SAMPLE_RATE, Thresholds, USUAL_IDENTITY_THRESHOLD};
use super::import::EmbeddingFile;
use super::local::{LocalDiarizer, Stretch, Tuning};
use super::provider;
use super::source::{ModelFile, sha256};
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::diarize::clustering::usual_threshold;
use crate::diarize::powerset::PowersetDecoding;
use crate::diarize::windows::WindowGrid;
use crate::ending;
use crate::error::Result;
use crate::memory;

/// Time from one window to the next in samples, by default: 1.75 s. The best for the time of those tried from 1 s to 2.5 s
/// on the tuning part of the real conversations and on simulated ones.
const HOP: usize = SAMPLE_RATE * 7 / 4;
/// Samples in which the windows of a stretch begin: 80 s. What two stretches share is analysed twice, a window less a
/// hop.
const STRETCH: usize = 80 * SAMPLE_RATE;
/// Solo speech in samples that a voice is taken from, where there is as much: 1 s.
const LEAST_SOLO: usize = SAMPLE_RATE;
/// Solo speech in seconds from which a voice is trusted enough to be clustered.
const TRUSTED_S: f64 = 0.4;

/// Length of the windows of a stream in seconds, as in diart (Coria et al., ASRU 2021).
const LIVE_WINDOW_S: f64 = 5.0;
/// Activity at which a local speaker talks: that of the most probable class of the powerset.
const TALKING: f32 = 0.5;
/// How powerset classes become activity.
const DECODING: PowersetDecoding = PowersetDecoding::Hard;

/// A segmentation and an embedding network.
#[derive(Debug)]
pub struct TwoStage {
    info: ModelInfo,
    segmentation: Segmentation,
    embedding: Embedding,
    tuning: BundleTuning,
}

impl TwoStage {
    /// Loads the two models of `pair`, as long as `call` wants them; their options are those of `config`.
    ///
    /// # Errors
    /// Those of [`Session::new`](super::Session::new); [`Error::Model`] names the tensor or metadata key that is not what
    /// the model's family has, and the option that supplies what is missing.
    pub(super) fn load(pair: Pair, config: &Config, call: &Call<'_>) -> Result<Self> {
        let Pair { name, version, tuning, segmentation, embedding } = pair;
        let segmentation = Segmentation::open(&segmentation, config, DECODING, call)?;
        let mut embedding = Embedding::open(embedding, &provider::settled(config), call)?;
        embedding.clustering = tuning.clustering().unwrap_or(embedding.clustering);
        embedding.threshold = tuning.clustering_threshold.or(embedding.threshold);
        let hop = tuning.hop_s.map_or(HOP, |hop_s| (hop_s * SAMPLE_RATE as f64) as usize);
        let info = ModelInfo {
            name,
            version,
            sample_rate: SAMPLE_RATE,
            window_samples: segmentation.window,
            hop_samples: hop.min(segmentation.window),
            frame_step_samples: segmentation.frame_step(),
            frame_offset_samples: segmentation.frame_offset(),
            max_speakers: segmentation.speakers(),
            embedding_dim: embedding.dim,
            thresholds: Thresholds {
                onset: TALKING,
                offset: TALKING,
                clustering: embedding.threshold.unwrap_or_else(|| usual_threshold(embedding.clustering)),
                identity: tuning.identity_threshold.unwrap_or(USUAL_IDENTITY_THRESHOLD),
            },
            sha256: sha256(format!("{}{}", segmentation.sha256, embedding.sha256).as_bytes()),
            provider: embedding.provider(),
        };
        Ok(TwoStage { info, segmentation, embedding, tuning })
    }
}

impl LocalDiarizer for TwoStage {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn tuning(&self) -> Tuning {
        Tuning {
            clustering: self.embedding.clustering,
            trusted_s: self.tuning.trusted_s.unwrap_or(TRUSTED_S),
            min_cluster_share: self.tuning.min_cluster_share,
            least_speaker_s: 0.0,
            live_window_s: LIVE_WINDOW_S,
            details: false,
            min_speech_s: self.tuning.min_speech_s.unwrap_or(0.0),
            min_silence_s: self.tuning.min_silence_s.unwrap_or(0.0),
        }
    }

    fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize {
        batch.max(STRETCH.div_ceil(grid.hop))
    }

    fn takes_short_windows(&self) -> bool {
        !self.segmentation.fixed_window
    }

    fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>> {
        let _work = ending::work()?;
        let activity = self.segmentation.activity(stretch, batch, call)?;
        let hysteresis =
            Hysteresis { onset: self.info.thresholds.onset, offset: self.info.thresholds.offset };
        let places = |index: usize| FramePlaces {
            window: stretch.offsets[index],
            offset: self.segmentation.frame_offset(),
            step: self.segmentation.frame_step(),
        };
        let crops: Vec<Crop> = activity
            .iter()
            .enumerate()
            .flat_map(|(index, activity)| crops(activity, hysteresis, places(index), LEAST_SOLO))
            .collect();
        // One window has nobody to share with.
        let piece_s = self.tuning.piece_s.filter(|_| stretch.offsets.len() > 1);
        let voices = self.embedding.voices(&stretch.audio, &crops, piece_s, batch, call)?;
        let mut voices = voices.into_iter();
        let mut windows = memory::with_capacity("windows", activity.len())?;
        for (index, activity) in activity.into_iter().enumerate() {
            let mut embedding = memory::array("windows", (activity.ncols(), self.embedding.dim), 0.0)?;
            for (mut row, voice) in embedding.rows_mut().into_iter().zip(voices.by_ref()) {
                if let Some(voice) = voice {
                    row.assign(&voice);
                }
            }
            windows.push(LocalWindow { start_frame: stretch.start_frame(index), activity, embedding });
        }
        Ok(windows)
    }
}

/// What a segmentation network would be used with.
pub(super) fn segmentation_facts(
    source: &ModelSource,
    config: &Config,
) -> Result<Vec<(&'static str, String)>> {
    Ok(Segmentation::open(&ModelFile::read(source)?, config, DECODING, &Call::none())?.facts())
}

/// What an embedding network would be used with.
pub(super) fn embedding_facts(source: &ModelSource, config: &Config) -> Result<Vec<(&'static str, String)>> {
    Ok(Embedding::open(EmbeddingFile::read(source)?, config, &Call::none())?.facts())
}
