//! Audio files as a source. It owns the loop over a file's packets and what happens to damaged
//! ones; which track is decoded, and every refusal of the file as a whole, is the container's.

mod open;
mod pieces;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::errors::Error as DecoderError;
use symphonia::core::packet::Packet;

use super::container::{Container, Selected};
use super::input::Again;
use super::leash::MAX_BYTES;
use super::shield::shield;
use super::timeline::Timeline;
use super::{
    AUDIO, AudioSource, Channels, Converter, INVERTED, MAX_MAGNITUDE, MAX_READ_FRACTION, MAX_WARNINGS,
    Recording, SAMPLE_RATE, output_len, take_block,
};
use crate::error::{Error, Result};
use crate::memory;
use crate::types::{Warning, WarningCode};

/// A track that begins later than its file by less than this many seconds, or more, begins with it:
/// these are the delays of encoders, and the clocks of broadcasts.
const MIN_LATE_S: f64 = 0.005;
const MAX_LATE_S: f64 = 600.0;

/// Encoded audio as an [`AudioSource`], from a file, memory or a reader, of the containers and
/// codecs in docs/AUDIO.md, from 1000 to 768000 Hz, with as many channels as the decoder takes: 32
/// in WAV, 8 in FLAC and Vorbis, 2 in MP3, AAC and Opus.
///
/// The padding that encoders put around the sound is cut where the file states its length (LAME
/// tag, Ogg, MP4 edit list). Damaged and missing packets are replaced by as much silence, so that
/// later times stay right, as far as the format has timestamps (MP3 and ADTS have none). A file
/// that ends too early gives what it has. All of it is told by [`warnings`](AudioSource::warnings).
pub struct FileSource<'a> {
    /// What errors and warnings call it.
    path: PathBuf,
    /// The same file, to be opened once more; `None` where it cannot be, or is a part already.
    again: Option<Again<'a>>,
    channels: Channels,
    /// Samples gathered before some are given: less where waiting for them takes time.
    gather: usize,
    container: Container<'a>,
    /// Number of the audio track that was asked for.
    asked: Option<u16>,
    track: Selected,
    /// Converter for the rate and channel count that the decoder gives at the moment.
    converter: Option<Converter>,
    layout: (u32, usize),
    trim: Trim,
    timeline: Timeline,
    ready: Vec<f32>,
    interleaved: Vec<f32>,
    /// The last packet with its layout, of a track whose last one may have padding.
    held: Option<((u32, usize), Vec<f32>)>,
    wide: Vec<f64>,
    /// Where in the track, in seconds, the last packet began.
    heard_s: f64,
    /// Samples given out.
    given: u64,
    /// Frames decoded and packets lost so far.
    decoded: u64,
    lost: u64,
    /// Why the last packet was lost.
    loss: Option<String>,
    warnings: Vec<Warning>,
    ended: bool,
}

/// What is still to be cut, in frames at the decoder's rate. It is worked out when that rate is
/// known.
#[derive(Default)]
struct Trim {
    known: bool,
    skip: u64,
    keep: Option<u64>,
    /// Start and length in seconds of the piece of the track that is looked for.
    wanted: Option<(f64, Option<f64>)>,
}

