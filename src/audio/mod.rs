//! Audio: anything in, blocks of 16 kHz mono out.
//!
//! ```text
//! file ──> symphonia ──┐
//!                      ├──> Converter: finite? clamp, mean of the channels, resample ──> 16 kHz mono
//! PCM in memory ───────┘
//! ```
//!
//! This room owns decoding, downmixing and resampling. It holds a bounded amount of audio at any
//! time, whatever the length of the input, and knows nothing of windows, models or speakers.

mod buffer;
mod codec;
mod container;
mod decode;
mod downmix;
mod finite;
mod input;
mod leash;
mod resample;
mod shield;
mod signature;
mod timeline;

use std::path::Path;

pub use buffer::BufferSource;
pub use decode::FileSource;
pub(crate) use finite::first_not_finite;
pub use input::{Follow, Pipe};
pub use resample::Converter;
pub use signature::{SIGNATURE_LEN, encoded_format, perhaps_encoded};

use crate::call::Call;
pub use crate::call::{Channels, Tracks};
use crate::error::{Error, Result};
use crate::memory;
use crate::types::Warning;

/// Samples per second of everything that leaves this module.
pub const SAMPLE_RATE: u32 = 16_000;
/// Lowest sample rate of the input, in Hz.
pub const MIN_INPUT_RATE: u32 = 1_000;
/// Highest sample rate of the input, in Hz.
pub const MAX_INPUT_RATE: u32 = 768_000;
/// Most channels of the input.
pub const MAX_CHANNELS: u16 = 32;
/// Largest magnitude a sample keeps, 120 dB over full scale; a finite sample beyond it is clamped
/// to it. So scale mistakes (integers stored as floats) keep their shape, and no sum over channels
/// or filter taps overflows to infinity.
pub const MAX_MAGNITUDE: f32 = 1.0e6;

/// Largest share of the work that is reported while a recording is read: it is not analysed when
/// its last sample is read.
pub(crate) const MAX_READ_FRACTION: f32 = 0.99;

/// What is said of two channels that cancel each other.
pub(crate) const INVERTED: &str = "the two channels are each other's inverse: the first is used alone";
/// Most warnings of one recording.
pub(crate) const MAX_WARNINGS: usize = 100;

/// What the memory of this room is for, in errors.
const AUDIO: &str = "audio";

/// Most samples of one block: a second.
const MAX_BLOCK: usize = SAMPLE_RATE as usize;

/// A source of 16 kHz mono audio in bounded blocks.
pub trait AudioSource {
    /// Appends the next block, at most one second, to `out`. Returns the number of samples
    /// appended; 0 at the end and at every call after it.
    ///
    /// # Errors
    /// [`Error::Audio`] where the input cannot be decoded or holds NaN or infinity, [`Error::Io`]
    /// where the system fails to read it, [`Error::Memory`]. After an error the source has ended.
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize>;

    /// Total number of 16 kHz samples where it is known beforehand, else `None`. For progress only:
    /// a damaged file can hold fewer or more, so nothing may be allocated by it.
    fn len_hint(&self) -> Option<u64>;

    /// What was skipped or missing so far, at most 100 things; for the result's warnings.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// Number of channels that the samples are made of, where it is known; of encoded audio that is
    /// when some of it was read.
    fn channels(&self) -> Option<u16> {
        None
    }

    /// The recording that this is audio of, where that can be read again from its beginning. It is
    /// asked for before the first read. Without one, no tracks and channels can be chosen.
    fn recording(&self) -> Option<&dyn Recording> {
        None
    }
}

/// A recording of which each track and channel can be read by itself.
pub trait Recording {
    /// What errors call it; `None` for samples.
    fn name(&self) -> Option<&Path> {
        None
    }

    /// Number of audio tracks, whether they can be decoded or not, at least 1 and at most 32:
    /// others are not looked at.
    fn tracks(&self) -> u16;

    /// The track that is used where none is asked for, counted from 0.
    fn default_track(&self) -> u16;

    /// The audio of a track, counted from 0, from its beginning, for work that `call` ends. It is a
    /// recording of its own no more: [`AudioSource::recording`] gives `None`.
    ///
    /// # Errors
    /// [`Error::Audio`] where there is no such track, or none that can be decoded; those of
    /// [`FileSource::open_until`]. Where there is no such channel, reading fails with
    /// [`Error::Audio`].
    fn part<'s>(
        &'s self,
        track: u16,
        channels: Channels,
        call: &Call<'s>,
    ) -> Result<Box<dyn AudioSource + 's>>;
}

/// Refuses a track beyond the `count` that there are.
fn check_track(track: u16, count: u16) -> Result<()> {
    if track < count {
        return Ok(());
    }
    let number = u32::from(track) + 1;
    Err(Error::Audio(format!("track: expected one of the {count} that there are, got number {number}")))
}

/// Output samples that `frames` input frames at `rate` Hz become, rounded to the nearest.
fn output_len(frames: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    let samples = (u128::from(frames) * u128::from(SAMPLE_RATE) + rate / 2) / rate;
    u64::try_from(samples).unwrap_or(u64::MAX)
}

/// Moves at most one block from the front of `ready` to the end of `out`.
fn take_block(ready: &mut Vec<f32>, out: &mut Vec<f32>) -> Result<usize> {
    let count = ready.len().min(MAX_BLOCK);
    memory::reserve(AUDIO, out, count)?;
    out.extend(ready.drain(..count));
    Ok(count)
}
