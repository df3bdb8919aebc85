//! The result: who spoke when.

use std::ffi::c_char;

use super::buffer::{self, Buffer};
use super::guard::guard;
use super::handle::{self, Object, borrow};
use super::segment::{self, vf_segment};
use super::status::{Failure, OK, vf_status};
use crate::audio::first_not_finite;
use crate::config::MAX_SPEAKERS;
use crate::memory;
use crate::output::json::{self, JsonOptions};
use crate::output::{rttm, srt, vtt};
use crate::types::{Diarization, Speaker};

/// Who spoke when in one recording. It never changes, and needs nothing of the diarizer that made
/// it.
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

/// The embeddings of `speakers` speakers, `dim` values each.
fn voices(values: &[f32], speakers: usize, dim: usize) -> Result<Vec<Vec<f32>>, Failure> {
    if let Some(index) = first_not_finite(values) {
        let text = format!("embeddings: expected finite values, got {} at index {index}", values[index]);
        return Err(Failure::invalid(text));
    }
    let voice = |speaker: usize| {
        let own = values.get(speaker * dim..(speaker + 1) * dim);
        memory::copied("embedding", own.unwrap_or_default())
    };
    Ok((0..speakers).map(voice).collect::<crate::Result<_>>()?)
}

/// Makes a result of its parts, such as one that was kept in a file or came from another process.
/// Labels are numbered anew, speaking times are those of the segments, and there are no warnings.
///
/// - `duration_s`: length of the recording in seconds, 0 or more.
/// - `segments`: `n_segments` segments within the recording, by start, then end, then speaker; not
///   kept. Of `flags`, `VF_SEGMENT_OVERLAP` counts; `reserved` is not read.
/// - `n_segments`: number of segments.
/// - `embeddings`: `[n_speakers, embedding_dim]` finite values, the speakers' voices; not kept.
/// - `n_speakers`: number of speakers, 0 to 100.
/// - `embedding_dim`: values of one voice, which are 0 where voices are not known.
/// - `out`: receives the result, to be destroyed by `vf_diarization_destroy`; NULL on failure.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_create(
    duration_s: f64,
    segments: *const vf_segment,
    n_segments: usize,
    embeddings: *const f32,
    n_speakers: usize,
    embedding_dim: usize,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and arrays of the sizes given, by contract.
        unsafe {
            handle::clear(out)?;
            if !(duration_s.is_finite() && duration_s >= 0.0) {
                let text = format!("duration_s: expected 0 or more seconds, got {duration_s}");
                return Err(Failure::invalid(text));
            }
            if n_speakers > MAX_SPEAKERS {
                let text = format!("n_speakers: expected 0 to {MAX_SPEAKERS}, got {n_speakers}");
                return Err(Failure::invalid(text));
            }
            let values = buffer::slice("embeddings", embeddings, n_speakers.saturating_mul(embedding_dim))?;
            let given = buffer::slice("segments", segments, n_segments)?;
            let segments = segment::checked(given, n_speakers, duration_s)?;
            let voices = voices(values, n_speakers, embedding_dim)?;
            handle::give(Diarization::of_parts(duration_s, segments, voices), out);
        }
        Ok(OK)
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
/// - `n`: receives the number, at most 100, of each track and channel that was diarized by itself;
///   0 for a recording without speech.
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

/// Gives the label of a speaker: "SPEAKER_00", "SPEAKER_01", and so on, in the order of first
/// appearance. Tracks and channels that were diarized by themselves stand in front:
/// "CH1_SPEAKER_00".
///
/// - `diarization`: the result.
/// - `speaker`: number of the speaker, 0 to the speaker count less 1.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
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
/// - `recording`: name of the recording, UTF-8, at most 65,536 bytes; white space in it becomes
///   "_".
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
/// VF_E_POISONED.
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

/// Writes the result as JSON: the recording, its speakers, and the segments. Times have three
/// decimals.
///
/// - `diarization`: the result.
/// - `recording`: name of the recording, UTF-8, at most 65,536 bytes.
/// - `embeddings`: 1 for the speakers' voice embeddings too, which are biometric data; else 0.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_to_json(
    diarization: *const vf_diarization,
    recording: *const c_char,
    embeddings: i32,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given, a live handle and a zero-ended text, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let diarization = borrow::<Diarization>(diarization)?;
            let recording = buffer::text("recording", recording)?;
            let options =
                JsonOptions { embeddings: buffer::switch("embeddings", embeddings)?, one_line: false };
            buffer.fill_text(&json::write(&diarization, recording, options)?)
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
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
/// VF_E_POISONED.
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

/// Writes the result as WebVTT subtitles, one cue for each segment, with the speaker's label as its
/// voice and its text.
///
/// - `diarization`: the result.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_to_vtt(
    diarization: *const vf_diarization,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&vtt::write(&*borrow::<Diarization>(diarization)?)?)
        }
    })
}
