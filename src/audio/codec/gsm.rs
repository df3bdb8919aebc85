//! GSM 06.10 full rate (ETSI EN 300 961), the telephone codec of 13 kbit/s. It owns the decoding of
//! its frames in both orders of bits: as the standard packs them, and as WAV files do, in pairs.

use super::speech::{Bits, Order, Speech};

/// Samples of a frame and of each of its four parts.
const FRAME: usize = 160;
const PART: usize = 40;
/// Longest lag of the long-term predictor.
const HISTORY: usize = 120;
/// Bits of the eight log area ratios, and how they are decoded (table 4.1): B, MIC, 1/A.
const RATIOS: [(u32, i32, i32, i32); 8] = [
    (6, 0, -32, 13_107),
    (6, 0, -32, 13_107),
    (5, 2_048, -16, 13_107),
    (5, -2_560, -16, 13_107),
    (4, 94, -8, 19_223),
    (4, -1_792, -8, 17_476),
    (3, -341, -4, 31_454),
    (3, -1_144, -4, 29_708),
];
/// Gains of the long-term predictor (table 4.3b).
const GAINS: [i32; 4] = [3_277, 11_469, 21_299, 32_767];
/// Normalised direct mantissas of the pulses (table 4.6).
const MANTISSAS: [i32; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];

/// A decoder of one channel.
pub(super) struct Gsm {
    order: Order,
    /// The excitation: the last samples, and room for a part.
    excitation: [i32; HISTORY + PART],
    lag: usize,
    ratios: [i32; 8],
    lattice: [i32; 9],
    deemphasis: i32,
}

impl Gsm {
    /// A decoder of frames whose bits are in `order`.
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            excitation: [0; HISTORY + PART],
            lag: PART,
            ratios: [0; 8],
            lattice: [0; 9],
            deemphasis: 0,
        }
    }

    fn frame(&mut self, bits: &mut Bits<'_>, out: &mut Vec<f32>) -> Option<()> {
        let mut ratios = [0; 8];
        for (ratio, (count, b, least, inverse)) in ratios.iter_mut().zip(RATIOS) {
            let coded = bits.take(count)?.cast_signed();
            let value = multiply(inverse, saturate(((coded + least) << 10) - (b << 1)));
            *ratio = saturate(2 * value);
        }
        let mut residual = [0; FRAME];
        for part in residual.chunks_exact_mut(PART) {
            self.part(bits, part)?;
        }
        let before = std::mem::replace(&mut self.ratios, ratios);
        // The ratios glide from those of the frame before (4.2.9.1).
        let glide = |share: fn(i32, i32) -> i32| {
            let mut mixed = [0; 8];
            let pairs = before.iter().zip(&ratios);
            mixed.iter_mut().zip(pairs).for_each(|(to, (&old, &new))| *to = reflection(share(old, new)));
            mixed
        };
        let stages = [
            (13, glide(|old, new| saturate((old >> 2) + (new >> 2) + (old >> 1)))),
            (27, glide(|old, new| saturate((old >> 1) + (new >> 1)))),
            (40, glide(|old, new| saturate((old >> 2) + (new >> 2) + (new >> 1)))),
            (FRAME, glide(|_, new| new)),
        ];
        for (at, &sample) in residual.iter().enumerate() {
            let stage = stages.iter().find(|(end, _)| at < *end);
            let filtered = stage.map_or(0, |(_, reflections)| self.synthesise(reflections, sample));
            self.deemphasis = saturate(filtered + multiply(self.deemphasis, 28_180));
            let word = saturate(2 * self.deemphasis) & !7;
            out.push(word as f32 / 32_768.0);
        }
        Some(())
    }

    /// Decodes the excitation of a part (4.2.15 to 4.3.2).
    fn part(&mut self, bits: &mut Bits<'_>, out: &mut [i32]) -> Option<()> {
        let lag = bits.take(7)? as usize;
        let gain = *GAINS.get(bits.take(2)? as usize)?;
        let grid = bits.take(2)? as usize;
        let peak = bits.take(6)?.cast_signed();
        let mut exponent = if peak > 15 { (peak >> 3) - 1 } else { 0 };
        let mut mantissa = peak - (exponent << 3);
        if mantissa == 0 {
            (exponent, mantissa) = (-4, 7);
        } else {
            while mantissa <= 7 {
                mantissa = mantissa << 1 | 1;
                exponent -= 1;
            }
            mantissa -= 8;
        }
        let factor = *MANTISSAS.get(mantissa as usize)?;
        let shift = 6 - exponent;
        let round = if shift > 0 { 1 << (shift - 1) } else { 0 };
        let mut pulses = [0; PART];
        for index in 0..13 {
            let coded = bits.take(3)?.cast_signed();
            let value = saturate(multiply(factor, ((coded << 1) - 7) << 12) + round);
            if let Some(pulse) = pulses.get_mut(grid + 3 * index) {
                *pulse = value >> shift;
            }
        }
        if (PART..=HISTORY).contains(&lag) {
            self.lag = lag;
        }
        for (index, (&pulse, out)) in pulses.iter().zip(out).enumerate() {
            let past = self.excitation.get(HISTORY + index - self.lag).copied().unwrap_or(0);
            *out = saturate(pulse + multiply(gain, past));
            if let Some(excitation) = self.excitation.get_mut(HISTORY + index) {
                *excitation = *out;
            }
        }
        self.excitation.copy_within(PART.., 0);
        Some(())
    }

    /// The short-term synthesis filter (4.3.4).
    fn synthesise(&mut self, reflections: &[i32; 8], sample: i32) -> i32 {
        let mut value = sample;
        for index in (0..8).rev() {
            let (Some(&reflection), Some(&past)) = (reflections.get(index), self.lattice.get(index)) else {
                break;
            };
            value = saturate(value - multiply(reflection, past));
            if let Some(next) = self.lattice.get_mut(index + 1) {
                *next = saturate(past + multiply(reflection, value));
            }
        }
        self.lattice[0] = value;
        value
    }
}

impl Speech for Gsm {
    fn reset(&mut self) {
        *self = Self::new(self.order);
    }

    fn decode(&mut self, data: &[u8], out: &mut Vec<f32>) {
        match self.order {
            Order::HighestFirst => {
                for frame in data.chunks_exact(33) {
                    let mut bits = Bits::new(frame, self.order);
                    // The mark of a frame.
                    let _ = bits.take(4).and_then(|_| self.frame(&mut bits, out));
                }
            }
            Order::LowestFirst => {
                for pair in data.chunks_exact(65) {
                    let mut bits = Bits::new(pair, self.order);
                    let _ = self.frame(&mut bits, out).and_then(|()| self.frame(&mut bits, out));
                }
            }
        }
    }
}

/// A reflection coefficient of a log area ratio (4.2.9.2).
fn reflection(ratio: i32) -> i32 {
    let size = saturate(ratio.abs());
    let value = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        _ => saturate((size >> 2) + 26_112),
    };
    if ratio < 0 { -value } else { value }
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// The product of two fractions, rounded.
fn multiply(a: i32, b: i32) -> i32 {
    saturate((a * b + 16_384) >> 15)
}
