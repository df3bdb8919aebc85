//! The conditions of one call, as C gives them. The first field is the caller's idea of the size,
//! so that fields can be added at the end without breaking programs already built.

use std::ffi::c_void;
use std::mem::offset_of;
use std::time::Duration;

use super::callback::{self, vf_progress_fn};
use super::cancel::vf_cancel;
use super::handle::{self, Borrow};
use super::sized;
use super::status::Failure;
use crate::call::chosen::MAX_NUMBER;
use crate::call::{Call, Cancel, Channels, Tracks};
use crate::error::Stage;

/// The conditions of one call that may take long. A call that is given NULL for them has none.
///
/// Set it to zeros, and `size` to `sizeof(vf_call)`: `vf_call call = {.size = sizeof call};`. Zeros
/// ask for nothing, whatever fields later releases add at the end. A program built with a later
/// header may use an earlier library as long as the fields that the library does not know are
/// zeros; others are refused with VF_E_INVALID_ARGUMENT, and so are numbers that the call at hand
/// has no use for: those of speakers, and VF_CALL_EXCLUSIVE, are for the results of recordings and
/// of streams, and those of channels and tracks for recordings.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vf_call {
    /// Size of this struct in bytes, set by the caller.
    pub size: usize,
    /// The switch that ends the call with VF_E_CANCELLED soon after it is set; NULL for none.
    pub cancel: *const vf_cancel,
    /// Gets how far the call is, see `vf_progress_fn`; NULL for none.
    pub progress: vf_progress_fn,
    /// Handed to `progress` as it is.
    pub user_data: *mut c_void,
    /// What of the following is asked for: numbers of `vf_call_flag`, added; 0 for none. A number
    /// whose flag is not set has to be 0.
    pub flags: u64,
    /// With VF_CALL_DEADLINE: milliseconds from the start of the call, 0 or more, after which it
    /// ends with VF_E_DEADLINE.
    pub deadline_ms: u64,
    /// With VF_CALL_NUM_SPEAKERS: exactly so many speakers, 1 to 100.
    pub num_speakers: u64,
    /// With VF_CALL_MIN_SPEAKERS: at least so many speakers, 0 to 100.
    pub min_speakers: u64,
    /// With VF_CALL_MAX_SPEAKERS: at most so many speakers, 1 to 100.
    pub max_speakers: u64,
    /// With VF_CALL_CHANNEL: the channel that is used, 1 to 32; 1 is the left one, 2 the right one.
    pub channel: u64,
    /// With VF_CALL_TRACK: the audio track that is used, 1 to 32; tracks of other kinds do not
    /// count.
    pub track: u64,
}

/// What is asked for by a `vf_call`. Numbers of speakers take the place of those of the options.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_call_flag {
    /// The call has the deadline `deadline_ms`.
    VF_CALL_DEADLINE = 1,
    /// The result has exactly `num_speakers` speakers. Not with either of the two below.
    VF_CALL_NUM_SPEAKERS = 2,
    /// The result has at least `min_speakers` speakers.
    VF_CALL_MIN_SPEAKERS = 4,
    /// The result has at most `max_speakers` speakers.
    VF_CALL_MAX_SPEAKERS = 8,
    /// No two segments of the result overlap: where several speakers talk, the one who is the most
    /// active has the time.
    VF_CALL_EXCLUSIVE = 16,
    /// Of several channels, `channel` alone is used, not their mean.
    VF_CALL_CHANNEL = 32,
    /// Each channel is diarized by itself, for recordings with a party on each: no two have a
    /// speaker in common, labels are "CH1_SPEAKER_00", "CH2_SPEAKER_00", and so on, and what leaks
    /// from one channel into another is dropped. Not with VF_CALL_CHANNEL.
    VF_CALL_SEPARATE_CHANNELS = 64,
    /// Of several audio tracks, `track` is used, not the one that has the speech.
    VF_CALL_TRACK = 128,
    /// Each audio track is diarized by itself: no two have a speaker in common, and labels are
    /// "TRACK1_SPEAKER_00", "TRACK2_SPEAKER_00", and so on. Not with VF_CALL_TRACK.
    VF_CALL_ALL_TRACKS = 256,
}

