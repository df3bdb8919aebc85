//! What a gallery answers: who is enrolled, and whose voice is whose.

use std::ffi::c_char;

use super::buffer::{self, Buffer};
use super::diarization::vf_diarization;
use super::gallery::{Shared, vf_gallery};
use super::guard::guard;
use super::handle::borrow;
use super::status::{Failure, OK, vf_status};
use crate::gallery::Identity;
use crate::types::Diarization;

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

/// Gives the name of a known voice. A voice keeps its number until it, or one before it, is
/// removed.
///
/// - `gallery`: the gallery.
/// - `index`: number of the voice, 0 to the count less 1, in the order in which names were first
///   enrolled.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 257 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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

/// Gives the threshold that the gallery's model was tuned to: the cosine similarity from which a
/// voice is taken for a known one. With fast-cnn about 1 % of strangers are taken for one of ten
/// enrolled speakers, more of them where more are.
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
/// - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was
///   tuned to.
/// - `out`: receives the name as UTF-8 text with an ending zero byte, empty for a stranger; NULL is
///   allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 257 is enough.
/// - `n`: receives the bytes that the text takes with its end.
/// - `score`: receives the similarity, -1 to 1, to the most similar known voice, whether or not it
///   reaches the threshold; -1 where nobody is enrolled and after a failure other than
///   VF_E_BUFFER_TOO_SMALL.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
        // SAFETY: NULL or valid for writes, a buffer of the size given, a live handle and an array
        // of the size given, by contract.
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

/// Tells who the speakers of a result are, each somebody else: the pairs of speaker and known
/// voice, from the threshold on, that together exceed it the most.
///
/// - `gallery`: the gallery.
/// - `diarization`: the result, of a diarizer whose model has the gallery's voice space.
/// - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was
///   tuned to.
/// - `out_voice_index`: receives for each speaker the number of the voice, for `vf_gallery_name`;
///   -1 for a stranger. NULL is allowed where `cap` is 0.
/// - `scores`: receives for each speaker the similarity, -1 to 1, to that voice; of a stranger to
///   the most similar one, which may be another speaker's. NULL is allowed where `cap` is 0.
/// - `cap`: room in `out_voice_index` and in `scores`, in speakers.
/// - `n`: receives the number of speakers.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED, and VF_E_GALLERY for a result with voices of another voice space.
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
