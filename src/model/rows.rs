//! How the windows of a stretch are divided into runs of a network, by what processors and GPUs
//! like. Does not run them.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, s};

use super::contract::SAMPLE_RATE;
use super::stretch::Stretch;
use crate::config::Provider;
use crate::error::Result;
use crate::onnx::InputMemory;

/// Most audio in one run on a processor, in samples: 26 s. The tensors of more do not stay in its
/// cache: runs of two windows of 10 s take 2 to 4 % less time for each window than runs of eight,
/// while windows of 3.2 s are best in eights.
const LONGEST_CPU_RUN: usize = 26 * SAMPLE_RATE;

/// How many windows a run takes, and how many rows its input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    /// Most windows in a run, at least 1.
    most: usize,
    /// Whether every run has `most` rows, whatever the number of its windows.
    filled: bool,
}

impl Rows {
    /// The best on `provider` for windows of `window` samples, where a run may take `batch` of
    /// them: on a processor runs are short, on a GPU all have one shape, for which cuDNN and
    /// TensorRT choose their kernels once.
    pub(super) fn new(provider: Provider, batch: usize, window: usize) -> Self {
        match provider {
            Provider::Auto | Provider::Cpu => {
                let short = LONGEST_CPU_RUN / window.max(1);
                Rows { most: short.min(batch).max(1), filled: false }
            }
            Provider::Cuda | Provider::TensorRt => Self::fixed(batch),
        }
    }

    /// As [`Rows::new`] for a recurrent network, whose steps wait for each other: on a processor,
    /// too, it gains by many windows at once.
    pub(super) fn recurrent(provider: Provider, batch: usize) -> Self {
        match provider {
            Provider::Auto | Provider::Cpu => Rows { most: batch.max(1), filled: false },
            Provider::Cuda | Provider::TensorRt => Self::fixed(batch),
        }
    }

    /// Runs of exactly `rows` rows.
    pub(super) fn fixed(rows: usize) -> Self {
        Rows { most: rows.max(1), filled: true }
    }

    /// Most windows in a run.
    pub(super) fn most(self) -> usize {
        self.most
    }

    /// Rows of a run that takes this many windows, at most [`Rows::most`].
    fn of(self, windows: usize) -> usize {
        if self.filled { self.most } else { windows }
    }

