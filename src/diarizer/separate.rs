//! Recordings with parties on channels of their own, as telephone systems make them: each channel
//! is diarized by itself, and what leaks from one into another is dropped. It owns what counts as a
//! leak.

use super::Diarizer;
use super::parts::Joined;
use crate::audio::{AudioSource, Channels, Recording, SAMPLE_RATE};
use crate::call::Call;
use crate::error::Result;
use crate::memory;
use crate::types::{Diarization, Segment, Warning};

/// Samples of one value of the loudness of a channel: 10 ms.
const FRAME: usize = SAMPLE_RATE as usize / 100;
/// How much louder another channel has to be, in energy, for a segment to be its echo: 6 dB.
const LOUDER: f32 = 4.0;
/// Share of the frames of a segment in which it has to be.
const MOST_FRAMES: f64 = 0.7;
/// Least correlation of the loudness of an echo with that of the voice.
const ECHO: f64 = 0.5;
/// Least correlation, and most difference in energy, of two channels that hold the same.
const SAME: f64 = 0.99;
const SAME_RATIO: f64 = 1.25;

impl Diarizer {
    /// Diarizes each channel of a track by itself, as [`Channels::Separate`] says.
    pub(super) fn channels(
        &self,
        recording: &dyn Recording,
        track: u16,
        call: &Call<'_>,
    ) -> Result<Diarization> {
        // A track without a sample has a channel without speech.
        let mut first = recording.part(track, Channels::Mix, &call.before())?;
        first.read(&mut Vec::new())?;
        let count = first.channels().unwrap_or(1);
        drop(first);
        let mut parts = Vec::new();
        for channel in 0..count {
            let call = call.piece(channel, count);
            let source = recording.part(track, Channels::Only(channel), &call)?;
            let mut source = Metered { source, energies: Vec::new(), filled: 0, sum: 0.0 };
            let diarization = self.whole(&mut source, &call)?;
            parts.push(Part { diarization, energies: source.energies });
        }
        joined(&parts)
    }
}

/// A channel with its loudness.
struct Part {
    diarization: Diarization,
    /// Energy of each 10 ms.
    energies: Vec<f32>,
}

/// A source that notes the loudness of what it gives.
struct Metered<'a> {
    source: Box<dyn AudioSource + 'a>,
    energies: Vec<f32>,
    filled: usize,
    sum: f32,
}

impl AudioSource for Metered<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        let before = out.len();
        let count = self.source.read(out)?;
        for sample in out.iter().skip(before) {
            self.sum += sample * sample;
            self.filled += 1;
            if self.filled == FRAME {
                memory::push("loudness", &mut self.energies, self.sum)?;
                (self.filled, self.sum) = (0, 0.0);
            }
        }
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        self.source.len_hint()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.source.warnings()
    }
}

/// The channels as one result.
fn joined(parts: &[Part]) -> Result<Diarization> {
    let mut whole = Joined::default();
    for (channel, part) in parts.iter().enumerate() {
        whole.add(&format!("CH{}_", channel + 1), &part.diarization, |segment| {
            !parts.iter().enumerate().any(|(other, louder)| {
                other != channel && is_copy(segment, &part.energies, &louder.energies, other < channel)
            })
        })?;
    }
    Ok(whole.finish())
}

