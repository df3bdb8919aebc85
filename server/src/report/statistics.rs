//! How sure a figure is.
//!
//! Shares of failures have the interval of Wilson, differences of two shares that of Newcombe (R.
//! G. Newcombe, "Interval estimation for the difference between independent proportions",
//! Statistics in Medicine 17, 1998, method 10). Quantiles are read from the buckets of a histogram,
//! as Prometheus does it, and their intervals are those of a bootstrap: the count of each bucket is
//! drawn anew from the Poisson distribution with its mean, and the quantile is read again.

use serde::Serialize;

/// That of a normal distribution for 95 of 100, in both directions.
const Z: f64 = 1.959_964;
/// Times that counts are drawn anew.
const DRAWS: usize = 2000;
/// Count from which the Poisson distribution is taken for a normal one.
const MANY: f64 = 50.0;

/// A figure, and between what it lies with 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Interval {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The buckets of a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Buckets {
    /// Upper ends and how many lie under them, as they are scraped.
    cumulated: Vec<(f64, u64)>,
}

impl Buckets {
    /// Adds a bucket as it is scraped: all up to `end`.
    pub(super) fn add(&mut self, end: &str, count: u64) {
        let end = end.parse().unwrap_or(f64::INFINITY);
        self.cumulated.push((end, count));
        self.cumulated.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// All.
    pub(super) fn count(&self) -> u64 {
        self.cumulated.last().map_or(0, |(_, count)| *count)
    }

    /// Upper ends and how many lie between each and the one before.
    fn counts(&self) -> Vec<(f64, f64)> {
        let below = [0].into_iter().chain(self.cumulated.iter().map(|(_, count)| *count));
        let own = |((end, count), below): (&(f64, u64), u64)| (*end, count.saturating_sub(below) as f64);
        self.cumulated.iter().zip(below).map(own).collect()
    }
}

/// The share of `failed` in `all`.
pub(super) fn wilson(failed: u64, all: u64) -> Interval {
    if all == 0 {
        return Interval { value: 0.0, low: 0.0, high: 1.0 };
    }
    let n = all as f64;
    let share = failed as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let width = Z / scale * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Rounding must not put the share outside.
    Interval {
        value: share,
        low: (middle - width).clamp(0.0, share),
        high: (middle + width).clamp(share, 1.0),
    }
}

/// The share of the first pair, failed and all, less that of the second one.
pub(super) fn difference(first: (u64, u64), second: (u64, u64)) -> Interval {
    let (a, b) = (wilson(first.0, first.1), wilson(second.0, second.1));
    let value = a.value - b.value;
    let width = |own: f64, other: f64| (own * own + other * other).sqrt();
    let low = value - width(a.value - a.low, b.high - b.value);
    let high = value + width(a.high - a.value, b.value - b.low);
    Interval { value, low, high }
}

/// A quantile; `None` of nothing.
pub(super) fn quantile(buckets: &Buckets, share: f64) -> Option<Interval> {
    let counts = buckets.counts();
    let mut draws = Draws::default();
    let found = (0..DRAWS).filter_map(|_| read(&draws.anew(&counts), share)).collect();
    Some(interval(read(&counts, share)?, found))
}

/// A quantile of the first histogram over that of the second one; `None` where one has none.
pub(super) fn quantile_ratio(first: &Buckets, second: &Buckets, share: f64) -> Option<Interval> {
    let (first, second) = (first.counts(), second.counts());
    let ratio = |first: &[(f64, f64)], second: &[(f64, f64)]| {
        Some(read(first, share)? / read(second, share).filter(|value| *value > 0.0)?)
    };
    let mut draws = Draws::default();
    let found = (0..DRAWS).filter_map(|_| ratio(&draws.anew(&first), &draws.anew(&second))).collect();
    Some(interval(ratio(&first, &second)?, found))
}

fn interval(value: f64, mut found: Vec<f64>) -> Interval {
    found.sort_by(f64::total_cmp);
    let at = |share: f64| found.get((share * found.len() as f64) as usize).copied().unwrap_or(value);
    Interval { value, low: at(0.025), high: at(0.975) }
}

/// The quantile of these buckets: in a straight line through its bucket; of the last one, which has
/// no end, its start.
fn read(counts: &[(f64, f64)], share: f64) -> Option<f64> {
    let all: f64 = counts.iter().map(|(_, count)| count).sum();
    let (rank, mut below, mut start) = (share * all, 0.0, 0.0);
    if all == 0.0 {
        return None;
    }
    for (end, count) in counts {
        if *count > 0.0 && below + count >= rank {
            return Some(if end.is_infinite() {
                start
            } else {
                start + (end - start) * (rank - below) / count
            });
        }
        below += count;
        start = *end;
    }
    None
}

/// Numbers that are drawn, the same in each run.
struct Draws(u64);

impl Default for Draws {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Draws {
    /// The counts as they might have been as well.
    fn anew(&mut self, counts: &[(f64, f64)]) -> Vec<(f64, f64)> {
        counts.iter().map(|(end, count)| (*end, self.poisson(*count))).collect()
    }

