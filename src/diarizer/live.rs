//! What streams over a diarizer run.

use std::sync::Arc;

use super::Diarizer;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::error::Result;
use crate::model::live_model;
use crate::pool::Pool;

/// What streams run.
#[derive(Clone, Debug)]
pub(super) enum Live {
    /// The diarizer itself.
    Same,
    /// Another one, loaded with the first stream.
    Other(ModelSource, Arc<Pool<Option<Diarizer>>>),
}

impl Live {
    /// What streams over the diarizer of `config` run.
    pub(super) fn of(config: &Config) -> Self {
        match live_model(config) {
            Some(source) => Live::Other(source, Arc::new(Pool::new(None, 1))),
            None => Live::Same,
        }
    }
}

impl Diarizer {
    /// The diarizer of streams over this one, with the same options: itself, but for one without a
    /// model asked for in a library that has or finds the accurate bundle for recordings, and has
    /// the joint model for streams. That is loaded by the first call.
    ///
    /// # Errors
    /// Those of [`Diarizer::load`]; [`Error::Forked`](crate::Error::Forked).
    pub fn for_streams(&self, call: &Call<'_>) -> Result<Self> {
        self.check_process()?;
        call.without_result("making a stream")?;
        let Live::Other(source, loaded) = &self.live else { return Ok(self.clone()) };
        // Who comes while another call loads it waits for that.
        let mut loaded = loaded.take(call, || Ok(None))?;
        if let Some(diarizer) = &*loaded {
            return Ok(diarizer.clone());
        }
        let mut config = self.config.clone();
        config.set_model(source.clone());
        // A stream over it uses the diarizer that it belongs to.
        let diarizer = Self { usage: Arc::clone(&self.usage), ..Self::load(&config, call)? };
        *loaded = Some(diarizer.clone());
        Ok(diarizer)
    }

    /// The options of what streams over a diarizer of `config` run: [`Diarizer::load`] gives that
    /// by itself, with run slots that no recording shares, and without the model of recordings.
    pub fn config_for_streams(config: &Config) -> Config {
        let mut own = config.clone();
        if let Some(source) = live_model(config) {
            own.set_model(source);
        }
        own
    }
}
