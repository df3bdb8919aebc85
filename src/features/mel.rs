//! Triangular filters spaced evenly on a mel scale: from the power spectrum of a frame to the
//! energy in each bin.

use super::framing::SAMPLE_RATE;

/// Points of the Fourier transform, more than the longest frame has samples.
pub(crate) const FFT_POINTS: usize = 512;
/// Bins of the power spectrum, 0 to 8 kHz.
pub const SPECTRUM_BINS: usize = FFT_POINTS / 2 + 1;
/// Distance of two bins of the spectrum in hertz.
const SPECTRUM_STEP_HZ: f64 = SAMPLE_RATE as f64 / FFT_POINTS as f64;

/// Mel of [`MelScale::Htk`] for each factor e of `1 + hertz / 700`: 2595 for a factor of ten, as
/// Kaldi rounds it.
const HTK_MEL: f64 = 1127.0;
/// Frequency in hertz under which [`MelScale::Htk`] is about linear.
const HTK_CORNER_HZ: f64 = 700.0;
/// Frequency in hertz up to which [`MelScale::Slaney`] is linear.
const SLANEY_CORNER_HZ: f64 = 1000.0;
/// Hertz for each mel in the linear part of [`MelScale::Slaney`].
const SLANEY_STEP_HZ: f64 = 200.0 / 3.0;
/// Mel at the corner of [`MelScale::Slaney`].
const SLANEY_CORNER: f64 = SLANEY_CORNER_HZ / SLANEY_STEP_HZ;
/// Mel for a factor of 6.4 in frequency above the corner of [`MelScale::Slaney`].
const SLANEY_MEL: f64 = 27.0;

/// A scale of pitch, with the shape that its toolkits give the filters on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MelScale {
    /// `1127 ln(1 + hertz / 700)`, triangles straight in mel and 1 high (HTK, Kaldi).
    Htk,
    /// Linear to 1 kHz and logarithmic above, triangles straight in hertz with an area of 1
    /// (Slaney's Auditory Toolbox, 1998; librosa's default).
    Slaney,
}

impl MelScale {
    fn mel(self, hertz: f64) -> f64 {
        match self {
            MelScale::Htk => HTK_MEL * (hertz / HTK_CORNER_HZ).ln_1p(),
            MelScale::Slaney if hertz < SLANEY_CORNER_HZ => hertz / SLANEY_STEP_HZ,
            MelScale::Slaney => SLANEY_CORNER + (hertz / SLANEY_CORNER_HZ).ln() * SLANEY_MEL / 6.4_f64.ln(),
        }
    }

    /// Inverse of [`Self::mel`].
    fn hertz(self, mel: f64) -> f64 {
        match self {
            MelScale::Htk => HTK_CORNER_HZ * (mel / HTK_MEL).exp_m1(),
            MelScale::Slaney if mel < SLANEY_CORNER => mel * SLANEY_STEP_HZ,
            MelScale::Slaney => SLANEY_CORNER_HZ * ((mel - SLANEY_CORNER) * 6.4_f64.ln() / SLANEY_MEL).exp(),
        }
    }

    /// The filters with `bins` + 2 corners from `low_hz` to `high_hz`. One too narrow for the
    /// spectrum is empty.
    pub fn filters(self, bins: usize, low_hz: f64, high_hz: f64) -> Vec<Filter> {
        let (low, step) = (self.mel(low_hz), (self.mel(high_hz) - self.mel(low_hz)) / (bins + 1) as f64);
        let corner = |i: usize| low + i as f64 * step;
        (0..bins)
            .map(|bin| {
                let corners = [corner(bin), corner(bin + 1), corner(bin + 2)];
                match self {
                    MelScale::Htk => Filter::new(corners, 1.0, |hertz| self.mel(hertz)),
                    MelScale::Slaney => {
                        let corners = corners.map(|mel| self.hertz(mel));
                        Filter::new(corners, 2.0 / (corners[2] - corners[0]), |hertz| hertz)
                    }
                }
            })
            .collect()
    }
}

/// One filter: the bins of the spectrum where it is not zero.
#[derive(Debug)]
pub struct Filter {
    first: usize,
    weights: Vec<f64>,
}

impl Filter {
    /// A triangle of that `height`; `place` puts the frequency of a bin of the spectrum on the
    /// scale of `corners`.
    fn new([left, top, right]: [f64; 3], height: f64, place: impl Fn(f64) -> f64) -> Self {
        let weight = |bin: usize| {
            let at = place(bin as f64 * SPECTRUM_STEP_HZ);
            height * ((at - left) / (top - left)).min((right - at) / (right - top))
        };
        let first = (0..SPECTRUM_BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(SPECTRUM_BINS);
        let weights = (first..SPECTRUM_BINS).map(weight).take_while(|&weight| weight > 0.0).collect();
        Self { first, weights }
    }

    /// The energy that it lets through. `power` has [`SPECTRUM_BINS`] values.
    pub fn energy(&self, power: &[f64]) -> f64 {
        power[self.first..].iter().zip(&self.weights).map(|(power, weight)| power * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_inverted_and_1000_hz_is_where_it_belongs() {
        for scale in [MelScale::Htk, MelScale::Slaney] {
            for hertz in [0.0, 20.0, 999.0, 1000.0, 1001.0, 7600.0, 8000.0] {
                assert!((scale.hertz(scale.mel(hertz)) - hertz).abs() < 1e-9, "{scale:?} {hertz}");
            }
        }
        assert!((MelScale::Htk.mel(1000.0) - 1000.0).abs() < 0.02);
        assert!((MelScale::Slaney.mel(1000.0) - 15.0).abs() < 1e-12);
        assert!((MelScale::Slaney.mel(6400.0) - 42.0).abs() < 1e-12);
    }

    #[test]
    fn neighbours_on_the_htk_scale_add_up_to_one() {
        let filters = MelScale::Htk.filters(80, 20.0, 8000.0);
        // Between the first and the last top, 1 to 7.7 kHz to be sure.
        for bin in 32..246 {
            let mut power = [0.0; SPECTRUM_BINS];
            power[bin] = 1.0;
            let sum: f64 = filters.iter().map(|filter| filter.energy(&power)).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{bin}: {sum}");
        }
    }

    #[test]
    fn a_filter_between_two_bins_of_the_spectrum_is_empty() {
        let filters = MelScale::Slaney.filters(1000, 0.0, 8000.0);
        let power = [1.0; SPECTRUM_BINS];
        assert!(filters.iter().any(|filter| filter.energy(&power) == 0.0));
        assert!(MelScale::Htk.filters(0, 20.0, 8000.0).is_empty());
    }
}
