//! The arms: which bundle each has, and which of them a request goes to. A key always goes to the
//! same one, on every server with the same salt and weights, and nobody remembers it.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use voiceflow::model::ModelInfo;

use super::bundle::Bundle;
use super::chosen::{Chosen, answers_to};
use super::record::Counts;
use super::source::Source;
use crate::metrics::Kind;

/// Shares are counted in so many parts: the least share is a hundredth of a percent.
const PARTS: u64 = 10_000;

/// What an arm had before.
#[derive(Clone, Debug)]
pub struct Before {
    /// What it is loaded from.
    pub source: Source,
    /// The SHA-256 of its model.
    pub sha256: String,
    /// What it did in the end.
    pub counts: Counts,
}

/// Models that answer a share of the requests and streams.
#[derive(Clone, Debug)]
pub struct Arm {
    /// As metrics and headers name it.
    pub name: Arc<str>,
    /// Its part of the sum of all weights.
    pub weight: f64,
    /// What it has at the moment.
    pub bundle: Arc<Bundle>,
    /// What it had before.
    pub before: Option<Before>,
}

/// All arms, of which there is one at least.
#[derive(Clone, Debug)]
pub struct Fleet {
    salt: String,
    /// In the order in which they share the parts.
    pub arms: Vec<Arm>,
}

impl Fleet {
    /// These arms.
    pub(super) fn new(salt: String, arms: Vec<Arm>) -> Self {
        Self { salt, arms }
    }

    /// The model of the arm that `key` goes to, among those that are `fit`; `None` where none is.
    pub fn choose(&self, kind: Kind, key: &str, fit: impl Fn(&ModelInfo) -> bool) -> Option<Chosen> {
        self.among(kind, fit, |weights| share_of(part(&self.salt, key), weights))
    }

    /// The first model for recordings that is `fit`, in the order of the arms; `None` where none
    /// is.
    pub fn first(&self, fit: impl Fn(&ModelInfo) -> bool) -> Option<Chosen> {
        self.among(Kind::Batch, fit, |_| Some(0))
    }

    /// Whether any arm has a model that is called so.
    pub fn has(&self, name: &str) -> bool {
        let mut models = self.arms.iter().flat_map(|arm| arm.bundle.models());
        models.any(|(model, _)| answers_to(model, name))
    }

    /// The arm that is picked by their weights of those whose model is `fit`: of those that are
    /// meant, else of the others that can do it.
    fn among(
        &self,
        kind: Kind,
        fit: impl Fn(&ModelInfo) -> bool,
        pick: impl Fn(&[f64]) -> Option<usize>,
    ) -> Option<Chosen> {
        usable_for(kind).iter().find_map(|&usual_for| {
            let fits = |arm: &&Arm| arm.weight > 0.0 && fit(arm.bundle.info(usual_for));
            let arms: Vec<&Arm> = self.arms.iter().filter(fits).collect();
            let weights: Vec<f64> = arms.iter().map(|arm| arm.weight).collect();
            let arm = arms.get(pick(&weights)?)?;
            Some(Chosen { bundle: arm.bundle.clone(), usual_for })
        })
    }

    /// The arm of this name.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|arm| &*arm.name == name)
    }

    /// The share of the requests that an arm gets, 0 to 1.
    pub fn share(&self, arm: &Arm) -> f64 {
        arm.weight / self.arms.iter().map(|arm| arm.weight).sum::<f64>()
    }
}

/// Whose usual models can answer: those that are meant first. Streams have their own alone, as it
/// is measured how many of them there may be.
fn usable_for(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Batch => &[Kind::Batch, Kind::Live],
        Kind::Live => &[Kind::Live],
    }
}

/// The part that a key is in.
fn part(salt: &str, key: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    // Where the salt ends.
    hash.update([0]);
    hash.update(key.as_bytes());
    let first: [u8; 8] = std::array::from_fn({
        let whole = hash.finalize();
        move |index| whole.get(index).copied().unwrap_or_default()
    });
    u64::from_be_bytes(first) % PARTS
}

/// Where in all parts a key is, from 0 to 1.
pub fn part_of(salt: &str, key: &str) -> f64 {
    part(salt, key) as f64 / PARTS as f64
}

/// Which of these shares a part is in; they lie one behind another, so that a change of weights
/// moves the keys at their borders alone. `None` where there is no share.
fn share_of(part: u64, weights: &[f64]) -> Option<usize> {
    let total: f64 = weights.iter().sum();
    let mut below = 0.0;
    let found = weights.iter().position(|weight| {
        below += weight;
        (part as f64) < (below / total * PARTS as f64).round()
    });
    // Rounding leaves the last part to nobody.
    found.or_else(|| weights.iter().rposition(|weight| *weight > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_with_their_share_and_shares_are_as_large_as_asked() {
        let of = |weights: &[f64]| -> Vec<usize> {
            (0..20_000).map(|key| share_of(part("salt", &format!("call-{key}")), weights).unwrap()).collect()
        };
        let (before, after) = (of(&[90.0, 10.0]), of(&[80.0, 20.0]));
        let second = before.iter().filter(|index| **index == 1).count();
        assert!((1850..2150).contains(&second), "{second}");
        assert_eq!(before, of(&[9.0, 1.0]));
        // More weight for the second one takes from the first one alone.
        assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
        assert!(of(&[0.0, 1.0]).iter().all(|index| *index == 1));
    }

    #[test]
    fn every_part_has_a_share() {
        let weights = [1.0, 1.0, 1.0];
        let mut counts = [0; 3];
        (0..PARTS).for_each(|part| counts[share_of(part, &weights).unwrap()] += 1);
        assert_eq!(counts, [3333, 3334, 3333]);
        assert_eq!(share_of(0, &[]), None);
    }

    #[test]
    fn parts_are_the_same_everywhere() {
        // printf 'voiceflow\0call-4711' | sha256sum: the first 16 digits, modulo 10,000.
        assert_eq!(part("voiceflow", "call-4711"), 4_771);
        assert_ne!(part("a", "bc"), part("ab", "c"));
    }
}
