//! What a result should be read with: what was skipped in its recording, what is missing, what was
//! chosen.

use std::ffi::c_char;

use super::buffer::{self, Buffer};
use super::diarization::vf_diarization;
use super::guard::guard;
use super::handle::borrow;
use super::status::{Failure, OK, vf_status};
use crate::types::{Diarization, WarningCode};

/// What a warning of a result is about. Later releases may add numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_warning_code {
    /// Bytes of the file that are no audio were skipped.
    VF_WARNING_SKIPPED_BYTES = 1,
    /// Audio that is damaged or missing was replaced by silence.
    VF_WARNING_LOST_AUDIO = 2,
    /// The file ends, or cannot be read on, before its audio does.
    VF_WARNING_ENDS_EARLY = 3,
    /// Two channels are each other's inverse, so that the first alone is used.
    VF_WARNING_INVERTED_CHANNELS = 4,
    /// One of several audio tracks was taken without being asked for; the text says which.
    VF_WARNING_CHOSEN_TRACK = 5,
    /// An audio track cannot be decoded.
    VF_WARNING_SKIPPED_TRACK = 6,
    /// The container's edit list is not followed as it is; the text says in what.
    VF_WARNING_UNFOLLOWED_EDIT = 7,
}

impl From<WarningCode> for vf_warning_code {
    fn from(code: WarningCode) -> Self {
        match code {
            WarningCode::SkippedBytes => Self::VF_WARNING_SKIPPED_BYTES,
            WarningCode::LostAudio => Self::VF_WARNING_LOST_AUDIO,
            WarningCode::EndsEarly => Self::VF_WARNING_ENDS_EARLY,
            WarningCode::InvertedChannels => Self::VF_WARNING_INVERTED_CHANNELS,
            WarningCode::ChosenTrack => Self::VF_WARNING_CHOSEN_TRACK,
            WarningCode::SkippedTrack => Self::VF_WARNING_SKIPPED_TRACK,
            WarningCode::UnfollowedEdit => Self::VF_WARNING_UNFOLLOWED_EDIT,
        }
    }
}

/// Gives the number of warnings: of what was skipped in the recording, what is missing, and what
/// was chosen without being asked for.
///
/// - `diarization`: the result.
/// - `n`: receives the number, at most 100.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_warning_count(
    diarization: *const vf_diarization,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a live handle, and NULL or valid for a write, by contract.
        unsafe { buffer::store("n", n, borrow::<Diarization>(diarization)?.warnings.len()) }?;
        Ok(OK)
    })
}

/// Gives a warning.
///
/// - `diarization`: the result.
/// - `index`: number of the warning, 0 to the warning count less 1.
/// - `code`: receives a number of `vf_warning_code`.
/// - `time_s`: receives where in the recording it is, in seconds.
/// - `out`: receives what there is to say, English in UTF-8 with an ending zero byte; NULL is
///   allowed where `cap` is 0.
/// - `cap`: size of `out` in bytes.
/// - `n`: receives the bytes that the text takes with its end.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
/// VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_diarization_warning(
    diarization: *const vf_diarization,
    index: usize,
    code: *mut i32,
    time_s: *mut f64,
    out: *mut c_char,
    cap: usize,
    n: *mut usize,
) -> vf_status {
    guard(|| {
        // SAFETY: a buffer of the size given, a live handle, and places that are NULL or valid for
        // a write, by contract.
        unsafe {
            let buffer = Buffer::new("out", out, cap, n)?;
            let diarization = borrow::<Diarization>(diarization)?;
            let count = diarization.warnings.len();
            let warning = diarization.warnings.get(index).ok_or_else(|| {
                Failure::invalid(format!("index: expected one of the {count} warnings, got {index}"))
            })?;
            buffer::store("code", code, vf_warning_code::from(warning.code) as i32)?;
            buffer::store("time_s", time_s, warning.time_s)?;
            buffer.fill_text(&warning.text)
        }
    })
}
