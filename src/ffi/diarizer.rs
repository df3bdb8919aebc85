//! The diarizer: recordings in, results out.

use std::ffi::c_char;

use super::buffer::{self, Buffer};
use super::call::{self, vf_call};
use super::diarization::vf_diarization;
use super::guard::guard;
use super::handle::{self, Object};
use super::model_info::{self, vf_model_info};
use super::options::{self, vf_options};
use super::reload::current;
use super::source::{Callbacks, vf_source};
use super::status::{Failure, OK, vf_status};
use crate::audio::{BufferSource, FileSource};
use crate::diarizer::Diarizer;
use crate::reload::Reloadable;

/// A loaded model with its options, for any number of recordings, from any number of threads.
pub struct vf_diarizer {
    _opaque: (),
}

impl Object for Reloadable<Diarizer> {
    type C = vf_diarizer;
    const NAME: &'static str = "vf_diarizer";
    const TAG: u64 = u64::from_be_bytes(*b"vf_diazr");
}

/// The channel count as the crate has it.
pub(super) fn channels(count: u32) -> Result<u16, Failure> {
    // What does not fit is far beyond the range, which the source checks.
    u16::try_from(count).map_err(|_| Failure::invalid(format!("channels: got {count}, which is too many")))
}

/// The number of values in frames of this many channels.
pub(super) fn values(n_frames: usize, channels: u16) -> Result<usize, Failure> {
    n_frames.checked_mul(usize::from(channels)).ok_or_else(|| {
        Failure::limit(format!("n_frames: {n_frames} frames of {channels} channels do not fit in memory"))
    })
}

/// Loads the model and makes it ready.
///
/// - `options`: the options, copied; NULL for the defaults. Run slots, which are of sessions, are
///   refused.
/// - `call`: the conditions of the load, see `vf_call`; NULL for none. With a switch, a deadline or
///   a progress callback the model is loaded on a thread of the library's, which the call leaves
///   behind when it ends early: that thread ends as soon as it can, and what it made is dropped.
/// - `out`: receives the diarizer, or NULL on failure. Destroy it with `vf_diarizer_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
/// VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
/// VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_create(
    options: *const vf_options,
    call: *const vf_call,
    out: *mut *mut vf_diarizer,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and NULL or live handles and a struct of the size it
        // says, by contract.
        unsafe {
            handle::clear(out)?;
            let config = options::config(options)?;
            let diarizer = call::under(call, |call| Ok(Diarizer::load(&config, call)?))?;
            handle::give(Reloadable::new(diarizer), out);
        }
        Ok(OK)
    })
}

/// Destroys a diarizer. Its results stay.
///
/// - `diarizer`: the diarizer, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_destroy(diarizer: *mut vf_diarizer) {
    guard(|| {
        // SAFETY: NULL or from `vf_diarizer_create`, and not in use, by contract.
        unsafe { handle::destroy::<Reloadable<Diarizer>>(diarizer) }
    });
}

/// Describes the diarizer's model and the provider in use.
///
/// - `diarizer`: the diarizer.
/// - `out`: receives the description; its field `size` is set by the caller.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_describe(
    diarizer: *const vf_diarizer,
    out: *mut vf_model_info,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or a struct of the size it says, by contract.
        unsafe { model_info::describe(current::<Diarizer>(diarizer)?.model(), out) }
    })
}

/// Gives the name of the diarizer's model; of two public models, the names of their files without
/// extension, joined by
/// " + ".
///
/// - `diarizer`: the diarizer.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_model_name(
    diarizer: *const vf_diarizer,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&current::<Diarizer>(diarizer)?.model().name)
        }
    })
}

/// Gives the version of the diarizer's model; empty for two public models, which state none.
///
/// - `diarizer`: the diarizer.
/// - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_model_version(
    diarizer: *const vf_diarizer,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&current::<Diarizer>(diarizer)?.model().version)
        }
    })
}

/// Gives the SHA-256 of the diarizer's model file: 64 lower-case hexadecimal digits. For two public
/// models it is that of the digits of the segmentation model followed by those of the embedding
/// model.
///
/// - `diarizer`: the diarizer.
/// - `out`: receives text with an ending zero byte; NULL is allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes; 65 is enough.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_model_sha256(
    diarizer: *const vf_diarizer,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle and a buffer of the size given, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            buffer.fill_text(&current::<Diarizer>(diarizer)?.model().sha256)
        }
    })
}

