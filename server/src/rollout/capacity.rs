//! How many streams the arms together can serve.

use std::sync::Arc;

use super::Rollout;
use crate::models::{Bundle, Fleet};
use crate::work::capacity;

impl Rollout {
    /// Times a turn of a stream, so that it is known how many there may be.
    pub(super) fn measure(&self, bundle: &Arc<Bundle>) -> voiceflow::Result<()> {
        if self.config.live.capacity == 0 {
            bundle.set_streams(capacity::measure(&bundle.live, self.cores)?);
        }
        Ok(())
    }

    /// Lets in as many streams as the arms can serve.
    pub(super) fn set_capacity(&self) {
        let capacity = match (self.config.live.capacity, self.models.fleet()) {
            (0, Some(fleet)) => of(&fleet) as usize,
            (configured, _) => configured,
        };
        self.admission.set_stream_capacity(capacity);
    }
}

/// The capacity of arms that share the streams: each stream takes its part of the time.
fn of(fleet: &Fleet) -> f64 {
    let part = |arm| fleet.share(arm) / arm.bundle.streams();
    1.0 / fleet.arms.iter().map(part).sum::<f64>()
}
