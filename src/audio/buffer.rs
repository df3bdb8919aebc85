//! Audio that the caller holds in memory. It owns the walk over the caller's samples, block by
//! block, and copies no more than a block.

use super::{
    AUDIO, AudioSource, Channels, Converter, INVERTED, Recording, SAMPLE_RATE, check_track, output_len,
    take_block,
};
use crate::call::Call;
use crate::error::Result;
use crate::memory;
use crate::types::{Warning, WarningCode};

/// Most interleaved samples converted at a time.
const PUSH: usize = 32_768;

/// Interleaved samples in memory as an [`AudioSource`]. Zero samples are a source that is at its
/// end.
pub struct BufferSource<'a> {
    samples: Samples<'a>,
    format: (u32, u16),
    chosen: Channels,
    position: usize,
    len_hint: u64,
    converter: Converter,
    ready: Vec<f32>,
    scratch: Vec<f32>,
    given: u64,
    warnings: Vec<Warning>,
    ended: bool,
}

#[derive(Clone, Copy)]
enum Samples<'a> {
    F32(&'a [f32]),
    I16(&'a [i16]),
}

impl<'a> BufferSource<'a> {
    /// Float samples, full scale ±1, of `channels` interleaved channels (1 to 32) at `sample_rate`
    /// Hz (1000 to 768000). A frame left incomplete at the end is dropped. NaN and infinity are
    /// refused when they are read.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) where a number is out of range.
    pub fn from_f32(samples: &'a [f32], sample_rate: u32, channels: u16) -> Result<Self> {
        Self::new(Samples::F32(samples), samples.len(), sample_rate, channels)
    }

    /// 16-bit samples, which become `sample / 32768`, of `channels` interleaved channels (1 to 32)
    /// at `sample_rate` Hz (1000 to 768000). A frame left incomplete at the end is dropped.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) where a number is out of range.
    pub fn from_i16(samples: &'a [i16], sample_rate: u32, channels: u16) -> Result<Self> {
        Self::new(Samples::I16(samples), samples.len(), sample_rate, channels)
    }

    fn new(samples: Samples<'a>, len: usize, sample_rate: u32, channels: u16) -> Result<Self> {
        let converter = Converter::new(sample_rate, channels)?;
        let frames = (len / usize::from(channels)) as u64;
        Ok(Self {
            samples,
            format: (sample_rate, channels),
            chosen: Channels::Mix,
            position: 0,
            len_hint: output_len(frames, sample_rate),
            converter,
            ready: Vec::new(),
            scratch: Vec::new(),
            given: 0,
            warnings: Vec::new(),
            ended: false,
        })
    }

    /// The same, with a choice among the channels.
    ///
    /// # Errors
    /// [`Error::Audio`](crate::Error::Audio) where there is no such channel.
    pub fn with_channels(mut self, channels: Channels) -> Result<Self> {
        self.converter.choose(channels)?;
        self.chosen = channels;
        Ok(self)
    }

    /// Converts the next samples; false when there are none left.
    fn convert(&mut self) -> Result<bool> {
        let samples = match self.samples {
            Samples::F32(samples) => next(samples, self.position),
            Samples::I16(samples) => {
                self.scratch.clear();
                let block = next(samples, self.position);
                let floats = block.iter().map(|&sample| f32::from(sample) / 32_768.0);
                memory::extend(AUDIO, &mut self.scratch, floats)?;
                &self.scratch
            }
        };
        self.position += samples.len();
        if samples.is_empty() {
            self.converter.finish(&mut self.ready)?;
            return Ok(false);
        }
        let before = self.given + self.ready.len() as u64;
        self.converter.push(samples, &mut self.ready)?;
        if self.converter.take_inverted() {
            let time_s = before as f64 / f64::from(SAMPLE_RATE);
            log::warn!("{time_s:.1} s: {INVERTED}");
            let text = INVERTED.to_owned();
            self.warnings.push(Warning { code: WarningCode::InvertedChannels, time_s, text });
        }
        Ok(true)
    }
}

fn next<T>(samples: &[T], position: usize) -> &[T] {
    let rest = samples.get(position..).unwrap_or_default();
    rest.get(..PUSH).unwrap_or(rest)
}

impl AudioSource for BufferSource<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        while self.ready.is_empty() && !self.ended {
            match self.convert() {
                Ok(more) => self.ended = !more,
                Err(error) => {
                    self.ended = true;
                    self.ready.clear();
                    return Err(error);
                }
            }
        }
        let count = take_block(&mut self.ready, out)?;
        self.given += count as u64;
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        Some(self.len_hint)
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }

    fn channels(&self) -> Option<u16> {
        Some(self.format.1)
    }

    fn recording(&self) -> Option<&dyn Recording> {
        Some(self)
    }
}

impl Recording for BufferSource<'_> {
    fn tracks(&self) -> u16 {
        1
    }

    fn default_track(&self) -> u16 {
        0
    }

    fn part<'s>(&'s self, track: u16, channels: Channels, _: &Call<'s>) -> Result<Box<dyn AudioSource + 's>> {
        check_track(track, 1)?;
        let (sample_rate, count) = self.format;
        let len = match self.samples {
            Samples::F32(samples) => samples.len(),
            Samples::I16(samples) => samples.len(),
        };
        let part = Self::new(self.samples, len, sample_rate, count)?;
        Ok(Box::new(part.with_channels(if channels == Channels::Mix { self.chosen } else { channels })?))
    }
}
