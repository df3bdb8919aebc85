//! Who has a use for which option. What a session or a diarizer would ignore is refused here, once
//! for all languages; a stream takes the options of its diarizer along with its own.

use super::Config;
use crate::error::{Error, Result};

/// Options that a session, which runs one joint model, has no use for.
const NOT_OF_SESSIONS: [&str; 17] = [
    "segmentation_model",
    "segmentation_receptive_field",
    "embedding_model",
    "embedding_family",
    "frontend",
    "batch",
    "speaker_range",
    "hop_s",
    "clustering_method",
    "clustering_threshold",
    "min_cluster_size",
    "plda",
    "min_speech_s",
    "min_silence_s",
    "latency_s",
    "history_s",
    "follow_reloads",
];

/// Options that a diarizer has no use for: it has a run slot for each thread.
const NOT_OF_DIARIZERS: [&str; 1] = ["slots"];

impl Config {
    /// Notes that an option was set.
    pub(super) fn mark(&mut self, name: &'static str) {
        if !self.marks.contains(&name) {
            self.marks.push(name);
        }
    }

    /// Refuses options that a session would ignore.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn check_for_session(&self) -> Result<()> {
        self.refuse(&NOT_OF_SESSIONS, "a session, which runs one joint model")
    }

    /// Refuses options that a diarizer would ignore.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn check_for_diarizer(&self) -> Result<()> {
        self.refuse(&NOT_OF_DIARIZERS, "a diarizer, which has a run slot for each thread")
    }

    fn refuse(&self, useless: &[&str], consumer: &str) -> Result<()> {
        match self.marks.iter().find(|mark| useless.contains(mark)) {
            Some(name) => Err(Error::invalid(*name, format!("expected not to be set for {consumer}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_ignored_is_refused_by_name() {
        let mut config = Config::default();
        config.set_threads(2).unwrap();
        assert!(config.check_for_session().is_ok() && config.check_for_diarizer().is_ok());
        config.set_num_speakers(2).unwrap();
        let error = config.check_for_session().unwrap_err();
        let text = "speaker_range: expected not to be set for a session, which runs one joint model";
        assert_eq!(error.to_string(), text);
        assert!(config.check_for_diarizer().is_ok());
        config.set_slots(1).unwrap();
        assert!(config.check_for_diarizer().unwrap_err().to_string().starts_with("slots: "));
    }
}
