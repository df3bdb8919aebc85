//! The result: who spoke when.

use std::ffi::c_char;

use super::buffer::{self, Buffer};
use super::guard::guard;
use super::handle::{self, Object, borrow};
use super::segment::vf_segment;
use super::status::{Failure, OK, vf_status};
use crate::output::{json, rttm, srt};
use crate::types::{Diarization, Speaker};

/// Who spoke when in one recording. It never changes, and needs nothing of the diarizer that made it.
pub struct vf_diarization {
    _opaque: (),
}

impl Object for Diarization {
    type C = vf_diarization;
    const NAME: &'static str = "vf_diarization";
    const TAG: u64 = u64::from_be_bytes(*b"vf_diatn");
}

/// The speaker that C calls `index`.
fn speaker(diarization: &Diarization, index: i32) -> Result<&Speaker, Failure> {
    let found = usize::try_from(index).ok().and_then(|index| diarization.speakers.get(index));
    found.ok_or_else(|| {
        let text = match diarization.speakers.len() {
            0 => format!("speaker: there are none, got {index}"),
            count => format!("speaker: expected 0 to {}, got {index}", count - 1),
        };
        Failure::invalid(text)
    })
}

/// Destroys a result.
///
/// - `diarization`: the result, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_destroy(diarization: *mut vf_diarization) {
    guard(|| {
        // SAFETY: NULL or from the library, and not in use, by contract.
        unsafe { handle::destroy::<Diarization>(diarization) }
    });
}

/// Gives the length of the recording.
///
/// - `diarization`: the result.
/// - `duration_s`: receives seconds.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_duration(
    diarization: *const vf_diarization,
    duration_s: *mut f64,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe { buffer::store("duration_s", duration_s, borrow::<Diarization>(diarization)?.duration_s) }?;
        Ok(OK)
    })
}

/// Gives the number of segments.
///
/// - `diarization`: the result.
/// - `n`: receives the number.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_segment_count(
    diarization: *const vf_diarization,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe { buffer::store("n", n, borrow::<Diarization>(diarization)?.segments.len()) }?;
        Ok(OK)
    })
}

/// Copies out all segments, by start, then end, then speaker.
///
/// - `diarization`: the result.
/// - `out`: receives the segments; NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in segments.
/// - `n`: receives the number of all segments.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_segments(
    diarization: *const vf_diarization,
    out: *mut vf_segment,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, diarization) =
            unsafe { (Buffer::new("out", out, cap, n)?, borrow::<Diarization>(diarization)?) };
        buffer.fill_with(diarization.segments.iter().map(vf_segment::from))
    })
}

/// Gives the number of speakers.
///
/// - `diarization`: the result.
/// - `n`: receives the number, at most 100; 0 for a recording without speech.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_speaker_count(
    diarization: *const vf_diarization,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe { buffer::store("n", n, borrow::<Diarization>(diarization)?.speakers.len()) }?;
        Ok(OK)
    })
}

/// Gives the label of a speaker: "SPEAKER_00", "SPEAKER_01", and so on, in the order of first appearance.
///
/// - `diarization`: the result.
/// - `speaker`: number of the speaker, 0 to the speaker count less 1.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_speaker_label(
    diarization: *const vf_diarization,
    speaker: i32,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, diarization) =
            unsafe { (Buffer::new("out", out, cap, n)?, borrow::<Diarization>(diarization)?) };
        buffer.fill_text(&self::speaker(&diarization, speaker)?.label)
    })
}

/// Gives a speaker's total speaking time.
///
/// - `diarization`: the result.
/// - `speaker`: number of the speaker, 0 to the speaker count less 1.
/// - `speech_s`: receives seconds.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_speaker_speech(
    diarization: *const vf_diarization,
    speaker: i32,
    speech_s: *mut f64,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe {
            let diarization = borrow::<Diarization>(diarization)?;
            buffer::store("speech_s", speech_s, self::speaker(&diarization, speaker)?.speech_s)?;
        }
        Ok(OK)
    })
}

/// Gives a speaker's voice embedding, a vector of unit length.
///
/// - `diarization`: the result.
/// - `speaker`: number of the speaker, 0 to the speaker count less 1.
/// - `out`: receives the values; NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in values.
/// - `n`: receives the number of values, the model's `embedding_dim`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_speaker_embedding(
    diarization: *const vf_diarization,
    speaker: i32,
    out: *mut f32,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, diarization) =
            unsafe { (Buffer::new("out", out, cap, n)?, borrow::<Diarization>(diarization)?) };
        buffer.fill(&self::speaker(&diarization, speaker)?.embedding)
    })
}

/// Writes the result as RTTM, one line for each segment.
///
/// - `diarization`: the result.
/// - `recording`: name of the recording, UTF-8, at most 65,536 bytes; white space in it becomes "_".
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_to_rttm(
    diarization: *const vf_diarization,
    recording: *const c_char,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given, a live handle and a zero-ended text, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let diarization = borrow::<Diarization>(diarization)?;
            buffer.fill_text(&rttm::write(&diarization, buffer::text("recording", recording)?)?)
        }
    })
}

/// Writes the result as JSON: the recording, its speakers with their embeddings, and the segments.
///
/// - `diarization`: the result.
/// - `recording`: name of the recording, UTF-8, at most 65,536 bytes.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_to_json(
    diarization: *const vf_diarization,
    recording: *const c_char,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given, a live handle and a zero-ended text, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let diarization = borrow::<Diarization>(diarization)?;
            buffer.fill_text(&json::write(&diarization, buffer::text("recording", recording)?)?)
        }
    })
}

/// Writes the result as SubRip subtitles, one cue with the speaker's label for each segment.
///
/// - `diarization`: the result.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_to_srt(
    diarization: *const vf_diarization,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&srt::write(&*borrow::<Diarization>(diarization)?)?)
        }
    })
}
