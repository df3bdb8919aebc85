//! The newest audio of a stream, as much as a window may still need.

/// Samples at 16 kHz from `start` of the stream on.
#[derive(Debug, Default)]
pub(super) struct Tape {
    samples: Vec<f32>,
    start: u64,
}

impl Tape {
    /// Where new samples go.
    pub(super) fn tail(&mut self) -> &mut Vec<f32> {
        &mut self.samples
    }

    /// Samples of the stream so far.
    pub(super) fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    /// The `length` samples from `from` on, which are still there; silence follows the end.
    pub(super) fn cut(&self, from: u64, length: usize) -> Vec<f32> {
        let first = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.samples.get(first..).unwrap_or_default();
        let mut audio = rest.get(..length).unwrap_or(rest).to_vec();
        audio.resize(length, 0.0);
        audio
    }

    /// Lets go of what lies before `sample`, once it is worth moving the rest.
    pub(super) fn forget_before(&mut self, sample: u64) {
        let passed = usize::try_from(sample.saturating_sub(self.start)).unwrap_or(usize::MAX);
        if passed > self.samples.len() / 2 {
            let passed = passed.min(self.samples.len());
            self.samples.drain(..passed);
            self.start += passed as u64;
            // A long push leaves no more memory behind than a short one.
            self.samples.shrink_to(2 * self.samples.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stay_where_they_are_when_older_ones_go() {
        let mut tape = Tape::default();
        tape.tail().extend((0..10).map(|sample| sample as f32));
        tape.forget_before(3);
        assert_eq!(tape.cut(3, 2), [3.0, 4.0]);
        tape.forget_before(8);
        assert_eq!((tape.cut(8, 4), tape.end()), (vec![8.0, 9.0, 0.0, 0.0], 10));
    }
}
