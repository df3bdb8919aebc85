//! How models change while the server runs: new ones are loaded and checked beside those that run,
//! on a thread of their own and one at a time, and take over at once. Whatever fails before that
//! changes nothing.
//!
//! ```text
//! POST /reload, /rollback   ┐
//! SIGHUP, a look at bundles ├─> resolve ─> fetch ─> memory ─> load ─> warm ─> smoke ─> galleries ─> swap
//! worse than before         ┘                                            the last use frees the old
//! ```

mod capacity;
mod failed;
mod guard;
mod steps;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Mutex as Turn;

use crate::admission::Admission;
use crate::config::{self, Config, SHADOW, check_arms};
use crate::metrics::{Kind, Metrics};
use crate::models::{Arm, Bundle, Fleet, Models, Source, name_of};
use crate::priority;
use crate::voices::Voices;

pub use failed::{Failed, Refused, Stage};

/// What is to be loaded anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The arm, or `shadow`; all of them without it.
    pub arm: Option<String>,
    /// The bundle; what the arm was told before without it.
    pub model: Option<String>,
    /// Whether galleries may be left without a model.
    pub orphan_galleries: bool,
}

/// What became of an arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The arm.
    pub arm: String,
    /// The model that it has now for recordings.
    pub model: String,
    /// The model that it has now for streams.
    pub live_model: String,
    /// The SHA-256 of that for recordings.
    pub sha256: String,
    /// Whether that is another one than before.
    pub changed: bool,
    /// How long it took, in seconds.
    pub took_s: f64,
}

/// Changes the models that run.
pub struct Rollout {
    models: Arc<Models>,
    voices: Arc<Voices>,
    admission: Arc<Admission>,
    metrics: Arc<Metrics>,
    config: Config,
    /// Cores that serve streams.
    cores: usize,
    /// Held by what changes models.
    turn: Arc<Turn<()>>,
    /// What arms went back from, by the arm: no look at the folders brings it again.
    rejected: Mutex<HashMap<String, Source>>,
}

impl Rollout {
    /// For these models, which are not loaded yet; streams are served by `cores`.
    pub fn new(
        config: &Config,
        models: Arc<Models>,
        voices: Arc<Voices>,
        admission: Arc<Admission>,
        metrics: Arc<Metrics>,
        cores: usize,
    ) -> Self {
        let (config, turn, rejected) = (config.clone(), Arc::default(), Mutex::default());
        Self { models, voices, admission, metrics, config, cores, turn, rejected }
    }

    /// Loads what the configuration says. Blocks.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn start(&self) -> Result<(), String> {
        let mut arms = Vec::new();
        for arm in self.config.all_arms() {
            arms.push(self.load_arm(&arm).map_err(|failed| failed.to_string())?);
        }
        if let Some(model) = &self.config.shadow.model {
            let candidate = self.prepare(SHADOW, Some(model)).map_err(|failed| failed.to_string())?;
            self.models.compare(Some(candidate));
        }
        self.deploy(arms);
        Ok(())
    }

    /// Loads anew what is wanted, where it has changed.
    ///
    /// # Errors
    /// The first arm at which that failed; those before it have changed.
    pub async fn reload(self: &Arc<Self>, wanted: Wanted) -> Result<Vec<Change>, Refused> {
        self.in_turn(move |rollout| rollout.reload_now(&wanted)).await
    }

    /// Goes back to what an arm had before, or all arms that had anything.
    ///
    /// # Errors
    /// The first arm at which that failed; those before it have changed.
    pub async fn roll_back(
        self: &Arc<Self>,
        arm: Option<String>,
        orphan_galleries: bool,
    ) -> Result<Vec<Change>, Refused> {
        self.in_turn(move |rollout| rollout.roll_back_now(arm.as_deref(), orphan_galleries, "rolled_back"))
            .await
    }

    /// Sets weights of arms; the others keep theirs.
    ///
    /// # Errors
    /// An arm that is not there, or weights that no share can be had of.
    pub async fn weigh(self: &Arc<Self>, weights: BTreeMap<String, f64>) -> Result<(), Refused> {
        self.in_turn(move |rollout| rollout.weigh_now(&weights)).await
    }

    fn weigh_now(&self, weights: &BTreeMap<String, f64>) -> Result<(), Refused> {
        let mut arms = self.arms();
        for (name, weight) in weights {
            let found = arms.iter_mut().find(|arm| *arm.name == **name);
            let refused = || Refused::Asked("weights", format!("expected the name of an arm, got {name:?}"));
            found.ok_or_else(refused)?.weight = *weight;
        }
        let asked: Vec<config::Arm> = arms.iter().map(as_configured).collect();
        check_arms(&asked).map_err(|reason| Refused::Asked("weights", reason))?;
        let shares: Vec<String> = asked.iter().map(|arm| format!("{} {}", arm.name, arm.weight)).collect();
        tracing::info!(weights = shares.join(", "), "arms");
        self.deploy(arms);
        Ok(())
    }

    /// Lets these arms and this shadow take the place of those that run: what the configuration
    /// says by now. Arms that keep their name and their models go on.
    pub async fn configure(self: &Arc<Self>, config: &Config) {
        let (arms, shadow) = (config.all_arms(), config.shadow.model.clone());
        let done = self.in_turn(move |rollout| {
            rollout.configure_now(&arms, shadow.as_deref());
            Ok(())
        });
        // What could not be loaded is logged, arm by arm.
        let _ = done.await;
    }

    /// The arms that run.
    fn arms(&self) -> Vec<Arm> {
        self.models.fleet().map(|fleet| fleet.arms.clone()).unwrap_or_default()
    }

    fn deploy(&self, arms: Vec<Arm>) {
        self.models.deploy(arms);
        self.set_capacity();
    }

    /// Runs `work` on a thread of its own while nobody else changes models. It goes on where nobody
    /// waits for it any more.
    async fn in_turn<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let turn = self.turn.clone().lock_owned().await;
        let (reply, result) = tokio::sync::oneshot::channel();
        let rollout = self.clone();
        let run = move || {
            // Live streams and recordings go first.
            priority::give_way(rollout.config.batch.niceness);
            let done = work(&rollout);
            drop(turn);
            // Where nobody waits any more, the log says what was done.
            let _ = reply.send(done);
        };
        let failed = |reason: String| Failed::at("server", Stage::Load)(reason);
        let thread = std::thread::Builder::new().name("rollout".to_owned()).spawn(run);
        thread.map_err(|error| failed(format!("threads: {error}")))?;
        result.await.map_err(|_| failed("a panic, which the log shows".to_owned()))?
    }
}

/// An arm as a configuration would have it.
fn as_configured(arm: &Arm) -> config::Arm {
    config::Arm { name: arm.name.to_string(), model: arm.bundle.source.name.clone(), weight: arm.weight }
}

fn change(arm: &str, bundle: &Bundle, changed: bool, took_s: f64) -> Change {
    let of = |kind| name_of(bundle.info(kind));
    let sha256 = bundle.info(Kind::Batch).sha256.clone();
    let (model, live_model) = (of(Kind::Batch), of(Kind::Live));
    Change { arm: arm.to_owned(), model, live_model, sha256, changed, took_s }
}

/// The names of the arms.
fn names(fleet: &Fleet) -> String {
    fleet.arms.iter().map(|arm| &*arm.name).collect::<Vec<_>>().join(", ")
}
