//! What a reload does, step by step, on its thread.

use std::sync::Arc;
use std::time::Instant;

use voiceflow::model::ModelInfo;
use voiceflow::reload;

use super::{Change, Failed, Refused, Rollout, Stage, Wanted, change, names};
use crate::config::{self, SHADOW};
use crate::metrics::Kind;
use crate::models::{Arm, Before, Bundle, Source, Unfound, name_of};
use crate::voices::Orphans;

impl Rollout {
    /// Loads a bundle that answers nobody yet.
    pub(super) fn prepare(&self, arm: &str, model: Option<&str>) -> Result<Arc<Bundle>, Failed> {
        let source = self.models.shelf.find(model).map_err(unfound(arm))?;
        self.prepare_source(arm, source)
    }

    fn prepare_source(&self, arm: &str, source: Source) -> Result<Arc<Bundle>, Failed> {
        self.models.check_room().map_err(Failed::at(arm, Stage::Memory))?;
        let loaded = self.models.load(arm, source);
        let failed = |failed: reload::Failed| Failed::at(arm, failed.step.into())(failed.error.to_string());
        let bundle = loaded.map_err(failed)?;
        self.measure(&bundle).map_err(|error| Failed::at(arm, Stage::Smoke)(error.to_string()))?;
        self.models.check_free(0).map_err(Failed::at(arm, Stage::Memory))?;
        Ok(bundle)
    }

    pub(super) fn load_arm(&self, arm: &config::Arm) -> Result<Arm, Failed> {
        let bundle = self.prepare(&arm.name, arm.model.as_deref())?;
        Ok(Arm { name: arm.name.as_str().into(), weight: arm.weight, bundle, before: None })
    }

    pub(super) fn reload_now(&self, wanted: &Wanted) -> Result<Vec<Change>, Refused> {
        let Some(fleet) = self.models.fleet() else {
            return Err(Refused::Asked("arm", "expected loaded models, which there are not yet".to_owned()));
        };
        let shadow = self.models.shadow();
        let mut all: Vec<&str> = fleet.arms.iter().map(|arm| &*arm.name).collect();
        all.extend(shadow.iter().map(|_| SHADOW));
        let asked: Vec<&str> = match wanted.arm.as_deref() {
            None if wanted.model.is_some() && fleet.arms.len() == 1 => all.into_iter().take(1).collect(),
            None if wanted.model.is_some() => {
                let reason = format!("expected one of {} beside model, got none", names(&fleet));
                return Err(Refused::Asked("arm", reason));
            }
            None => all,
            Some(arm) if arm == SHADOW || fleet.arm(arm).is_some() => vec![arm],
            Some(arm) => {
                return Err(Refused::Asked("arm", format!("expected one of {}, got {arm:?}", names(&fleet))));
            }
        };
        let reload = |arm| {
            let running = if arm == SHADOW { shadow.as_ref() } else { fleet.arm(arm).map(|arm| &arm.bundle) };
            let told = running.and_then(|bundle| bundle.source.name.as_deref());
            let model = wanted.model.as_deref().or(told);
            self.counted(self.reload_arm(arm, model, wanted.orphan_galleries), "done")
        };
        asked.into_iter().map(reload).collect()
    }

    /// Loads what an arm or the shadow is told, where its files are others than those that run.
    pub(super) fn reload_arm(&self, name: &str, model: Option<&str>, orphan: bool) -> Result<Change, Failed> {
        let began = Instant::now();
        let running = match name {
            SHADOW => self.models.shadow(),
            _ => self.models.fleet().and_then(|fleet| fleet.arm(name).map(|arm| arm.bundle.clone())),
        };
        let source = self.models.shelf.find(model).map_err(unfound(name))?;
        let is_same = |old: &Source| old.holds_the_same(&source) && old.name == source.name;
        if let Some(running) = running.filter(|running| is_same(&running.source)) {
            return Ok(change(name, &running, false, began.elapsed().as_secs_f64()));
        }
        let bundle = self.replace(name, source, orphan)?;
        Ok(change(name, &bundle, true, began.elapsed().as_secs_f64()))
    }

    pub(super) fn roll_back_now(
        &self,
        arm: Option<&str>,
        orphan: bool,
        outcome: &'static str,
    ) -> Result<Vec<Change>, Refused> {
        let arms = self.arms();
        let asked = arms.iter().filter(|it| arm.is_none_or(|arm| *it.name == *arm) && it.before.is_some());
        let asked: Vec<&Arm> = asked.collect();
        if asked.is_empty() {
            let got = arm.unwrap_or("none");
            let reason = format!("expected an arm that had other models before, got {got}");
            return Err(Refused::Asked("arm", reason));
        }
        asked.into_iter().map(|arm| self.counted(self.roll_back_arm(arm, orphan), outcome)).collect()
    }

    fn roll_back_arm(&self, arm: &Arm, orphan: bool) -> Result<Change, Failed> {
        let began = Instant::now();
        let before = arm.before.as_ref().map(|before| before.source.again());
        let again = before.ok_or_else(|| "expected models before".to_owned()).and_then(|again| again);
        let source = again.map_err(Failed::at(&arm.name, Stage::Resolve))?;
        let rejected = arm.bundle.source.clone();
        let bundle = self.replace(&arm.name, source, orphan)?;
        // It is known, and what was before it is what was rejected.
        bundle.accept();
        self.rejected.lock().insert(arm.name.to_string(), rejected);
        Ok(change(&arm.name, &bundle, true, began.elapsed().as_secs_f64()))
    }