/// Whether a segment of a channel is what another one has at the same time: louder, or as loud on a
/// channel `before` it.
fn is_copy(segment: &Segment, own: &[f32], other: &[f32], before: bool) -> bool {
    let frame = |seconds: f64| (seconds * f64::from(SAMPLE_RATE) / FRAME as f64).round() as usize;
    let (start, end) = (frame(segment.start_s), frame(segment.end_s));
    let frames = own.iter().zip(other).skip(start).take(end.saturating_sub(start));
    let (mut count, mut louder) = (0_u32, 0_u32);
    let mut sums = [0.0_f64; 5];
    let mut energies = [0.0_f64; 2];
    for (&own, &other) in frames {
        count += 1;
        louder += u32::from(other > LOUDER * own);
        // Of amplitudes, as energies are ruled by a few loud frames.
        let (x, y) = (f64::from(own.sqrt()), f64::from(other.sqrt()));
        for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
            *sum += term;
        }
        energies[0] += f64::from(own);
        energies[1] += f64::from(other);
    }
    if count == 0 {
        return false;
    }
    let n = f64::from(count);
    let [x, y, xx, yy, xy] = sums.map(|sum| sum / n);
    let spread = ((xx - x * x) * (yy - y * y)).max(0.0).sqrt();
    let correlation = if spread > 0.0 { (xy - x * y) / spread } else { 0.0 };
    let is_echo = f64::from(louder) >= MOST_FRAMES * n && correlation >= ECHO;
    let [own, other] = energies;
    let is_same = before && correlation >= SAME && own <= SAME_RATIO * other;
    is_echo || is_same
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start_s: f64, end_s: f64, speaker: usize) -> Segment {
        Segment { start_s, end_s, speaker, confidence: 0.9, overlap: false }
    }

    /// Loudness of a voice in 10 s, which talks from `start_s` to `end_s`.
    fn voice(start_s: f64, end_s: f64, level: f32) -> Vec<f32> {
        let loudness = |at: usize| {
            let talks = (start_s..end_s).contains(&(at as f64 / 100.0));
            if talks { level * (1.0 + (at as f32 * 0.9).sin().powi(2) * 5.0) } else { 1e-9 }
        };
        (0..1000).map(loudness).collect()
    }

    fn sum(a: &[f32], b: &[f32]) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + b).collect()
    }

    fn part(segments: Vec<Segment>, energies: Vec<f32>) -> Part {
        let speakers = segments.iter().map(|segment| segment.speaker + 1).max().unwrap_or(0);
        let diarization = Diarization::of_parts(10.0, segments, vec![vec![1.0]; speakers]);
        Part { diarization, energies }
    }

    fn shown(whole: &Diarization) -> Vec<(&str, f64, f64, bool)> {
        whole.labelled().map(|(one, label)| (label, one.start_s, one.end_s, one.overlap)).collect()
    }

    #[test]
    fn each_channel_has_its_own_speakers() {
        let left = part(vec![segment(1.0, 4.0, 0), segment(4.5, 5.0, 1)], voice(1.0, 5.0, 1.0));
        let right = part(vec![segment(3.0, 7.0, 0)], voice(3.0, 7.0, 1.0));
        let whole = joined(&[left, right]).unwrap();
        let expected = [
            ("CH1_SPEAKER_00", 1.0, 4.0, true),
            ("CH2_SPEAKER_00", 3.0, 7.0, true),
            ("CH1_SPEAKER_01", 4.5, 5.0, true),
        ];
        assert_eq!(shown(&whole), expected);
        assert_eq!(whole.speakers[0].speech_s, 3.0);
    }

    #[test]
    fn cross_talk_is_dropped_and_talk_at_the_same_time_is_not() {
        let (ada, ben) = (voice(1.0, 4.0, 1.0), voice(6.0, 9.0, 0.05));
        // Ada leaks into Ben's channel, 20 dB down; Ben talks quietly.
        let leak: Vec<f32> = ada.iter().map(|energy| energy * 0.01).collect();
        let left = part(vec![segment(1.0, 4.0, 0)], ada.clone());
        let right = part(vec![segment(1.0, 4.0, 0), segment(6.0, 9.0, 1)], sum(&leak, &ben));
        let whole = joined(&[left, right]).unwrap();
        assert_eq!(shown(&whole), [("CH1_SPEAKER_00", 1.0, 4.0, false), ("CH2_SPEAKER_01", 6.0, 9.0, false)]);
        // Both talk at once, one of them quietly and with a rhythm of his own.
        let quiet: Vec<f32> =
            (0..1000_u32).map(|at| 0.05 * (1.0 + (at * 7919 % 101) as f32 / 20.0)).collect();
        let left = part(vec![segment(1.0, 4.0, 0)], ada);
        let right = part(vec![segment(1.0, 4.0, 0)], quiet);
        assert_eq!(joined(&[left, right]).unwrap().segments.len(), 2);
    }

    #[test]
    fn a_channel_that_repeats_another_adds_nobody() {
        let both = || part(vec![segment(1.0, 4.0, 0)], voice(1.0, 4.0, 1.0));
        let whole = joined(&[both(), both()]).unwrap();
        assert_eq!(shown(&whole), [("CH1_SPEAKER_00", 1.0, 4.0, false)]);
        assert_eq!(joined(&[]).unwrap(), Diarization::default());
    }
}
