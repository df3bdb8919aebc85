//! The models that are loaded: a bundle for each arm, and perhaps one that is only compared. New
//! ones are loaded beside them and then take their place at once; what is under way keeps those
//! that it began with, and the last use frees them.

mod bundle;
mod chosen;
mod fleet;
mod record;
mod room;
mod shelf;
mod source;
#[cfg(test)]
pub mod testing;

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use voiceflow::reload::Failed;

pub use bundle::{Bundle, name_of};
pub use chosen::{Chosen, answers_to};
pub use fleet::{Arm, Before, Fleet, part_of};
pub use record::Counts;
#[cfg(test)]
pub use record::Record;
pub use shelf::{Seen, Shelf, Unfound};
pub use source::{Look, Source};

use crate::config::{Config, Model, SHADOW};
use crate::metrics::{Kind, Metrics};

/// How much more than a running bundle took a new one may take.
const MARGIN: f64 = 1.25;

/// What is loaded at the moment.
pub struct Models {
    fleet: RwLock<Option<Arc<Fleet>>>,
    shadow: RwLock<Option<Arc<Bundle>>>,
    /// All that are in memory.
    alive: Mutex<Vec<Weak<Bundle>>>,
    /// Bytes that the first bundle has taken.
    footprint: Mutex<u64>,
    /// Where they come from.
    pub shelf: Shelf,
    options: Model,
    niceness: i32,
    salt: String,
    window: Duration,
    free_bytes: u64,
    most: usize,
    metrics: Arc<Metrics>,
}

impl Models {
    /// Nothing yet. In a runtime.
    ///
    /// # Errors
    /// What of the configuration cannot be used.
    pub fn new(config: &Config, metrics: Arc<Metrics>) -> Result<Self, String> {
        let rollout = &config.rollout;
        Ok(Self {
            fleet: RwLock::default(),
            shadow: RwLock::default(),
            alive: Mutex::default(),
            footprint: Mutex::default(),
            shelf: Shelf::open(&config.registry)?,
            options: config.model.clone(),
            niceness: config.batch.niceness,
            salt: rollout.salt.clone(),
            // Without a comparison, nobody looks at what is remembered.
            window: Duration::from_secs_f64(rollout.window_s.max(1.0)),
            free_bytes: rollout.free_bytes,
            most: rollout.most_bundles(config.bundles()),
            metrics,
        })
    }

    /// The arms, once they are loaded.
    pub fn fleet(&self) -> Option<Arc<Fleet>> {
        self.fleet.read().clone()
    }

    /// The candidate that is compared and answers nobody.
    pub fn shadow(&self) -> Option<Arc<Bundle>> {
        self.shadow.read().clone()
    }

    /// The bundle of the one arm, where there is one alone.
    pub fn only(&self) -> Option<Arc<Bundle>> {
        let fleet = self.fleet()?;
        match fleet.arms.as_slice() {
            [arm] => Some(arm.bundle.clone()),
            _ => None,
        }
    }

    /// Refuses to load one more bundle where there is no room for it.
    ///
    /// # Errors
    /// What there is, and what was expected.
    pub fn check_room(&self) -> Result<(), String> {
        let alive = self.count();
        if alive >= self.most {
            return Err(format!(
                "expected fewer than {} bundles in memory, which streams and recordings still use, found {alive}",
                self.most
            ));
        }
        self.check_free((MARGIN * *self.footprint.lock() as f64) as u64)
    }

    /// Refuses a state of the machine in which less is left than must be, beside `more`.
    ///
    /// # Errors
    /// What there is, and what was expected.
    pub fn check_free(&self, more: u64) -> Result<(), String> {
        let least = self.free_bytes.saturating_add(more);
        match room::free() {
            Some(free) if free < least => Err(format!("expected {least} bytes of free memory, found {free}")),
            _ => Ok(()),
        }
    }

    /// Loads a bundle, which answers nobody yet. Once others run, it is tried before it may.
    ///
    /// # Errors
    /// [`Failed`] with the step.
    pub fn load(&self, arm: &str, source: Source) -> Result<Arc<Bundle>, Failed> {
        let replaces = self.fleet().is_some();
        let (began, before) = (Instant::now(), room::resident());
        let bundle = Bundle::load(arm, source, replaces, &self.options, self.niceness, self.window)?;
        let bundle = Arc::new(bundle);
        self.metrics.model_load.set(began.elapsed().as_secs_f64());
        let mut alive = self.alive.lock();
        // Later ones are loaded beside work, which takes memory too.
        if let (true, Some(before), Some(after)) = (alive.is_empty(), before, room::resident()) {
            *self.footprint.lock() = after.saturating_sub(before);
        }
        alive.push(Arc::downgrade(&bundle));
        drop(alive);
        self.count();
        Ok(bundle)
    }

    /// Bundles in memory.
    pub fn count(&self) -> usize {
        let mut alive = self.alive.lock();
        alive.retain(|bundle| bundle.strong_count() > 0);
        self.metrics.models.loaded.set(alive.len() as i64);
        alive.len()
    }

    /// Lets these arms share all that is new from now on, each with its bundle.
    pub fn deploy(&self, arms: Vec<Arm>) {
        let fleet = Arc::new(Fleet::new(self.salt.clone(), arms));
        let old = self.fleet.write().replace(fleet.clone());
        self.show(&fleet);
        let is_used = |bundle: &Arc<Bundle>| fleet.arms.iter().any(|arm| Arc::ptr_eq(&arm.bundle, bundle));
        let replaced = old.iter().flat_map(|old| &old.arms).map(|arm| &arm.bundle);
        replaced.filter(|bundle| !is_used(bundle)).for_each(|bundle| bundle.retire());
    }

    /// Compares this candidate from now on, or none.
    pub fn compare(&self, candidate: Option<Arc<Bundle>>) {
        *self.shadow.write() = candidate;
        if let Some(fleet) = self.fleet() {
            self.show(&fleet);
        }
    }

    /// Says in the metrics what runs.
    fn show(&self, fleet: &Fleet) {
        let shadow = self.shadow();
        let arms = fleet.arms.iter().map(|arm| (&*arm.name, fleet.share(arm), &arm.bundle));
        let running = arms.chain(shadow.iter().map(|bundle| (SHADOW, 0.0, bundle)));
        self.metrics.models.running(running.flat_map(|(arm, share, bundle)| {
            [Kind::Batch, Kind::Live].map(|kind| {
                let info = bundle.info(kind);
                (arm, share, kind, [info.name.as_str(), info.version.as_str(), info.sha256.as_str()])
            })
        }));
    }
}
