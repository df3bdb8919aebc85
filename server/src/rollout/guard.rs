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
                self.give_up(arm, &reason).await;
            }
        }
    }

    /// Goes back from the models of an arm, which were judged, unless it has others by then.
    async fn give_up(self: &Arc<Self>, judged: Arm, reason: &str) {
        let Arm { name, bundle, .. } = judged.clone();
        let model = name_of(bundle.info(Kind::Batch));
        tracing::warn!(arm = &*name, model, reason, "worse than before");
        let back = move |rollout: &Self| {
            // Whoever had the turn before may have changed the models.
            if !rollout.runs(&judged) {
                return Ok(());
            }
            let name = &*judged.name;
            if judged.before.is_some() {
                return rollout.roll_back_now(Some(name), true, "automatic_rollback").map(drop);
            }
            rollout.metrics.models.reloaded("automatic_rollback");
            rollout.weigh_now(&[(name.to_owned(), 0.0)].into())
        };
        if let Err(refused) = self.in_turn(back).await {
            tracing::error!(?refused, "the models stay");
            // Once is enough to be told.
            bundle.accept();
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
    use std::path::Path;

    use super::*;
    use crate::admission::Admission;
    use crate::metrics::Metrics;
    use crate::models::{Models, Record, testing};
    use crate::rollout::{Refused, Stage, Wanted};
    use crate::voices::Voices;
    use crate::work::batch::BatchQueue;

    /// The models that are compiled in, and what changes them.
    fn rollout(keys: &[&str]) -> Arc<Rollout> {
        let config = testing::config(keys);
        let metrics = Arc::new(Metrics::new());
        let models = Arc::new(Models::new(&config, metrics.clone()).unwrap());
        let voices = Arc::new(Voices::new(&config.voices).unwrap());
        let queue = Arc::new(BatchQueue::new(1, 1, 0, metrics.clone()));
        let admission = Arc::new(Admission::new(&config, models.clone(), queue, metrics.clone()));
        let rollout = Arc::new(Rollout::new(&config, models, voices, admission, metrics, 1));
        rollout.start().unwrap();
        rollout
    }

    fn arm(rollout: &Rollout) -> Arm {
        rollout.arms().remove(0)
    }

    /// What the arm is loaded from.
    fn runs(rollout: &Rollout) -> String {
        arm(rollout).bundle.source.name.clone().unwrap()
    }

    fn wanted(model: &str, orphan_galleries: bool) -> Wanted {
        Wanted { model: Some(model.to_owned()), orphan_galleries, ..Wanted::default() }
    }

    fn counted(rollout: &Rollout, line: &str) -> bool {
        rollout.metrics.text().unwrap().lines().any(|found| found == line)
    }

    #[tokio::test]
    async fn what_was_put_right_meanwhile_is_not_gone_back_from() {
        let folder = tempfile::tempdir().unwrap();
        let [bad, good] = ["bad", "good"].map(|name| testing::copy(folder.path(), name));
        let rollout = rollout(&[]);
        let answer = |failed| (0..100).for_each(|_| arm(&rollout).bundle.record.answered(failed));
        answer(false);
        rollout.reload(wanted(&bad, false)).await.unwrap();
        assert_eq!(rollout.worse_arms().len(), 0);
        answer(true);
        let (judged, reason) = rollout.worse_arms().remove(0);

        // Whoever has the turn puts it right before the guard, which has judged, has its turn.
        let turn = rollout.turn.clone().lock_owned().await;
        let guard = tokio::spawn({
            let rollout = rollout.clone();
            async move { rollout.give_up(judged, &reason).await }
        });
        tokio::task::yield_now().await;
        rollout.reload_now(&wanted(&good, false)).unwrap();
        assert!(!guard.is_finished());
        drop(turn);
        guard.await.unwrap();
        assert_eq!(runs(&rollout), good);
        let automatic = "voiceflow_model_reloads_total{outcome=\"automatic_rollback\"}";
        assert!(counted(&rollout, &format!("{automatic} 0")));

        // Nobody has put these right.
        rollout.give_up(arm(&rollout), "the test says so").await;
        assert_eq!(runs(&rollout), bad);
        assert!(counted(&rollout, &format!("{automatic} 1")));
    }

    #[tokio::test]
    async fn galleries_that_cannot_be_read_keep_no_bad_models() {
        let (folder, voices) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tenant = voices.path().join("everybody");
        std::fs::create_dir(&tenant).unwrap();
        std::fs::write(tenant.join("team.json"), "half a gall").unwrap();
        let next = testing::copy(folder.path(), "next");
        let key = |folder: &Path| format!("voices.folder={}", folder.display());
        let rollout = rollout(&[&key(voices.path())]);
        // Nobody knows whose voices they are.
        let refused = rollout.reload(wanted(&next, false)).await.unwrap_err();
        let Refused::Failed(failed) = refused else { panic!("{refused:?}") };
        assert_eq!(failed.stage, Stage::Galleries);
        assert!(
            failed.reason.contains("got 1 that cannot: ") && failed.reason.contains("team.json"),
            "{failed}"
        );
        rollout.reload(wanted(&next, true)).await.unwrap();
        rollout.give_up(arm(&rollout), "the test says so").await;
        assert_eq!(runs(&rollout), "fast-cnn");
        assert!(counted(&rollout, "voiceflow_model_reloads_total{outcome=\"automatic_rollback\"} 1"));
        assert!(counted(&rollout, "voiceflow_unread_galleries_total 3"));
    }

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
