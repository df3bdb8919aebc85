//! Many channels in, one out. It owns the choice among them, and what becomes of two that cancel
//! each other.

use super::{AUDIO, Channels, MAX_MAGNITUDE};
use crate::error::{Error, Result};
use crate::memory;

/// Blocks a second in which two channels are compared.
const BLOCKS_PER_S: u32 = 50;
/// What of the sums of correlation is left after a block: a quarter of a second later, another sign
/// is seen.
const KEPT: f64 = 0.7;
/// Correlation below which two channels are each other's inverse, and from which they no longer
/// are.
const INVERTED: f64 = -0.95;
const RIGHTED: f64 = -0.5;

/// Makes frames of many channels mono.
pub(super) struct Downmix {
    channels: usize,
    choice: Channels,
    /// Frames of a block, and of the one under way.
    block: u32,
    taken: u32,
    /// Sums of the squares of two channels and of their products.
    sums: [f64; 3],
    inverted: bool,
    /// Whether this was seen, and whether it was asked for since.
    seen: bool,
    told: bool,
}

impl Downmix {
    /// Of frames of `channels` channels, at least 1, at `sample_rate` Hz.
    ///
    /// # Errors
    /// [`Error::Audio`] where there is no such channel.
    pub(super) fn new(sample_rate: u32, channels: usize, choice: Channels) -> Result<Self> {
        match choice {
            Channels::Only(index) if usize::from(index) >= channels => {
                let number = u32::from(index) + 1;
                return Err(Error::Audio(format!(
                    "channel: expected one of the {channels} that there are, got number {number}"
                )));
            }
            Channels::Separate => {
                let reason =
                    "expected their mean or one of them, got each by itself, as only a diarizer takes them";
                return Err(Error::invalid("channels", reason));
            }
            _ => {}
        }
        let block = (sample_rate / BLOCKS_PER_S).max(1);
        Ok(Self {
            channels,
            choice,
            block,
            taken: 0,
            sums: [0.0; 3],
            inverted: false,
            seen: false,
            told: false,
        })
    }

    /// Appends a sample for each of whole `frames` to `mono`: the same however they are divided
    /// into calls.
    pub(super) fn push(&mut self, frames: &[f32], mono: &mut Vec<f32>) -> Result<()> {
        let clamp = |sample: &f32| sample.clamp(-MAX_MAGNITUDE, MAX_MAGNITUDE);
        let scale = 1.0 / self.channels as f32;
        match (self.choice, self.channels) {
            (Channels::Only(index), channels) => {
                let own = frames.iter().skip(usize::from(index)).step_by(channels).map(clamp);
                memory::extend(AUDIO, mono, own)
            }
            (_, 1) => memory::extend(AUDIO, mono, frames.iter().map(clamp)),
            (_, 2) => {
                let (pairs, _) = frames.as_chunks();
                memory::extend(
                    AUDIO,
                    mono,
                    pairs.iter().map(|[a, b]| self.of_two(clamp(a), clamp(b)) * scale),
                )
            }
            (_, channels) => {
                let mean = |frame: &[f32]| frame.iter().map(clamp).sum::<f32>() * scale;
                memory::extend(AUDIO, mono, frames.chunks_exact(channels).map(mean))
            }
        }
    }

    /// The sum of two samples, or of the first with itself.
    fn of_two(&mut self, first: f32, second: f32) -> f32 {
        let sum = if self.inverted { first + first } else { first + second };
        let (a, b) = (f64::from(first), f64::from(second));
        for (sum, product) in self.sums.iter_mut().zip([a * a, b * b, a * b]) {
            *sum += product;
        }
        self.taken += 1;
        if self.taken == self.block {
            self.taken = 0;
            self.compare();
        }
        sum
    }

    /// Whether the channels were each other's inverse somewhere; true once.
    pub(super) fn take_inverted(&mut self) -> bool {
        self.seen && !std::mem::replace(&mut self.told, true)
    }

    /// Looks whether the channels are each other's inverse, at the end of a block.
    fn compare(&mut self) {
        let [first, second, both] = self.sums;
        let energy = (first * second).sqrt();
        if energy > 0.0 {
            let limit = if self.inverted { RIGHTED } else { INVERTED };
            self.inverted = both < limit * energy;
        }
        self.seen |= self.inverted;
        self.sums = self.sums.map(|sum| KEPT * sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(at: usize) -> f32 {
        (at as f32 * 0.07).sin() * 0.5
    }

    fn mixed(frames: &[f32], channels: usize, choice: Channels, piece: usize) -> Vec<f32> {
        let mut downmix = Downmix::new(8_000, channels, choice).unwrap();
        let mut mono = Vec::new();
        for part in frames.chunks(piece * channels) {
            downmix.push(part, &mut mono).unwrap();
        }
        mono
    }

    #[test]
    fn channels_that_cancel_each_other_are_heard_and_others_are_mixed() {
        // A second of one voice on both channels, then the second inverted, then the first again.
        let second = |at: usize| if (8_000..16_000).contains(&at) { -tone(at) } else { tone(at) };
        let frames: Vec<f32> = (0..24_000).flat_map(|at| [tone(at), second(at)]).collect();
        let mono = mixed(&frames, 2, Channels::Mix, 24_000);
        let energy = |from: usize, to: usize| mono[from..to].iter().map(|s| s * s).sum::<f32>();
        let whole: f32 = (0..4_000).map(|at| tone(at).powi(2)).sum();
        for from in [0, 12_000, 20_000] {
            let share = energy(from, from + 4_000) / whole;
            assert!((share - 1.0).abs() < 0.05, "{share} from {from}");
        }
        assert_eq!(mixed(&frames, 2, Channels::Mix, 1), mono);
        assert_eq!(mixed(&frames, 2, Channels::Mix, 777), mono);
    }

    #[test]
    fn two_parties_on_two_channels_are_mixed() {
        let frames: Vec<f32> =
            (0..16_000).flat_map(|at| if at < 8_000 { [tone(at), 0.0] } else { [0.0, -tone(at)] }).collect();
        let mono = mixed(&frames, 2, Channels::Mix, 1_000);
        let expected: Vec<f32> =
            (0..16_000).map(|at| if at < 8_000 { tone(at) * 0.5 } else { -tone(at) * 0.5 }).collect();
        assert_eq!(mono, expected);
    }

    #[test]
    fn one_channel_alone_and_the_mean_of_three() {
        let frames = [0.3, -0.6, 0.9, 1.5, 0.0, -0.3];
        assert_eq!(mixed(&frames, 3, Channels::Only(1), 1), [-0.6, 0.0]);
        let mean = |a: f32, b: f32, c: f32| (0.0 + a + b + c) * (1.0 / 3.0);
        let expected = [mean(0.3, -0.6, 0.9), mean(1.5, 0.0, -0.3)];
        assert_eq!(mixed(&frames, 3, Channels::Mix, 1), expected);
        let error = Downmix::new(8_000, 2, Channels::Only(2)).err().unwrap();
        assert_eq!(error.to_string(), "channel: expected one of the 2 that there are, got number 3");
    }
}
