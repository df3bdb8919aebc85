//! The gallery: known voices, shared between threads; how they get in and out of it.

use std::ffi::c_char;

use super::buffer;
use super::call::{self, vf_call};
use super::diarization::vf_diarization;
use super::diarizer::{self, vf_diarizer};
use super::guard::guard;
use super::handle::{self, Borrow, Object, borrow};
use super::reload::current;
use super::source::{Callbacks, vf_source};
use super::status::{Failure, OK, vf_status};
use crate::audio::{BufferSource, FileSource};
use crate::call::Call;
use crate::diarizer::Diarizer;
use crate::gallery::{Gallery, Voice};
use crate::sync::RwLock;
use crate::types::Diarization;

/// Enrolled speakers with their names, for one voice space. A lock of its own guards it, so that
/// threads may enroll and identify at once; audio is worked on outside the lock.
pub struct vf_gallery {
    _opaque: (),
}

/// The lock is never held while a network runs, a file is touched or a callback is called.
pub(super) type Shared = RwLock<Gallery>;

impl Object for Shared {
    type C = vf_gallery;
    const NAME: &'static str = "vf_gallery";
    const TAG: u64 = u64::from_be_bytes(*b"vf_galry");
}

/// Makes a gallery without any voice, for the model of a diarizer.
///
/// - `diarizer`: the diarizer; the gallery does not keep it.
/// - `out`: receives the gallery, or NULL on failure. Destroy it with `vf_gallery_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_create(
    diarizer: *const vf_diarizer,
    out: *mut *mut vf_gallery,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and a live handle, by contract.
        unsafe {
            handle::clear(out)?;
            let gallery = Gallery::new(current::<Diarizer>(diarizer)?.model());
            handle::give(Shared::new(gallery), out);
        }
        Ok(OK)
    })
}

/// Reads a gallery from a file that `vf_gallery_save` wrote.
///
/// - `diarizer`: a diarizer whose model has the gallery's voice space; the gallery does not keep
///   it.
/// - `path`: path of the file, at most 65,536 bytes.
/// - `out`: receives the gallery, or NULL on failure. Destroy it with `vf_gallery_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT,
/// VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a file that is none, is damaged, or belongs to
/// another voice space.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_load(
    diarizer: *const vf_diarizer,
    path: *const c_char,
    out: *mut *mut vf_gallery,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle and a zero-ended text, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let path = buffer::path("path", path)?;
            handle::give(Shared::new(Gallery::load(path, diarizer.model())?), out);
        }
        Ok(OK)
    })
}

/// Destroys a gallery. Its file stays.
///
/// - `gallery`: the gallery, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_destroy(gallery: *mut vf_gallery) {
    guard(|| {
        // SAFETY: NULL or from the library, and not in use, by contract.
        unsafe { handle::destroy::<Shared>(gallery) }
    });
}

/// Writes a gallery to a file, in place of an older one, whole or not at all. It holds voices,
/// which are personal data: a new file is its owner's alone (mode 0600). An older file's mode,
/// owner, access list and `user.` attributes are kept.
///
/// - `gallery`: the gallery.
/// - `path`: path of the file, at most 65,536 bytes. Links are followed, and stay. A folder, pipe,
///   socket or device is refused (VF_E_IO), as is a file that this process may not write, whose
///   owner it cannot keep, or whose folder takes no new file: the contents are written beside it
///   and take its place once they are whole.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT,
/// VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_save(gallery: *const vf_gallery, path: *const c_char) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        let (gallery, path) = unsafe { (borrow::<Shared>(gallery)?, buffer::path("path", path)?) };
        // Others may change the gallery while the file is written.
        let text = gallery.read().render()?;
        Gallery::save_text(&text, path)?;
        Ok(OK)
    })
}

/// Enrolls the voice that `work` finds with the diarizer, under the conditions of `call`, and gives
/// what was found beside it where `out` wants it.
///
/// # Safety
/// As [`call::under`]; `out` is NULL or valid for a write.
unsafe fn enroll(
    gallery: &Borrow<'_, Shared>,
    diarizer: &Diarizer,
    name: &str,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
    work: impl FnOnce(&Call<'_>) -> crate::error::Result<(Voice, Diarization)>,
) -> Result<vf_status, Failure> {
    // Before the work, which takes time.
    Gallery::check_name(name)?;
    gallery.read().check_model(diarizer.model())?;
    // SAFETY: the caller's promise.
    let (voice, found) = unsafe { call::under(call, |call| Ok(work(call)?)) }?;
    gallery.write().enroll(name, &voice)?;
    if !out.is_null() {
        // SAFETY: valid for a write by the caller's promise.
        unsafe { handle::give(found, out) };
    }
    Ok(OK)
}

/// Stores NULL in `out`, where it is wanted.
///
/// # Safety
/// `out` is NULL or valid for a write.
unsafe fn clear_wanted(out: *mut *mut vf_diarization) -> Result<(), Failure> {
    // SAFETY: valid for a write by the caller's promise.
    if out.is_null() { Ok(()) } else { unsafe { handle::clear(out) } }
}

/// Enrolls a speaker by an audio file in which nobody else speaks for more than 15 % of the speech.
/// A name may have several recordings: its voice is their mean.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: UTF-8, 1 to 256 bytes, without white space around it or control characters, and none
///   that unknown speakers are given ("SPEAKER_00").
/// - `path`: path of the file, at most 65,536 bytes; at least 3 s of speech, better 20 s.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
///   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO (too little
/// speech or more than one speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED,
/// VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a
/// diarizer with another model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_enroll_file(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    path: *const c_char,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, zero-ended texts, and what `call::under` asks for, by contract.
        unsafe {
            clear_wanted(out)?;
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, current::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let path = buffer::path("path", path)?;
            let work = |call: &Call<'_>| diarizer.enrolment_file(path, call);
            enroll(&gallery, &diarizer, name, call, out, work)
        }
    })
}

