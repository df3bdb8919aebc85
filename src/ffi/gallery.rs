//! The gallery: known voices, shared between threads.

use std::ffi::{c_char, c_void};
use std::path::Path;

use super::buffer::{self, Buffer};
use super::callback::{self, vf_progress_fn};
use super::diarization::vf_diarization;
use super::diarizer::{self, vf_diarizer};
use super::guard::guard;
use super::handle::{self, Borrow, Object, borrow};
use super::status::{Failure, OK, vf_status};
use crate::audio::BufferSource;
use crate::control::Control;
use crate::diarizer::Diarizer;
use crate::gallery::{Gallery, Identity, Voice};
use crate::sync::RwLock;
use crate::types::Diarization;

/// Known voices: people enrolled by name, for one model. A lock of its own guards it, so that threads may enroll and
/// identify at once; audio is worked on outside the lock.
pub struct vf_gallery {
    _opaque: (),
}

/// The lock is never held while a network runs, a file is touched or a callback is called.
type Shared = RwLock<Gallery>;

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
            let gallery = Gallery::new(borrow::<Diarizer>(diarizer)?.model());
            handle::give(Shared::new(gallery), out);
        }
        Ok(OK)
    })
}

/// Reads a gallery from a file that `vf_gallery_save` wrote.
///
/// - `diarizer`: a diarizer with the gallery's model; the gallery does not keep it.
/// - `path`: UTF-8 path of the file, at most 65,536 bytes.
/// - `out`: receives the gallery, or NULL on failure. Destroy it with `vf_gallery_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED,
/// and VF_E_GALLERY for a file that is none, is damaged, or belongs to another model.
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
            let diarizer = borrow::<Diarizer>(diarizer)?;
            let path = Path::new(buffer::text("path", path)?);
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

/// Writes a gallery to a file, in place of an older one, whole or not at all. It holds voices, which are personal data: a
/// new file is its owner's alone (mode 0600). An older file's mode, owner, access list and `user.` attributes are kept.
///
/// - `gallery`: the gallery.
/// - `path`: UTF-8 path of the file, at most 65,536 bytes. Links are followed, and stay. A folder, pipe, socket or device
///   is refused (VF_E_IO), as is a file that this process may not write, whose owner it cannot keep, or whose folder
///   takes no new file: the contents are written beside it and take its place once they are whole.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_save(gallery: *const vf_gallery, path: *const c_char) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a zero-ended text, by contract.
        let (gallery, path) = unsafe { (borrow::<Shared>(gallery)?, buffer::text("path", path)?) };
        // Others may change the gallery while the file is written.
        let text = gallery.read().render()?;
        Gallery::save_text(&text, Path::new(path))?;
        Ok(OK)
    })
}

/// Enrolls the voice that `work` finds with the diarizer, under the caller's progress callback.
///
/// # Safety
/// `progress` may be called with `user_data` on this thread.
unsafe fn enroll(
    gallery: &Borrow<'_, Shared>,
    diarizer: &Diarizer,
    name: &str,
    (progress, user_data): (vf_progress_fn, *mut c_void),
    work: impl FnOnce(&Control<'_>) -> crate::error::Result<Voice>,
) -> Result<vf_status, Failure> {
    // Before the work, which takes time.
    Gallery::check_name(name)?;
    gallery.read().check_model(diarizer.model())?;
    // SAFETY: the caller's promise.
    let progress = unsafe { callback::progress(progress, user_data) };
    let voice = work(&Control::none().with_progress(&progress))?;
    gallery.write().enroll(name, &voice)?;
    Ok(OK)
}

/// Enrolls a person by an audio file in which nobody else speaks for more than 15 % of the speech. A name may have
/// several recordings: its voice is their mean.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: UTF-8, 1 to 256 bytes, without white space around it or control characters, and none that unknown
///   speakers are given ("SPEAKER_00").
/// - `path`: UTF-8 path of the file, at most 65,536 bytes; at least 3 s of speech, better 20 s.
/// - `progress`: see `vf_progress_fn`; NULL for none.
/// - `user_data`: handed to `progress` as it is.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO (too little speech or more than
/// one person among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED,
/// VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_enroll_file(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    path: *const c_char,
    progress: vf_progress_fn,
    user_data: *mut c_void,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, zero-ended texts, and a callback that may be called here, by contract.
        unsafe {
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, borrow::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let path = Path::new(buffer::text("path", path)?);
            let work = |control: &Control<'_>| diarizer.voice_file(path, control);
            enroll(&gallery, &diarizer, name, (progress, user_data), work)
        }
    })
}