    /// Calls `run` for each run that `windows` of `stretch` need, with its input [rows, samples]
    /// and the windows that lie in the first rows; those after them are silent. All runs share one
    /// input in `memory`. Ends with the first error.
    #[expect(clippy::expect_used, reason = "the input is as long as its shape says")]
    pub(super) fn for_each_run(
        self,
        stretch: &Stretch,
        windows: &[usize],
        memory: &InputMemory,
        mut run: impl FnMut(ArrayView2<'_, f32>, &[usize]) -> Result<()>,
    ) -> Result<()> {
        if windows.is_empty() {
            return Ok(());
        }
        let shape = (self.of(windows.len().min(self.most)), stretch.window);
        let mut block = memory.zeros(shape.0 * shape.1)?;
        let mut audio =
            ArrayViewMut2::from_shape(shape, &mut block).expect("the block was made for this shape");
        for taken in windows.chunks(self.most) {
            for (mut row, &index) in audio.rows_mut().into_iter().zip(taken) {
                row.assign(&ArrayView1::from(stretch.window(index)));
            }
            let rows = self.of(taken.len());
            audio.slice_mut(s![taken.len()..rows, ..]).fill(0.0);
            run(audio.slice(s![..rows, ..]), taken)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// Windows of the joint model, long and short.
    const LONG: usize = 10 * SAMPLE_RATE;
    const SHORT: usize = SAMPLE_RATE * 16 / 5;
    const GPUS: [Provider; 2] = [Provider::Cuda, Provider::TensorRt];

    fn stretch(windows: usize) -> Stretch {
        Stretch {
            audio: (1..=windows + 2).map(|value| value as f32).collect(),
            start: 0,
            window: 3,
            frame: 1,
            offsets: (0..windows).collect(),
        }
    }

    /// What a run was given.
    struct Given {
        windows: Vec<usize>,
        rows: Vec<Vec<f32>>,
        /// Where its input lies.
        memory: *const f32,
    }

    fn runs(rows: Rows, windows: &[usize]) -> Vec<Given> {
        let mut found = Vec::new();
        rows.for_each_run(&stretch(9), windows, &InputMemory::plain(), |audio, taken| {
            assert!(audio.is_standard_layout());
            let rows = audio.rows().into_iter().map(|row| row.to_vec()).collect();
            found.push(Given { windows: taken.to_vec(), rows, memory: audio.as_ptr() });
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn on_a_processor_a_run_has_at_most_26_s_one_window_and_the_batch() {
        let most = |batch, window| Rows::new(Provider::Cpu, batch, window).most();
        assert_eq!((most(8, LONG), most(8, SHORT), most(1024, SHORT)), (2, 8, 8));
        assert_eq!((most(1, LONG), most(3, SHORT), most(0, SHORT)), (1, 3, 1));
        assert_eq!((most(8, 26 * SAMPLE_RATE), most(8, 60 * SAMPLE_RATE), most(8, 0)), (1, 1, 8));
        for windows in 1..=8 {
            assert_eq!(Rows::new(Provider::Cpu, 8, SHORT).of(windows), windows);
        }
    }

    #[test]
    fn a_recurrent_network_takes_the_batch_everywhere() {
        let rows = Rows::recurrent(Provider::Cpu, 8);
        assert_eq!((rows.most(), rows.of(3)), (8, 3));
        assert_eq!(Rows::recurrent(Provider::Cpu, 0).most(), 1);
        for provider in GPUS {
            assert_eq!(Rows::recurrent(provider, 8), Rows::fixed(8));
        }
    }

    #[test]
    fn on_a_gpu_every_run_has_the_batch() {
        for provider in GPUS {
            for (batch, window) in [(1, LONG), (8, LONG), (8, SHORT), (256, 60 * SAMPLE_RATE)] {
                let rows = Rows::new(provider, batch, window);
                assert_eq!(rows, Rows::fixed(batch));
                assert!((1..=batch).all(|windows| rows.of(windows) == batch) && rows.most() == batch);
            }
            assert_eq!(Rows::new(provider, 0, LONG).most(), 1);
        }
    }

    #[test]
    fn the_last_run_has_fewer_rows_where_it_may() {
        let found = runs(Rows::new(Provider::Cpu, 2, 3), &[0, 1, 2, 4, 8]);
        let windows: Vec<&[usize]> = found.iter().map(|run| &run.windows[..]).collect();
        assert_eq!(windows, [&[0, 1][..], &[2, 4], &[8]]);
        assert_eq!(found[0].rows, [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]);
        assert_eq!(found[1].rows, [[3.0, 4.0, 5.0], [5.0, 6.0, 7.0]]);
        assert_eq!(found[2].rows, [[9.0, 10.0, 11.0]]);
    }

    #[test]
    fn the_last_run_is_filled_with_silence_where_it_must() {
        let found = runs(Rows::new(Provider::Cuda, 3, 3), &[0, 1, 2, 3]);
        let windows: Vec<&[usize]> = found.iter().map(|run| &run.windows[..]).collect();
        assert_eq!(windows, [&[0, 1, 2][..], &[3]]);
        // The last two rows held windows in the run before.
        assert_eq!(found[1].rows, [[4.0, 5.0, 6.0], [0.0; 3], [0.0; 3]]);
        assert_eq!(runs(Rows::fixed(2), &[5])[0].rows, [[6.0, 7.0, 8.0], [0.0; 3]]);
    }

    #[test]
    fn all_runs_use_one_memory() {
        for rows in [Rows::new(Provider::Cpu, 2, 3), Rows::fixed(2)] {
            let places: Vec<_> = runs(rows, &[0, 1, 2, 3, 4]).iter().map(|run| run.memory).collect();
            assert_eq!(places, [places[0]; 3]);
        }
    }

    #[test]
    fn no_windows_make_no_run_and_an_error_ends_them() {
        assert!(runs(Rows::fixed(4), &[]).is_empty());
        let mut count = 0;
        let result =
            Rows::fixed(2).for_each_run(&stretch(9), &[0, 1, 2, 3], &InputMemory::plain(), |_, _| {
                count += 1;
                Err(Error::Runtime("the first".to_owned()))
            });
        assert_eq!((result.unwrap_err().to_string(), count), ("the first".to_owned(), 1));
    }
}