/// All flags that this release knows.
const KNOWN_FLAGS: u64 = vf_call_flag::VF_CALL_DEADLINE as u64
    | vf_call_flag::VF_CALL_NUM_SPEAKERS as u64
    | vf_call_flag::VF_CALL_MIN_SPEAKERS as u64
    | vf_call_flag::VF_CALL_MAX_SPEAKERS as u64
    | vf_call_flag::VF_CALL_EXCLUSIVE as u64
    | vf_call_flag::VF_CALL_CHANNEL as u64
    | vf_call_flag::VF_CALL_SEPARATE_CHANNELS as u64
    | vf_call_flag::VF_CALL_TRACK as u64
    | vf_call_flag::VF_CALL_ALL_TRACKS as u64;
/// Where the fields end.
const FIELD_ENDS: [usize; 11] = [
    offset_of!(vf_call, cancel),
    offset_of!(vf_call, progress),
    offset_of!(vf_call, user_data),
    offset_of!(vf_call, flags),
    offset_of!(vf_call, deadline_ms),
    offset_of!(vf_call, num_speakers),
    offset_of!(vf_call, min_speakers),
    offset_of!(vf_call, max_speakers),
    offset_of!(vf_call, channel),
    offset_of!(vf_call, track),
    size_of::<vf_call>(),
];

impl vf_call {
    /// Asks for nothing.
    const NONE: Self = Self {
        size: size_of::<Self>(),
        cancel: std::ptr::null(),
        progress: None,
        user_data: std::ptr::null_mut(),
        flags: 0,
        deadline_ms: 0,
        num_speakers: 0,
        min_speakers: 0,
        max_speakers: 0,
        channel: 0,
        track: 0,
    };

    /// The number of the field `name`, if `flag` asks for it.
    fn number(&self, name: &str, flag: vf_call_flag, value: u64) -> Result<Option<u64>, Failure> {
        let asked = self.flags & flag as u64 != 0;
        if !asked && value != 0 {
            let text = format!("call: {name}: expected 0 without the flag {flag:?}, got {value}");
            return Err(Failure::invalid(text));
        }
        Ok(asked.then_some(value))
    }

    /// The field `name`, a number from 1, as one from 0, if `flag` asks for it; it must not be
    /// asked for together with `other`.
    fn index(
        &self,
        name: &str,
        flag: vf_call_flag,
        other: vf_call_flag,
        value: u64,
    ) -> Result<Option<u16>, Failure> {
        let Some(number) = self.number(name, flag, value)? else {
            return Ok(None);
        };
        if self.has(other) {
            let text = format!("call: flags: expected {flag:?} or {other:?}, got both");
            return Err(Failure::invalid(text));
        }
        match u16::try_from(number) {
            Ok(number @ 1..=MAX_NUMBER) => Ok(Some(number - 1)),
            _ => Err(Failure::invalid(format!("call: {name}: expected 1 to {MAX_NUMBER}, got {number}"))),
        }
    }

    fn has(&self, flag: vf_call_flag) -> bool {
        self.flags & flag as u64 != 0
    }

    fn channels(&self) -> Result<Channels, Failure> {
        use vf_call_flag::{VF_CALL_CHANNEL, VF_CALL_SEPARATE_CHANNELS};
        let one = self.index("channel", VF_CALL_CHANNEL, VF_CALL_SEPARATE_CHANNELS, self.channel)?;
        let others = if self.has(VF_CALL_SEPARATE_CHANNELS) { Channels::Separate } else { Channels::Mix };
        Ok(one.map_or(others, Channels::Only))
    }

    fn tracks(&self) -> Result<Tracks, Failure> {
        use vf_call_flag::{VF_CALL_ALL_TRACKS, VF_CALL_TRACK};
        let one = self.index("track", VF_CALL_TRACK, VF_CALL_ALL_TRACKS, self.track)?;
        let others = if self.has(VF_CALL_ALL_TRACKS) { Tracks::All } else { Tracks::Speech };
        Ok(one.map_or(others, Tracks::Only))
    }
}

/// Numbers of speakers that a call asks for.
#[derive(Debug, Default, PartialEq)]
struct Speakers {
    num: Option<u64>,
    min: Option<u64>,
    max: Option<u64>,
}

/// The conditions of a call, checked as far as no call has to be known for it.
struct Conditions<'a> {
    cancel: Option<Borrow<'a, Cancel>>,
    progress: vf_progress_fn,
    user_data: callback::UserData,
    deadline: Option<Duration>,
    speakers: Speakers,
    exclusive: bool,
    channels: Channels,
    tracks: Tracks,
}