/// Enrolls a person by samples held in memory as floats, as `vf_gallery_enroll_file` does by a file.
///
/// - `gallery`: the gallery.
/// - `diarizer`: a diarizer with the gallery's model.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite; not kept. NULL is
///   allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel.
/// - `sample_rate`: in hertz, 1,000 to 768,000.
/// - `channels`: 1 to 32; their mean is used.
/// - `progress`: see `vf_progress_fn`; NULL for none.
/// - `user_data`: handed to `progress` as it is.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO (too little speech or more than one person among its
/// reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC,
/// VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "an array with its shape, and a callback with its data")]
pub unsafe extern "C" fn vf_gallery_enroll_f32(
    gallery: *const vf_gallery,
    diarizer: *const vf_diarizer,
    name: *const c_char,
    samples: *const f32,
    n_frames: usize,
    sample_rate: u32,
    channels: u32,
    progress: vf_progress_fn,
    user_data: *mut c_void,
) -> vf_status {
    guard(|| {
        // SAFETY: live handles, a zero-ended text, an array of the shape given, and a callback that may be called
        // here, by contract.
        unsafe {
            let (gallery, diarizer) = (borrow::<Shared>(gallery)?, borrow::<Diarizer>(diarizer)?);
            let name = buffer::text("name", name)?;
            let channels = diarizer::channels(channels)?;
            let samples = buffer::slice("samples", samples, diarizer::values(n_frames, channels)?)?;
            let mut source = BufferSource::from_f32(samples, sample_rate, channels)?;
            let work = |control: &Control<'_>| diarizer.voice(&mut source, control);
            enroll(&gallery, &diarizer, name, (progress, user_data), work)
        }
    })
}

/// Enrolls a person by a voice embedding, such as that of a diarization's speaker.
///
/// - `gallery`: the gallery.
/// - `name`: see `vf_gallery_enroll_file`.
/// - `embedding`: `dim` finite values, not all zeros, from the gallery's model; not kept.
/// - `dim`: number of values, the model's `embedding_dim`.
/// - `speech_s`: seconds of speech that the embedding was made of, more than 0: its weight beside the name's others.
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

/// Removes a person. The voices behind move up by one.
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

/// Gives the number of known voices.
///
/// - `gallery`: the gallery.
/// - `n`: receives the number, at most 100,000.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_count(gallery: *const vf_gallery, n: *mut usize) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe {
            buffer::store("n", n, 0)?;
            buffer::store("n", n, borrow::<Shared>(gallery)?.read().voices().len())?;
        }
        Ok(OK)
    })
}

/// Gives the name of a known voice. A voice keeps its number until it, or one before it, is removed.
///
/// - `gallery`: the gallery.
/// - `index`: number of the voice, 0 to the count less 1, in the order in which names were first enrolled.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 257 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_name(
    gallery: *const vf_gallery,
    index: i32,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, gallery) = unsafe { (Buffer::new("out", out, cap, n)?, borrow::<Shared>(gallery)?) };
        let gallery = gallery.read();
        let voice = usize::try_from(index).ok().and_then(|index| gallery.voices().get(index));
        let count = gallery.voices().len();
        let nobody =
            || Failure::invalid(format!("index: expected one of {count} voices, from 0, got {index}"));
        buffer.fill_text(&voice.ok_or_else(nobody)?.name)
    })
}