impl FileSource<'_> {
    /// The same, with a choice among its channels. Where there is no such channel, reading fails
    /// with [`Error::Audio`].
    #[must_use]
    pub fn with_channels(mut self, channels: Channels) -> Self {
        self.channels = channels;
        self
    }

    /// Decodes the next packet of the track; false at the end of the file.
    fn advance(&mut self) -> Result<bool> {
        if self.trim.keep == Some(0) {
            return self.next_piece();
        }
        let next = self.container.format.next_packet();
        self.container.leash.look()?;
        let skipped = self.container.skipped.take();
        if skipped > 0 {
            self.warn(WarningCode::SkippedBytes, format!("{skipped} bytes that are no audio were skipped"));
        }
        match next {
            Ok(Some(packet)) => {
                if packet.track_id == self.track.id {
                    self.decode(&packet)?;
                } else {
                    self.container.leash.grant();
                }
                Ok(true)
            }
            // Some demuxers take the end of the leash for the end of the file, others for an error.
            Ok(None) | Err(_) if self.container.leash.is_spent() => {
                let position_s = self.timeline.position_s();
                self.end(Some(format!("no more audio in {} MiB behind {position_s:.1} s", MAX_BYTES >> 20)))
            }
            Ok(None) | Err(_) if self.container.leash.damage().is_some() => {
                let damage = self.container.leash.damage();
                self.end(damage)
            }
            Ok(None) => self.next_piece(),
            Err(DecoderError::ResetRequired) => self.restart(),
            Err(DecoderError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                // A file written to a pipe does not know its length, and ends this way.
                let truncated = self.track.len_hint.is_some() || self.decoded == 0;
                self.end(truncated.then(|| "the file ends too early".to_owned()))
            }
            Err(DecoderError::IoError(error)) => Err(Error::from_io(&self.path, error)),
            Err(error) => self.end(Some(error.to_string())),
        }
    }

    fn decode(&mut self, packet: &Packet) -> Result<()> {
        self.release(0.0)?;
        if self.is_in_front(packet) {
            return Ok(());
        }
        let gap_s = self.timeline.gap_before(packet);
        if gap_s > 0.0 && self.converter.is_some() {
            self.note_loss("packets are missing".to_owned());
            self.fill(gap_s)?;
        }
        let buffer = match self.track.decoder.decode(packet) {
            Ok(buffer) => buffer,
            Err(error) => return self.lose(packet, &error),
        };
        let layout = (buffer.spec().rate(), buffer.num_planes());
        if buffer.is_empty() {
            return Ok(());
        }
        // The copies below allocate no more than this.
        self.interleaved.clear();
        memory::reserve(AUDIO, &mut self.interleaved, buffer.samples_interleaved())?;
        if let GenericAudioBufferRef::F64(_) = buffer {
            // Finite values that f32 cannot hold must not become infinite.
            let limit = f64::from(MAX_MAGNITUDE);
            let narrow = |&wide: &f64| if wide.is_finite() { wide.clamp(-limit, limit) } else { wide } as f32;
            self.wide.clear();
            memory::reserve(AUDIO, &mut self.wide, buffer.samples_interleaved())?;
            buffer.copy_to_vec_interleaved(&mut self.wide);
            self.interleaved.extend(self.wide.iter().map(narrow));
        } else {
            buffer.copy_to_vec_interleaved(&mut self.interleaved);
        }
        if self.track.gain != 1.0 {
            let gain = self.track.gain;
            self.interleaved.iter_mut().for_each(|sample| *sample *= gain);
        }
        self.decoded += (self.interleaved.len() / layout.1.max(1)) as u64;
        if self.container.may_be_padded() {
            self.held = Some((layout, std::mem::take(&mut self.interleaved)));
            return Ok(());
        }
        self.set_layout(layout)?;
        self.convert()
    }

    /// Hands on the packet that was held back, less `padding_s` seconds at its end.
    fn release(&mut self, padding_s: f64) -> Result<()> {
        let Some((layout, samples)) = self.held.take() else {
            return Ok(());
        };
        self.interleaved = samples;
        let (rate, channels) = layout;
        let padding = usize::try_from(frames_of(padding_s, rate)).unwrap_or(usize::MAX);
        let kept = self.interleaved.len().saturating_sub(padding.saturating_mul(channels));
        self.interleaved.truncate(kept);
        self.set_layout(layout)?;
        self.convert()
    }

    /// Puts silence in place of a packet that cannot be decoded.
    fn lose(&mut self, packet: &Packet, error: &DecoderError) -> Result<()> {
        self.note_loss(error.to_string());
        if matches!(error, DecoderError::ResetRequired) {
            self.track.decoder.reset();
        }
        let gap_s = self.timeline.length_of(packet);
        self.fill(gap_s)
    }

    fn note_loss(&mut self, reason: String) {
        if self.lost == 0 {
            self.warn(WarningCode::LostAudio, format!("damaged, silence in place of a packet: {reason}"));
        }
        self.lost += 1;
        self.loss = Some(reason);
    }

    /// Notes what the result should be read with, and logs it.
    fn warn(&mut self, code: WarningCode, text: String) {
        let time_s = (self.given + self.ready.len() as u64) as f64 / f64::from(SAMPLE_RATE);
        log::warn!("{}: {time_s:.1} s: {text}", self.path.display());
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning { code, time_s, text });
        }
    }

    /// Puts out silence, in pieces of bounded size.
    fn fill(&mut self, seconds: f64) -> Result<()> {
        let (rate, channels) = self.layout;
        let mut frames = frames_of(seconds, rate);
        while frames > 0 {
            let piece = frames.min(u64::from(rate.max(1)));
            self.interleaved.clear();
            memory::resize(AUDIO, &mut self.interleaved, piece as usize * channels, 0.0)?;
            self.convert()?;
            frames -= piece;
        }
        Ok(())
    }

    /// Makes the converter fit what the decoder gives. Where that changes within the file, the
    /// audio so far is ended and the new one follows it.
    fn set_layout(&mut self, layout: (u32, usize)) -> Result<()> {
        if self.converter.is_some() && self.layout == layout {
            return Ok(());
        }
        if let Some(mut converter) = self.converter.take() {
            converter.finish(&mut self.ready)?;
        }
        let (rate, channels) = layout;
        let count = u16::try_from(channels).unwrap_or(u16::MAX);
        let converter = Converter::with_channels(rate, count, self.channels)?;
        self.converter = Some(converter);
        self.layout = layout;
        if !std::mem::replace(&mut self.trim.known, true) {
            let silence = output_len(frames_of(self.late_s(), rate), rate);
            let silence = usize::try_from(silence).unwrap_or(usize::MAX);
            let ready = self.ready.len().saturating_add(silence);
            memory::resize(AUDIO, &mut self.ready, ready, 0.0)?;
            if let Some((start_s, length_s)) = self.track.edit {
                self.trim.skip = frames_of(start_s, rate);
                self.trim.keep = length_s.map(|length_s| frames_of(length_s, rate));
            }
        }
        Ok(())
    }

    /// Seconds of silence in front of the track.
    fn late_s(&self) -> f64 {
        let own_s = if self.track.from_zero { self.timeline.origin_s() } else { 0.0 };
        let delay_s = self.track.edit.map_or(0.0, |(delay_s, _)| if own_s > 0.0 { delay_s } else { 0.0 });
        let late_s = self.track.late_s + own_s + delay_s;
        if (MIN_LATE_S..=MAX_LATE_S).contains(&late_s) { late_s } else { 0.0 }
    }

    /// Hands what is in `interleaved`, less what is to be cut, to the converter.
    fn convert(&mut self) -> Result<()> {
        let Some(converter) = &mut self.converter else {
            return Ok(());
        };
        let channels = self.layout.1;
        let frames = (self.interleaved.len() / channels.max(1)) as u64;
        if frames > 0 {
            self.container.leash.grant();
        }
        self.timeline.advance(frames as f64 / f64::from(self.layout.0.max(1)));
        let skip = self.trim.skip.min(frames);
        // Players play the packet in which an edit ends as a whole: lengths are those that they
        // show.
        if self.track.whole_packets {
            self.trim.keep = self.trim.keep.map(|keep| if keep > 0 { keep.max(frames - skip) } else { 0 });
        }
        let take = self.trim.keep.unwrap_or(u64::MAX).min(frames - skip);
        self.trim.skip -= skip;
        self.trim.keep = self.trim.keep.map(|keep| keep - take);
        let from = skip as usize * channels;
        let to = from + take as usize * channels;
        converter.push(self.interleaved.get(from..to).unwrap_or_default(), &mut self.ready)?;
        if converter.take_inverted() {
            self.warn(WarningCode::InvertedChannels, INVERTED.to_owned());
        }
        Ok(())
    }

    /// Takes up the next of several streams chained in one Ogg file.
    fn restart(&mut self) -> Result<bool> {
        match self.container.select(self.asked) {
            Ok(track) => {
                let len_hint = self.track.len_hint;
                self.timeline.restart(track.tick_s);
                self.track = Selected { len_hint, ..track };
                Ok(true)
            }
            Err(reason) => self.end(Some(reason)),
        }
    }

    /// Ends the source: with the rest of the converter's output, or with an error where damage left
    /// nothing.
    fn end(&mut self, damage: Option<String>) -> Result<bool> {
        if self.decoded == 0
            && let Some(reason) = damage.as_ref().or(self.loss.as_ref())
        {
            return Err(Error::Audio(format!("expected audio, got nothing that can be decoded: {reason}")));
        }
        let padding_s = self.container.end_padding_s(self.track.id);
        self.release(if damage.is_none() { padding_s } else { 0.0 })?;
        if damage.is_none() && self.container.goes_on(self.decoded) {
            let text = "another recording follows in the file, which is not read";
            self.warn(WarningCode::EndsEarly, text.to_owned());
        }
        if let Some(reason) = damage {
            let text = format!("damaged, only the audio before that is used: {reason}");
            self.warn(WarningCode::EndsEarly, text);
        }
        if self.lost > 1 {
            self.warn(WarningCode::LostAudio, format!("silence in {} damaged places in all", self.lost));
        }
        if let Some(converter) = &mut self.converter {
            converter.finish(&mut self.ready)?;
        }
        Ok(false)
    }
}

