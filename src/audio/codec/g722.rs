//! G.722 at 64 kbit/s (ITU-T G.722), the wideband codec of telephones. It owns the decoding: two
//! bands of ADPCM, and the filter that joins them.

use super::speech::Speech;

/// Scale factors of the lower band, by the upper four bits of its code.
const LOW_WEIGHTS: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1_198, 3_042];
const LOW_CLASSES: [usize; 16] = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
/// Those of the upper band.
const HIGH_WEIGHTS: [i32; 3] = [0, -214, 798];
const HIGH_CLASSES: [usize; 4] = [2, 1, 2, 1];
/// Inverse logarithms of 1/32 steps.
const INVERSE: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656, 2_714, 2_774,
    2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838,
    3_922, 4_008,
];
/// Inverse quantisers of 2, 4 and 6 bits.
const QUANTISER_2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
const QUANTISER_4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288, 4_240, 2_584,
    1_200, 0,
];
const QUANTISER_6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232,
    -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776,
    -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280,
    11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168,
    2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432, 136, -432, -136,
];
/// Half of the filter that joins the bands.
const FILTER: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// A decoder of one channel.
pub(super) struct G722 {
    low: Band,
    high: Band,
    /// Sums and differences of the bands, the newest last.
    history: [i32; 24],
}

impl G722 {
    pub(super) fn new() -> Self {
        Self { low: Band::new(32), high: Band::new(8), history: [0; 24] }
    }

    fn byte(&mut self, byte: u8) -> [f32; 2] {
        let (low, high) = (usize::from(byte & 63), usize::from(byte >> 6));
        let class = low >> 2;
        let fine = at(&QUANTISER_6, low);
        let below = (self.low.prediction + ((self.low.scale * fine) >> 15)).clamp(-16_384, 16_383);
        let difference = (self.low.scale * at(&QUANTISER_4, class)) >> 15;
        self.low.adapt(at(&LOW_WEIGHTS, at(&LOW_CLASSES, class)), 18_432, 8);
        self.low.predict(difference);

        let difference = (self.high.scale * at(&QUANTISER_2, high)) >> 15;
        let above = (self.high.prediction + difference).clamp(-16_384, 16_383);
        self.high.adapt(at(&HIGH_WEIGHTS, at(&HIGH_CLASSES, high)), 22_528, 10);
        self.high.predict(difference);

        self.history.copy_within(2.., 0);
        self.history[22] = below + above;
        self.history[23] = below - above;
        let (mut first, mut second) = (0, 0);
        for (pair, (forward, backward)) in
            self.history.chunks_exact(2).zip(FILTER.iter().zip(FILTER.iter().rev()))
        {
            if let &[sum, difference] = pair {
                first += difference * backward;
                second += sum * forward;
            }
        }
        [first, second].map(|sum| saturate(sum >> 11) as f32 / 32_768.0)
    }
}

impl Speech for G722 {
    fn reset(&mut self) {
        *self = Self::new();
    }

    fn decode(&mut self, data: &[u8], out: &mut Vec<f32>) {
        out.extend(data.iter().flat_map(|&byte| self.byte(byte)));
    }
}

/// The adaptive quantiser and predictor of a band (blocks 3 and 4).
struct Band {
    prediction: i32,
    zero_prediction: i32,
    /// Of the last reconstructed signals and partial ones, the newest first.
    signals: [i32; 2],
    partials: [i32; 2],
    poles: [i32; 2],
    differences: [i32; 6],
    zeros: [i32; 6],
    logarithm: i32,
    scale: i32,
}

impl Band {
    fn new(scale: i32) -> Self {
        Self {
            prediction: 0,
            zero_prediction: 0,
            signals: [0; 2],
            partials: [0; 2],
            poles: [0; 2],
            differences: [0; 6],
            zeros: [0; 6],
            logarithm: 0,
            scale,
        }
    }

    /// Adapts the quantiser by `weight`.
    fn adapt(&mut self, weight: i32, most: i32, shift: i32) {
        self.logarithm = (((self.logarithm * 127) >> 7) + weight).clamp(0, most);
        let inverse = at(&INVERSE, (self.logarithm >> 6 & 31) as usize);
        let shift = shift - (self.logarithm >> 11);
        let scale = if shift < 0 { inverse << -shift } else { inverse >> shift };
        self.scale = scale << 2;
    }

    /// Adapts the predictor by `difference` and predicts the next signal.
    fn predict(&mut self, difference: i32) {
        let signal = saturate(self.prediction + difference);
        let partial = saturate(self.zero_prediction + difference);
        let same = |other: i32| (partial < 0) == (other < 0);
        let [last, before] = self.partials;

        let first = saturate(self.poles[0] << 2);
        let turned = (if same(last) { -first } else { first }).min(32_767);
        let second =
            (if same(before) { 128 } else { -128 }) + (turned >> 7) + ((self.poles[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        let bound = saturate(15_360 - second);
        let first = saturate((if same(last) { 192 } else { -192 }) + ((self.poles[0] * 32_640) >> 15));
        self.poles = [first.clamp(-bound, bound), second];

        let step = if difference == 0 { 0 } else { 128 };
        for (zero, &past) in self.zeros.iter_mut().zip(&self.differences) {
            let change = if (past < 0) == (difference < 0) { step } else { -step };
            *zero = saturate(change + ((*zero * 32_640) >> 15));
        }

        self.differences.rotate_right(1);
        self.differences[0] = difference;
        self.signals = [signal, self.signals[0]];
        self.partials = [partial, last];

        let poles =
            self.poles.iter().zip(&self.signals).map(|(pole, &signal)| (pole * saturate(2 * signal)) >> 15);
        let pole_prediction = saturate(poles.sum());
        let zeros =
            self.zeros.iter().zip(&self.differences).map(|(zero, &past)| (zero * saturate(2 * past)) >> 15);
        self.zero_prediction = saturate(zeros.sum());
        self.prediction = saturate(pole_prediction + self.zero_prediction);
    }
}

fn at<T: Copy + Default>(table: &[T], index: usize) -> T {
    table.get(index).copied().unwrap_or_default()
}

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}