/// Gives the threshold that the gallery's model was tuned to: the cosine similarity from which a voice is taken for a
/// known one. About 1 % of strangers are taken for one of ten people enrolled, more of them where more are.
///
/// - `gallery`: the gallery.
/// - `threshold`: receives the threshold, -1 to 1.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_threshold(gallery: *const vf_gallery, threshold: *mut f32) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe {
            let gallery = borrow::<Shared>(gallery)?;
            buffer::store("threshold", threshold, gallery.read().threshold())?;
        }
        Ok(OK)
    })
}

/// Tells whose voice an embedding is: the most similar known voice, from the threshold on.
///
/// - `gallery`: the gallery.
/// - `embedding`: `dim` finite values from the gallery's model; all zeros are a stranger's.
/// - `dim`: number of values, the model's `embedding_dim`.
/// - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was tuned to.
/// - `out`: receives the name as UTF-8 text with an ending zero byte, empty for a stranger; NULL is allowed where `cap`
///   is 0.
/// - `cap`: size of `out` in bytes; 257 is enough.
/// - `n`: receives the bytes that the text takes with its end.
/// - `score`: receives the similarity, -1 to 1, to the most similar known voice, whether or not it reaches the
///   threshold; -1 where nobody is enrolled and after a failure other than VF_E_BUFFER_TOO_SMALL.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "an array and a buffer with their sizes")]
pub unsafe extern "C" fn vf_gallery_identify(
    gallery: *const vf_gallery,
    embedding: *const f32,
    dim: usize,
    threshold: f32,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
    score: *mut f32,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for writes, a buffer of the size given, a live handle and an array of the size given,
        // by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer::store("score", score, -1.0)?;
            let gallery = borrow::<Shared>(gallery)?;
            let gallery = gallery.read();
            buffer::check_array("embedding", embedding, dim)?;
            // Before any of the values is read: there may be no `dim` of them.
            gallery.check_dimension(dim)?;
            let embedding = buffer::slice("embedding", embedding, dim)?;
            let identity = gallery.identify(embedding, threshold)?;
            buffer::store("score", score, identity.score)?;
            buffer.fill_text(gallery.name_of(&identity).unwrap_or_default())
        }
    })
}

/// Tells who the speakers of a result are, each somebody else: the pairs of speaker and known voice, from the threshold
/// on, that together exceed it the most.
///
/// - `gallery`: the gallery.
/// - `diarization`: the result, of a diarizer with the gallery's model.
/// - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was tuned to.
/// - `out_voice_index`: receives for each speaker the number of the voice, for `vf_gallery_name`; -1 for a stranger.
///   NULL is allowed where `cap` is 0.
/// - `scores`: receives for each speaker the similarity, -1 to 1, to that voice; of a stranger to the most similar one,
///   which may be another speaker's. NULL is allowed where `cap` is 0.
/// - `cap`: room in `out_voice_index` and in `scores`, in speakers.
/// - `n`: receives the number of speakers.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_gallery_identify_diarization(
    gallery: *const vf_gallery,
    diarization: *const vf_diarization,
    threshold: f32,
    out_voice_index: *mut i32,
    scores: *mut f32,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: buffers of the size given and live handles, by contract.
        let (voices, scores, gallery, diarization) = unsafe {
            (
                Buffer::new("out_voice_index", out_voice_index, cap, n)?,
                Buffer::new("scores", scores, cap, n)?,
                borrow::<Shared>(gallery)?,
                borrow::<Diarization>(diarization)?,
            )
        };
        let identities = gallery.read().identify_speakers(&diarization, threshold)?;
        let index = |identity: &Identity| identity.voice.map_or(-1, |voice| voice as i32);
        voices.fill_with(identities.iter().map(index))?;
        scores.fill_with(identities.iter().map(|identity| identity.score))
    })
}
