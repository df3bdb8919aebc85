//! A loaded model, run directly.

use std::ffi::c_char;

use ndarray::ArrayView2;

use super::buffer::{self, Buffer};
use super::call::{self, vf_call};
use super::guard::guard;
use super::handle::{self, Object, borrow};
use super::model_info::{self, vf_model_info};
use super::options::{self, vf_options};
use super::status::{Failure, OK, vf_status};
use crate::call::Call;
use crate::model::{self, Inference, MAX_SAMPLES};
use crate::reload::Reloadable;
use crate::sync::Mutex;

/// One loaded model: audio in, activity and embeddings out. Most programs want a `vf_diarizer`.
pub struct vf_session {
    _opaque: (),
}

/// What a `vf_session` holds.
pub(crate) struct Session {
    pub(super) model: Reloadable<model::Session>,
    /// Outputs whose memory is used again.
    spare: Mutex<Vec<Inference>>,
}

impl Object for Session {
    type C = vf_session;
    const NAME: &'static str = "vf_session";
    const TAG: u64 = u64::from_be_bytes(*b"vf_sessn");
}

impl Session {
    /// Runs the network of `version` on `audio` and hands the outputs to `take`.
    pub(super) fn run<T>(
        &self,
        version: &model::Session,
        audio: ArrayView2<f32>,
        call: &Call<'_>,
        take: impl FnOnce(&Inference) -> T,
    ) -> Result<T, Failure> {
        let mut outputs = self.spare.lock().pop().unwrap_or_default();
        let result = version.infer(audio, &mut outputs, call).map_err(Failure::from).map(|()| take(&outputs));
        let mut spare = self.spare.lock();
        if spare.len() < version.most_slots() {
            spare.push(outputs);
        }
        result
    }
}

pub(super) fn check_samples(samples: usize) -> Result<(), Failure> {
    if samples > MAX_SAMPLES {
        return Err(Failure::limit(format!("samples: expected at most {MAX_SAMPLES}, got {samples}")));
    }
    Ok(())
}

/// Loads a model and checks it.
///
/// - `options`: the options, copied; NULL for the defaults. Those of diarizers and streams are
///   refused.
/// - `call`: the conditions of the load, see `vf_call`; NULL for none. With a switch, a deadline or
///   a progress callback the model is loaded on a thread of the library's, which the call leaves
///   behind when it ends early: that thread ends as soon as it can, and what it made is dropped.
/// - `out`: receives the session, or NULL on failure. Destroy it with `vf_session_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
/// VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
/// VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_create(
    options: *const vf_options,
    call: *const vf_call,
    out: *mut *mut vf_session,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and NULL or live handles and a struct of the size it
        // says, by contract.
        unsafe {
            handle::clear(out)?;
            let config = options::config(options)?;
            let session = Session {
                model: Reloadable::new(call::under(call, |call| Ok(model::Session::load(&config, call)?))?),
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
        unsafe { model_info::describe(borrow::<Session>(session)?.model.current().info(), out) }
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
            buffer.fill_text(&borrow::<Session>(session)?.model.current().info().name)
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
            buffer.fill_text(&borrow::<Session>(session)?.model.current().info().version)
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
            buffer.fill_text(&borrow::<Session>(session)?.model.current().info().sha256)
        }
    })
}

/// Gives the number of frames that the network makes of a row of audio: one for each whole frame
/// step of the model. No network is run: the model contract says so, and a model that does
/// otherwise is refused when it is loaded.
///
/// - `session`: the session.
/// - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
/// - `frames`: receives the number.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_frames(
    session: *const vf_session,
    samples: usize,
    frames: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and a live handle, by contract.
        unsafe {
            buffer::store("frames", frames, 0)?;
            let found = borrow::<Session>(session)?.model.current().frames(samples)?;
            buffer::store("frames", frames, found)?;
        }
        Ok(OK)
    })
}
