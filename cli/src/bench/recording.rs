//! The audio that streams are fed with: a recording over and over, in chunks.

use std::path::Path;

use voiceflow::audio::{AudioSource, FileSource, SAMPLE_RATE};

use crate::exit::Failure;

/// A decoded recording, 16 kHz mono, and how it is cut.
pub struct Recording {
    /// The samples, and the first ones of them again, so that every chunk is in one piece.
    samples: Vec<f32>,
    length: usize,
    chunk: usize,
}

impl Recording {
    /// Decodes `path`, to be cut into chunks of `chunk_ms`.
    pub fn read(path: &Path, chunk_ms: u32) -> Result<Self, Failure> {
        let (mut source, mut samples) = (FileSource::open(path)?, Vec::new());
        while source.read(&mut samples)? > 0 {}
        if samples.len() < SAMPLE_RATE as usize {
            let found_s = samples.len() as f64 / f64::from(SAMPLE_RATE);
            let path = path.display();
            return Err(Failure::Failed(format!(
                "{path}: expected 1 s of audio or more, found {found_s:.2} s"
            )));
        }
        Ok(Self::of(samples, SAMPLE_RATE as usize * chunk_ms as usize / 1000))
    }

    /// `samples` in chunks of as many as `chunk`, which is not more than there are.
    fn of(mut samples: Vec<f32>, chunk: usize) -> Self {
        let length = samples.len();
        samples.extend_from_within(..chunk.min(length));
        Self { samples, length, chunk }
    }

    /// Length of a chunk in seconds.
    pub fn chunk_s(&self) -> f64 {
        self.chunk as f64 / f64::from(SAMPLE_RATE)
    }

    /// Chunks in `seconds`, rounded up and at least one.
    pub fn chunks_in(&self, seconds: f64) -> usize {
        ((seconds / self.chunk_s() - 1e-6).ceil() as usize).max(1)
    }

    /// Chunks that are filled before the recording begins anew.
    pub fn chunk_count(&self) -> usize {
        self.length / self.chunk
    }

    /// The chunk of this number, counted from the start; the recording begins anew whenever it
    /// ends.
    pub fn chunk(&self, number: usize) -> &[f32] {
        let start = number * self.chunk % self.length;
        &self.samples[start..start + self.chunk]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_go_round() {
        let recording = Recording::of(vec![0.0, 1.0, 2.0, 3.0, 4.0], 2);
        let chunks: Vec<&[f32]> = (0..6).map(|number| recording.chunk(number)).collect();
        assert_eq!(chunks, [[0.0, 1.0], [2.0, 3.0], [4.0, 0.0], [1.0, 2.0], [3.0, 4.0], [0.0, 1.0]]);
        assert_eq!(recording.chunk_count(), 2);
    }

    #[test]
    fn a_part_of_a_chunk_is_one() {
        let recording = Recording::of(vec![0.0; 16_000], 1_600);
        let counts = [0.01, 0.1, 0.3, 0.31].map(|seconds| recording.chunks_in(seconds));
        assert_eq!(counts, [1, 1, 3, 4]);
    }
}
