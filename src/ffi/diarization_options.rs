//! The options of the diarization itself: how many speakers, how far apart windows are, which
//! voices are one, what is too short.

use super::guard::guard;
use super::options::{set, vf_options};
use super::status::vf_status;

/// Asks for exactly this many speakers. Default: the voices decide. A recording without speech has
/// none whatever is asked for.
///
/// - `options`: the options.
/// - `count`: 1 to 100.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_num_speakers(options: *mut vf_options, count: usize) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_num_speakers(count)) })
}

/// Asks for at least `min` and at most `max` speakers. Default 0 and 100. A recording without
/// speech has none whatever is asked for.
///
/// - `options`: the options.
/// - `min`: 0 to 100.
/// - `max`: 1 to 100, at least `min`.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_speaker_range(
    options: *mut vf_options,
    min: usize,
    max: usize,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_speaker_range(min, max)) })
}

/// Sets the time from the start of one window to the next. Default: stored in the model; 1.75 s for
/// two public models.
///
/// - `options`: the options.
/// - `hop_s`: seconds, 0.1 to 60, and at most the model's window, which the create function checks.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_hop_s(options: *mut vf_options, hop_s: f64) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_hop(hop_s)) })
}

/// Sets the distance under which two clusters of voices are one speaker. Default: stored in the
/// model, else that of the clustering method.
///
/// - `options`: the options.
/// - `threshold`: 0 to 2; lower finds more speakers. Cosine distance for VF_CLUSTERING_AVERAGE, and
///   for VF_CLUSTERING_VBX with a PLDA that the model brings; Euclidean distance of voices of unit
///   length for the others.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_clustering_threshold(
    options: *mut vf_options,
    threshold: f32,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_clustering_threshold(threshold)) })
}

/// Drops segments that are shorter than this. Default: stored in the model, 0.2 in fast-cnn and
/// accurate; 0, which drops none, for two public models.
///
/// - `options`: the options.
/// - `min_speech_s`: seconds, 0 to 60.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_min_speech_s(
    options: *mut vf_options,
    min_speech_s: f64,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_min_speech(min_speech_s)) })
}

/// Fills pauses of one speaker that are shorter than this. Default 0: none.
///
/// - `options`: the options.
/// - `min_silence_s`: seconds, 0 to 60.
///
/// One thread at a time per handle.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_options_set_min_silence_s(
    options: *mut vf_options,
    min_silence_s: f64,
) -> vf_status {
    // SAFETY: a live handle, by contract.
    guard(|| unsafe { set(options, |config| config.set_min_silence(min_silence_s)) })
}
