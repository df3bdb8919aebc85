//! The frames that the first part of a split embedding network makes of a stretch of audio: computed in blocks, each
//! with the margin that its frames depend on, and only where they are needed.

use ndarray::{Array2, ArrayD, ArrayViewD, Axis, IxDyn, s};
use ort::value::TensorRef;

use crate::control::Control;
use crate::error::{Error, Result, Stage};
use crate::model::import::FrameAxis;
use crate::model::network::Network;
use crate::model::slot::failed;

/// Frames of the features in one block, without margins: 8 s. Longer blocks waste less on margins, shorter ones
/// less memory.
const BLOCK_FRAMES: usize = 800;

/// Frames of a stretch.
pub(super) struct Frames {
    /// One row for each frame; zeros where it was not needed: [frames, numbers of a frame].
    rows: Array2<f32>,
    /// Sizes of the network's tensor without batch and frames.
    sizes: Vec<usize>,
    /// The axis of frames in the tensor without batch.
    axis: usize,
}

/// A block of features that is run: its first frame, without margin, and the first and the frame after the last of
/// the input.
struct Block {
    core: usize,
    start: usize,
    end: usize,
}

impl Frames {
    /// Runs `network` on `features` [frames, bins] wherever one of the frames is `wanted`; `batch` blocks at once.
    pub(super) fn compute(
        network: &Network,
        axis: FrameAxis,
        features: &Array2<f32>,
        wanted: &[bool],
        batch: usize,
        control: &Control<'_>,
    ) -> Result<Self> {
        let total = features.nrows();
        let length = BLOCK_FRAMES.next_multiple_of(axis.stride);
        let needed = |core: &usize| wanted[*core..(core + length).min(total)].contains(&true);
        let blocks: Vec<Block> = (0..total)
            .step_by(length)
            .filter(needed)
            .map(|core| Block {
                core,
                start: core.saturating_sub(axis.margin),
                end: (core + length + axis.margin).min(total),
            })
            .collect();
        let mut frames = Frames { rows: Array2::default((0, 0)), sizes: Vec::new(), axis: axis.axis - 1 };
        let alike = |a: &Block, b: &Block| a.end - a.start == b.end - b.start;
        for same in blocks.chunk_by(alike) {
            for group in same.chunks(batch.max(1)) {
                control.check(Stage::Analysis, 0.0)?;
                let found = run(network, features, group, control)?;
                for (block, found) in group.iter().zip(found.axis_iter(Axis(0))) {
                    frames.place(block, found, axis.stride, length, total.div_ceil(axis.stride), network)?;
                }
            }
        }
        Ok(frames)
    }

    /// Number of frames.
    pub(super) fn count(&self) -> usize {
        self.rows.nrows()
    }

    /// Some of the frames as an input of the pooling part, without the axis of the batch.
    pub(super) fn gather(&self, rows: &[usize]) -> ArrayD<f32> {
        let mut shape = vec![rows.len()];
        shape.extend(&self.sizes);
        let chosen = self.rows.select(Axis(0), rows);
        let mut tensor = ArrayD::zeros(IxDyn(&shape));
        for (to, from) in tensor.iter_mut().zip(&chosen) {
            *to = *from;
        }
        let mut order: Vec<usize> = (1..shape.len()).collect();
        order.insert(self.axis, 0);
        tensor.permuted_axes(order)
    }

    /// Keeps the frames of a block's core.
    fn place(
        &mut self,
        block: &Block,
        found: ArrayViewD<'_, f32>,
        stride: usize,
        length: usize,
        total: usize,
        network: &Network,
    ) -> Result<()> {
        let shape = found.shape().to_vec();
        let wrong = || Error::Model(format!("{}: its frames have another shape than before: {shape:?}", network.name()));
        if found.ndim() <= self.axis {
            return Err(wrong());
        }
        let mut order: Vec<usize> = (0..found.ndim()).filter(|&axis| axis != self.axis).collect();
        let sizes: Vec<usize> = order.iter().map(|&axis| found.shape()[axis]).collect();
        let width = sizes.iter().product();
        if self.sizes.is_empty() {
            self.rows = Array2::zeros((total, width));
            self.sizes = sizes;
        } else if self.sizes != sizes {
            return Err(wrong());
        }
        order.insert(0, self.axis);
        let by_frame = found.permuted_axes(order);
        let count = by_frame.shape()[0];
        let by_frame = by_frame.to_shape((count, width)).map_err(|_| wrong())?;
        let first = (block.core - block.start) / stride;
        let at = block.core / stride;
        let kept = count.saturating_sub(first).min(length / stride).min(total - at);
        self.rows.slice_mut(s![at..at + kept, ..]).assign(&by_frame.slice(s![first..first + kept, ..]));
        Ok(())
    }
}

/// The network's frames for some blocks of one length.
fn run(
    network: &Network,
    features: &Array2<f32>,
    blocks: &[Block],
    control: &Control<'_>,
) -> Result<ArrayD<f32>> {
    let views: Vec<_> = blocks.iter().map(|block| features.slice(s![block.start..block.end, ..])).collect();
    let input = ndarray::stack(Axis(0), &views).map_err(|error| Error::Runtime(error.to_string()))?;
    let tensor = TensorRef::from_array_view(input.view()).map_err(failed)?;
    network.run(ort::inputs![tensor], control, |outputs| {
        Ok(outputs[0].try_extract_array::<f32>().map_err(failed)?.to_owned())
    })
}
