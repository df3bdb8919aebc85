//! The local diarizer made of two public models: a segmentation network finds who talks in each
//! window, an embedding network gives the voices. As the pipeline of pyannote.audio (Bredin,
//! "pyannote.audio 2.1 speaker diarization pipeline", Interspeech 2023), but the work on the audio
//! is done once for many windows and speakers.
//!
//! ```text
//! stretch ──> windows ──> segmentation ──> powerset ──> activity ──────────────┬──> LocalWindow
//!    │                                                     │ crops             │
//!    └──────> features ──> frames, once for the stretch ───┴──> pooling, of crops or shared pieces ──> voices
//! ```

mod embedding;
mod frames;
mod layout;
mod metadata;
mod pieces;
mod segmentation;
mod speech;

pub use embedding::{Imported, import_model};

#[cfg(fuzzing)]
pub(super) use layout::features_of;

use self::embedding::Embedding;
use self::segmentation::Segmentation;
use self::speech::{Crop, FramePlaces, crops};
use super::bundle::Pair;
use super::contract::{ModelInfo, SAMPLE_RATE, Thresholds};
use super::import::EmbeddingFile;
use super::local::LocalDiarizer;
use super::source::ModelFile;
use super::stretch::Stretch;
use super::tuning::{PairTuning, Tuning};
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::diarize::LocalWindow;
use crate::diarize::activity::Hysteresis;
use crate::diarize::powerset::PowersetDecoding;
use crate::diarize::windows::WindowGrid;
use crate::ending;
use crate::error::Result;
use crate::memory;
use crate::onnx;
use crate::onnx::sha256;

/// Samples in which the windows of a stretch begin: 80 s. What two stretches share is analysed
/// twice, a window less a hop.
const STRETCH: usize = 80 * SAMPLE_RATE;
/// Activity at which a local speaker talks.
const TALKING: f32 = 0.5;

/// A segmentation and an embedding network.
#[derive(Debug)]
pub struct TwoStage {
    info: ModelInfo,
    segmentation: Segmentation,
    embedding: Embedding,
    tuning: Tuning,
    /// Of that, what pairs alone have.
    pair: PairTuning,
}

impl TwoStage {
    /// Loads the two models of `pair`, as long as `call` wants them; their options are those of
    /// `config`.
    ///
    /// # Errors
    /// Those of [`Session::new`](super::Session::new); [`Error::Model`] names the tensor or
    /// metadata key that is not what the model's family has, and the option that supplies what is
    /// missing.
    pub(super) fn load(pair: Pair, config: &Config, call: &Call<'_>) -> Result<Self> {
        let Pair { name, version, voice_space, tuning, segmentation, embedding } = pair;
        let segmentation = Segmentation::open(&segmentation, config, call)?;
        let embedding = Embedding::open(embedding, &onnx::settled(config), call)?;
        let (tuning, pair) = Tuning::pair(&tuning.or(embedding.stated.clone()));
        let hop = (pair.hop_s * SAMPLE_RATE as f64) as usize;
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
                clustering: pair.clustering_threshold,
                identity: pair.identity_threshold,
            },
            sha256: sha256(format!("{}{}", segmentation.sha256, embedding.sha256).as_bytes()),
            // The bundle goes before its file, as it does with the tuning.
            voice_space: if voice_space.is_empty() { embedding.voice_space.clone() } else { voice_space },
            provider: embedding.provider(),
        };
        Ok(TwoStage { info, segmentation, embedding, tuning, pair })
    }

    /// How powerset classes become activity.
    fn decoding(&self) -> PowersetDecoding {
        match self.pair.silence_weight {
            Some(weight) => PowersetDecoding::Soft { silence_weight: weight as f32 },
            None => PowersetDecoding::Hard,
        }
    }
}

impl LocalDiarizer for TwoStage {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize {
        batch.max(STRETCH.div_ceil(grid.hop))
    }

    fn takes_short_windows(&self) -> bool {
        !self.segmentation.fixed_window
    }

    fn slots(&self) -> usize {
        self.segmentation.slots().max(self.embedding.slots())
    }

    fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        self.segmentation.warm(slots, call)?;
        self.embedding.warm(slots, call)
    }

    fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>> {
        let _work = ending::work()?;
        let activity = self.segmentation.activity(stretch, self.decoding(), batch, call)?;
        let hysteresis =
            Hysteresis { onset: self.info.thresholds.onset, offset: self.info.thresholds.offset };
        let least_solo = (self.pair.solo_s * SAMPLE_RATE as f64) as usize;
        let places = |index: usize| FramePlaces {
            window: stretch.offsets[index],
            offset: self.segmentation.frame_offset(),
            step: self.segmentation.frame_step(),
        };
        let crops: Vec<Crop> = activity
            .iter()
            .enumerate()
            .flat_map(|(index, activity)| crops(activity, hysteresis, places(index), least_solo))
            .collect();
        // One window has nobody to share with.
        let piece_s = self.pair.piece_s.filter(|_| stretch.offsets.len() > 1);
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
    Ok(Segmentation::open(&ModelFile::read(source)?, config, &Call::none())?.facts())
}

/// What an embedding network would be used with.
pub(super) fn embedding_facts(source: &ModelSource, config: &Config) -> Result<Vec<(&'static str, String)>> {
    Ok(Embedding::open(EmbeddingFile::read(source)?, config, &Call::none())?.facts())
}
