//! Looks at bundles, and loads those that have changed: the files of folders, and what the registry
//! says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Rollout, Stage};
use crate::config::SHADOW;
use crate::models::{Bundle, Look, Seen};

/// Share of the time between two looks by which they differ, so that servers that started at once
/// do not all load at once.
const JITTER: f64 = 0.2;

impl Rollout {
    /// Looks at the bundles that run, for as long as the server does.
    pub async fn watch(self: Arc<Self>) {
        let every = self.config.rollout.poll_s;
        if every == 0.0 {
            return;
        }
        // What runs was just found.
        self.note_looks(self.running().iter().map(|(arm, _)| (arm.as_str(), true)));
        let mut last: HashMap<String, Look> = HashMap::new();
        loop {
            sleep(Duration::from_secs_f64(every * (1.0 + JITTER * (random() - 0.5)))).await;
            let looked = tokio::task::spawn_blocking({
                let rollout = self.clone();
                move || {
                    let look = |(arm, bundle): (String, Arc<Bundle>)| {
                        let seen = rollout.models.shelf.look_at(bundle.source.name.as_deref());
                        let is_another = seen.look != bundle.source.look;
                        (arm, seen, is_another)
                    };
                    rollout.running().into_iter().map(look).collect()
                }
            });
            // After a panic, which the log shows, nothing was found out.
            let looked: Result<Vec<(String, Seen, bool)>, _> = looked.await;
            let Ok(looks) = looked else { continue };
            self.note_looks(looks.iter().map(|(arm, seen, _)| (arm.as_str(), seen.is_certain)));
            for (arm, Seen { look, .. }, is_another) in looks {
                // Files that are still being written look different each time.
                let last = last.insert(arm.clone(), look.clone());
                let is_whole = !look.may_be_unfinished() || last.is_some_and(|last| last == look);
                if is_whole && is_another {
                    self.reload_changed(arm).await;
                }
            }
        }
    }

    /// Tells how long ago it was found out what arms should run.
    fn note_looks<'a>(&self, looks: impl Iterator<Item = (&'a str, bool)>) {
        for (arm, silent_s) in self.metrics.models.looks.note(looks) {
            tracing::info!(arm, silent_s, "looked at again");
        }
    }

    /// All arms and the shadow, with what they have.
    fn running(&self) -> Vec<(String, Arc<Bundle>)> {
        let arms = self.arms().into_iter().map(|arm| (arm.name.to_string(), arm.bundle));
        arms.chain(self.models.shadow().map(|bundle| (SHADOW.to_owned(), bundle))).collect()
    }

    /// Loads an arm whose bundle has other files than those that run, unless it went back from
    /// them.
    async fn reload_changed(self: &Arc<Self>, arm: String) {
        let done = self.in_turn(move |rollout| {
            let Some((_, bundle)) = rollout.running().into_iter().find(|(name, _)| *name == arm) else {
                return Ok(());
            };
            let told = bundle.source.name.as_deref();
            let rejected = rollout.rejected.lock().get(&arm).cloned();
            let known = [Some(&bundle.source), rejected.as_ref().filter(|it| it.name == bundle.source.name)];
            if known.into_iter().flatten().any(|source| rollout.models.shelf.looks_the_same(source)) {
                return Ok(());
            }
            let found = rollout.models.shelf.find(told);
            if let (Ok(found), Some(rejected)) = (&found, rejected)
                && found.holds_the_same(&rejected)
            {
                return Ok(());
            }
            let done = rollout.reload_arm(&arm, told, false);
            // What cannot be used is not tried again until it is another one.
            if let (Err(failed), Ok(found)) = (&done, found)
                && failed.stage != Stage::Memory
            {
                rollout.rejected.lock().insert(arm.clone(), found);
            }
            rollout.counted(done, "done").map(drop)
        });
        // What failed is logged and counted.
        let _ = done.await;
    }
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 8];
    // Without the system's random numbers, servers look at the same time.
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes) as f64 / u64::MAX as f64
}
