//! The frames that the first part of a split embedding network makes of a stretch of audio:
//! computed only where they are needed, in blocks, each with the margin that its frames depend on.

use std::ops::Range;

use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, Axis, IxDyn, s};

use crate::call::Call;
use crate::error::{Error, Result, Stage};
use crate::memory;
use crate::model::import::FrameAxis;
use crate::onnx::{Network, floats};

/// Most frames of the features in one block, without margins: 8 s. Longer blocks waste less on
/// margins, shorter ones less memory.
const LONGEST_BLOCK: usize = 800;

/// Frames of a stretch.
pub(super) struct Frames {
    /// One row for each frame; zeros where it was not needed: [frames, numbers of a frame].
    rows: Array2<f32>,
    /// Sizes of the network's tensor without batch and frames.
    sizes: Vec<usize>,
    /// The axis of frames in the tensor without batch.
    axis: usize,
}

/// A block of features that is run.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    /// The frames of the features that are needed; it starts at a whole stride.
    core: Range<usize>,
    /// The frames that the network is given: the core with its margins.
    given: Range<usize>,
}

/// Blocks that hold all `wanted` frames. Between two of them the network is spared at least what
/// both margins cost.
fn blocks(wanted: &[bool], axis: FrameAxis) -> Vec<Block> {
    let total = wanted.len();
    let longest = LONGEST_BLOCK.next_multiple_of(axis.stride);
    let mut cores: Vec<Range<usize>> = Vec::new();
    for frame in (0..total).filter(|&frame| wanted[frame]) {
        match cores.last_mut() {
            Some(core) if frame < core.end + 2 * axis.margin.max(1) && frame < core.start + longest => {
                core.end = frame + 1;
            }
            _ => cores.push(frame / axis.stride * axis.stride..frame + 1),
        }
    }
    let given =
        |core: &Range<usize>| core.start.saturating_sub(axis.margin)..(core.end + axis.margin).min(total);
    cores.into_iter().map(|core| Block { given: given(&core), core }).collect()
}

impl Frames {
    /// Runs `network` on `features` [frames, bins] wherever one of the frames is `wanted`.
    pub(super) fn compute(
        network: &Network,
        axis: FrameAxis,
        features: &Array2<f32>,
        wanted: &[bool],
        call: &Call<'_>,
    ) -> Result<Self> {
        let total = features.nrows().div_ceil(axis.stride);
        let mut frames = Frames { rows: Array2::default((0, 0)), sizes: Vec::new(), axis: axis.axis - 1 };
        for block in blocks(wanted, axis) {
            call.check(Stage::Analysis, 0.0)?;
            let found = run(network, features.slice(s![block.given.clone(), ..]), call)?;
            frames.place(&block, found.index_axis(Axis(0), 0), axis.stride, total, network)?;
        }
        Ok(frames)
    }

    /// Number of frames.
    pub(super) fn count(&self) -> usize {
        self.rows.nrows()
    }

    /// Some of the frames as an input of the pooling part, without the axis of the batch.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub(super) fn gather(&self, rows: &[usize]) -> Result<ArrayD<f32>> {
        let mut shape = vec![rows.len()];
        shape.extend(&self.sizes);
        let mut tensor = memory::array("frames", IxDyn(&shape), 0.0)?;
        let chosen = rows.iter().flat_map(|&row| self.rows.row(row));
        for (to, from) in tensor.iter_mut().zip(chosen) {
            *to = *from;
        }
        let mut order: Vec<usize> = (1..shape.len()).collect();
        order.insert(self.axis, 0);
        Ok(tensor.permuted_axes(order))
    }

    /// Keeps the frames of a block's core.
    fn place(
        &mut self,
        block: &Block,
        found: ArrayViewD<'_, f32>,
        stride: usize,
        total: usize,
        network: &Network,
    ) -> Result<()> {
        let shape = found.shape().to_vec();
        let wrong = || {
            Error::Model(format!("{}: its frames have another shape than before: {shape:?}", network.name()))
        };
        if found.ndim() <= self.axis {
            return Err(wrong());
        }
        let mut order: Vec<usize> = (0..found.ndim()).filter(|&axis| axis != self.axis).collect();
        let sizes: Vec<usize> = order.iter().map(|&axis| found.shape()[axis]).collect();
        let width = sizes.iter().product();
        if self.sizes.is_empty() {
            self.rows = memory::array("frames", (total, width), 0.0)?;
            self.sizes = sizes;
        } else if self.sizes != sizes {
            return Err(wrong());
        }
        order.insert(0, self.axis);
        let by_frame = found.permuted_axes(order);
        let count = by_frame.shape()[0];
        let by_frame = by_frame.to_shape((count, width)).map_err(|_| wrong())?;
        let first = ((block.core.start - block.given.start) / stride).min(count);
        let at = block.core.start / stride;
        let kept = count.saturating_sub(first).min(block.core.len().div_ceil(stride)).min(total - at);
        self.rows.slice_mut(s![at..at + kept, ..]).assign(&by_frame.slice(s![first..first + kept, ..]));
        Ok(())
    }
}

/// The network's frames for one row of features.
fn run(network: &Network, features: ArrayView2<'_, f32>, call: &Call<'_>) -> Result<ArrayD<f32>> {
    let input = features.insert_axis(Axis(0));
    let standard = input.as_standard_layout();
    let tensor = floats(standard.view())?;
    network.run([tensor], call, |outputs| {
        let found = outputs.first()?;
        if found.shape().first() != Some(&1) {
            let text = format!(
                "{}: expected frames of one row, the network gave {:?}",
                network.name(),
                found.shape()
            );
            return Err(Error::Model(text));
        }
        memory::owned("frames", &found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIS: FrameAxis = FrameAxis { axis: 3, stride: 8, offset: 0.0, margin: 16 };

    fn wanted(spans: &[Range<usize>], total: usize) -> Vec<bool> {
        (0..total).map(|frame| spans.iter().any(|span| span.contains(&frame))).collect()
    }

    #[test]
    fn a_pause_longer_than_both_margins_is_left_out() {
        let found = blocks(&wanted(&[20..50, 60..90, 300..310], 320), AXIS);
        let expected = [Block { core: 16..90, given: 0..106 }, Block { core: 296..310, given: 280..320 }];
        assert_eq!(found, expected);
        assert!(blocks(&[false; 100], AXIS).is_empty());
    }

    #[test]
    fn every_wanted_frame_lies_in_one_core_of_bounded_length() {
        let wanted = wanted(&[3..2500, 2600..2601], 2700);
        let found = blocks(&wanted, AXIS);
        assert!(found.iter().all(|block| block.core.len() <= LONGEST_BLOCK && block.core.start % 8 == 0));
        assert!(found.windows(2).all(|pair| pair[0].core.end <= pair[1].core.start));
        let covered = |frame: &usize| found.iter().any(|block| block.core.contains(frame));
        assert!((0..2700).filter(|frame| wanted[*frame]).all(|frame| covered(&frame)));
    }
}
