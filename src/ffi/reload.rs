//! Another model in the place of a running one, and which versions of it are in use.

use std::ffi::c_char;
use std::mem::offset_of;
use std::ops::Deref;
use std::sync::Arc;

use super::buffer::Buffer;
use super::call::{self, vf_call};
use super::diarizer::vf_diarizer;
use super::guard::guard;
use super::handle::{Borrow, Object, borrow};
use super::options::{self, vf_options};
use super::session::{Session, vf_session};
use super::status::{Failure, OK, vf_status};
use crate::diarizer::Diarizer;
use crate::reload::{Failed, Reloadable, Version, Versioned};

/// Set in `vf_model_version.flags` of the version that new calls and streams use.
pub const VF_MODEL_VERSION_CURRENT: u32 = 1;

/// A version of the model of a diarizer or session: the one that was created, or one that took its
/// place. 288 bytes; this layout never changes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct vf_model_version {
    /// Number of the version: 1 for the one that was created, one more for each reload.
    pub number: u64,
    /// Calls under way on it, those of streams aside.
    pub calls: u64,
    /// Streams that work with it.
    pub streams: u64,
    /// `VF_MODEL_VERSION_` bits; ignore bits that you do not know.
    pub flags: u32,
    /// Zero.
    pub reserved: u32,
    /// SHA-256 as `vf_diarizer_model_sha256` gives it, with zeros at its end.
    pub sha256: [c_char; 72],
    /// Name of the model with zeros at its end, of which 127 bytes are kept.
    pub name: [c_char; 128],
    /// Version of the model with zeros at its end, of which 55 bytes are kept; empty for public
    /// models, which have none.
    pub version: [c_char; 56],
}

const _: () = {
    assert!(size_of::<vf_model_version>() == 288);
    assert!(offset_of!(vf_model_version, number) == 0);
    assert!(offset_of!(vf_model_version, calls) == 8);
    assert!(offset_of!(vf_model_version, streams) == 16);
    assert!(offset_of!(vf_model_version, flags) == 24);
    assert!(offset_of!(vf_model_version, reserved) == 28);
    assert!(offset_of!(vf_model_version, sha256) == 32);
    assert!(offset_of!(vf_model_version, name) == 104);
    assert!(offset_of!(vf_model_version, version) == 232);
};

impl From<&Version> for vf_model_version {
    fn from(version: &Version) -> Self {
        Self {
            number: version.number,
            calls: version.calls as u64,
            streams: version.streams as u64,
            flags: if version.is_current { VF_MODEL_VERSION_CURRENT } else { 0 },
            reserved: 0,
            sha256: cut(&version.model.sha256),
            name: cut(&version.model.name),
            version: cut(&version.model.version),
        }
    }
}

/// As much of a text as fits before a zero byte, in whole characters.
fn cut<const N: usize>(text: &str) -> [c_char; N] {
    let mut out = [0; N];
    let end = text.floor_char_boundary(N - 1);
    for (to, from) in out.iter_mut().zip(text[..end].bytes()) {
        *to = from as c_char;
    }
    out
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        let text = failed.to_string();
        Failure { text, ..Failure::from(failed.error) }
    }
}

/// The version that a call works with to its end, and its handle in use.
pub(super) struct Current<'a, T: Versioned> {
    version: Arc<T>,
    _handle: Borrow<'a, Reloadable<T>>,
}

impl<T: Versioned> Deref for Current<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.version
    }
}

/// Borrows the current version of a handle for the length of a call.
///
/// # Safety
/// As [`borrow`].
pub(super) unsafe fn current<'a, T: Versioned>(
    pointer: *const <Reloadable<T> as Object>::C,
) -> Result<Current<'a, T>, Failure>
where
    Reloadable<T>: Object,
{
    // SAFETY: as promised.
    let handle = unsafe { borrow::<Reloadable<T>>(pointer) }?;
    Ok(Current { version: handle.current(), _handle: handle })
}

/// Puts what `options` ask for in the place of the current version. The handle is not in use
/// meanwhile: a fault in the new version does not poison the running one.
///
/// # Safety
/// `options` is NULL or a live handle; what [`call::under`] asks for.
unsafe fn reload<T: Versioned>(
    reloadable: Reloadable<T>,
    options: *const vf_options,
    call: *const vf_call,
) -> Result<vf_status, Failure> {
    // SAFETY: as promised.
    unsafe {
        let config = options::config(options)?;
        call::under(call, |call| Ok(reloadable.reload(&config, call).map(drop)?))?;
    }
    Ok(OK)
}

