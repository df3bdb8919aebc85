//! The joint model: activity and embeddings from one network, as the model contract has it.

pub(super) mod check;
mod inference;
mod ready;
mod session;

use ndarray::Axis;

pub use inference::Inference;
pub use session::{MAX_SAMPLES, Session};

use super::contract::ModelInfo;
use super::local::LocalDiarizer;
use super::rows::Rows;
use super::stretch::Stretch;
use super::tuning::Tuning;
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::clustering::Vbx;
use crate::diarize::windows::WindowGrid;
use crate::error::Result;
use crate::memory;

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

    fn slots(&self) -> usize {
        Session::slots(self)
    }

    fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        Session::warm(self, slots, call)
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
    use crate::config::{Config, Provider};
    use crate::model::golden::golden_input;

    /// Most that a probability, or a number of a voice, may be off by where the order of sums may
    /// differ.
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
