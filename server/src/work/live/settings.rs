//! What a stream is told before its first samples.

use std::sync::Arc;

use crate::models::Bundle;
use crate::voices::Known;

/// What is asked of a stream.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The models that diarize it.
    pub bundle: Arc<Bundle>,
    /// Sample rate in hertz.
    pub sample_rate: u32,
    /// Channels, interleaved.
    pub channels: u16,
    /// The options of the library.
    pub config: voiceflow::Config,
    /// Whether the result is asked for at the end.
    pub result: bool,
    /// Whose voices the speakers may be.
    pub known: Option<Known>,
}

/// Values in a second of interleaved samples.
pub(super) fn values_per_s(settings: &Settings) -> f64 {
    f64::from(settings.sample_rate) * f64::from(settings.channels)
}
