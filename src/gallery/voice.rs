//! The voice in a recording of one speaker: whether there is one, and whether there is only one.

use crate::error::{Error, Result};
use crate::types::{Diarization, Speaker};

/// Least speech that a voice is made of, in seconds.
pub const LEAST_SPEECH_S: f64 = 3.0;

/// Share of the speech that others may have in a recording of one speaker.
pub const OTHERS_SHARE: f64 = 0.15;

/// A speaker's voice as one recording has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// Voice embedding; its size is the model's embedding dimension.
    pub embedding: Vec<f32>,
    /// Speech that it was made of, in seconds.
    pub speech_s: f64,
}

impl Voice {
    /// The voice of the one speaker of a recording.
    ///
    /// # Errors
    /// [`Error::Audio`] where nobody speaks, the speaker speaks less than [`LEAST_SPEECH_S`], or
    /// others have more than [`OTHERS_SHARE`] of the speech.
    pub fn of(diarization: &Diarization) -> Result<Self> {
        let mut speakers: Vec<&Speaker> = diarization.speakers.iter().collect();
        speakers.sort_by(|a, b| b.speech_s.total_cmp(&a.speech_s));
        let Some(speaker) = speakers.first() else {
            return Err(Error::Audio("expected one speaker, found no speech".to_owned()));
        };
        let total_s: f64 = speakers.iter().map(|speaker| speaker.speech_s).sum();
        if total_s - speaker.speech_s > OTHERS_SHARE * total_s {
            let share = |speaker: &&Speaker| format!("{:.0} %", 100.0 * speaker.speech_s / total_s);
            let shares: Vec<String> = speakers.iter().map(share).collect();
            return Err(Error::Audio(format!(
                "expected one speaker, found {} with {} of the speech",
                speakers.len(),
                shares.join(", ")
            )));
        }
        if speaker.speech_s < LEAST_SPEECH_S {
            return Err(Error::Audio(format!(
                "expected at least {LEAST_SPEECH_S} s of speech, found {:.1} s",
                speaker.speech_s
            )));
        }
        Ok(Self { embedding: speaker.embedding.clone(), speech_s: speaker.speech_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diarization(speech_s: &[f64]) -> Diarization {
        let speaker = |(index, &speech_s): (usize, &f64)| Speaker {
            label: format!("SPEAKER_{index:02}"),
            speech_s,
            embedding: vec![index as f32],
        };
        let speakers = speech_s.iter().enumerate().map(speaker).collect();
        Diarization { speakers, ..Diarization::default() }
    }

    #[test]
    fn one_person_who_says_enough() {
        assert_eq!(Voice::of(&diarization(&[3.0])).unwrap(), Voice { embedding: vec![0.0], speech_s: 3.0 });
        assert_eq!(
            Voice::of(&diarization(&[1.5, 8.5])).unwrap(),
            Voice { embedding: vec![1.0], speech_s: 8.5 }
        );
    }

    #[test]
    fn others_are_told_with_what_was_found() {
        for (speech_s, expected) in [
            (&[][..], "expected one speaker, found no speech"),
            (&[2.5], "expected at least 3 s of speech, found 2.5 s"),
            (&[1.0, 4.0], "expected one speaker, found 2 with 80 %, 20 % of the speech"),
            (&[8.4, 0.8, 0.8], "expected one speaker, found 3 with 84 %, 8 %, 8 % of the speech"),
        ] {
            let error = Voice::of(&diarization(speech_s)).unwrap_err();
            assert!(matches!(error, Error::Audio(_)));
            assert_eq!(error.to_string(), expected);
        }
    }
}