impl AudioSource for FileSource<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        while self.ready.len() < self.gather && !self.ended {
            match shield(|| self.advance()) {
                Ok(more) => self.ended = !more,
                Err(error) => {
                    self.ended = true;
                    self.ready.clear();
                    return Err(named(&self.path, error));
                }
            }
        }
        let count = take_block(&mut self.ready, out)?;
        self.given += count as u64;
        if let Some(total) = self.track.len_hint {
            let fraction = (self.given as f64 / total.max(1) as f64) as f32;
            self.container.leash.set_fraction(fraction.min(MAX_READ_FRACTION));
        }
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        self.track.len_hint
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }

    fn channels(&self) -> Option<u16> {
        u16::try_from(self.layout.1).ok().filter(|&channels| channels > 0)
    }

    fn recording(&self) -> Option<&dyn Recording> {
        self.again.is_some().then_some(self)
    }
}

/// Frames at `rate` Hz in `seconds`, rounded to the nearest.
fn frames_of(seconds: f64, rate: u32) -> u64 {
    (seconds * f64::from(rate)).round() as u64
}

/// Names the file in errors that do not.
fn named(path: &Path, error: Error) -> Error {
    match error {
        Error::Audio(text) => Error::Audio(format!("{}: {text}", path.display())),
        Error::InvalidArgument(argument) => Error::Audio(format!("{}: {argument}", path.display())),
        other => other,
    }
}
