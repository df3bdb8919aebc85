//! The converter: interleaved samples of any rate and channel count in, 16 kHz mono out, push by
//! push. It owns the check for finite samples, the downmix and the resampler; it reads no files.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, Fft, FixedAsync, FixedSync, Indexing, Resampler, SincInterpolationParameters, WindowFunction,
};

use super::downmix::Downmix;
use super::{
    AUDIO, Channels, MAX_CHANNELS, MAX_INPUT_RATE, MIN_INPUT_RATE, SAMPLE_RATE, first_not_finite, output_len,
};
use crate::error::{Error, Result};
use crate::memory;

/// Length of the anti-aliasing filter in samples of the lower of the two rates. 1024 put the edge
/// of the passband at 7.6 kHz and the delay, which is compensated, at 32 ms.
const FILTER_LEN: usize = 1024;
/// Longest block of the FFT resampler, in filter lengths. The block is a multiple of twice the rate
/// over the greatest common divisor of both rates, which is short for every usual rate; the others
/// go to the sinc resampler.
const MAX_FFT_BLOCK: usize = 2;
/// Filter length of the sinc resampler, in samples of the lower of the two rates.
const SINC_LEN: usize = 256;
/// Input frames per call of the sinc resampler.
const SINC_BLOCK: usize = 1024;
/// Mono frames that are collected before they go to the resampler; bounds the scratch space.
const MIX_BLOCK: usize = 16_384;

/// Converts interleaved audio of any rate and channel count to 16 kHz mono. The channels are mixed
/// by their mean, unless they cancel each other: see [`Channels::Mix`]. 16 kHz mono passes through
/// bit for bit (up to [`MAX_MAGNITUDE`](super::MAX_MAGNITUDE)).
///
/// What is at time t in the input is at time t in the output: the resampler's delay is cut from the
/// start. The output is the same however the input is split into pushes. At most 2560 samples of
/// the lower of the two rates (0.16 s from 16 kHz up, 0.12 s for the usual ones) are held back
/// until [`finish`](Converter::finish), which brings the total to exactly
/// `round(frames * 16000 / sample_rate)`.
pub struct Converter {
    sample_rate: u32,
    channels: usize,
    /// Whole frames taken so far, and samples of the frame that a push left incomplete.
    frames: u64,
    partial: Vec<f32>,
    downmix: Downmix,
    mono: Vec<f32>,
    /// `None` where the input is at 16 kHz already.
    rate: Option<RateConverter>,
    ended: bool,
}

impl Converter {
    /// A converter for `channels` interleaved channels (1 to 32) at `sample_rate` Hz (1000 to
    /// 768000).
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where a number is out of range.
    pub fn new(sample_rate: u32, channels: u16) -> Result<Self> {
        Self::with_channels(sample_rate, channels, Channels::Mix)
    }

