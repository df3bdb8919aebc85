//! What a joint model gives for a batch, and how it is read from the network's outputs.

use ndarray::{Array3, ArrayView3};

use crate::error::{Error, Result};
use crate::memory;
use crate::model::contract::{ACTIVITY, AUDIO, EMBEDDING, ModelInfo};
use crate::onnx::Outputs;

/// What the network gives for a batch. Kept by the caller from call to call: its memory is used
/// again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inference {
    /// Probability, 0 to 1, that a local speaker speaks: [batch, frames, speakers].
    pub activity: Array3<f32>,
    /// Voice of each local speaker, of unit length, zeros where the speaker is silent:
    /// [batch, speakers, dim].
    pub embedding: Array3<f32>,
}

impl Inference {
    /// Takes over the outputs of a run on `batch` rows of `samples` samples.
    ///
    /// # Errors
    /// [`Error::Model`] names the output that is missing or of the wrong shape; what was held
    /// before stays.
    pub(in crate::model) fn read(
        &mut self,
        info: &ModelInfo,
        [batch, samples]: [usize; 2],
        outputs: &Outputs<'_, '_>,
    ) -> Result<()> {
        let output = |name: &str, expected: [usize; 3]| -> Result<ArrayView3<'_, f32>> {
            let found = outputs.values(name)?;
            let (shape, values) = found.ok_or_else(|| Error::Model(format!("output `{name}`: missing")))?;
            let wrong = || {
                let ask = format!("input `{AUDIO}` of shape {:?}", [batch, samples]);
                Error::Model(format!(
                    "output `{name}` for {ask}: expected shape {expected:?}, the network gave {shape:?}"
                ))
            };
            let sizes = shape.iter().map(|size| usize::try_from(*size).ok());
            if !sizes.eq(expected.map(Some)) {
                return Err(wrong());
            }
            ArrayView3::from_shape(expected, values).map_err(|_| wrong())
        };
        let activity = output(ACTIVITY, [batch, info.frames(samples), info.max_speakers])?;
        let embedding = output(EMBEDDING, [batch, info.max_speakers, info.embedding_dim])?;
        fill(&mut self.activity, activity)?;
        fill(&mut self.embedding, embedding)
    }
}

/// Copies `data` into `out`, in the memory it already has where that is enough.
///
/// # Errors
/// [`Error::Memory`]; `out` is empty then.
#[expect(clippy::expect_used, reason = "the memory is made as long as the shape says")]
fn fill(out: &mut Array3<f32>, data: ArrayView3<'_, f32>) -> Result<()> {
    if out.dim() != data.dim() {
        let (mut memory, _) = std::mem::take(out).into_raw_vec_and_offset();
        memory.clear();
        memory::resize("outputs", &mut memory, data.len(), 0.0)?;
        *out = Array3::from_shape_vec(data.dim(), memory).expect("it is as long as the shape says");
    }
    out.assign(&data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(shape: [usize; 3], data: &[f32]) -> ArrayView3<'_, f32> {
        ArrayView3::from_shape(shape, data).unwrap()
    }

    #[test]
    fn memory_is_kept_when_the_shape_changes() {
        let mut out = Array3::default((0, 0, 0));
        fill(&mut out, view([2, 2, 1], &[1.0, 2.0, 3.0, 4.0])).unwrap();
        let memory = out.as_ptr();
        fill(&mut out, view([1, 2, 1], &[5.0, 6.0])).unwrap();
        assert_eq!((out.as_ptr(), out.dim(), out[[0, 1, 0]]), (memory, (1, 2, 1), 6.0));
        fill(&mut out, view([2, 1, 2], &[1.0, 2.0, 3.0, 4.0])).unwrap();
        assert_eq!((out.as_ptr(), out[[1, 0, 1]]), (memory, 4.0));
    }
}
