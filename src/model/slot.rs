//! One run slot: an ONNX Runtime session, the options of its runs, and the way results leave it. Used by one
//! caller at a time; knows nothing of the pool.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array3, ArrayView2};
use ort::session::{RunOptions, Session as OrtSession};
use ort::value::{Shape, TensorRef};

use super::contract::{ACTIVITY, EMBEDDING, ModelInfo};
use super::session::Inference;
use super::watchdog::Watchdog;
use crate::control::Control;
use crate::error::{Error, Result, Stage};

/// A run slot.
pub(super) struct Slot {
    session: OrtSession,
    options: Arc<RunOptions>,
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

impl Slot {
    pub(super) fn new(session: OrtSession) -> Result<Self> {
        let options = RunOptions::new().map_err(|error| Error::Runtime(error.to_string()))?;
        Ok(Self { session, options: Arc::new(options) })
    }

    /// Runs the network on `audio` ([batch, samples]) into `out`. The progress callback is not called.
    pub(super) fn run(
        &mut self,
        info: &ModelInfo,
        watchdog: &Watchdog,
        audio: ArrayView2<f32>,
        out: &mut Inference,
        control: &Control,
    ) -> Result<()> {
        let expected = Expected {
            batch: audio.nrows(),
            frames: audio.ncols() / info.frame_step_samples,
            speakers: info.max_speakers,
            dim: info.embedding_dim,
        };
        // A view in standard layout is borrowed, any other copied.
        let audio = audio.as_standard_layout();
        let runtime = |error: ort::Error| Error::Runtime(format!("the network failed: {error}"));

        // The flag may still be set by the run before.
        self.options.unterminate().map_err(runtime)?;
        let at = control.remaining().and_then(|left| Instant::now().checked_add(left));
        let watch = match (at, control.stop_flag()) {
            (None, None) => None,
            (at, flag) => Some(watchdog.watch(at, flag, &self.options)?),
        };
        let tensor = TensorRef::from_array_view(audio.view()).map_err(runtime)?;
        let result = self.session.run_with_options(ort::inputs![tensor], &*self.options);
        let stopped = watch.as_ref().is_some_and(|watch| watch.stopped());
        drop(watch);
        let outputs = match result {
            Ok(outputs) => outputs,
            Err(_) if stopped => {
                control.check(Stage::Analysis, 0.0)?;
                return Err(control.deadline_error(Stage::Analysis));
            }
            Err(error) => return Err(runtime(error)),
        };

        let output = |name: &str| {
            let value = outputs.get(name).ok_or_else(|| Error::Model(format!("output `{name}`: missing")))?;
            let (shape, data) = value.try_extract_tensor::<f32>().map_err(runtime)?;
            Ok((dims(shape).ok_or_else(|| wrong_shape(name, expected, shape))?, shape, data))
        };
        let (activity, activity_shape, activity_data) = output(ACTIVITY)?;
        let frames = audio.ncols() as f64 / info.frame_step_samples as f64;
        let wrong_frames = (activity[1] as f64 - frames).abs() > FRAMES_TOLERANCE || activity[1] == 0;
        if (activity[0], activity[2]) != (expected.batch, expected.speakers) || wrong_frames {
            return Err(wrong_shape(ACTIVITY, expected, activity_shape));
        }
        let (embedding, embedding_shape, embedding_data) = output(EMBEDDING)?;
        if embedding != [expected.batch, expected.speakers, expected.dim] {
            return Err(wrong_shape(EMBEDDING, expected, embedding_shape));
        }
        fill(&mut out.activity, activity, activity_data);
        fill(&mut out.embedding, embedding, embedding_data);
        Ok(())
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
#[expect(clippy::expect_used, reason = "a tensor has as many values as its shape says")]
fn fill(out: &mut Array3<f32>, shape: [usize; 3], data: &[f32]) {
    if out.shape() != shape {
        let (mut memory, _) = std::mem::take(out).into_raw_vec_and_offset();
        memory.clear();
        memory.resize(data.len(), 0.0);
        *out = Array3::from_shape_vec(shape, memory)
            .expect("ONNX Runtime gives as many values as the shape says");
    }
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_kept_when_the_shape_changes() {
        let mut out = Array3::default((0, 0, 0));
        fill(&mut out, [2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
        let memory = out.as_ptr();
        fill(&mut out, [1, 2, 1], &[5.0, 6.0]);
        assert_eq!((out.as_ptr(), out.dim(), out[[0, 1, 0]]), (memory, (1, 2, 1), 6.0));
        fill(&mut out, [2, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!((out.as_ptr(), out[[1, 0, 1]]), (memory, 4.0));
    }
}