    /// As [`new`](Converter::new), with a choice among the channels.
    ///
    /// # Errors
    /// Those of [`new`](Converter::new); [`Error::Audio`] for a channel that there is none of.
    pub fn with_channels(sample_rate: u32, channels: u16, choice: Channels) -> Result<Self> {
        if !(MIN_INPUT_RATE..=MAX_INPUT_RATE).contains(&sample_rate) {
            return Err(Error::invalid(
                "sample rate",
                format!("expected {MIN_INPUT_RATE} to {MAX_INPUT_RATE} Hz, got {sample_rate} Hz"),
            ));
        }
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(Error::invalid("channels", format!("expected 1 to {MAX_CHANNELS}, got {channels}")));
        }
        let rate = if sample_rate == SAMPLE_RATE { None } else { Some(RateConverter::new(sample_rate)?) };
        Ok(Self {
            sample_rate,
            channels: usize::from(channels),
            frames: 0,
            partial: Vec::new(),
            downmix: Downmix::new(sample_rate, usize::from(channels), choice)?,
            mono: Vec::new(),
            rate,
            ended: false,
        })
    }

    /// Chooses among the channels, from the next frame on.
    ///
    /// # Errors
    /// [`Error::Audio`] where there is no such channel.
    pub fn choose(&mut self, choice: Channels) -> Result<()> {
        self.downmix = Downmix::new(self.sample_rate, self.channels, choice)?;
        Ok(())
    }

    /// Time in seconds for which a sample is held back at most: none at 16 kHz.
    pub fn held_back_s(&self) -> f64 {
        let Some(rate) = &self.rate else { return 0.0 };
        let block_s = rate.resampler.input_frames_max() as f64 / f64::from(self.sample_rate);
        block_s + rate.resampler.output_delay() as f64 / f64::from(SAMPLE_RATE)
    }

    /// Takes `interleaved` samples, full scale ±1, and appends to `out` what can be put out so far.
    /// A push may end within a frame; the next one goes on there. Finite samples outside ±1 are
    /// kept, beyond ±[`MAX_MAGNITUDE`](super::MAX_MAGNITUDE) they are clamped.
    ///
    /// # Errors
    /// [`Error::Audio`] at the first NaN or infinity, with its place; the audio before it has been
    /// taken. [`Error::InvalidArgument`] after [`finish`](Converter::finish).
    pub fn push(&mut self, interleaved: &[f32], out: &mut Vec<f32>) -> Result<()> {
        if self.ended {
            return Err(Error::invalid("converter", "expected no audio after finish"));
        }
        let bad = first_not_finite(interleaved);
        let (good, _) = interleaved.split_at(bad.unwrap_or(interleaved.len()));
        let error = bad.and_then(|at| interleaved.get(at).map(|&value| self.not_finite(at, value)));

        let missing = if self.partial.is_empty() { 0 } else { self.channels - self.partial.len() };
        let (head, rest) = good.split_at(missing.min(good.len()));
        self.partial.extend_from_slice(head);
        if self.partial.len() == self.channels {
            let frame = std::mem::take(&mut self.partial);
            self.mix(&frame, out)?;
        }
        let (whole, tail) = rest.split_at(rest.len() - rest.len() % self.channels);
        for block in whole.chunks(MIX_BLOCK * self.channels) {
            self.mix(block, out)?;
        }
        self.partial.extend_from_slice(tail);
        error.map_or(Ok(()), Err)
    }

    /// Ends the input and appends the rest of the output. A frame left incomplete is dropped.
    /// Calling it again does nothing.
    ///
    /// # Errors
    /// [`Error::Audio`] if the resampler fails.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        match &mut self.rate {
            Some(rate) => rate.finish(output_len(self.frames, self.sample_rate), out),
            None => Ok(()),
        }
    }

    /// Whether two channels were found to be each other's inverse, so that the first alone is used;
    /// true once.
    pub fn take_inverted(&mut self) -> bool {
        self.downmix.take_inverted()
    }

    /// Mixes whole frames and hands them on.
    fn mix(&mut self, frames: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let count = frames.len() / self.channels;
        self.frames += count as u64;
        self.mono.clear();
        self.downmix.push(frames, &mut self.mono)?;
        match &mut self.rate {
            Some(rate) => rate.push(&self.mono, out),
            None => memory::extend(AUDIO, out, self.mono.iter().copied()),
        }
    }

    /// The error for `value` at index `at` of the push under way.
    fn not_finite(&self, at: usize, value: f32) -> Error {
        let index = self.partial.len() + at;
        let sample = self.frames + (index / self.channels) as u64;
        let time_s = sample as f64 / f64::from(self.sample_rate);
        let channel = match self.channels {
            1 => String::new(),
            channels => format!(" of channel {} of {channels}", index % channels + 1),
        };
        let value = if value.is_nan() { "NaN".to_owned() } else { format!("{value}") };
        Error::Audio(format!(
            "sample {sample}{channel} ({time_s:.3} s): expected a finite value, got {value}"
        ))
    }
}

/// Mono samples at one rate in, at 16 kHz out.
struct RateConverter {
    resampler: Box<dyn Resampler<f32>>,
    /// Input not yet resampled, less than one block of the resampler.
    pending: Vec<f32>,
    /// Output of one block.
    block: Vec<f32>,
    /// Output still to be dropped: the resampler's delay.
    delay: usize,
    produced: u64,
}

