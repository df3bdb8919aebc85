//! How two decoded recordings differ.

use std::ops::RangeInclusive;

/// A recording against its reference.
#[derive(Debug)]
pub struct Difference {
    /// Seconds by which it is longer.
    pub longer_s: f64,
    /// Highest normalised correlation.
    pub correlation: f64,
    /// Seconds by which it is later, where the correlation is highest.
    pub later_s: f64,
    /// Its level over the reference's, in dB.
    pub level_db: f64,
}

/// Compares `ours` with `reference`, both at 16 kHz.
pub fn compare(ours: &[f32], reference: &[f32]) -> Difference {
    const RATE: f64 = 16_000.0;
    // Speech has its energy below 2 kHz: every fourth sample of a moving mean finds the place, and
    // the whole the exact one.
    let (coarse, fine) = (decimated(ours), decimated(reference));
    let (_, near) = best(&coarse, &fine, -800..=800);
    let (correlation, lag) = best(ours, reference, near * 4 - 8..=near * 4 + 8);
    Difference {
        longer_s: (ours.len() as f64 - reference.len() as f64) / RATE,
        correlation,
        later_s: lag as f64 / RATE,
        level_db: 10.0 * (energy(ours) / energy(reference)).log10(),
    }
}

fn decimated(samples: &[f32]) -> Vec<f32> {
    samples.chunks(4).map(|chunk| chunk.iter().sum::<f32>() / 4.0).collect()
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() + 1e-9
}

/// The best correlation and the lag at which it is.
fn best(ours: &[f32], reference: &[f32], lags: RangeInclusive<isize>) -> (f64, isize) {
    let norm = (energy(ours) * energy(reference)).sqrt();
    let at = |lag: isize| {
        let (skip_ours, skip_reference) = (lag.max(0) as usize, (-lag).max(0) as usize);
        let pairs = ours.iter().skip(skip_ours).zip(reference.iter().skip(skip_reference));
        pairs.map(|(&a, &b)| f64::from(a * b)).sum::<f64>() / norm
    };
    lags.map(|lag| (at(lag), lag)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0))
}
