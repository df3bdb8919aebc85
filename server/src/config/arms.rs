//! The sections of models that are compared: arms, the shadow, and how new ones are let in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sections::within;

/// The arm of a server that is told of none.
const ONLY: &str = "stable";
/// What the candidate of the shadow is called in place of an arm.
pub const SHADOW: &str = "shadow";
/// Longest name of an arm in bytes: it is a label of metrics.
const MAX_NAME_BYTES: usize = 32;
/// Most arms.
const MAX_ARMS: usize = 16;
/// Bundles in memory beside those that are configured: one that is being loaded, and one that old
/// streams still use.
const MORE_BUNDLES: usize = 2;

/// Models that answer a share of the requests and streams.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// As metrics and headers name it.
    pub name: String,
    /// The bundle, as `model.bundle` has it; the library's own models without it.
    #[serde(default)]
    pub model: Option<String>,
    /// Its part of the sum of all weights.
    #[serde(default = "one")]
    pub weight: f64,
}

fn one() -> f64 {
    1.0
}

/// A candidate that is compared on what others have answered, and answers nobody.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shadow {
    /// The bundle of the candidate; there is no shadow without it.
    pub model: Option<String>,
    /// Share of the recordings and streams that it is compared on, 0 to 1.
    pub share: f64,
    /// By how much its threads give way to others, 0 to 19, as nice(1) has it.
    pub niceness: i32,
}

impl Default for Shadow {
    fn default() -> Self {
        Self { model: None, share: 0.0, niceness: 19 }
    }
}

/// How new models take the place of old ones.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollout {
    /// Decides, with the key of a request, which arm it goes to; the same on all servers.
    pub salt: String,
    /// Time in seconds in which a new model is compared with the one before, and goes back where it
    /// is worse; 0 never.
    pub window_s: f64,
    /// How many times the old errors or P99 are too many.
    pub ratio: f64,
    /// Answers, and times, of both models from which they are compared.
    pub least: u64,
    /// Time in seconds from one look at the bundles to the next; 0 looks at none.
    pub poll_s: f64,
    /// Longest time in seconds that a stream stays with models that others have replaced.
    pub streams_s: f64,
    /// Memory in bytes that must be left where new models are loaded.
    pub free_bytes: u64,
    /// Most bundles in memory, those that old streams still use among them; 0 is two more than are
    /// configured.
    pub bundles: usize,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            salt: "voiceflow".to_owned(),
            window_s: 300.0,
            ratio: 2.0,
            least: 50,
            poll_s: 30.0,
            streams_s: 3600.0,
            free_bytes: 128 << 20,
            bundles: 0,
        }
    }
}

impl Arm {
    /// The one arm of a server that is told of none.
    pub(super) fn only(bundle: Option<&Path>) -> Self {
        let model = bundle.map(|bundle| bundle.to_string_lossy().into_owned());
        Self { name: ONLY.to_owned(), model, weight: 1.0 }
    }
}

/// Refuses names that cannot be told apart or shown, and weights that no share can be had of.
///
/// # Errors
/// What is wrong, with the key.
pub fn check_arms(arms: &[Arm]) -> Result<(), String> {
    if arms.len() > MAX_ARMS {
        return Err(format!("arms: expected at most {MAX_ARMS}, got {}", arms.len()));
    }
    for (index, Arm { name, weight, .. }) in arms.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(format!(
                "arms.name: expected 1 to {MAX_NAME_BYTES} letters, digits, -, _ or ., got {name:?}"
            ));
        }
        if name == SHADOW || arms.iter().take(index).any(|other| other.name == *name) {
            return Err(format!("arms.name: expected one of its own, got {name:?}"));
        }
        within("arms.weight", *weight, 0.0..=1e6)?;
    }
    if arms.iter().all(|arm| arm.weight == 0.0) {
        return Err("arms.weight: expected one above 0, got none".to_owned());
    }
    Ok(())
}

impl Shadow {
    pub(super) fn check(&self) -> Result<(), String> {
        within("shadow.niceness", f64::from(self.niceness), 0.0..=19.0)?;
        within("shadow.share", self.share, 0.0..=1.0)
    }
}

impl Rollout {
    /// Most bundles in memory where `configured` run.
    pub fn most_bundles(&self, configured: usize) -> usize {
        if self.bundles == 0 { configured + MORE_BUNDLES } else { self.bundles }
    }

    pub(super) fn check(&self, configured: usize) -> Result<(), String> {
        within("rollout.window_s", self.window_s, 0.0..=86_400.0)?;
        within("rollout.ratio", self.ratio, 1.0..=1000.0)?;
        within("rollout.least", self.least as f64, 1.0..=1e9)?;
        within("rollout.poll_s", self.poll_s, 0.0..=86_400.0)?;
        within("rollout.streams_s", self.streams_s, 0.0..=86_400.0)?;
        if self.bundles != 0 && self.bundles <= configured {
            let (least, got) = (configured + 1, self.bundles);
            return Err(format!("rollout.bundles: expected 0, or {least} or more, got {got}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arms(given: &[(&str, f64)]) -> Vec<Arm> {
        given
            .iter()
            .map(|(name, weight)| Arm { name: (*name).to_owned(), model: None, weight: *weight })
            .collect()
    }

    #[test]
    fn arms_have_names_of_their_own_and_a_share() {
        assert_eq!(check_arms(&arms(&[("stable", 90.0), ("next-2.0", 0.0)])), Ok(()));
        let refused = |given: &[(&str, f64)]| check_arms(&arms(given)).unwrap_err();
        assert_eq!(refused(&[("a", 1.0), ("a", 1.0)]), "arms.name: expected one of its own, got \"a\"");
        assert_eq!(refused(&[("shadow", 1.0)]), "arms.name: expected one of its own, got \"shadow\"");
        assert!(refused(&[("a b", 1.0)]).starts_with("arms.name: expected 1 to 32 letters"));
        assert_eq!(refused(&[("a", -1.0)]), "arms.weight: expected 0 to 1000000, got -1");
        assert_eq!(refused(&[("a", f64::NAN)]), "arms.weight: expected 0 to 1000000, got NaN");
        assert_eq!(refused(&[("a", 0.0)]), "arms.weight: expected one above 0, got none");
    }

    #[test]
    fn there_is_room_for_a_reload() {
        let rollout = |bundles| Rollout { bundles, ..Rollout::default() };
        assert_eq!((rollout(0).most_bundles(1), rollout(7).most_bundles(1)), (3, 7));
        assert!(rollout(0).check(3).is_ok() && rollout(4).check(3).is_ok());
        let error = rollout(3).check(3).unwrap_err();
        assert_eq!(error, "rollout.bundles: expected 0, or 4 or more, got 3");
    }
}
