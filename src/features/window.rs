//! The windows over a frame.

use std::f64::consts::TAU;

/// Exponent of [`Window::Povey`].
const POVEY_EXPONENT: f64 = 0.85;

/// A raised cosine of one kind or another over a frame of n samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Window {
    /// `0.54 - 0.46 cos(2 pi i / (n - 1))`.
    Hamming,
    /// `0.5 - 0.5 cos(2 pi i / (n - 1))`: zero at both ends.
    Hann,
    /// `0.5 - 0.5 cos(2 pi i / n)`: zero at the start only.
    PeriodicHann,
    /// [`Window::Hann`] to the power of 0.85: Kaldi's own.
    Povey,
}

impl Window {
    /// Its values over a frame of `length` samples, at least 2.
    pub fn values(self, length: usize) -> Vec<f64> {
        let period = if self == Window::PeriodicHann { length } else { length - 1 } as f64;
        let value = |i: usize| {
            let cosine = (TAU * i as f64 / period).cos();
            match self {
                Window::Hamming => 0.54 - 0.46 * cosine,
                Window::Hann | Window::PeriodicHann => 0.5 - 0.5 * cosine,
                Window::Povey => (0.5 - 0.5 * cosine).powf(POVEY_EXPONENT),
            }
        };
        (0..length).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_even_and_one_in_the_middle() {
        for window in [Window::Hamming, Window::Hann, Window::Povey] {
            let values = window.values(401);
            assert!((values[200] - 1.0).abs() < 1e-15);
            assert!((0..401).all(|i| (values[i] - values[400 - i]).abs() < 1e-12));
        }
        let values = Window::PeriodicHann.values(400);
        assert!((values[200] - 1.0).abs() < 1e-15);
        assert!((1..400).all(|i| (values[i] - values[400 - i]).abs() < 1e-12));
    }
}
