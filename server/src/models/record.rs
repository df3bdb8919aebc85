//! What a bundle has done lately, by which it is compared with another one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::metrics::Kind;

/// Pieces of the time that is looked at; the oldest one goes as a whole.
const PIECES: u32 = 10;
/// Shortest time that is told from shorter ones, in seconds.
const SHORTEST_S: f64 = 1e-5;
/// Buckets for each doubling of a time: neighbours differ by 19 %.
const BUCKETS_A_DOUBLING: f64 = 4.0;
/// Buckets, up to some three hours.
const BUCKETS: usize = 120;
/// That of a normal distribution for 95 of 100, in both directions.
const Z: f64 = 1.96;

/// Answers and times.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Recordings and streams that ended.
    pub answers: u64,
    /// Those of them that the server failed at.
    pub failures: u64,
    /// Compute of recordings for each second of audio, and of turns of streams.
    times: [Vec<u64>; 2],
}

/// The newest of them.
#[derive(Debug)]
pub struct Record {
    piece: Duration,
    pieces: Mutex<VecDeque<(Instant, Counts)>>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { answers: 0, failures: 0, times: [vec![0; BUCKETS], vec![0; BUCKETS]] }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.failures += other.failures;
        let times = self.times.iter_mut().flatten();
        times.zip(other.times.iter().flatten()).for_each(|(sum, more)| *sum += more);
    }

    /// Times of this kind.
    pub fn count(&self, kind: Kind) -> u64 {
        self.of(kind).iter().sum()
    }

    /// The time in seconds that 99 of 100 did not exceed: the upper end of its bucket.
    pub fn p99(&self, kind: Kind) -> f64 {
        let rank = (self.count(kind) * 99).div_ceil(100);
        let mut below = 0;
        let place = self.of(kind).iter().position(|count| {
            below += count;
            below >= rank
        });
        upper_end_s(place.unwrap_or(0))
    }

    /// The share of failures, and between what it lies with 95 %.
    pub fn failing(&self) -> (f64, [f64; 2]) {
        let share = if self.answers == 0 { 0.0 } else { self.failures as f64 / self.answers as f64 };
        (share, wilson(self.failures, self.answers))
    }

    /// Between what the share of times lies with 95 % that reach `seconds`: each is the upper end
    /// of its bucket.
    pub fn reaching(&self, kind: Kind, seconds: f64) -> [f64; 2] {
        let counts = self.of(kind).iter().enumerate();
        let slow = counts.filter(|(place, _)| upper_end_s(*place) >= seconds).map(|(_, count)| count).sum();
        wilson(slow, self.count(kind))
    }

    fn of(&self, kind: Kind) -> &[u64] {
        let [batch, live] = &self.times;
        match kind {
            Kind::Batch => batch,
            Kind::Live => live,
        }
    }
}

/// Between what a share lies with 95 % of which `count` of `all` were seen: the interval of Wilson.
fn wilson(count: u64, all: u64) -> [f64; 2] {
    if all == 0 {
        return [0.0, 1.0];
    }
    let n = all as f64;
    let share = count as f64 / n;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let width = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(middle - width).max(0.0), (middle + width).min(1.0)]
}

/// The bucket of a time.
fn place(seconds: f64) -> usize {
    let place = (seconds / SHORTEST_S).log2() * BUCKETS_A_DOUBLING;
    (place.max(0.0) as usize).min(BUCKETS - 1)
}

fn upper_end_s(place: usize) -> f64 {
    SHORTEST_S * 2.0_f64.powf((place + 1) as f64 / BUCKETS_A_DOUBLING)
}

impl Record {
    /// Nothing yet; what is older than `window` is forgotten.
    pub fn new(window: Duration) -> Self {
        Self { piece: window / PIECES, pieces: Mutex::default() }
    }

    /// Something took `seconds`.
    pub fn took(&self, kind: Kind, seconds: f64) {
        self.note(|counts| {
            let [batch, live] = &mut counts.times;
            let times = if kind == Kind::Batch { batch } else { live };
            if let Some(count) = times.get_mut(place(seconds)) {
                *count += 1;
            }
        });
    }

    /// A recording or a stream ended.
    pub fn answered(&self, failed: bool) {
        self.note(|counts| {
            counts.answers += 1;
            counts.failures += u64::from(failed);
        });
    }

    /// The sums over the time that is looked at.
    pub fn recent(&self) -> Counts {
        let mut pieces = self.pieces.lock();
        self.forget(&mut pieces);
        let mut sum = Counts::default();
        pieces.iter().for_each(|(_, counts)| sum.add(counts));
        sum
    }

    fn note(&self, change: impl FnOnce(&mut Counts)) {
        let mut pieces = self.pieces.lock();
        self.forget(&mut pieces);
        if pieces.back().is_none_or(|(began, _)| began.elapsed() >= self.piece) {
            pieces.push_back((Instant::now(), Counts::default()));
        }
        if let Some((_, counts)) = pieces.back_mut() {
            change(counts);
        }
    }

    fn forget(&self, pieces: &mut VecDeque<(Instant, Counts)>) {
        while pieces.front().is_some_and(|(began, _)| began.elapsed() > self.piece * (PIECES + 1)) {
            pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_their_kind_to_a_fifth() {
        let record = Record::new(Duration::from_secs(300));
        (0..98).for_each(|_| record.took(Kind::Live, 0.010));
        (0..2).for_each(|_| record.took(Kind::Live, 0.100));
        record.took(Kind::Batch, 0.0);
        record.took(Kind::Batch, 1e9);
        let counts = record.recent();
        assert_eq!((counts.count(Kind::Live), counts.count(Kind::Batch)), (100, 2));
        let p99 = counts.p99(Kind::Live);
        assert!((0.100..0.120).contains(&p99), "{p99}");
    }

    #[test]
    fn shares_of_failures_have_wilsons_interval() {
        let record = Record::new(Duration::from_secs(300));
        (0..50).for_each(|index| record.answered(index < 2));
        let (share, [least, most]) = record.recent().failing();
        // R: binom::binom.wilson(2, 50).
        assert!((share - 0.04).abs() < 1e-12);
        assert!((least - 0.011_04).abs() < 1e-4 && (most - 0.134_6).abs() < 1e-4, "{least} {most}");
        assert_eq!(Counts::default().failing(), (0.0, [0.0, 1.0]));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let record = Record::new(Duration::from_secs(2));
        record.answered(true);
        assert_eq!(record.recent().failures, 1);
        std::thread::sleep(Duration::from_millis(2600));
        assert_eq!(record.recent().failures, 0);
    }
}
