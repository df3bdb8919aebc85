//! What a joint model gives for a batch, and how it is read from the network's outputs.

use ndarray::Array3;
use ort::session::SessionOutputs;
use ort::value::Shape;

use super::contract::{ACTIVITY, EMBEDDING, ModelInfo};
use super::slot::failed;
use crate::error::{Error, Result};
use crate::memory;

/// What the network gives for a batch. Kept by the caller from call to call: its memory is used again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inference {
    /// Probability, 0 to 1, that a local speaker speaks: [batch, frames, speakers].
    pub activity: Array3<f32>,
    /// Voice of each local speaker, of unit length, zeros where the speaker is silent: [batch, speakers, dim].
    pub embedding: Array3<f32>,
}

/// Frames that `activity` may have more or fewer than samples / frame step: models differ in how they pad.
const FRAMES_TOLERANCE: f64 = 2.0;

/// The shape that the outputs of one run must have.
#[derive(Clone, Copy)]
struct Expected {
    batch: usize,
    /// About: see [`FRAMES_TOLERANCE`].
    frames: usize,
    speakers: usize,
    dim: usize,
}

impl Inference {
    /// Takes over the outputs of a run on `batch` rows of `samples` samples.
    ///
    /// # Errors
    /// [`Error::Model`] names the output that is missing or of the wrong shape; what was held before stays.
    pub(super) fn read(
        &mut self,
        info: &ModelInfo,
        [batch, samples]: [usize; 2],
        outputs: &SessionOutputs<'_>,
    ) -> Result<()> {
        let step = info.frame_step_samples;
        let expected =
            Expected { batch, frames: samples / step, speakers: info.max_speakers, dim: info.embedding_dim };
        let output = |name: &str| {
            let value = outputs.get(name).ok_or_else(|| Error::Model(format!("output `{name}`: missing")))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
            Ok((dims(shape).ok_or_else(|| wrong_shape(name, expected, shape))?, shape, data))
        };
        let (activity, activity_shape, activity_data) = output(ACTIVITY)?;
        let frames = samples as f64 / step as f64;
        let wrong_frames = (activity[1] as f64 - frames).abs() > FRAMES_TOLERANCE || activity[1] == 0;
        if (activity[0], activity[2]) != (expected.batch, expected.speakers) || wrong_frames {
            return Err(wrong_shape(ACTIVITY, expected, activity_shape));
        }
        let (embedding, embedding_shape, embedding_data) = output(EMBEDDING)?;
        if embedding != [expected.batch, expected.speakers, expected.dim] {
            return Err(wrong_shape(EMBEDDING, expected, embedding_shape));
        }
        fill(&mut self.activity, activity, activity_data)?;
        fill(&mut self.embedding, embedding, embedding_data)
    }
}
fn dims(shape: &Shape) -> Option<[usize; 3]> {
    let [a, b, c] = **shape else { return None };
    Some([usize::try_from(a).ok()?, usize::try_from(b).ok()?, usize::try_from(c).ok()?])
}

fn wrong_shape(name: &str, expected: Expected, found: &Shape) -> Error {
    let Expected { batch, frames, speakers, dim } = expected;
    let shape = if name == ACTIVITY {
        format!("[{batch}, about {frames} frames, {speakers}]")
    } else {
        format!("[{batch}, {speakers}, {dim}]")
    };
    Error::Model(format!("output `{name}`: expected shape {shape}, the network gave {found}"))
}

/// Copies `data` into `out`, in the memory it already has where that is enough.
///
/// # Errors
/// [`Error::Memory`]; `out` is empty then.
#[expect(clippy::expect_used, reason = "a tensor has as many values as its shape says")]
fn fill(out: &mut Array3<f32>, shape: [usize; 3], data: &[f32]) -> Result<()> {
    if out.shape() != shape {
        let (mut memory, _) = std::mem::take(out).into_raw_vec_and_offset();
        memory.clear();
        memory::resize("outputs", &mut memory, data.len(), 0.0)?;
        *out = Array3::from_shape_vec(shape, memory)
            .expect("ONNX Runtime gives as many values as the shape says");
    }
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_when_the_shape_changes() {
        let mut out = Array3::default((0, 0, 0));
        fill(&mut out, [2, 2, 1], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let memory = out.as_ptr();
        fill(&mut out, [1, 2, 1], &[5.0, 6.0]).unwrap();
        assert_eq!((out.as_ptr(), out.dim(), out[[0, 1, 0]]), (memory, (1, 2, 1), 6.0));
        fill(&mut out, [2, 1, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!((out.as_ptr(), out[[1, 0, 1]]), (memory, 4.0));
    }
}
