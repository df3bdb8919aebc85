//! Running the network of a session.

use ndarray::ArrayView2;

use super::buffer::{self, Buffer};
use super::call::{self, vf_call};
use super::guard::guard;
use super::handle::borrow;
use super::session::{Session, check_samples, vf_session};
use super::status::{Failure, vf_status, vf_status_code};
use crate::config::MAX_BATCH;

/// The product of sizes, or a failure that names what it is the size of.
fn product(name: &str, sizes: [usize; 3]) -> Result<usize, Failure> {
    let product = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    product.ok_or_else(|| Failure::limit(format!("{name}: {sizes:?} values do not fit in memory")))
}

/// The audio of a call as the network takes it, checked.
fn batch_of(audio: &[f32], batch: usize, samples: usize) -> Result<ArrayView2<'_, f32>, Failure> {
    buffer::check_finite("audio", audio)?;
    ArrayView2::from_shape((batch, samples), audio)
        .map_err(|error| Failure::invalid(format!("audio: {error}")))
}

/// Runs the network on a batch of audio. Waits while all run slots of the session are taken.
///
/// - `session`: the session.
/// - `audio`: [batch, samples] values, row after row: mono, 16 kHz, -1 to 1, finite; not kept.
/// - `batch`: rows, 1 to 1,024.
/// - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
/// - `call`: the conditions of the call, see `vf_call`; NULL for none. Its progress callback is
///   called while the call waits for a run slot. Being watched for a switch or a deadline costs a
///   call some microseconds.
/// - `activity`: receives [batch, frames, max_speakers] probabilities, 0 to 1, that a local speaker
///   speaks.
/// - `activity_cap`: room in `activity` in values. NULL is allowed for a buffer whose room is 0.
/// - `activity_n`: receives the values that all of the activity takes.
/// - `embedding`: receives [batch, max_speakers, embedding_dim] values: for each local speaker a
///   voice of unit length, or zeros.
/// - `embedding_cap`: room in `embedding` in values.
/// - `embedding_n`: receives the values that all of the embeddings take.
/// - `frames`: receives the number of frames, which is that of `vf_session_frames`.
///
/// If either buffer is too small, neither is written, all three numbers are stored, and no network
/// is run. On another failure the numbers are 0.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_AUDIO, VF_E_MODEL,
/// VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "three arrays, each with its size")]
pub unsafe extern "C" fn vf_session_infer(
    session: *const vf_session,
    audio: *const f32,
    batch: usize,
    samples: usize,
    call: *const vf_call,
    activity: *mut f32,
    activity_cap: usize,
    activity_n: *mut usize,
    embedding: *mut f32,
    embedding_cap: usize,
    embedding_n: *mut usize,
    frames: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and buffers of the sizes given, by contract.
        let (activity, embedding, session) = unsafe {
            let activity = Buffer::new("activity", activity, activity_cap, activity_n)?;
            let embedding = Buffer::new("embedding", embedding, embedding_cap, embedding_n)?;
            buffer::store("frames", frames, 0)?;
            (activity, embedding, borrow::<Session>(session)?)
        };
        // Before the locks of the session, which another thread of the parent may have held.
        let model = session.model.current();
        model.check_process()?;
        check_samples(samples)?;
        if batch > MAX_BATCH {
            return Err(Failure::limit(format!("batch: expected at most {MAX_BATCH}, got {batch}")));
        }
        // SAFETY: `batch` rows of `samples` values, by contract; the product cannot overflow within
        // the limits.
        let audio = batch_of(unsafe { buffer::slice("audio", audio, batch * samples) }?, batch, samples)?;

        let info = model.info();
        // Tells all three numbers, and then whether the room is enough.
        let need = |found: usize| {
            let activity_needed = product("activity", [batch, found, info.max_speakers])?;
            let embedding_needed = product("embedding", [batch, info.max_speakers, info.embedding_dim])?;
            // SAFETY: NULL was refused above.
            unsafe { buffer::store("frames", frames, found) }?;
            let (first, second) = (activity.need(activity_needed), embedding.need(embedding_needed));
            first.and(second)
        };
        // Rows of a length that no model takes are refused below, with their shape.
        if let Ok(found) = model.frames(samples) {
            need(found)?;
        }
        // SAFETY: NULL or a struct of the size it says, by contract.
        let result = unsafe {
            call::under(call, |call| {
                session.run(&model, audio, call, |outputs| {
                    need(outputs.activity.dim().1)?;
                    activity.fill(outputs.activity.as_slice().unwrap_or_default())?;
                    embedding.fill(outputs.embedding.as_slice().unwrap_or_default())
                })
            })
        };
        result.and_then(|filled| filled).inspect_err(|failure| {
            if failure.status != vf_status_code::VF_E_BUFFER_TOO_SMALL {
                activity.forget();
                embedding.forget();
                // SAFETY: NULL was refused above.
                let _ = unsafe { buffer::store("frames", frames, 0) };
            }
        })
    })
}
