//! The stream: live audio in, segments out as it comes.

use super::buffer::{self, Buffer};
use super::call::{self, vf_call};
use super::diarization::vf_diarization;
use super::diarizer::{channels, values, vf_diarizer};
use super::guard::guard;
use super::handle::{self, Borrow, Object, borrow};
use super::options::{self, vf_options};
use super::segment::vf_segment;
use super::status::{Failure, OK, vf_status};
use crate::call::Call;
use crate::diarizer::Diarizer;
use crate::reload::Reloadable;
use crate::stream::Stream;

/// One live audio source over a diarizer.
pub struct vf_stream {
    _opaque: (),
}

/// A stream whose locks this process knows: in a child of fork(2) they may be held by threads that
/// it does not have.
///
/// # Safety
/// As [`borrow`].
unsafe fn borrow_here<'a>(stream: *const vf_stream) -> Result<Borrow<'a, Stream>, Failure> {
    // SAFETY: as promised.
    let stream = unsafe { borrow::<Stream>(stream) }?;
    stream.check_process()?;
    Ok(stream)
}

impl Object for Stream {
    type C = vf_stream;
    const NAME: &'static str = "vf_stream";
    const TAG: u64 = u64::from_be_bytes(*b"vf_strem");
}

/// Makes a stream for one source of live audio. It shares the model and the run slots of the
/// diarizer, which may be destroyed before it. A diarizer without a model asked for has two where
/// the accurate bundle is there: recordings are diarized with that, streams with the joint model,
/// which the first stream loads. Voices of the two cannot be compared: name one model
/// (`vf_options_set_bundle`) where a gallery serves both.
///
/// - `diarizer`: the diarizer.
/// - `options`: latency, history, most speakers, least speech and silence, clustering threshold,
///   and whether it follows reloads; copied. NULL for the defaults. What else they say is left
///   alone: models and providers are the diarizer's, and the result of `vf_stream_finish` follows
///   the diarizer's options and its own call alone.
/// - `sample_rate`: in hertz, 1,000 to 768,000.
/// - `channels`: 1 to 32; their mean is used.
/// - `call`: the conditions of the call, see `vf_call`, for a model that it loads; NULL for none.
/// - `out`: receives the stream, or NULL on failure. Destroy it with `vf_stream_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_MODEL, VF_E_RUNTIME, VF_E_PROVIDER,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_FORKED, VF_E_LIMIT, VF_E_ENDING, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_create(
    diarizer: *const vf_diarizer,
    options: *const vf_options,
    sample_rate: u32,
    channels: u32,
    call: *const vf_call,
    out: *mut *mut vf_stream,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, NULL or a live handle, and what
        // `call::under` asks for, by contract.
        unsafe {
            handle::clear(out)?;
            let diarizer = borrow::<Reloadable<Diarizer>>(diarizer)?;
            let config = options::config(options)?;
            let channels = self::channels(channels)?;
            let open = |call: &Call<'_>| {
                Ok(Stream::open_reloadable(&diarizer, &config, sample_rate, channels, call)?)
            };
            handle::give(call::under(call, open)?, out);
        }
        Ok(OK)
    })
}

/// Destroys a stream.
///
/// - `stream`: the stream, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_destroy(stream: *mut vf_stream) {
    guard(|| {
        // SAFETY: NULL or from `vf_stream_create`, and not in use, by contract.
        unsafe { handle::destroy::<Stream>(stream) }
    });
}

/// Tells the time until what the stream says of a moment never changes: from the end of that moment
/// to the last audio that is needed. What it says first comes with the next window, at most 400 ms
/// after.
///
/// - `stream`: the stream.
/// - `latency_ms`: receives milliseconds: the latency of the options, pauses to be filled, and what
///   resampling holds back.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_latency_ms(stream: *const vf_stream, latency_ms: *mut f64) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe {
            let latency_s = borrow::<Stream>(stream)?.latency_s();
            buffer::store("latency_ms", latency_ms, latency_s * 1000.0)?;
        }
        Ok(OK)
    })
}

/// Takes the next samples as floats and analyses the windows that they complete, on this thread:
/// the work is that of the audio pushed, and no other stream waits for more than one window of it.
/// All samples are taken or none; after VF_E_CANCELLED, VF_E_DEADLINE, VF_E_RUNTIME and VF_E_MODEL
/// they are taken, and the next call goes on with them. Where there is no memory for them
/// (VF_E_LIMIT), some may be lost, and the stream takes no more: `vf_stream_finish` answers for
/// what came before, and `vf_stream_reset` makes it as new.
///
/// - `stream`: the stream.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
///   not kept. NULL is allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel: any number, from none to minutes of them. More is refused
///   (VF_E_LIMIT) while an hour of audio is there that earlier calls failed to analyse.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
///
/// Any thread, concurrently; pushes into one stream wait for each other, in the order in which they
/// came.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_push_f32(
    stream: *const vf_stream,
    samples: *const f32,
    n_frames: usize,
    call: *const vf_call,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, an array of the shape given, and what `call::under` asks for, by
        // contract.
        unsafe {
            let stream = borrow::<Stream>(stream)?;
            let (_, channels) = stream.format();
            let samples = buffer::slice("samples", samples, values(n_frames, channels)?)?;
            call::under(call, |call| Ok(stream.push_f32(samples, call)?))?;
        }
        Ok(OK)
    })
}

