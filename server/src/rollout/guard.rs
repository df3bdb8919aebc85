//! Goes back by itself where new models are worse than those before them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::Rollout;
use crate::config;
use crate::metrics::Kind;
use crate::models::{Arm, Counts, name_of};

/// Time from one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Share of the times that a P99 leaves out.
const SLOW_SHARE: f64 = 0.01;
/// A turn of a stream that takes less is good, however little the old one took.
const GOOD_TURN_S: f64 = 0.02;

impl Rollout {
    /// Compares new models with those before them, for as long as the server runs.
    pub async fn guard(self: Arc<Self>) {
        if self.config.rollout.window_s == 0.0 {
            return;
        }
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for (arm, reason) in self.worse_arms() {
                let Arm { name, before, bundle, .. } = &arm;
                let model = name_of(bundle.info(Kind::Batch));
                tracing::warn!(arm = &**name, model, reason, "worse than before");
                let (judged, had_others) = (arm.clone(), before.is_some());
                let back = move |rollout: &Self| {
                    // Whoever had the turn before may have changed the models.
                    if !rollout.runs(&judged) {
                        return Ok(());
                    }
                    let name = &*judged.name;
                    if had_others {
                        return rollout.roll_back_now(Some(name), true, "automatic_rollback").map(drop);
                    }
                    rollout.metrics.models.reloaded("automatic_rollback");
                    rollout.weigh_now(&[(name.to_owned(), 0.0)].into())
                };
                if let Err(refused) = self.in_turn(back).await {
                    tracing::error!(?refused, "the models stay");
                    // Once is enough to be told.
                    arm.bundle.accept();
                }
            }
        }
    }

    /// Whether the arm still has these models.
    fn runs(&self, judged: &Arm) -> bool {
        let same = |arm: &Arm| arm.name == judged.name && Arc::ptr_eq(&arm.bundle, &judged.bundle);
        self.arms().iter().any(same)
    }

    /// Arms with new models that are worse, and why.
    fn worse_arms(&self) -> Vec<(Arm, String)> {
        let Some(fleet) = self.models.fleet() else { return Vec::new() };
        let window = Duration::from_secs_f64(self.config.rollout.window_s);
        let is_new = |arm: &&Arm| arm.weight > 0.0 && arm.bundle.is_new(window);
        let judge = |arm: &Arm| {
            // A new arm is compared with the first one, at the same time and on the same work.
            let first = fleet.arms.first().filter(|first| first.name != arm.name);
            let beside = || first.map(|first| first.bundle.record.recent());
            let old = arm.before.as_ref().map(|before| before.counts.clone()).or_else(beside)?;
            let reason = worse(&arm.bundle.record.recent(), &old, &self.config.rollout)?;
            Some((arm.clone(), reason))
        };
        fleet.arms.iter().filter(is_new).filter_map(judge).collect()
    }
}

/// Why `new` is worse than `old`, if it is.
fn worse(new: &Counts, old: &Counts, rollout: &config::Rollout) -> Option<String> {
    let config::Rollout { ratio, least, .. } = *rollout;
    if new.answers >= least && old.answers >= least {
        let ((share, [surely, _]), (old_share, [_, at_most])) = (new.failing(), old.failing());
        // Not by chance: the intervals of 95 % lie apart.
        if share >= ratio * old_share && surely > at_most {
            let percent = |share: f64| (share * 1e4).round() / 1e2;
            return Some(format!(
                "{} % of the answers failed, {} % before",
                percent(share),
                percent(old_share)
            ));
        }
    }
    [
        (Kind::Live, GOOD_TURN_S, "turns of streams"),
        (Kind::Batch, 0.0, "recordings, for each second of audio"),
    ]
    .into_iter()
    .filter(|(kind, ..)| new.count(*kind) >= least && old.count(*kind) >= least)
    .find_map(|(kind, good, what)| {
        let (p99, old_p99) = (new.p99(kind), old.p99(kind));
        // Not by chance: of few times the longest is the P99, whatever took it.
        let [surely, _] = new.reaching(kind, good.max(ratio * old_p99));
        let slow = p99 > good && p99 >= ratio * old_p99 && surely > SLOW_SHARE;
        slow.then(|| format!("P99 of {what} is {p99:.4} s, {old_p99:.4} s before"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Record;

    fn counts(answers: u64, failures: u64, turn_s: f64) -> Counts {
        let record = Record::new(Duration::from_secs(600));
        (0..answers).for_each(|index| record.answered(index < failures));
        (0..answers).for_each(|_| record.took(Kind::Live, turn_s));
        record.recent()
    }

    fn verdict(new: &Counts, old: &Counts) -> Option<String> {
        worse(new, old, &config::Rollout::default())
    }

    #[test]
    fn errors_are_worse_where_they_are_twice_as_many_and_not_by_chance() {
        let good = counts(1000, 0, 0.01);
        assert_eq!(verdict(&counts(1000, 0, 0.01), &good), None);
        assert_eq!(verdict(&counts(50, 1, 0.01), &good), None);
        assert_eq!(verdict(&counts(49, 40, 0.01), &good), None);
        let reason = verdict(&counts(50, 5, 0.01), &good).unwrap();
        assert_eq!(reason, "10 % of the answers failed, 0 % before");
        let bad = counts(1000, 100, 0.01);
        assert_eq!(verdict(&counts(1000, 150, 0.01), &bad), None);
        assert!(verdict(&counts(1000, 220, 0.01), &bad).is_some());
    }

    #[test]
    fn turns_are_worse_where_they_take_twice_the_time_and_are_felt() {
        let usual = counts(100, 0, 0.03);
        assert_eq!(verdict(&counts(100, 0, 0.045), &usual), None);
        let reason = verdict(&counts(100, 0, 0.07), &usual).unwrap();
        assert!(reason.starts_with("P99 of turns of streams is 0.0"), "{reason}");
        assert_eq!(verdict(&counts(100, 0, 0.015), &counts(100, 0, 0.003)), None);
        assert_eq!(verdict(&counts(10, 0, 1.0), &usual), None);
        let slow_at_times = |slow: u64| {
            let record = Record::new(Duration::from_secs(600));
            (0..50).for_each(|index| record.took(Kind::Batch, if index < slow { 0.05 } else { 0.01 }));
            record.recent()
        };
        let usual = slow_at_times(0);
        assert_eq!(verdict(&slow_at_times(1), &usual), None);
        assert!(verdict(&slow_at_times(5), &usual).is_some());
    }
}
