//! What can be exchanged while it is in use: diarizers and sessions.

use std::sync::Arc;

use crate::call::Call;
use crate::config::Config;
use crate::diarizer::Diarizer;
use crate::error::Result;
use crate::model::{ModelInfo, Session};
use crate::usage::{Readiness, Usage};

/// A loaded model of which there can be versions. Only [`Diarizer`] and [`Session`] are.
pub trait Versioned: Steps {}

impl Versioned for Diarizer {}
impl Versioned for Session {}

/// What a reload does with a version, step by step.
pub trait Steps: Sized + Send + Sync + 'static {
    /// Refuses options that have no effect.
    fn check(config: &Config) -> Result<()>;

    /// Loads it on this thread.
    fn open(config: &Config, call: &Call<'_>) -> Result<Self>;

    /// Refuses what cannot take the place of `running`.
    fn check_replaces(&self, running: &Self) -> Result<()>;

    /// What of it is ready.
    fn readiness(&self) -> Readiness;

    /// Makes as much of it ready.
    fn warm(&self, readiness: Readiness, call: &Call<'_>) -> Result<()>;

    /// Tries all that is ready.
    fn smoke(&self, readiness: Readiness, call: &Call<'_>) -> Result<()>;

    /// What its model says of itself.
    fn model(&self) -> &ModelInfo;

    /// What uses it.
    fn usage(&self) -> &Arc<Usage>;
}

impl Steps for Diarizer {
    fn check(config: &Config) -> Result<()> {
        config.check_for_diarizer()
    }

    fn open(config: &Config, call: &Call<'_>) -> Result<Self> {
        Diarizer::load_here(config, call)
    }

    /// Results carry their own sizes.
    fn check_replaces(&self, _running: &Self) -> Result<()> {
        Ok(())
    }

    fn readiness(&self) -> Readiness {
        Diarizer::readiness(self)
    }

    fn warm(&self, readiness: Readiness, call: &Call<'_>) -> Result<()> {
        Diarizer::warm(self, readiness, call)
    }

    fn smoke(&self, readiness: Readiness, call: &Call<'_>) -> Result<()> {
        Diarizer::smoke(self, readiness, call)
    }

    fn model(&self) -> &ModelInfo {
        Diarizer::model(self)
    }

    fn usage(&self) -> &Arc<Usage> {
        Diarizer::usage(self)
    }
}

impl Steps for Session {
    fn check(config: &Config) -> Result<()> {
        config.check_for_session()
    }

    fn open(config: &Config, call: &Call<'_>) -> Result<Self> {
        Session::load_here(config, call)
    }

    fn check_replaces(&self, running: &Self) -> Result<()> {
        Session::check_replaces(self, running)
    }

    fn readiness(&self) -> Readiness {
        Readiness { slots: self.slots(), live_slots: None }
    }

    fn warm(&self, readiness: Readiness, call: &Call<'_>) -> Result<()> {
        Session::warm(self, readiness.slots, call)
    }

    fn smoke(&self, _readiness: Readiness, call: &Call<'_>) -> Result<()> {
        Session::smoke(self, call)
    }

    fn model(&self) -> &ModelInfo {
        self.info()
    }

    fn usage(&self) -> &Arc<Usage> {
        Session::usage(self)
    }
}