/// Finds who spoke when in samples held in memory as floats.
///
/// - `diarizer`: the diarizer.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
///   not kept. NULL is allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel; 0 gives a result without segments.
/// - `sample_rate`: in hertz, 1,000 to 768,000.
/// - `channels`: 1 to 32; their mean is used unless `call` asks for others.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_process_f32(
    diarizer: *const vf_diarizer,
    samples: *const f32,
    n_frames: usize,
    sample_rate: u32,
    channels: u32,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, an array of the shape given, and what
        // `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let channels = self::channels(channels)?;
            let samples = buffer::slice("samples", samples, values(n_frames, channels)?)?;
            let mut source = BufferSource::from_f32(samples, sample_rate, channels)?;
            let result = call::under(call, |call| Ok(diarizer.process(&mut source, call)?))?;
            handle::give(result, out);
        }
        Ok(OK)
    })
}

/// Finds who spoke when in samples held in memory as 16-bit integers.
///
/// - `diarizer`: the diarizer.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side; not kept. NULL
///   is allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel; 0 gives a result without segments.
/// - `sample_rate`: in hertz, 1,000 to 768,000.
/// - `channels`: 1 to 32; their mean is used unless `call` asks for others.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_process_i16(
    diarizer: *const vf_diarizer,
    samples: *const i16,
    n_frames: usize,
    sample_rate: u32,
    channels: u32,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, an array of the shape given, and what
        // `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let channels = self::channels(channels)?;
            let samples = buffer::slice("samples", samples, values(n_frames, channels)?)?;
            let mut source = BufferSource::from_i16(samples, sample_rate, channels)?;
            let result = call::under(call, |call| Ok(diarizer.process(&mut source, call)?))?;
            handle::give(result, out);
        }
        Ok(OK)
    })
}

/// Finds who spoke when in an audio file: WAV, FLAC, MP3, AAC, Opus, Vorbis and the others of
/// docs/AUDIO.md, of any sample rate and channels. Of several audio tracks the default one is used,
/// unless it has little speech and another has more than twice as much; VF_WARNING_CHOSEN_TRACK
/// says which.
///
/// - `diarizer`: the diarizer.
/// - `path`: path of the file, at most 65,536 bytes.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO,
/// VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED,
/// VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_process_file(
    diarizer: *const vf_diarizer,
    path: *const c_char,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, a zero-ended text, and what
        // `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let path = buffer::path("path", path)?;
            let result = call::under(call, |call| Ok(diarizer.process_file(path, call)?))?;
            handle::give(result, out);
        }
        Ok(OK)
    })
}

/// Finds who spoke when in the content of an audio file that is held in memory, of any format that
/// `vf_diarizer_process_file` takes.
///
/// - `diarizer`: the diarizer.
/// - `bytes`: `size` bytes; not kept. NULL is allowed where `size` is 0.
/// - `size`: number of bytes; 0 is refused as an empty file is.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
/// - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_process_encoded(
    diarizer: *const vf_diarizer,
    bytes: *const u8,
    size: usize,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, an array of the size given, and what
        // `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let bytes = buffer::slice("bytes", bytes, size)?;
            let result = call::under(call, |call| {
                Ok(diarizer.process(&mut FileSource::from_bytes("bytes", bytes, call)?, call)?)
            })?;
            handle::give(result, out);
        }
        Ok(OK)
    })
}

/// Finds who spoke when in encoded audio that the host reads, of any format that
/// `vf_diarizer_process_file` takes.
///
/// - `diarizer`: the diarizer.
/// - `source`: where the bytes come from, see `vf_source`; its callbacks are not called after this
///   returns.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none. The switch and the deadline
///   are looked at between reads: one that waits is waited for.
/// - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_IO, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarizer_process_source(
    diarizer: *const vf_diarizer,
    source: *const vf_source,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, a struct of the size it says with
        // callbacks for this thread, and what `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = current::<Diarizer>(diarizer)?;
            let source = Callbacks::of(source)?;
            let result = call::under(call, |call| Ok(diarizer.process(&mut source.open(call)?, call)?))?;
            handle::give(result, out);
        }
        Ok(OK)
    })
}