/// Does `work` under the conditions of a call, of which there are none where the pointer is NULL. A
/// deadline counts from here.
///
/// # Safety
/// `call` is NULL or leads to a `vf_call` that has the bytes its field `size` says; its switch is
/// NULL or a live handle, and its callback may be called on this thread with the user data.
pub(super) unsafe fn under<T>(
    call: *const vf_call,
    work: impl FnOnce(&Call<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // SAFETY: as promised.
    let asked = unsafe { conditions(call) }?;
    let (function, user_data) = (asked.progress, asked.user_data);
    let report = |stage: Stage, fraction: f32| {
        if let Some(function) = function {
            // SAFETY: as promised.
            callback::during(|| unsafe { function(user_data.get(), stage as i32, fraction) });
        }
    };
    let mut call = Call::none().with_deadline(asked.deadline);
    call = call.with_channels(asked.channels).with_tracks(asked.tracks);
    if function.is_some() {
        call = call.with_progress(&report);
    }
    if let Some(cancel) = &asked.cancel {
        call = call.with_cancel(cancel);
    }
    // What is too large for a `usize` is too large for any number of speakers.
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    if let Some(num) = asked.speakers.num {
        call = call.with_num_speakers(count(num));
    }
    if let Some(min) = asked.speakers.min {
        call = call.with_min_speakers(count(min));
    }
    if let Some(max) = asked.speakers.max {
        call = call.with_max_speakers(count(max));
    }
    if asked.exclusive {
        call = call.exclusive();
    }
    work(&call)
}

/// Reads the conditions of a call.
///
/// # Safety
/// As [`under`].
unsafe fn conditions<'a>(call: *const vf_call) -> Result<Conditions<'a>, Failure> {
    // SAFETY: as promised.
    let call = unsafe { read(call) }?;
    let flags = call.flags;
    if flags & !KNOWN_FLAGS != 0 {
        let text = format!("call: flags: expected those of vf_call_flag ({KNOWN_FLAGS:#x}), got {flags:#x}");
        return Err(Failure::invalid(text));
    }
    let deadline_ms = call.number("deadline_ms", vf_call_flag::VF_CALL_DEADLINE, call.deadline_ms)?;
    let speakers = Speakers {
        num: call.number("num_speakers", vf_call_flag::VF_CALL_NUM_SPEAKERS, call.num_speakers)?,
        min: call.number("min_speakers", vf_call_flag::VF_CALL_MIN_SPEAKERS, call.min_speakers)?,
        max: call.number("max_speakers", vf_call_flag::VF_CALL_MAX_SPEAKERS, call.max_speakers)?,
    };
    Ok(Conditions {
        // SAFETY: NULL or a live handle, as promised.
        cancel: unsafe { handle::borrow_nullable::<Cancel>(call.cancel) }?,
        progress: call.progress,
        user_data: callback::UserData(call.user_data),
        deadline: deadline_ms.map(Duration::from_millis),
        speakers,
        exclusive: call.has(vf_call_flag::VF_CALL_EXCLUSIVE),
        channels: call.channels()?,
        tracks: call.tracks()?,
    })
}

/// The caller's struct, with zeros for the fields that it does not have.
///
/// # Safety
/// As [`conditions`].
unsafe fn read(call: *const vf_call) -> Result<vf_call, Failure> {
    if call.is_null() {
        return Ok(vf_call::NONE);
    }
    // SAFETY: as promised; the fields are numbers and pointers, which take any value, and a pointer
    // to a function, which is NULL or one of that type.
    unsafe { sized::read("call", call, vf_call::NONE, &FIELD_ENDS) }
}

#[cfg(test)]
mod tests {
    use super::super::sized::MAX_SIZE;
    use super::*;

    /// What a later release may have.
    #[repr(C)]
    struct Newer {
        known: vf_call,
        added: [u64; 2],
        beyond: u64,
    }

    fn newer(size: usize) -> Newer {
        Newer { known: vf_call { size, ..vf_call::NONE }, added: [0; 2], beyond: 7 }
    }

    /// The deadline read of it, or why it is refused.
    fn deadline(call: &Newer) -> Result<Option<Duration>, String> {
        // SAFETY: the struct has the size it says and more, or a size that is refused before more
        // is read.
        unsafe { conditions((&raw const *call).cast()) }
            .map(|found| found.deadline)
            .map_err(|failure| failure.text)
    }

    #[test]
    fn zeros_ask_for_nothing_and_a_deadline_of_zero_is_one() {
        let mut call = newer(size_of::<vf_call>());
        assert_eq!(deadline(&call), Ok(None));
        call.known.flags = vf_call_flag::VF_CALL_DEADLINE as u64;
        assert_eq!(deadline(&call), Ok(Some(Duration::ZERO)));
        call.known.deadline_ms = 250;
        assert_eq!(deadline(&call), Ok(Some(Duration::from_millis(250))));
        // SAFETY: NULL asks for nothing.
        let none = unsafe { conditions(std::ptr::null()) }.unwrap();
        assert!(none.deadline.is_none() && none.speakers == Speakers::default() && !none.exclusive);
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let mut call = newer(size_of::<vf_call>());
        call.known.deadline_ms = 250;
        let text = deadline(&call).unwrap_err();
        assert_eq!(text, "call: deadline_ms: expected 0 without the flag VF_CALL_DEADLINE, got 250");
        call.known.flags = 1536;
        assert_eq!(
            deadline(&call).unwrap_err(),
            "call: flags: expected those of vf_call_flag (0x1ff), got 0x600"
        );
    }

    #[test]
    fn tracks_and_channels_are_numbers_from_one() {
        use vf_call_flag::{VF_CALL_ALL_TRACKS, VF_CALL_CHANNEL, VF_CALL_SEPARATE_CHANNELS, VF_CALL_TRACK};
        let asked = |flags: &[vf_call_flag], channel, track| {
            let flags = flags.iter().fold(0, |all, &flag| all | flag as u64);
            // SAFETY: the struct has the size it says.
            let found = unsafe { conditions(&vf_call { flags, channel, track, ..vf_call::NONE }) };
            found.map(|found| (found.channels, found.tracks)).map_err(|failure| failure.text)
        };
        assert_eq!(asked(&[], 0, 0), Ok((Channels::Mix, Tracks::Speech)));
        let one = asked(&[VF_CALL_CHANNEL, VF_CALL_TRACK], 2, 1);
        assert_eq!(one, Ok((Channels::Only(1), Tracks::Only(0))));
        let each = asked(&[VF_CALL_SEPARATE_CHANNELS, VF_CALL_ALL_TRACKS], 0, 0);
        assert_eq!(each, Ok((Channels::Separate, Tracks::All)));
        let refused = |flags: &[vf_call_flag], channel, track| asked(flags, channel, track).unwrap_err();
        assert_eq!(refused(&[VF_CALL_CHANNEL], 0, 0), "call: channel: expected 1 to 32, got 0");
        assert_eq!(refused(&[VF_CALL_TRACK], 0, 33), "call: track: expected 1 to 32, got 33");
        assert!(refused(&[], 1, 0).starts_with("call: channel: expected 0 without the flag"));
        let both = refused(&[VF_CALL_TRACK, VF_CALL_ALL_TRACKS], 0, 1);
        assert_eq!(both, "call: flags: expected VF_CALL_TRACK or VF_CALL_ALL_TRACKS, got both");
    }

    #[test]
    fn a_larger_struct_must_end_in_zeros_and_a_smaller_one_counts_as_far_as_it_goes() {
        let mut call = newer(size_of::<vf_call>() + 16);
        call.known.flags = vf_call_flag::VF_CALL_DEADLINE as u64;
        call.known.deadline_ms = 9;
        assert_eq!(deadline(&call), Ok(Some(Duration::from_millis(9))));
        call.added[1] = 1;
        assert!(deadline(&call).unwrap_err().contains("of a later release"));
        // A program built before there were numbers of speakers has a deadline; one that ends in
        // half of it has one of 0.
        call.known.size = offset_of!(vf_call, num_speakers);
        assert_eq!(deadline(&call), Ok(Some(Duration::from_millis(9))));
        call.known.deadline_ms = 0;
        call.known.size = offset_of!(vf_call, num_speakers) - 1;
        assert_eq!(deadline(&call), Ok(Some(Duration::ZERO)));
        call.known.size = offset_of!(vf_call, flags);
        assert_eq!(deadline(&call), Ok(None));
        for size in [0, 1, FIELD_ENDS[0] - 1, MAX_SIZE + 1, usize::MAX] {
            call.known.size = size;
            assert!(deadline(&call).unwrap_err().contains("the field size to be 88, got"), "{size}");
        }
    }
}
