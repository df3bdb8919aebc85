//! Measured times and their percentiles.

use serde::Serialize;

/// How long runs took.
pub struct Timed {
    /// Each of them, in milliseconds.
    pub times_ms: Vec<f64>,
    /// All of them together, in seconds.
    pub wall_s: f64,
}

/// How times are spread, in milliseconds: percentiles by nearest rank, each one of the times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Spread {
    /// That of `times_ms`; `None` where there are none.
    pub fn of(mut times_ms: Vec<f64>) -> Option<Self> {
        times_ms.sort_by(f64::total_cmp);
        let percentile = |percent: usize| {
            let rank = (percent * times_ms.len()).div_ceil(100);
            times_ms.get(rank.saturating_sub(1)).copied()
        };
        Some(Self {
            p50_ms: percentile(50)?,
            p95_ms: percentile(95)?,
            p99_ms: percentile(99)?,
            max_ms: percentile(100)?,
        })
    }

    /// The figures as cells of a table.
    pub fn cells(&self, decimals: usize) -> [String; 4] {
        [self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms].map(|time_ms| format!("{time_ms:.decimals$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(times_ms: impl Iterator<Item = i32>) -> Option<[f64; 4]> {
        Spread::of(times_ms.map(f64::from).collect()).map(|it| [it.p50_ms, it.p95_ms, it.p99_ms, it.max_ms])
    }

    #[test]
    fn percentiles_are_values_by_their_rank() {
        assert_eq!(figures(0..0), None);
        assert_eq!(figures(7..8), Some([7.0; 4]));
        assert_eq!(figures((1..3).rev()), Some([1.0, 2.0, 2.0, 2.0]));
        assert_eq!(figures((1..101).rev()), Some([50.0, 95.0, 99.0, 100.0]));
        assert_eq!(figures(1..102), Some([51.0, 96.0, 100.0, 101.0]));
    }
}