    /// Loads `source`, and lets it take the place of what an arm or the shadow has.
    fn replace(&self, name: &str, source: Source, orphan: bool) -> Result<Arc<Bundle>, Failed> {
        if name == SHADOW {
            let candidate = self.prepare_source(name, source)?;
            self.models.compare(Some(candidate.clone()));
            return Ok(candidate);
        }
        let bundle = self.prepare_source(name, source)?;
        let mut arms = self.arms();
        self.check_galleries(&arms, name, &bundle, orphan).map_err(Failed::at(name, Stage::Galleries))?;
        if let Some(arm) = arms.iter_mut().find(|arm| *arm.name == *name) {
            let old = std::mem::replace(&mut arm.bundle, bundle.clone());
            let (source, sha256) = (old.source.clone(), old.info(Kind::Batch).sha256.clone());
            arm.before = Some(Before { source, sha256, counts: old.record.recent() });
        }
        self.rejected.lock().remove(name);
        self.deploy(arms);
        Ok(bundle)
    }

    /// Refuses `next` in the place of what `name` has where galleries are of its models, and would
    /// be of none, or cannot be read, unless they may be left so: `orphan`.
    fn check_galleries(&self, arms: &[Arm], name: &str, next: &Bundle, orphan: bool) -> Result<(), String> {
        let Some(old) = arms.iter().find(|arm| *arm.name == *name) else { return Ok(()) };
        let others = arms.iter().filter(|arm| *arm.name != *name).map(|arm| &*arm.bundle);
        let after: Vec<_> = others.chain([next]).flat_map(infos).collect();
        let Orphans { count, unread } = self.voices.orphaned(&infos(&old.bundle), &after);
        self.metrics.models.unread_galleries.inc_by(unread.len() as u64);
        for error in &unread {
            tracing::warn!(arm = name, %error, "galleries cannot be read");
        }
        let leaves = "\"orphan_galleries\": true leaves them";
        match unread.first() {
            _ if orphan => Ok(()),
            _ if count > 0 => Err(format!(
                "expected a model that galleries can go on with, got another one than that of {count} of them; {leaves}"
            )),
            Some(error) => {
                let unread = unread.len();
                Err(format!(
                    "expected galleries that can be read, got {unread} that cannot: {error}; {leaves}"
                ))
            }
            None => Ok(()),
        }
    }

    /// Lets arms and a shadow that a configuration names take the place of those that run.
    pub(super) fn configure_now(&self, wanted: &[config::Arm], shadow: Option<&str>) {
        let running = self.models.fleet();
        let mut arms = Vec::new();
        for asked in wanted {
            let old = running.as_ref().and_then(|fleet| fleet.arm(&asked.name)).cloned();
            match old {
                Some(old) => arms.push(Arm { weight: asked.weight, ..old }),
                None => match self.counted(self.load_arm(asked), "done") {
                    Ok(arm) => arms.push(arm),
                    // The others share what it would have got.
                    Err(_) => continue,
                },
            }
        }
        if arms.iter().any(|arm| arm.weight > 0.0) {
            self.deploy(arms);
        } else {
            tracing::error!("arms stay as they are: none of the new ones can be used");
        }
        for asked in wanted.iter().filter(|asked| self.arms().iter().any(|arm| *arm.name == *asked.name)) {
            // What fails is logged.
            let _ = self.counted(self.reload_arm(&asked.name, asked.model.as_deref(), false), "done");
        }
        match shadow {
            Some(model) => drop(self.counted(self.reload_arm(SHADOW, Some(model), false), "done")),
            None => self.models.compare(None),
        }
    }

    /// Counts and logs what became of an arm.
    pub(super) fn counted<T: Told>(
        &self,
        done: Result<T, Failed>,
        outcome: &'static str,
    ) -> Result<T, Refused> {
        match &done {
            Ok(told) => {
                if let Some((arm, model)) = told.changed() {
                    self.metrics.models.reloaded(outcome);
                    tracing::info!(arm, model, outcome, "models changed");
                }
            }
            Err(Failed { arm, stage, reason }) => {
                self.metrics.models.reloaded("failed");
                tracing::error!(arm, stage = stage.name(), reason, "models stay as they are");
            }
        }
        Ok(done?)
    }
}

/// The models of a bundle.
fn infos(bundle: &Bundle) -> Vec<&ModelInfo> {
    bundle.models().into_iter().map(|(model, _)| model).collect()
}

/// Why a bundle is not there.
fn unfound(arm: &str) -> impl FnOnce(Unfound) -> Failed {
    let arm = arm.to_owned();
    move |unfound| match unfound {
        Unfound::Unresolved(reason) => Failed::at(&arm, Stage::Resolve)(reason),
        Unfound::Unfetched(reason) => Failed::at(&arm, Stage::Fetch)(reason),
    }
}

/// What can be said of a change.
pub(super) trait Told {
    /// The arm and its new model, where it has one.
    fn changed(&self) -> Option<(String, String)>;
}

impl Told for Change {
    fn changed(&self) -> Option<(String, String)> {
        self.changed.then(|| (self.arm.clone(), self.model.clone()))
    }
}

impl Told for Arm {
    fn changed(&self) -> Option<(String, String)> {
        Some((self.name.to_string(), name_of(self.bundle.info(Kind::Batch))))
    }
}
