//! The voice of a recording of one person: whether there is one, and whether there is only one.

use crate::error::{Error, Result};
use crate::types::{Diarization, Speaker};

/// Least speech that a voice is made of, in seconds.
pub const LEAST_SPEECH_S: f64 = 3.0;

/// Share of the speech up to which others may be heard in a recording of one person.
pub const OTHERS_SHARE: f64 = 0.15;

/// A person's voice as one recording has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// Voice embedding; its size is the model's embedding dimension.
    pub embedding: Vec<f32>,
    /// Speech that it was made of, in seconds.
    pub speech_s: f64,
}

impl Voice {
    /// The voice of the one person who is heard in a recording.
    ///
    /// # Errors
    /// [`Error::Audio`] where nobody speaks, the person speaks less than [`LEAST_SPEECH_S`], or others have more than
    /// [`OTHERS_SHARE`] of the speech.
    pub fn of(diarization: &Diarization) -> Result<Self> {
        let mut speakers: Vec<&Speaker> = diarization.speakers.iter().collect();
        speakers.sort_by(|a, b| b.speech_s.total_cmp(&a.speech_s));
        let Some(person) = speakers.first() else {
            return Err(Error::Audio("expected a person who speaks, found no speech".to_owned()));
        };
        let total_s: f64 = speakers.iter().map(|speaker| speaker.speech_s).sum();
        if total_s - person.speech_s > OTHERS_SHARE * total_s {
            let share = |speaker: &&Speaker| format!("{:.0} %", 100.0 * speaker.speech_s / total_s);
            let shares: Vec<String> = speakers.iter().map(share).collect();
            return Err(Error::Audio(format!(
                "expected one person, found {} with {} of the speech",
                speakers.len(),
                shares.join(", ")
            )));
        }
        if person.speech_s < LEAST_SPEECH_S {
            return Err(Error::Audio(format!(
                "expected at least {LEAST_SPEECH_S} s of speech, found {:.1} s",
                person.speech_s
            )));
        }
        Ok(Self { embedding: person.embedding.clone(), speech_s: person.speech_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(speech_s: &[f64]) -> Diarization {
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
        assert_eq!(Voice::of(&heard(&[3.0])).unwrap(), Voice { embedding: vec![0.0], speech_s: 3.0 });
        assert_eq!(Voice::of(&heard(&[1.5, 8.5])).unwrap(), Voice { embedding: vec![1.0], speech_s: 8.5 });
    }

    #[test]
    fn others_are_told_with_what_was_found() {
        for (speech_s, expected) in [
            (&[][..], "expected a person who speaks, found no speech"),
            (&[2.5], "expected at least 3 s of speech, found 2.5 s"),
            (&[1.0, 4.0], "expected one person, found 2 with 80 %, 20 % of the speech"),
            (&[8.4, 0.8, 0.8], "expected one person, found 3 with 84 %, 8 %, 8 % of the speech"),
        ] {
            let error = Voice::of(&heard(speech_s)).unwrap_err();
            assert!(matches!(error, Error::Audio(_)));
            assert_eq!(error.to_string(), expected);
        }
    }
}
