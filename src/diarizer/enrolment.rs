//! The voice in a recording of one speaker. It owns the calls that end in a voice rather than a
//! diarization; what makes a voice is the gallery's.

use std::path::Path;

use super::Diarizer;
use crate::audio::AudioSource;
use crate::call::Call;
use crate::error::{Error, Result};
use crate::gallery::Voice;
use crate::types::Diarization;

impl Diarizer {
    /// The voice in a file with a recording of one speaker, to be enrolled in a
    /// [`Gallery`](crate::Gallery).
    ///
    /// # Errors
    /// Those of [`Diarizer::process_file`] and [`Voice::of`].
    pub fn voice_file(&self, path: impl AsRef<Path>, call: &Call<'_>) -> Result<Voice> {
        self.enrolment_file(path, call).map(|(voice, _)| voice)
    }

    /// The voice in a recording of one speaker, to be enrolled in a [`Gallery`](crate::Gallery).
    ///
    /// # Errors
    /// Those of [`Diarizer::process`] and [`Voice::of`].
    pub fn voice(&self, source: &mut dyn AudioSource, call: &Call<'_>) -> Result<Voice> {
        self.enrolment(source, call).map(|(voice, _)| voice)
    }

    /// As [`voice_file`](Diarizer::voice_file), with what was found in the recording, whose
    /// warnings say what it should be read with.
    ///
    /// # Errors
    /// Those of [`Diarizer::process_file`] and [`Voice::of`].
    pub fn enrolment_file(&self, path: impl AsRef<Path>, call: &Call<'_>) -> Result<(Voice, Diarization)> {
        call.of_one_voice("an enrolment")?;
        let path = path.as_ref();
        let found = self.process_file(path, call)?;
        let voice = Voice::of(&found).map_err(|error| match error {
            Error::Audio(text) => Error::Audio(format!("{}: {text}", path.display())),
            other => other,
        })?;
        Ok((voice, found))
    }

    /// As [`voice`](Diarizer::voice), with what was found in the recording.
    ///
    /// # Errors
    /// Those of [`Diarizer::process`] and [`Voice::of`].
    pub fn enrolment(&self, source: &mut dyn AudioSource, call: &Call<'_>) -> Result<(Voice, Diarization)> {
        call.of_one_voice("an enrolment")?;
        let found = self.process(source, call)?;
        Ok((Voice::of(&found)?, found))
    }
}
