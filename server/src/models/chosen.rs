//! Which model of which bundle answers.

use std::sync::Arc;

use voiceflow::model::ModelInfo;
use voiceflow::{Call, Diarizer};

use super::bundle::{Bundle, name_of};
use crate::metrics::Kind;

/// A model that answers a recording or a stream.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The bundle that has it.
    pub bundle: Arc<Bundle>,
    /// What has it where nobody asks for another.
    pub usual_for: Kind,
}

impl Chosen {
    /// What it says of itself.
    pub fn info(&self) -> &ModelInfo {
        self.bundle.info(self.usual_for)
    }

    /// As clients name it.
    pub fn name(&self) -> String {
        name_of(self.info())
    }

    /// What diarizes recordings with it. For a recording that asks for the model of streams, that
    /// is loaded once more with the first one, so that no stream waits for it.
    ///
    /// # Errors
    /// Those of [`Diarizer::for_streams`].
    pub fn for_recordings(&self, call: &Call<'_>) -> voiceflow::Result<Diarizer> {
        match self.usual_for {
            Kind::Batch => Ok(self.bundle.batch.clone()),
            Kind::Live => self.bundle.batch.for_streams(call),
        }
    }
}

/// Whether a client that asks for `name` is answered by this model.
pub fn answers_to(model: &ModelInfo, name: &str) -> bool {
    name == model.name || name == name_of(model)
}
