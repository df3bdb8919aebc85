//! What streams over a diarizer run, and where their windows lie.

use std::sync::Arc;

use super::Diarizer;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::diarize::windows::WindowGrid;
use crate::error::Result;
use crate::model::{Tuning, live_model};
use crate::sync::Mutex;

/// What streams run.
#[derive(Clone, Debug)]
pub(super) enum Live {
    /// The diarizer itself.
    Same,
    /// Another one, loaded with the first stream.
    Other(ModelSource, Arc<Mutex<Option<Diarizer>>>),
}

impl Live {
    /// What streams over the diarizer of `config` run.
    pub(super) fn of(config: &Config) -> Self {
        match live_model(config) {
            Some(source) => Live::Other(source, Arc::default()),
            None => Live::Same,
        }
    }
}

impl Diarizer {
    /// The diarizer of streams over this one, with the same options: itself, but for one without a model asked for in a
    /// library with the feature `accurate-model`, which hears recordings with the accurate bundle and streams with the
    /// joint model. That is loaded by the first call.
    ///
    /// # Errors
    /// Those of [`Diarizer::load`]; [`Error::Forked`](crate::Error::Forked).
    pub fn for_streams(&self, call: &Call<'_>) -> Result<Self> {
        self.check_process()?;
        call.without_result("making a stream")?;
        let Live::Other(source, loaded) = &self.live else { return Ok(self.clone()) };
        let mut loaded = loaded.lock();
        if let Some(diarizer) = &*loaded {
            return Ok(diarizer.clone());
        }
        let mut config = self.config.clone();
        config.set_model(source.clone());
        let diarizer = Self::load(&config, call)?;
        *loaded = Some(diarizer.clone());
        Ok(diarizer)
    }

    /// Where the windows of a stream lie: whole steps long, and no longer than the model's.
    pub(crate) fn live_grid(&self) -> WindowGrid {
        let frame = self.grid.frame;
        let most = self.grid.window / frame;
        let Tuning { live_window_s, live_hop_s, .. } = self.tuning();
        let step = ((live_hop_s / self.frame_times().step_s).round() as usize).clamp(1, most);
        let steps = (live_window_s / live_hop_s).round() as usize;
        WindowGrid { window: steps.clamp(1, most / step) * step * frame, hop: step * frame, frame }
    }

    /// Where short windows lie beside those of a recording, if the model gains by them: some of the windows that a stream
    /// has.
    pub(crate) fn detail(&self) -> Option<WindowGrid> {
        let live = self.live_grid();
        let short_hop_s = self.tuning().short_hop_s.filter(|_| 2 * live.window <= self.grid.window)?;
        let steps = ((short_hop_s / self.tuning().live_hop_s).round() as usize).max(1);
        Some(WindowGrid { hop: steps * live.hop, ..live })
    }
}
