//! The local diarizer: who speaks when, and with which voice, within each window of a recording. Everything after
//! it cannot tell which implementation it was: one joint network, or a segmentation and an embedding network.

use std::sync::Arc;

use ndarray::Axis;

use super::bundle::{Bundle, Pair};
use super::contract::ModelInfo;
use super::embedded;
use super::inference::Inference;
use super::rows::Rows;
use super::session::Session;
use super::tuning::Tuning;
use super::two_stage::TwoStage;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::diarize::LocalWindow;
use crate::diarize::clustering::Vbx;
use crate::diarize::windows::WindowGrid;
use crate::error::Result;
use crate::memory;

/// Neighbouring windows of a recording, and the audio that they share.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Mono samples at 16 kHz from the start of the first window to the end of the last.
    pub audio: Vec<f32>,
    /// Sample of the recording at which `audio` starts.
    pub start: u64,
    /// Samples of each window.
    pub window: usize,
    /// Samples of one frame of the windows' activity.
    pub frame: usize,
    /// First sample of each window in `audio`, ascending.
    pub offsets: Vec<usize>,
}

impl Stretch {
    /// The audio of one window.
    pub fn window(&self, index: usize) -> &[f32] {
        &self.audio[self.offsets[index]..][..self.window]
    }

    /// Frame of the recording at which a window starts.
    pub fn start_frame(&self, index: usize) -> usize {
        let sample = self.start + self.offsets[index] as u64;
        usize::try_from(sample / self.frame as u64).unwrap_or(usize::MAX)
    }
}

/// Finds the local speakers of windows. Any thread may use it, concurrently.
pub trait LocalDiarizer: std::fmt::Debug + Send + Sync {
    /// What it says of itself, and where it runs.
    fn info(&self) -> &ModelInfo;

    /// What it was tuned to.
    fn tuning(&self) -> &Tuning;

    /// What VBx needs to know of its voices; `None` where that is not known.
    fn vbx(&self) -> Option<&Vbx> {
        None
    }

    /// Windows of `grid` that it takes best in one go where a run of its network takes at most `batch`.
    fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize;

    /// Whether it takes windows shorter than its own.
    fn takes_short_windows(&self) -> bool;

    /// The local speakers of each window of `stretch`, in its order; the network is given at most `batch` windows
    /// at once.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], [`crate::Error::Deadline`], [`crate::Error::Runtime`], [`crate::Error::Model`].
    fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>>;
}

/// Loads the models of `config`, as long as `call` wants them: a pair, or one joint model with which windows are run in
/// batches. Where it names none, the embedded pair if there is one.
///
/// # Errors
/// [`Error::InvalidArgument`] for one model of a pair without the other; those of [`Bundle::of`], [`TwoStage::load`] and
/// [`Session::new`].
pub(crate) fn open_local(config: &Config, call: &Call<'_>) -> Result<Arc<dyn LocalDiarizer>> {
    let bundle = if config.names_models() { Bundle::of(config)? } else { Bundle::embedded_pair()? };
    let pair = match bundle {
        Some(Bundle::Pair(pair)) => Some(*pair),
        None if config.names_pair() => Some(Pair::of(config)?),
        Some(Bundle::Joint(..)) | None => None,
    };
    Ok(match pair {
        Some(pair) => Arc::new(TwoStage::load(pair, config, call)?),
        None => Arc::new(Session::for_batches(config, call)?),
    })
}

/// The model of live audio beside that of recordings which [`open_local`] loads for `config`; `None` where it is the same
/// for both.
pub(crate) fn live_model(config: &Config) -> Option<ModelSource> {
    (!config.names_models() && embedded::has_both()).then_some(ModelSource::Embedded)
}

/// The joint model: activity and voices from one run.
impl LocalDiarizer for Session {
    fn info(&self) -> &ModelInfo {
        Session::info(self)
    }

    fn tuning(&self) -> &Tuning {
        Session::tuning(self)
    }

    fn vbx(&self) -> Option<&Vbx> {
        Session::vbx(self)
    }

    /// One run, so that the work of the last ones is spread evenly over threads.
    fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize {
        Rows::new(Session::info(self).provider, batch, grid.window).most()
    }

    fn takes_short_windows(&self) -> bool {
        true
    }

    fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>> {
        analyse_in(self, stretch, Rows::new(Session::info(self).provider, batch, stretch.window), call)
    }
}

/// The local speakers of each window of `stretch`, by runs of `rows`.
fn analyse_in(session: &Session, stretch: &Stretch, rows: Rows, call: &Call<'_>) -> Result<Vec<LocalWindow>> {
    let mut found = memory::with_capacity("windows", stretch.offsets.len())?;
    let mut output = Inference::default();
    let all = memory::collected("windows", 0..stretch.offsets.len())?;
    rows.for_each_run(stretch, &all, session.input_memory(), |audio, taken| {
        session.infer(audio, &mut output, call)?;
        for (row, &index) in taken.iter().enumerate() {
            found.push(LocalWindow {
                start_frame: stretch.start_frame(index),
                activity: memory::owned("windows", &output.activity.index_axis(Axis(0), row))?,
                embedding: memory::owned("windows", &output.embedding.index_axis(Axis(0), row))?,
            });
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Provider;
    use crate::model::golden::golden_input;

    /// Most that a probability, or a number of a voice, may be off by where the order of sums may differ.
    const CLOSE: f32 = 1e-3;

    /// Five windows of the sound of the golden vector over and over, no two the same.
    fn stretch(window: usize) -> Stretch {
        const HOP: usize = 17_920;
        Stretch {
            audio: golden_input().unwrap().iter().copied().cycle().take(window + 4 * HOP).collect(),
            start: 0,
            window,
            frame: 640,
            offsets: (0..5).map(|index| index * HOP).collect(),
        }
    }

    #[test]
    fn windows_are_heard_the_same_in_short_runs_and_in_runs_filled_with_silence() {
        let mut config = Config::default();
        config.set_threads(1).unwrap();
        let session = Session::for_batches(&config, &Call::none()).unwrap();
        for window in [160_000, 51_200] {
            let stretch = stretch(window);
            let by = |provider, batch| {
                let rows = Rows::new(provider, batch, window);
                analyse_in(&session, &stretch, rows, &Call::none()).unwrap()
            };
            let single = by(Provider::Cpu, 1);
            assert_eq!(single.len(), 5);
            assert!(single.iter().any(|window| (0..window.speakers()).any(|local| window.has_voice(local))));
            for (provider, batch) in [(Provider::Cpu, 8), (Provider::Cuda, 2), (Provider::TensorRt, 8)] {
                let mut worst = 0.0f32;
                for (a, b) in by(provider, batch).iter().zip(&single) {
                    assert_eq!((a.start_frame, a.activity.dim()), (b.start_frame, b.activity.dim()));
                    let pairs =
                        a.activity.iter().zip(&b.activity).chain(a.embedding.iter().zip(&b.embedding));
                    worst = pairs.fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
                }
                assert!(worst < CLOSE, "{provider:?}, {batch}: {worst}");
            }
        }
    }
}
