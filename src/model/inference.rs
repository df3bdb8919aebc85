//! What a joint model gives for a batch, and how it is read from the network's outputs.

use ndarray::Array3;
use ort::session::SessionOutputs;
use ort::value::Shape;

use super::contract::{ACTIVITY, AUDIO, EMBEDDING, ModelInfo};
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
        let output = |name: &str, expected: [usize; 3]| {
            let value = outputs.get(name).ok_or_else(|| Error::Model(format!("output `{name}`: missing")))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(failed)?;
            if dims(shape) != Some(expected) {
                let ask = format!("input `{AUDIO}` of shape {:?}", [batch, samples]);
                return Err(Error::Model(format!(
                    "output `{name}` for {ask}: expected shape {expected:?}, the network gave {shape}"
                )));
            }
            Ok(data)
        };
        let activity = [batch, info.frames(samples), info.max_speakers];
        let embedding = [batch, info.max_speakers, info.embedding_dim];
        let (activity_data, embedding_data) = (output(ACTIVITY, activity)?, output(EMBEDDING, embedding)?);
        fill(&mut self.activity, activity, activity_data)?;
        fill(&mut self.embedding, embedding, embedding_data)
    }
}

fn dims(shape: &Shape) -> Option<[usize; 3]> {
    let [a, b, c] = **shape else { return None };
    Some([usize::try_from(a).ok()?, usize::try_from(b).ok()?, usize::try_from(c).ok()?])
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
