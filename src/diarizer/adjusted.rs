//! Other options over models that are loaded.

use super::Diarizer;
use crate::config::Config;

impl Diarizer {
    /// A diarizer over the same models: of `config` the clustering threshold, the least speech and
    /// the least silence apply, where they are set; all else is that of this one. Nothing is
    /// loaded.
    pub fn adjusted(&self, config: &Config) -> Self {
        let mut adjusted = self.clone();
        adjusted.config.adopt_result_options(config);
        adjusted
    }
}
