//! An end to audio that is longer than a server takes, whatever its file says of its length.

use voiceflow::audio::{AudioSource, SAMPLE_RATE};
use voiceflow::{Error, Result};

/// A source that fails once it has given more than a limit.
pub(super) struct Limited<S> {
    source: S,
    limit_s: f64,
    given: u64,
}

impl<S: AudioSource> Limited<S> {
    /// At most `limit_s` seconds of `source`.
    pub(super) fn new(source: S, limit_s: f64) -> Self {
        Self { source, limit_s, given: 0 }
    }

    /// Seconds of audio given.
    pub(super) fn given_s(&self) -> f64 {
        self.given as f64 / f64::from(SAMPLE_RATE)
    }
}

impl<S: AudioSource> AudioSource for Limited<S> {
    fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        let count = self.source.read(out)?;
        self.given += count as u64;
        if self.given_s() > self.limit_s {
            let limit_s = self.limit_s;
            return Err(Error::Limit(format!("file: expected at most {limit_s} s of audio, got more")));
        }
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        self.source.len_hint()
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
    fn a_second_is_taken_and_a_sample_more_is_not() {
        assert_eq!(read(16_000).unwrap(), 16_000);
        let error = read(16_001).unwrap_err();
        assert!(matches!(error, Error::Limit(_)) && error.to_string().contains("at most 1 s"), "{error}");
    }
}
