//! What a stream works with: a version of a diarizer, and the numbers that follow from it. A stream
//! that follows reloads goes over to the next version where that knows the same voices and has the
//! same frames, so that nothing that it remembers loses its meaning.

use std::sync::{Arc, Weak};

use super::settings::Settings;
use crate::call::Call;
use crate::config::Config;
use crate::diarizer::Diarizer;
use crate::error::{Error, Result};
use crate::reload::Reloadable;
use crate::sync::Mutex;
use crate::usage::{StreamInUse, Usage};

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

    /// Why a stream that works with this cannot go on with `next`.
    fn differs(&self, next: &Self) -> Option<String> {
        let (own, other) = (self.diarizer.model().voices(), next.diarizer.model().voices());
        if !own.shares_voices_with(&other) {
            return Some(format!("voice space: expected {own}, got {other}"));
        }
        let dim = |bound: &Self| bound.diarizer.model().embedding_dim;
        let (old, new) = (&self.settings.plan, &next.settings.plan);
        let same = [
            ("embedding_dim", dim(self) == dim(next)),
            ("window, hop or frame step", (old.long, old.live, old.short) == (new.long, new.live, new.short)),
            ("frame offset", old.times == new.times),
            ("silence_weight", old.counting == new.counting),
            ("fixed windows", old.padded == new.padded),
        ];
        let (name, _) = same.into_iter().find(|(_, same)| !same)?;
        Some(format!("{name}: expected that of the running model, got another"))
    }
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
    pub(super) fn next(&self, bound: &Bound, call: &Call<'_>) -> Option<Arc<Bound>> {
        let current = self.versions.current();
        if bound.is_of(&current) {
            return None;
        }
        let mut refused = self.refused.lock();
        let known = refused.as_ref().and_then(Weak::upgrade);
        if known.is_some_and(|known| Arc::ptr_eq(&known, current.usage())) {
            return None;
        }
        let (old, new) = (&bound.diarizer.model().name, &current.model().name);
        let reason = match Bound::new(&current, &self.config, call) {
            Ok(next) => match bound.differs(&next) {
                None => return Some(next.keeping(bound)),
                Some(reason) => reason,
            },
            // The next push tries again.
            Err(Error::Cancelled { .. } | Error::Deadline { .. }) => return None,
            Err(error) => error.to_string(),
        };
        log::warn!("stream: it goes on with {old}, as {new} cannot take its place: {reason}");
        *refused = Some(Arc::downgrade(current.usage()));
        None
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
