//! The newest speech of each speaker of a stream that follows reloads: by it a model of another
//! voice space learns who they are. Nothing else of a stream is kept longer than windows need it.

use crate::audio::SAMPLE_RATE;
use crate::error::Result;
use crate::memory;

/// Most samples of one speaker: 8 s, which take 256 kB.
const MOST: usize = 8 * SAMPLE_RATE as usize;
/// Least samples by which a voice is learned: 1 s.
const LEAST: usize = SAMPLE_RATE as usize;
/// Most speakers, so that all of it takes 5 MB at most; who has been silent the longest gives way.
const SPEAKERS: usize = 20;

/// Speech of the speakers, in 16 bits, by the time of which it is: the newest last.
#[derive(Debug, Default)]
pub(super) struct KeptSpeech(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    speaker: usize,
    samples: Vec<i16>,
}

impl KeptSpeech {
    /// Adds what a speaker says alone.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory): it is not kept.
    pub(super) fn add(&mut self, speaker: usize, audio: &[f32]) -> Result<()> {
        let audio = &audio[audio.len().saturating_sub(MOST)..];
        memory::reserve("speech", &mut self.0, 1)?;
        let known = self.0.iter().position(|kept| kept.speaker == speaker);
        let mut kept = match known {
            Some(place) => self.0.remove(place),
            None => Kept { speaker, samples: Vec::new() },
        };
        let passed = (kept.samples.len() + audio.len()).saturating_sub(MOST);
        kept.samples.drain(..passed);
        let reserved = memory::reserve_exact("speech", &mut kept.samples, audio.len());
        if reserved.is_ok() {
            // Louder than full scale is full scale: the conversion saturates.
            kept.samples.extend(audio.iter().map(|sample| (sample * 32_768.0).round() as i16));
        }
        if known.is_none() && self.0.len() >= SPEAKERS {
            self.0.remove(0);
        }
        self.0.push(kept);
        reserved
    }

    /// The newest speech of a speaker; `None` where there is too little.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn of(&self, speaker: usize) -> Result<Option<Vec<f32>>> {
        let enough = |kept: &&Kept| kept.speaker == speaker && kept.samples.len() >= LEAST;
        let Some(kept) = self.0.iter().find(enough) else { return Ok(None) };
        let samples = kept.samples.iter().map(|&sample| f32::from(sample) / 32_768.0);
        memory::collected("speech", samples).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_speech_of_a_speaker_is_kept() {
        let mut kept = KeptSpeech::default();
        kept.add(3, &vec![0.25; LEAST - 1]).unwrap();
        assert_eq!(kept.of(3).unwrap(), None);
        kept.add(3, &[2.0]).unwrap();
        let speech = kept.of(3).unwrap().unwrap();
        assert_eq!((speech.len(), speech[0]), (LEAST, 0.25));
        assert!((speech[LEAST - 1] - 1.0).abs() < 1e-4);
        for second in 0..20 {
            kept.add(3, &vec![second as f32 / 100.0; SAMPLE_RATE as usize]).unwrap();
        }
        let speech = kept.of(3).unwrap().unwrap();
        assert_eq!(speech.len(), MOST);
        assert!((speech[0] - 0.12).abs() < 1e-4 && (speech[MOST - 1] - 0.19).abs() < 1e-4);
    }

    #[test]
    fn of_too_many_speakers_those_who_are_silent_give_way() {
        let mut kept = KeptSpeech::default();
        for speaker in 0..SPEAKERS {
            kept.add(speaker, &vec![0.0; LEAST]).unwrap();
        }
        kept.add(0, &[0.0]).unwrap();
        kept.add(SPEAKERS, &vec![0.0; LEAST]).unwrap();
        let is_kept = |speaker| kept.of(speaker).unwrap().is_some();
        assert!(is_kept(0) && !is_kept(1) && is_kept(2) && is_kept(SPEAKERS));
        assert_eq!(kept.0.len(), SPEAKERS);
    }
}