impl RateConverter {
    fn new(sample_rate: u32) -> Result<Self> {
        let resampler = resampler(sample_rate)
            .map_err(|error| Error::Audio(format!("resampler for {sample_rate} Hz: {error}")))?;
        let delay = resampler.output_delay();
        Ok(Self { resampler, pending: Vec::new(), block: Vec::new(), delay, produced: 0 })
    }

    fn push(&mut self, mono: &[f32], out: &mut Vec<f32>) -> Result<()> {
        memory::extend(AUDIO, &mut self.pending, mono.iter().copied())?;
        let mut pending = std::mem::take(&mut self.pending);
        let mut used = 0;
        while let Some(input) = pending.get(used..)
            && input.len() >= self.resampler.input_frames_next()
        {
            used += self.process(input, None, out)?;
        }
        pending.drain(..used.min(pending.len()));
        self.pending = pending;
        Ok(())
    }

    /// Resamples the rest and silence after it until `total` samples have been put out.
    fn finish(&mut self, total: u64, out: &mut Vec<f32>) -> Result<()> {
        let before = out.len() as u64;
        let wanted = total.saturating_sub(self.produced);
        let mut rest = std::mem::take(&mut self.pending);
        while self.produced < total {
            let valid = rest.len();
            memory::resize(AUDIO, &mut rest, self.resampler.input_frames_next(), 0.0)?;
            self.process(&rest, Some(valid), out)?;
            rest.clear();
        }
        out.truncate(usize::try_from(before + wanted).unwrap_or(usize::MAX));
        Ok(())
    }

    /// Resamples one block of `input`, of which `valid` frames count (`None`: all); returns how
    /// many it took.
    fn process(&mut self, input: &[f32], valid: Option<usize>, out: &mut Vec<f32>) -> Result<usize> {
        memory::resize(AUDIO, &mut self.block, self.resampler.output_frames_max(), 0.0)?;
        let capacity = self.block.len();
        let failed = |reason: String| Error::Audio(format!("resampler: {reason}"));
        let source = InterleavedSlice::new(input, 1, input.len()).map_err(|e| failed(e.to_string()))?;
        let mut sink =
            InterleavedSlice::new_mut(&mut self.block, 1, capacity).map_err(|e| failed(e.to_string()))?;
        let indexing = Indexing { partial_len: valid, ..Indexing::default() };
        let (taken, made) = self
            .resampler
            .process_into_buffer(&source, &mut sink, Some(&indexing))
            .map_err(|e| failed(e.to_string()))?;
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        let made = self.block.get(dropped..made).unwrap_or_default();
        self.produced += made.len() as u64;
        memory::extend(AUDIO, out, made.iter().copied())?;
        Ok(taken)
    }
}

/// The resampler from `sample_rate` to 16 kHz: by FFT where the rates have a short common period,
/// else by sinc interpolation.
fn resampler(
    sample_rate: u32,
) -> std::result::Result<Box<dyn Resampler<f32>>, rubato::ResamplerConstructionError> {
    let (rate_in, rate_out) = (sample_rate as usize, SAMPLE_RATE as usize);
    let divisor = gcd(rate_in, rate_out);
    let wanted = (FILTER_LEN * rate_in).div_ceil(rate_in.min(rate_out));
    // An even number of periods: the delay is half a block, and half an odd one is no whole sample.
    let block_in = wanted.next_multiple_of(2 * rate_in / divisor);
    if block_in <= MAX_FFT_BLOCK * wanted {
        let fft = Fft::<f32>::new_custom(
            rate_in,
            rate_out,
            block_in,
            1,
            1,
            WindowFunction::BlackmanHarris2,
            FixedSync::Both,
        )?;
        return Ok(Box::new(fft));
    }
    // The filter spans the same time whatever the input rate; fewer interpolation points keep its
    // table small where it is long, and lose nothing, for such input is oversampled.
    let stretch = rate_in.div_ceil(rate_out).max(1);
    let parameters = SincInterpolationParameters::new(SINC_LEN * stretch, WindowFunction::BlackmanHarris2)
        .oversampling_factor((256 / stretch).max(16));
    let ratio = rate_out as f64 / rate_in as f64;
    let sinc = Async::<f32>::new_sinc(ratio, 1.0, &parameters, SINC_BLOCK, 1, FixedAsync::Input)?;
    Ok(Box::new(sinc))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
