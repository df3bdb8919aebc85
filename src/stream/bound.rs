//! What a stream works with: a version of a diarizer, and the numbers that follow from it; and
//! which version a stream that follows reloads goes on with. Where that knows the same voices and
//! has the same frames, nothing that the stream remembers loses its meaning.

use std::sync::{Arc, Weak};

use super::settings::Settings;
use crate::call::Call;
use crate::config::Config;
use crate::diarizer::Diarizer;
use crate::error::{Error, Result};
use crate::reload::Reloadable;
use crate::sync::Mutex;
use crate::usage::{StreamInUse, Usage};

/// Rounding of times, in seconds.
const SLACK_S: f64 = 1e-6;

/// A diarizer with the numbers of one stream over it.
pub(super) struct Bound {
    pub(super) diarizer: Diarizer,
    pub(super) settings: Settings,
    _in_use: StreamInUse,
}

impl Bound {
    /// Of a stream with the options of `config`; `call` ends the load of a model that streams have
    /// for themselves.
    ///
    /// # Errors
    /// Those of [`Diarizer::for_streams`].
    pub(super) fn new(diarizer: &Diarizer, config: &Config, call: &Call<'_>) -> Result<Arc<Self>> {
        let diarizer = diarizer.for_streams(call)?;
        let (settings, _in_use) = (Settings::new(&diarizer, config), diarizer.usage().stream());
        Ok(Arc::new(Self { diarizer, settings, _in_use }))
    }

    /// As this, with what a stream that worked with `old` has promised: its latency, which counts
    /// the pauses that are filled.
    fn keeping(self: Arc<Self>, old: &Self) -> Arc<Self> {
        let mut settings = self.settings.clone();
        settings.turns.pause_frames = old.settings.turns.pause_frames;
        let (diarizer, _in_use) = (self.diarizer.clone(), self.diarizer.usage().stream());
        Arc::new(Self { diarizer, settings, _in_use })
    }

    /// Whether it works with this version of a diarizer.
    fn is_of(&self, version: &Diarizer) -> bool {
        Arc::ptr_eq(self.diarizer.usage(), version.usage())
    }

    /// Values of an embedding.
    pub(super) fn embedding_dim(&self) -> usize {
        self.diarizer.model().embedding_dim
    }

    /// Whether its embeddings can be compared with those of `other`.
    pub(super) fn shares_voices_with(&self, other: &Diarizer) -> bool {
        let (own, other) = (self.diarizer.model(), other.model());
        own.voices().shares_voices_with(&other.voices()) && own.embedding_dim == other.embedding_dim
    }

    /// Whether all that a stream remembers of `old` is the same to this.
    fn is_like(&self, old: &Self) -> bool {
        let (new, old_plan) = (&self.settings.plan, &old.settings.plan);
        self.shares_voices_with(&old.diarizer)
            && (new.long, new.live, new.short) == (old_plan.long, old_plan.live, old_plan.short)
            && (new.times, new.counting, new.padded) == (old_plan.times, old_plan.counting, old_plan.padded)
    }

    /// As this, for a stream that begins anew with it: what it has promised when it worked with
    /// `old` is kept, in other frames.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn instead_of(self: Arc<Self>, old: &Self) -> std::result::Result<Arc<Self>, String> {
        let mut settings = self.settings.clone();
        let (step_s, old_step_s) = (settings.plan.times.step_s, old.settings.plan.times.step_s);
        let pause_s = old.settings.turns.pause_frames as f64 * old_step_s;
        settings.turns.pause_frames = (pause_s / step_s) as usize;
        let latency_s = (settings.latency_frames + settings.turns.pause_frames) as f64 * step_s;
        let promised_s = old.settings.latency_frames as f64 * old_step_s + pause_s;
        if latency_s > promised_s + SLACK_S {
            return Err(format!("latency: expected at most {promised_s:.3} s, got {latency_s:.3} s"));
        }
        let (diarizer, _in_use) = (self.diarizer.clone(), self.diarizer.usage().stream());
        Ok(Arc::new(Self { diarizer, settings, _in_use }))
    }
}

/// What a stream goes on with.
pub(super) enum Next {
    /// A version to which all that it remembers is the same.
    Alike(Arc<Bound>),
    /// Another one, with which it begins anew.
    Other(Arc<Bound>),
}

/// The versions that a stream follows.
pub(super) struct Source {
    versions: Reloadable<Diarizer>,
    config: Config,
    /// The version that was refused last, so that it is refused once.
    refused: Mutex<Option<Weak<Usage>>>,
}

impl Source {
    /// Those of `versions`, for a stream with the options of `config`.
    pub(super) fn new(versions: &Reloadable<Diarizer>, config: &Config) -> Self {
        Self { versions: versions.clone(), config: config.without_models(), refused: Mutex::new(None) }
    }

    /// What a stream that works with `bound` goes on with: `None` where that is `bound`, or where
    /// the current version cannot take its place, which is logged once.
    pub(super) fn next(&self, bound: &Bound, call: &Call<'_>) -> Option<Next> {
        let current = self.versions.current();
        if bound.is_of(&current) {
            return None;
        }
        let known = self.refused.lock().as_ref().and_then(Weak::upgrade);
        if known.is_some_and(|known| Arc::ptr_eq(&known, current.usage())) {
            return None;
        }
        let reason = match Bound::new(&current, &self.config, call) {
            Ok(next) if next.is_like(bound) => return Some(Next::Alike(next.keeping(bound))),
            Ok(next) => match next.instead_of(bound) {
                Ok(next) => return Some(Next::Other(next)),
                Err(reason) => reason,
            },
            // The next push tries again.
            Err(Error::Cancelled { .. } | Error::Deadline { .. }) => return None,
            Err(error) => error.to_string(),
        };
        self.refuse(bound, &current, &reason);
        None
    }

    /// Goes on with `bound`, until there is another version than `next`.
    pub(super) fn refuse(&self, bound: &Bound, next: &Diarizer, reason: &str) {
        let (old, new) = (&bound.diarizer.model().name, &next.model().name);
        log::warn!("stream: it goes on with {old}, as {new} cannot take its place: {reason}");
        *self.refused.lock() = Some(Arc::downgrade(next.usage()));
    }

    /// What a stream that begins anew works with.
    ///
    /// # Errors
    /// Those of [`Bound::new`].
    pub(super) fn first(&self, call: &Call<'_>) -> Result<Arc<Bound>> {
        Bound::new(&self.versions.current(), &self.config, call)
    }
}

/// Refuses to follow where there are no versions.
///
/// # Errors
/// [`Error::InvalidArgument`].
pub(super) fn check_followed(config: &Config) -> Result<()> {
    if config.follows_reloads() {
        let reason = "expected a stream over a `Reloadable`, which has versions to follow";
        return Err(Error::invalid("follow_reloads", reason));
    }
    Ok(())
}
