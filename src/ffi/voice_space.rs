//! With what the voices of a model can be compared.

use std::ffi::c_char;

use super::buffer::Buffer;
use super::diarizer::vf_diarizer;
use super::guard::guard;
use super::handle::borrow;
use super::reload::current;
use super::session::{Session, vf_session};
use super::status::vf_status;
use crate::diarizer::Diarizer;

/// Gives the name of the voice space of the session's model: models of one family state the same,
/// whose embeddings can be compared, and whose galleries are exchangeable. Empty where the model
/// states none: its embeddings are compared with each other alone.
///
/// - `session`: the session.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 129 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_voice_space(
    session: *const vf_session,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&borrow::<Session>(session)?.model.current().info().voice_space)
        }
    })
}

/// Gives the name of the voice space of the diarizer's model: models of one family state the same,
/// whose embeddings can be compared, and whose galleries are exchangeable. Empty where the model
/// states none: its embeddings are compared with each other alone.
///
/// - `diarizer`: the diarizer.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 129 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_voice_space(
    diarizer: *const vf_diarizer,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&current::<Diarizer>(diarizer)?.model().voice_space)
        }
    })
}