/// Enrolls a speaker by the content of an audio file that is held in memory, as
/// `vf_gallery_enroll_file` does by a file.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `bytes`: `size` bytes; not kept. NULL is allowed where `size` is 0.
/// - `size`: number of bytes; 0 is refused as an empty file is.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
///   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO (too little speech or more than one
/// speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT,
/// VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_enroll_encoded(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    bytes: *const u8,
    size: usize,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, a zero-ended text, an array of the size given, and what
        // `call::under` asks for, by contract.
        unsafe {
            clear_wanted(out)?;
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, current::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let bytes = buffer::slice("bytes", bytes, size)?;
            let work = |call: &Call<'_>| {
                diarizer.enrolment(&mut FileSource::from_bytes("bytes", bytes, call)?, call)
            };
            enroll(&gallery, &diarizer, name, call, out, work)
        }
    })
}

/// Enrolls a speaker by encoded audio that the host reads, as `vf_gallery_enroll_file` does by a
/// file.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `source`: where the bytes come from, see `vf_source`; its callbacks are not called after this
///   returns.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
///   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_IO, VF_E_AUDIO (too little speech or more
/// than one speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE,
/// VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another
/// model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_enroll_source(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    source: *const vf_source,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, a zero-ended text, a struct of the size it says with callbacks for
        // this thread, and what `call::under` asks for, by contract.
        unsafe {
            clear_wanted(out)?;
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, current::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let source = Callbacks::of(source)?;
            let work = |call: &Call<'_>| diarizer.enrolment(&mut source.open(call)?, call);
            enroll(&gallery, &diarizer, name, call, out, work)
        }
    })
}

/// Enrolls a speaker by samples held in memory as floats, as `vf_gallery_enroll_file` does by a
/// file.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
///   not kept. NULL is allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel.
/// - `sample_rate`: in hertz, 1,000 to 768,000.
/// - `channels`: 1 to 32; their mean is used unless `call` asks for others.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
///   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO (too little speech or more than one
/// speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT,
/// VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "a recording in an array with its shape, and what it is for")]
pub unsafe extern "C" fn vf_gallery_enroll_f32(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    samples: *const f32,
    n_frames: usize,
    sample_rate: u32,
    channels: u32,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, a zero-ended text, an array of the shape given, and what
        // `call::under` asks for, by contract.
        unsafe {
            clear_wanted(out)?;
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, current::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let channels = diarizer::channels(channels)?;
            let samples = buffer::slice("samples", samples, diarizer::values(n_frames, channels)?)?;
            let mut source = BufferSource::from_f32(samples, sample_rate, channels)?;
            let work = |call: &Call<'_>| diarizer.enrolment(&mut source, call);
            enroll(&gallery, &diarizer, name, call, out, work)
        }
    })
}

/// Enrolls a speaker by an embedding, such as that of a diarization's speaker.
///
/// - `gallery`: the gallery.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `embedding`: `dim` finite values, not all zeros, from the gallery's model; not kept.
/// - `dim`: number of values, the model's `embedding_dim`.
/// - `speech_s`: seconds of speech that the embedding was made of, more than 0: its weight beside
///   the name's others.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_enroll_embedding(
    gallery: *const vf_gallery,
    name: *const c_char,
    embedding: *const f32,
    dim: usize,
    speech_s: f64,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, a zero-ended text and an array of the size given, by contract.
        unsafe {
            let gallery = borrow::<Shared>(gallery)?;
            let name = buffer::text("name", name)?;
            buffer::check_array("embedding", embedding, dim)?;
            // Before any of the values is read: there may be no `dim` of them.
            gallery.read().check_dimension(dim)?;
            let embedding = buffer::slice("embedding", embedding, dim)?.to_vec();
            gallery.write().enroll(name, &Voice { embedding, speech_s })?;
        }
        Ok(OK)
    })
}

/// Removes a speaker. The voices behind move up by one.
///
/// - `gallery`: the gallery.
/// - `name`: an enrolled name, UTF-8.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_remove(gallery: *const vf_gallery, name: *const c_char) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        let (gallery, name) = unsafe { (borrow::<Shared>(gallery)?, buffer::text("name", name)?) };
        gallery.write().remove(name)?;
        Ok(OK)
    })
}
