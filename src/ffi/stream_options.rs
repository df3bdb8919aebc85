//! Options of streams.

use super::buffer;
use super::guard::guard;
use super::options::{set, vf_options};
use super::status::vf_status;

/// Sets the longest delay until what a stream says of a moment becomes final. Default 1.
///
/// - `options`: the options.
/// - `latency_s`: seconds, 0.5 to 5; the longer, the fewer mistakes.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_latency_s(options: *mut vf_options, latency_s: f64) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_latency(latency_s)) })
}

/// Sets how much of a stream is in the result of `vf_stream_finish`. Default 7,200: the last two
/// hours.
///
/// - `options`: the options.
/// - `history_s`: seconds, 0 to 86,400. An hour takes some 14 MB with fast-cnn, beside some 10 MB
///   that the first ten minutes of a process's first stream take for good; 19 to 27 MB with a pair
///   of public models whose voices are of 192 to 512 numbers. `vf_stream_finish` takes up to 72 MB
///   more for its time, for distances between voices. With 0 the stream does a third less work, and
///   the result is empty.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_history_s(options: *mut vf_options, history_s: f64) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_history(history_s)) })
}

/// Sets whether a stream goes over to the versions that `vf_diarizer_reload` puts in the place of
/// its diarizer's. Default 0: it stays with the one that it began with.
///
/// - `options`: the options.
/// - `follow`: 1: it goes over between two windows, and its speakers keep their numbers. To a
///   version of another voice space they are known by their newest speech, of which the stream
///   keeps 8 s each in memory; embeddings have that version's size from then on. Where the new
///   version cannot take the place of the old one, the stream goes on as it is, which is logged.
///   `vf_stream_reset` begins with the current version. 0: it stays.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_follow_reloads(options: *mut vf_options, follow: i32) -> vf_status {
    guard(|| {
        let follow = buffer::switch("follow", follow)?;
        // SAFETY: a live handle, by contract.
        unsafe {
            set(options, |config| {
                config.set_follow_reloads(follow);
                Ok(())
            })
        }
    })
}
