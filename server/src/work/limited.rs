//! An end to audio that is longer than a server takes, whatever its file says of its length.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use voiceflow::audio::{AudioSource, Channels, Recording, SAMPLE_RATE};
use voiceflow::{Call, Error, Result, Warning};

/// A source that fails once it, or a track or channel of it, has given more than a limit.
pub(super) struct Limited<'a> {
    source: Box<dyn AudioSource + 'a>,
    limit_s: f64,
    given: u64,
    /// The most that this or a part of it has given.
    longest: Rc<Cell<u64>>,
}

impl<'a> Limited<'a> {
    /// At most `limit_s` seconds of `source`.
    pub(super) fn new(source: impl AudioSource + 'a, limit_s: f64) -> Self {
        Self { source: Box::new(source), limit_s, given: 0, longest: Rc::default() }
    }

    /// Seconds of audio given: of several tracks or channels, those of the longest.
    pub(super) fn given_s(&self) -> f64 {
        seconds(self.longest.get())
    }
}

fn seconds(samples: u64) -> f64 {
    samples as f64 / f64::from(SAMPLE_RATE)
}

impl AudioSource for Limited<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        let count = self.source.read(out)?;
        self.given += count as u64;
        self.longest.set(self.longest.get().max(self.given));
        if seconds(self.given) > self.limit_s {
            let limit_s = self.limit_s;
            return Err(Error::Limit(format!("file: expected at most {limit_s} s of audio, got more")));
        }
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        self.source.len_hint()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.source.warnings()
    }

    fn channels(&self) -> Option<u16> {
        self.source.channels()
    }

    fn recording(&self) -> Option<&dyn Recording> {
        self.source.recording().map(|_| self as &dyn Recording)
    }
}

impl Recording for Limited<'_> {
    fn name(&self) -> Option<&Path> {
        self.source.recording()?.name()
    }

    fn tracks(&self) -> u16 {
        self.source.recording().map_or(1, Recording::tracks)
    }

    fn default_track(&self) -> u16 {
        self.source.recording().map_or(0, Recording::default_track)
    }

    fn part<'s>(
        &'s self,
        track: u16,
        channels: Channels,
        call: &Call<'s>,
    ) -> Result<Box<dyn AudioSource + 's>> {
        let Some(recording) = self.source.recording() else {
            return Err(Error::Audio("no track of it can be read by itself".to_owned()));
        };
        let source = recording.part(track, channels, call)?;
        Ok(Box::new(Limited { source, limit_s: self.limit_s, given: 0, longest: self.longest.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use voiceflow::audio::BufferSource;

    /// What is read of `samples` samples with a limit of a second.
    fn read(samples: usize) -> Result<usize> {
        let audio = vec![0.0; samples];
        let source = BufferSource::from_f32(&audio, SAMPLE_RATE, 1)?;
        let (mut limited, mut out) = (Limited::new(source, 1.0), Vec::new());
        while limited.read(&mut out)? > 0 {}
        Ok(out.len())
    }

    #[test]
    fn a_channel_has_the_limit_of_the_whole() {
        let audio = vec![0.0; 2 * 16_001];
        let source = BufferSource::from_f32(&audio, SAMPLE_RATE, 2).unwrap();
        let limited = Limited::new(source, 1.0);
        let recording = limited.recording().unwrap();
        for channel in [Channels::Only(0), Channels::Only(1)] {
            let (mut part, mut out) = (recording.part(0, channel, &Call::none()).unwrap(), Vec::new());
            let refused = loop {
                match part.read(&mut out) {
                    Ok(count) => assert!(count > 0),
                    Err(error) => break error,
                }
            };
            assert!(matches!(refused, Error::Limit(_)), "{refused}");
        }
        assert_eq!(limited.given_s(), 16_001.0 / 16_000.0);
    }

    #[test]
    fn a_second_is_taken_and_a_sample_more_is_not() {
        assert_eq!(read(16_000).unwrap(), 16_000);
        let error = read(16_001).unwrap_err();
        assert!(matches!(error, Error::Limit(_)) && error.to_string().contains("at most 1 s"), "{error}");
    }
}
