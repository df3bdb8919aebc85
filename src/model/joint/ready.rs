//! Making a session ready before it takes over from another.

use std::sync::Arc;

use super::inference::Inference;
use super::session::Session;
use crate::call::Call;
use crate::error::{Error, Result};
use crate::model::golden::golden_input;
use crate::model::outputs::{check_activity, check_voice};
use crate::usage::Usage;

impl Session {
    /// Run slots that were made.
    pub(crate) fn slots(&self) -> usize {
        self.network.slots()
    }

    /// Most run slots that it makes.
    pub(crate) fn most_slots(&self) -> usize {
        self.network.most_slots()
    }

    /// Makes run slots until there are `slots`, or as many as there may be, before others use it.
    ///
    /// # Errors
    /// Those of [`Session::load`].
    pub(crate) fn warm(&self, slots: usize, call: &Call<'_>) -> Result<()> {
        self.network.warm(slots, call)
    }

    /// What uses it.
    pub(crate) fn usage(&self) -> &Arc<Usage> {
        &self.usage
    }

    /// Runs it on the input of the golden vector, whether or not there is a golden vector for it.
    ///
    /// # Errors
    /// [`Error::Model`] for activity outside 0 to 1 and voices that are not of unit length; those
    /// of [`Session::infer`].
    pub(crate) fn smoke(&self, call: &Call<'_>) -> Result<()> {
        let mut found = Inference::default();
        self.infer(golden_input()?.view(), &mut found, call)?;
        let info = self.info();
        check_activity(&found.activity)
            .and_then(|()| {
                let mut voices = found.embedding.rows().into_iter();
                voices.try_for_each(|voice| check_voice(voice, info.embedding_dim))
            })
            .map_err(|reason| Error::Model(format!("{}: smoke recording: {reason}", info.name)))
    }

    /// Checks that it can take the place of `running`, whose callers have arrays of its sizes.
    ///
    /// # Errors
    /// [`Error::Model`] names the size that differs.
    pub(crate) fn check_replaces(&self, running: &Session) -> Result<()> {
        let sizes = |session: &Session| {
            let info = session.info();
            [
                ("frame_step_samples", info.frame_step_samples),
                ("frame_offset_samples", info.frame_offset_samples),
                ("max_speakers", info.max_speakers),
                ("embedding_dim", info.embedding_dim),
            ]
        };
        for ((name, expected), (_, found)) in sizes(running).into_iter().zip(sizes(self)) {
            if expected != found {
                let model = &self.info().name;
                let text =
                    format!("{model}: {name}: expected {expected} as of the running model, got {found}");
                return Err(Error::Model(text));
            }
        }
        Ok(())
    }
}
