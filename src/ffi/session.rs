//! A loaded model, run directly.

use std::ffi::c_char;
use std::time::Duration;

use ndarray::ArrayView2;

use super::buffer::{self, Buffer};
use super::guard::guard;
use super::handle::{self, Object, borrow};
use super::model_info::{self, vf_model_info};
use super::options::{self, vf_options};
use super::status::{Failure, OK, vf_status};
use crate::config::MAX_BATCH;
use crate::control::Control;
use crate::model::{self, Inference, MAX_SAMPLES};
use crate::sync::Mutex;

/// One loaded model: audio in, activity and embeddings out. Most programs want a `vf_diarizer`.
pub struct vf_session {
    _opaque: (),
}

/// How many lengths of audio a session remembers the number of frames of. Programs use one or two.
const REMEMBERED_LENGTHS: usize = 32;

/// What a `vf_session` holds.
pub(crate) struct Session {
    model: model::Session,
    deadline: Option<Duration>,
    slots: usize,
    /// Samples and the frames they give, the latest last. Only the network knows the relation.
    lengths: Mutex<Vec<(usize, usize)>>,
    /// Outputs whose memory is used again.
    spare: Mutex<Vec<Inference>>,
}

impl Object for Session {
    type C = vf_session;
    const NAME: &'static str = "vf_session";
    const TAG: u64 = u64::from_be_bytes(*b"vf_sessn");
}

impl Session {
    fn known_frames(&self, samples: usize) -> Option<usize> {
        self.lengths.lock().iter().find(|(length, _)| *length == samples).map(|(_, frames)| *frames)
    }

    /// Runs the network on `audio` and hands the outputs to `take`.
    fn run<T>(&self, audio: ArrayView2<f32>, take: impl FnOnce(&Inference) -> T) -> Result<T, Failure> {
        let mut outputs = self.spare.lock().pop().unwrap_or_default();
        let control = Control::none().with_deadline(self.deadline);
        let samples = audio.ncols();
        let result = self.model.infer(audio, &mut outputs, &control).map_err(Failure::from).map(|()| {
            self.remember(samples, outputs.activity.dim().1);
            take(&outputs)
        });
        let mut spare = self.spare.lock();
        if spare.len() < self.slots {
            spare.push(outputs);
        }
        result
    }

    fn remember(&self, samples: usize, frames: usize) {
        let mut lengths = self.lengths.lock();
        if lengths.iter().all(|(length, _)| *length != samples) {
            if lengths.len() == REMEMBERED_LENGTHS {
                lengths.remove(0);
            }
            lengths.push((samples, frames));
        }
    }
}

/// The product of sizes, or a failure that names what it is the size of.
fn product(name: &str, sizes: [usize; 3]) -> Result<usize, Failure> {
    let product = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    product.ok_or_else(|| Failure::limit(format!("{name}: {sizes:?} values do not fit in memory")))
}

fn check_samples(samples: usize) -> Result<(), Failure> {
    if samples > MAX_SAMPLES {
        return Err(Failure::limit(format!("samples: expected at most {MAX_SAMPLES}, got {samples}")));
    }
    Ok(())
}

/// Loads a model and checks it.
///
/// - `options`: the options, copied; NULL for the defaults.
/// - `out`: receives the session, or NULL on failure. Destroy it with `vf_session_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL, VF_E_RUNTIME_NOT_FOUND,
/// VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_create(
    options: *const vf_options,
    out: *mut *mut vf_session,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and NULL or a live handle, by contract.
        unsafe {
            handle::clear(out)?;
            let config = options::config(options)?;
            let session = Session {
                model: model::Session::new(&config)?,
                deadline: config.deadline(),
                slots: config.slots(),
                lengths: Mutex::default(),
                spare: Mutex::default(),
            };
            handle::give(session, out);
        }
        Ok(OK)
    })
}

/// Destroys a session.
///
/// - `session`: the session, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_destroy(session: *mut vf_session) {
    guard(|| {
        // SAFETY: NULL or from `vf_session_create`, and not in use, by contract.
        unsafe { handle::destroy::<Session>(session) }
    });
}

/// Describes the session's model and the provider in use.
///
/// - `session`: the session.
/// - `out`: receives the description; its field `size` is set by the caller.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_describe(
    session: *const vf_session,
    out: *mut vf_model_info,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or a struct of the size it says, by contract.
        unsafe { model_info::describe(borrow::<Session>(session)?.model.info(), out) }
    })
}

/// Gives the name of the session's model.
///
/// - `session`: the session.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_model_name(
    session: *const vf_session,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&borrow::<Session>(session)?.model.info().name)
        }
    })
}

/// Gives the version of the session's model, such as "0.1.0".
///
/// - `session`: the session.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_model_version(
    session: *const vf_session,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&borrow::<Session>(session)?.model.info().version)
        }
    })
}