    /// From 0, which it never is, to 1: xorshift64*, S. Vigna, 2016.
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn poisson(&mut self, mean: f64) -> f64 {
        if mean > MANY {
            // Box and Muller.
            let (radius, angle) =
                ((-2.0 * self.uniform().ln()).sqrt(), std::f64::consts::TAU * self.uniform());
            return (mean + mean.sqrt() * radius * angle.cos()).round().max(0.0);
        }
        // Knuth.
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
        while product > limit {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found}, expected {expected}");
    }

    #[test]
    fn shares_and_their_difference_have_the_published_intervals() {
        // Newcombe 1998, table II: 56/70 against 48/80, method 10: 0.0524 to 0.3339.
        let found = difference((56, 70), (48, 80));
        near(found.value, 0.2, 1e-12);
        near(found.low, 0.0524, 1e-4);
        near(found.high, 0.3339, 1e-4);
        // The same table: 0/10 against 0/20: -0.1611 to 0.2775.
        let found = difference((0, 10), (0, 20));
        near(found.low, -0.1611, 1e-4);
        near(found.high, 0.2775, 1e-4);
        // Wilson's of 0/10: 0 to 0.2775.
        near(wilson(0, 10).high, 0.2775, 1e-4);
        assert_eq!(wilson(0, 0), Interval { value: 0.0, low: 0.0, high: 1.0 });
    }

    fn buckets(counts: &[(&str, u64)]) -> Buckets {
        let (mut buckets, mut sum) = (Buckets::default(), 0);
        for (end, count) in counts {
            sum += count;
            buckets.add(end, sum);
        }
        buckets
    }

    #[test]
    fn quantiles_are_prometheuss_and_more_is_surer() {
        let few = buckets(&[("0.01", 50), ("0.02", 40), ("0.05", 10), ("+Inf", 0)]);
        let found = quantile(&few, 0.5).unwrap();
        near(found.value, 0.01, 1e-12);
        near(quantile(&few, 0.99).unwrap().value, 0.02 + 0.03 * 0.9, 1e-12);
        let many = buckets(&[("0.01", 50_000), ("0.02", 40_000), ("0.05", 10_000), ("+Inf", 0)]);
        let surer = quantile(&many, 0.5).unwrap();
        assert!(found.low < surer.low && surer.low < 0.01 && 0.01 < surer.high && surer.high < found.high);
        assert!(quantile(&buckets(&[("+Inf", 0)]), 0.5).is_none());
        near(quantile(&buckets(&[("0.01", 0), ("+Inf", 9)]), 0.5).unwrap().value, 0.01, 1e-12);
    }

    #[test]
    fn the_interval_of_the_bootstrap_holds_what_it_should() {
        // Counts of a uniform distribution, whose median is known, again and again.
        let (mut draws, mut held, rounds) = (Draws(7), 0, 200);
        for _ in 0..rounds {
            let mut counts = [0_u64; 10];
            (0..500).for_each(|_| counts[(draws.uniform() * 10.0) as usize] += 1);
            let ends: Vec<String> = (1..=10).map(|end| format!("{}", f64::from(end) / 10.0)).collect();
            let given: Vec<(&str, u64)> = ends.iter().map(String::as_str).zip(counts).collect();
            let found = quantile(&buckets(&given), 0.5).unwrap();
            held += u32::from(found.low <= 0.5 && 0.5 <= found.high);
        }
        assert!((180..=199).contains(&held), "{held} of {rounds}");
    }

    #[test]
    fn a_ratio_tells_slower_from_as_fast() {
        let one = buckets(&[("0.01", 900), ("0.02", 90), ("0.05", 10), ("+Inf", 0)]);
        let slow = buckets(&[("0.01", 0), ("0.02", 900), ("0.05", 100), ("+Inf", 0)]);
        let same = quantile_ratio(&one, &one, 0.5).unwrap();
        assert!(same.low < 1.0 && 1.0 < same.high && same.value == 1.0, "{same:?}");
        assert!(quantile_ratio(&slow, &one, 0.5).unwrap().low > 1.5);
    }
}