/// Puts another model, or other options, in the place of those that a diarizer has, while it is in
/// use. The new version is loaded beside the running one, checked (SHA-256, model contract, golden
/// vector), given as many run slots as the running one has, and tried on a smoke recording, which
/// is diarized end to end. Then it takes over at once: calls and streams that begin later use it,
/// those under way end on the version that they began with, whose memory is given back with the
/// last of them. A failure before that changes nothing, and its text names the step: wait, load,
/// warm or smoke. Until then both versions are in memory.
///
/// Reloads of one diarizer go on one at a time; others wait for their turn. A gallery belongs to
/// the voices of its model: after a reload to a model of another voice space it is refused
/// (VF_E_GALLERY). `vf_diarizer_voice_space` tells before results are compared.
///
/// - `diarizer`: the diarizer.
/// - `options`: all options of the new version, copied, as `vf_diarizer_create` takes them; NULL
///   for the defaults, not for those of the running version.
/// - `call`: the conditions of the reload, see `vf_call`; NULL for none. Its switch and its
///   deadline end the wait for another reload, and the load as they end that of
///   `vf_diarizer_create`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO,
/// VF_E_MODEL, VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_reload(
    diarizer: *const vf_diarizer,
    options: *const vf_options,
    call: *const vf_call,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, NULL or a live handle, and what `call::under` asks for, by
        // contract.
        unsafe {
            let reloadable = Reloadable::clone(&*borrow::<Reloadable<Diarizer>>(diarizer)?);
            reload(reloadable, options, call)
        }
    })
}

/// Puts another model in the place of the one that a session has, as `vf_diarizer_reload` does. The
/// new model has to have the frame step, the frame offset, the local speakers and the embedding
/// size of the running one, since callers have arrays of these sizes (VF_E_MODEL). Its smoke
/// recording is run through the network and has to give probabilities and voices of unit length.
///
/// - `session`: the session.
/// - `options`: all options of the new version, copied, as `vf_session_create` takes them; NULL for
///   the defaults, not for those of the running version.
/// - `call`: the conditions of the reload, see `vf_call`; NULL for none.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
/// VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
/// VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_reload(
    session: *const vf_session,
    options: *const vf_options,
    call: *const vf_call,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, NULL or a live handle, and what `call::under` asks for, by
        // contract.
        unsafe {
            let reloadable = Reloadable::clone(&borrow::<Session>(session)?.model);
            reload(reloadable, options, call)
        }
    })
}

/// Tells which versions of a diarizer are in use: the current one first, then older ones that calls
/// or streams still hold, the newest first. One that is no longer listed has given its memory back.
///
/// - `diarizer`: the diarizer.
/// - `out`: receives the versions; NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in versions. The number can change between two calls.
/// - `n`: receives the number of versions, at least 1.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_versions(
    diarizer: *const vf_diarizer,
    out: *mut vf_model_version,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let versions = borrow::<Reloadable<Diarizer>>(diarizer)?.versions()?;
            buffer.fill_with(versions.iter().map(vf_model_version::from))
        }
    })
}

/// Tells which versions of a session are in use, as `vf_diarizer_versions` does.
///
/// - `session`: the session.
/// - `out`: receives the versions; NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in versions. The number can change between two calls.
/// - `n`: receives the number of versions, at least 1.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_session_versions(
    session: *const vf_session,
    out: *mut vf_model_version,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let versions = borrow::<Session>(session)?.model.versions()?;
            buffer.fill_with(versions.iter().map(vf_model_version::from))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn texts_are_cut_in_whole_characters_and_end_with_zero() {
        let kept = |text: &str| {
            let out: [c_char; 5] = cut(text);
            let bytes: Vec<u8> = out.iter().map(|&byte| byte as u8).collect();
            CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(kept(""), "");
        assert_eq!(kept("abcd"), "abcd");
        assert_eq!(kept("abcde"), "abcd");
        assert_eq!(kept("abcé"), "abc");
    }
}