/// As `vf_stream_push_f32`, with samples as 16-bit integers.
///
/// - `stream`: the stream.
/// - `samples`: [n_frames, channels] values, the channels of a frame side by side; not kept. NULL
///   is allowed where `n_frames` is 0.
/// - `n_frames`: samples of each channel: any number, from none to minutes of them. More is refused
///   (VF_E_LIMIT) while an hour of audio is there that earlier calls failed to analyse.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
///
/// Any thread, concurrently; pushes into one stream wait for each other, in the order in which they
/// came.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_push_i16(
    stream: *const vf_stream,
    samples: *const i16,
    n_frames: usize,
    call: *const vf_call,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, an array of the shape given, and what `call::under` asks for, by
        // contract.
        unsafe {
            let stream = borrow::<Stream>(stream)?;
            let (_, channels) = stream.format();
            let samples = buffer::slice("samples", samples, values(n_frames, channels)?)?;
            call::under(call, |call| Ok(stream.push_i16(samples, call)?))?;
        }
        Ok(OK)
    })
}

/// Takes out segments that were not read yet: first the final ones (`VF_SEGMENT_FINAL`), each once,
/// in the order of their end; then those that are not final, each once. The latter hold until
/// `vf_stream_updates` gives another number: forget them then, also where there are no others to
/// read. Waits for no push.
///
/// - `stream`: the stream.
/// - `out`: receives the segments; their speakers are numbers of this stream, which keep their
///   meaning until it is reset. NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in segments; what does not fit is read next time.
/// - `n`: receives the number of segments written; 0 when there is nothing new.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_read(
    stream: *const vf_stream,
    out: *mut vf_segment,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, stream) = unsafe { (Buffer::new("out", out, cap, n)?, borrow_here(stream)?) };
        let segments: Vec<vf_segment> = stream.read(cap).iter().map(vf_segment::from).collect();
        buffer.fill(&segments)
    })
}

/// Tells how many times the provisional segments were replaced, by pushes that completed a window
/// and by the finish. Once the number has changed, segments read before that were not final hold no
/// longer, whether or not there are others to read.
///
/// - `stream`: the stream.
/// - `n`: receives the number.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_updates(stream: *const vf_stream, n: *mut u64) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe { buffer::store("n", n, borrow_here(stream)?.updates()) }?;
        Ok(OK)
    })
}

/// Gives the number of speakers so far.
///
/// - `stream`: the stream.
/// - `n`: receives the number.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_speaker_count(stream: *const vf_stream, n: *mut usize) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe {
            buffer::store("n", n, 0)?;
            buffer::store("n", n, borrow_here(stream)?.speaker_count())?;
        }
        Ok(OK)
    })
}

/// Gives the voice embedding of a speaker as it is known by now, a vector of unit length: what
/// `vf_gallery_identify` asks for.
///
/// - `stream`: the stream.
/// - `speaker`: number of the speaker, 0 to the speaker count less 1.
/// - `out`: receives the values; NULL is allowed where `cap` is 0.
/// - `cap`: room in `out`, in values.
/// - `n`: receives the number of values, the model's `embedding_dim`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_FORKED, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_speaker_embedding(
    stream: *const vf_stream,
    speaker: i32,
    out: *mut f32,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, stream) = unsafe { (Buffer::new("out", out, cap, n)?, borrow_here(stream)?) };
        let found = usize::try_from(speaker).ok().and_then(|speaker| stream.speaker(speaker));
        let known = stream.speaker_count();
        let unknown =
            || Failure::invalid(format!("speaker: expected one of the {known} so far, got {speaker}"));
        buffer.fill(&found.ok_or_else(unknown)?.embedding)
    })
}

/// Ends the stream: all segments become final and can be read, and all of its audio is clustered
/// anew as a whole, over the time of the option history. Afterwards the stream takes no audio until
/// it is reset.
///
/// - `stream`: the stream.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none. Its progress callback must
///   not wait for a thread that pushes into this stream or resets it: they wait for the finish.
/// - `out`: receives the result, or NULL on failure; its speakers are numbered anew, see
///   `vf_stream_final_speakers`. Destroy it with `vf_diarization_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
/// VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_finish(
    stream: *const vf_stream,
    call: *const vf_call,
    out: *mut *mut vf_diarization,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, a live handle, and what `call::under` asks for, by
        // contract.
        unsafe {
            handle::clear(out)?;
            let stream = borrow::<Stream>(stream)?;
            let finished = call::under(call, |call| Ok(stream.finish(call)?))?;
            handle::give(finished.diarization, out);
        }
        Ok(OK)
    })
}

/// Tells for each speaker of a finished stream who that is in the result of `vf_stream_finish`.
///
/// - `stream`: the stream.
/// - `out`: receives numbers of the result's speakers, -1 for one who is nobody there; NULL is
///   allowed where `cap` is 0.
/// - `cap`: room in `out`.
/// - `n`: receives the number of the stream's speakers.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_FORKED, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_final_speakers(
    stream: *const vf_stream,
    out: *mut i32,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given and a live handle, by contract.
        let (buffer, stream) = unsafe { (Buffer::new("out", out, cap, n)?, borrow_here(stream)?) };
        let unfinished = || Failure::invalid("stream: expected to be finished first");
        let number = |speaker: &Option<usize>| speaker.and_then(|s| i32::try_from(s).ok()).unwrap_or(-1);
        let speakers = stream.final_speakers().ok_or_else(unfinished)?;
        buffer.fill_with(speakers.iter().map(number))
    })
}

/// Forgets all audio: the stream is as new, segments that were not read included. Waits for the
/// calls that came before.
///
/// - `stream`: the stream.
/// - `call`: the conditions of the call, see `vf_call`; NULL for none.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_FORKED,
/// VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_stream_reset(stream: *const vf_stream, call: *const vf_call) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and what `call::under` asks for, by contract.
        unsafe {
            let stream = borrow::<Stream>(stream)?;
            call::under(call, |call| Ok(stream.reset(call)?))?;
        }
        Ok(OK)
    })
}