/// Gives the SHA-256 of the session's model file: 64 lower-case hexadecimal digits.
///
/// - `session`: the session.
/// - `out`: receives text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 65 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_model_sha256(
    session: *const vf_session,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&borrow::<Session>(session)?.model.info().sha256)
        }
    })
}

/// Gives the number of frames that the network makes of a row of audio. Asked for the first time for a length that
/// this session has not met, it runs the network once on silence.
///
/// - `session`: the session.
/// - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
/// - `frames`: receives the number.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_MODEL, VF_E_RUNTIME, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC,
/// VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_frames(
    session: *const vf_session,
    samples: usize,
    frames: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and a live handle, by contract.
        let session = unsafe {
            buffer::store("frames", frames, 0)?;
            borrow::<Session>(session)?
        };
        session.model.check_process()?;
        check_samples(samples)?;
        let found = match session.known_frames(samples) {
            Some(found) => found,
            None => {
                let silence = vec![0.0; samples];
                let silence = ArrayView2::from_shape((1, samples), &silence)
                    .map_err(|error| Failure::invalid(format!("samples: {error}")))?;
                session.run(silence, |outputs| outputs.activity.dim().1)?
            }
        };
        // SAFETY: as above.
        unsafe { buffer::store("frames", frames, found) }?;
        Ok(OK)
    })
}

/// Runs the network on a batch of audio. Waits while all run slots of the session are taken.
///
/// - `session`: the session.
/// - `audio`: [batch, samples] values, row after row: mono, 16 kHz, -1 to 1, finite; not kept.
/// - `batch`: rows, 1 to 1,024.
/// - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
/// - `activity`: receives [batch, frames, max_speakers] probabilities, 0 to 1, that a local speaker speaks.
/// - `activity_cap`: room in `activity` in values. NULL is allowed for a buffer whose room is 0.
/// - `activity_n`: receives the values that all of the activity takes.
/// - `embedding`: receives [batch, max_speakers, embedding_dim] values: for each local speaker a voice of unit
///   length, or zeros.
/// - `embedding_cap`: room in `embedding` in values.
/// - `embedding_n`: receives the values that all of the embeddings take.
/// - `frames`: receives the number of frames, which is that of `vf_session_frames`.
///
/// If either buffer is too small, neither is written, and all three numbers are stored. The network is run for
/// that answer only where this session has not met the length `samples`. On another failure the numbers are 0.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "three arrays, each with its size")]
pub unsafe extern "C" fn vf_session_infer(
    session: *const vf_session,
    audio: *const f32,
    batch: usize,
    samples: usize,
    activity: *mut f32,
    activity_cap: usize,
    activity_n: *mut usize,
    embedding: *mut f32,
    embedding_cap: usize,
    embedding_n: *mut usize,
    frames: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: buffers of the sizes given, pointers that are NULL or valid, and a live handle, by contract.
        let (activity, embedding, session) = unsafe {
            let activity = Buffer::new("activity", activity, activity_cap, activity_n)?;
            let embedding = Buffer::new("embedding", embedding, embedding_cap, embedding_n)?;
            buffer::store("frames", frames, 0)?;
            (activity, embedding, borrow::<Session>(session)?)
        };
        // Before the locks of the session, which another thread of the parent may have held.
        session.model.check_process()?;
        check_samples(samples)?;
        if batch > MAX_BATCH {
            return Err(Failure::limit(format!("batch: expected at most {MAX_BATCH}, got {batch}")));
        }
        // SAFETY: `batch` rows of `samples` values, by contract; the product cannot overflow within the limits.
        let values = unsafe { buffer::slice("audio", audio, batch * samples) }?;
        buffer::check_finite("audio", values)?;
        let view = ArrayView2::from_shape((batch, samples), values)
            .map_err(|error| Failure::invalid(format!("audio: {error}")))?;

        let speakers = session.model.info().max_speakers;
        let dim = session.model.info().embedding_dim;
        // Tells all three numbers, and then whether the room is enough.
        let need = |found: usize| {
            let activity_needed = product("activity", [batch, found, speakers])?;
            let embedding_needed = product("embedding", [batch, speakers, dim])?;
            // SAFETY: NULL was refused above.
            unsafe { buffer::store("frames", frames, found) }?;
            let (first, second) = (activity.need(activity_needed), embedding.need(embedding_needed));
            first.and(second)
        };
        if let Some(found) = session.known_frames(samples) {
            need(found)?;
        }
        let result = session.run(view, |outputs| {
            need(outputs.activity.dim().1)?;
            activity.fill(outputs.activity.as_slice().unwrap_or_default())?;
            embedding.fill(outputs.embedding.as_slice().unwrap_or_default())
        });
        result.and_then(|filled| filled).inspect_err(|failure| {
            if failure.status != super::status::vf_status_code::VF_E_BUFFER_TOO_SMALL {
                activity.forget();
                embedding.forget();
                // SAFETY: NULL was refused above.
                let _ = unsafe { buffer::store("frames", frames, 0) };
            }
        })
    })
}
