//! The newest audio of a stream: as much as a window may still need.

use crate::error::Result;
use crate::memory;

/// Share of the buffer, 1 in so many, that is let go of at once and that it grows by: each sample
/// is moved about so many times, and so much more memory is kept than is needed.
const SHARE: usize = 8;
/// Samples for which there is room before a push: 0.4 s, more than most pushes have.
const ROOM: usize = 6400;

/// Samples at 16 kHz from `start` of the stream on.
#[derive(Debug, Default)]
pub(super) struct AudioBuffer {
    samples: Vec<f32>,
    start: u64,
}

impl AudioBuffer {
    /// Where new samples go.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn tail(&mut self) -> Result<&mut Vec<f32>> {
        if self.samples.capacity() - self.samples.len() < ROOM {
            // The vector itself would double.
            let spare = self.spare();
            memory::reserve_exact("audio", &mut self.samples, spare)?;
        }
        Ok(&mut self.samples)
    }

    /// Samples that there is room for beside those that are needed.
    fn spare(&self) -> usize {
        ROOM + self.samples.len() / SHARE
    }

    /// The first sample that is still there.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Counts samples from `sample` on, which is there; what lies before it is let go of.
    pub(super) fn begin_at(&mut self, sample: u64) {
        let passed = usize::try_from(sample.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.samples.drain(..passed.min(self.samples.len()));
        self.start = 0;
    }

    /// Samples of the stream so far.
    pub(super) fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    /// Silence of `before` samples, the `length` samples from `from` on, which are still there, and
    /// silence up to `total` samples in all; silence follows the end.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn cut(&self, before: usize, from: u64, length: usize, total: usize) -> Result<Vec<f32>> {
        let first = usize::try_from(from.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let rest = self.samples.get(first..).unwrap_or_default();
        let mut audio = memory::with_capacity("windows", total.max(before + length))?;
        audio.resize(before, 0.0);
        audio.extend_from_slice(rest.get(..length).unwrap_or(rest));
        audio.resize(total.max(before + length), 0.0);
        Ok(audio)
    }

    /// Lets go of what lies before `sample`, once it is worth moving the rest.
    pub(super) fn forget_before(&mut self, sample: u64) {
        let passed = usize::try_from(sample.saturating_sub(self.start)).unwrap_or(usize::MAX);
        if passed > self.samples.len() / SHARE {
            let passed = passed.min(self.samples.len());
            self.samples.drain(..passed);
            self.start += passed as u64;
            // A long push leaves no more memory behind than a short one, unless there is none to
            // move to.
            let spare = self.spare();
            if self.samples.capacity() > self.samples.len() + 3 * spare
                && let Ok(mut smaller) = memory::with_capacity("audio", self.samples.len() + spare)
            {
                smaller.append(&mut self.samples);
                self.samples = smaller;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stay_where_they_are_when_older_ones_go() {
        let mut buffer = AudioBuffer::default();
        buffer.tail().unwrap().extend((0..10).map(|sample| sample as f32));
        buffer.forget_before(3);
        assert_eq!(buffer.cut(0, 3, 2, 0).unwrap(), [3.0, 4.0]);
        buffer.forget_before(8);
        assert_eq!((buffer.cut(0, 8, 4, 0).unwrap(), buffer.end()), (vec![8.0, 9.0, 0.0, 0.0], 10));
        assert_eq!(buffer.cut(1, 8, 2, 5).unwrap(), [0.0, 8.0, 9.0, 0.0, 0.0]);
        buffer.begin_at(9);
        assert_eq!((buffer.cut(0, 0, 1, 0).unwrap(), buffer.start(), buffer.end()), (vec![9.0], 0, 1));
    }

    #[test]
    fn memory_is_that_of_the_window_and_a_quarter_more() {
        let (window, push) = (51_200, 1_600);
        let (mut buffer, mut most) = (AudioBuffer::default(), 0);
        for _ in 0..1000 {
            buffer.tail().unwrap().extend(std::iter::repeat_n(0.0, push));
            buffer.forget_before(buffer.end().saturating_sub(window));
            most = most.max(buffer.samples.capacity());
        }
        assert!(most <= window as usize * 5 / 4 + ROOM, "{most}");
        // What a long push took is given back.
        buffer.tail().unwrap().extend(std::iter::repeat_n(0.0, 1_000_000));
        buffer.forget_before(buffer.end() - window);
        assert!(buffer.samples.capacity() <= window as usize * 5 / 4 + ROOM);
    }
}
