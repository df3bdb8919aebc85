//! Running the network of a session: the two functions that take audio, and the arrays that both of them are given.

use ndarray::ArrayView2;

use super::buffer::{self, Buffer};
use super::cancel::vf_cancel;
use super::guard::guard;
use super::handle::borrow;
use super::session::{Session, check_samples, vf_session};
use super::status::{Failure, vf_status, vf_status_code};
use crate::call::{Call, Cancel};
use crate::config::MAX_BATCH;

/// The audio of a call and the room for its answer, as C hands them over.
struct Arrays {
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
}

/// The product of sizes, or a failure that names what it is the size of.
fn product(name: &str, sizes: [usize; 3]) -> Result<usize, Failure> {
    let product = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    product.ok_or_else(|| Failure::limit(format!("{name}: {sizes:?} values do not fit in memory")))
}

/// Runs the network.
///
/// # Safety
/// The handles are NULL or live, each pointer NULL or valid for the size beside it.
unsafe fn infer(
    session: *const vf_session,
    arrays: &Arrays,
    cancel: Option<*const vf_cancel>,
) -> Result<vf_status, Failure> {
    // SAFETY: promised by the caller.
    let (activity, embedding, session, cancel) = unsafe {
        let activity = Buffer::new("activity", arrays.activity, arrays.activity_cap, arrays.activity_n)?;
        let embedding = Buffer::new("embedding", arrays.embedding, arrays.embedding_cap, arrays.embedding_n)?;
        buffer::store("frames", arrays.frames, 0)?;
        let cancel = cancel.map(|cancel| borrow::<Cancel>(cancel)).transpose()?;
        (activity, embedding, borrow::<Session>(session)?, cancel)
    };
    let Arrays { batch, samples, frames, .. } = *arrays;
    // Before the locks of the session, which another thread of the parent may have held.
    session.model.check_process()?;
    check_samples(samples)?;
    if batch > MAX_BATCH {
        return Err(Failure::limit(format!("batch: expected at most {MAX_BATCH}, got {batch}")));
    }
    // SAFETY: `batch` rows of `samples` values, as promised; the product cannot overflow within the limits.
    let values = unsafe { buffer::slice("audio", arrays.audio, batch * samples) }?;
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
    let call = Call::none();
    let call = cancel.as_deref().map_or(call, |cancel| call.with_cancel(cancel));
    let result = session.run(view, call, |outputs| {
        need(outputs.activity.dim().1)?;
        activity.fill(outputs.activity.as_slice().unwrap_or_default())?;
        embedding.fill(outputs.embedding.as_slice().unwrap_or_default())
    });
    result.and_then(|filled| filled).inspect_err(|failure| {
        if failure.status != vf_status_code::VF_E_BUFFER_TOO_SMALL {
            activity.forget();
            embedding.forget();
            // SAFETY: NULL was refused above.
            let _ = unsafe { buffer::store("frames", frames, 0) };
        }
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
        let arrays = Arrays {
            audio,
            batch,
            samples,
            activity,
            activity_cap,
            activity_n,
            embedding,
            embedding_cap,
            embedding_n,
            frames,
        };
        // SAFETY: a live handle and arrays of the sizes given, by contract.
        unsafe { infer(session, &arrays, None) }
    })
}

/// Runs the network as `vf_session_infer` does, unless a switch is set meanwhile: the call then ends soon, also while it
/// waits for a run slot. Being watched costs a call some microseconds.
///
/// - `session`: the session.
/// - `audio`: see `vf_session_infer`, as for all that follow.
/// - `batch`: rows.
/// - `samples`: samples in one row.
/// - `activity`: receives [batch, frames, max_speakers] probabilities.
/// - `activity_cap`: room in `activity` in values.
/// - `activity_n`: receives the values that all of the activity takes.
/// - `embedding`: receives [batch, max_speakers, embedding_dim] values.
/// - `embedding_cap`: room in `embedding` in values.
/// - `embedding_n`: receives the values that all of the embeddings take.
/// - `frames`: receives the number of frames.
/// - `cancel`: the switch.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "three arrays, each with its size, and the switch")]
pub unsafe extern "C" fn vf_session_infer_cancellable(
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
    cancel: *const vf_cancel,
) -> vf_status {
    guard(|| {
        let arrays = Arrays {
            audio,
            batch,
            samples,
            activity,
            activity_cap,
            activity_n,
            embedding,
            embedding_cap,
            embedding_n,
            frames,
        };
        // SAFETY: live handles and arrays of the sizes given, by contract.
        unsafe { infer(session, &arrays, Some(cancel)) }
    })
}
