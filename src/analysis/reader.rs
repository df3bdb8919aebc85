//! Cuts a source into overlapping windows as it is read.

use crate::audio::AudioSource;
use crate::control::Control;
use crate::diarize::windows::WindowGrid;
use crate::error::{Error, Result, Stage};
use crate::model::Stretch;

/// Most windows of one recording: 55 hours at a hop of 2 s. What is kept of them is then about 300 MB.
const MAX_WINDOWS: u64 = 100_000;

/// Windows that are analysed together.
pub(super) struct Batch {
    /// Place in the order of batches.
    pub(super) number: usize,
    /// The windows.
    pub(super) stretch: Stretch,
}

/// Cuts a source into overlapping windows. Keeps the audio from the start of the batch's first window on.
pub(super) struct WindowReader<'a> {
    source: &'a mut dyn AudioSource,
    grid: WindowGrid,
    /// Samples from `buffer_start` of the recording on.
    buffer: Vec<f32>,
    buffer_start: u64,
    /// Samples read so far.
    pub(super) samples: u64,
    last_start: Option<u64>,
    /// First sample that a window still needs.
    needed: u64,
    ended: bool,
    closed: bool,
    keep: usize,
    /// The first samples, at most `keep`.
    pub(super) head: Vec<f32>,
}

impl<'a> WindowReader<'a> {
    pub(super) fn new(source: &'a mut dyn AudioSource, grid: WindowGrid, keep: usize) -> Self {
        Self {
            source,
            grid,
            buffer: Vec::new(),
            buffer_start: 0,
            samples: 0,
            last_start: None,
            needed: 0,
            ended: false,
            closed: false,
            keep,
            head: Vec::new(),
        }
    }

    /// The next windows, at most `size`; `None` at the end of the recording.
    pub(super) fn next_batch(
        &mut self,
        number: usize,
        size: usize,
        control: &Control<'_>,
    ) -> Result<Option<Batch>> {
        let mut starts = Vec::new();
        while starts.len() < size {
            let Some(start) = self.next_start(control)? else { break };
            if starts.is_empty() {
                self.needed = start;
            }
            starts.push(start);
        }
        let (Some(&first), Some(&last)) = (starts.first(), starts.last()) else { return Ok(None) };
        let from = (first - self.buffer_start) as usize;
        let length = (last - first) as usize + self.grid.window;
        let mut audio = self.buffer[from..(from + length).min(self.buffer.len())].to_vec();
        // Silence follows the end of the recording.
        audio.resize(length, 0.0);
        let stretch = Stretch {
            audio,
            start: first,
            window: self.grid.window,
            frame: self.grid.frame,
            offsets: starts.iter().map(|start| (start - first) as usize).collect(),
        };
        self.needed = last;
        Ok(Some(Batch { number, stretch }))
    }

    /// Start of the next window, once the buffer holds its audio.
    fn next_start(&mut self, control: &Control<'_>) -> Result<Option<u64>> {
        let next = self.last_start.map_or(0, |start| start + self.grid.hop as u64);
        if next / self.grid.hop as u64 >= MAX_WINDOWS {
            let text = format!(
                "recording: expected at most {MAX_WINDOWS} windows, got more; a longer hop makes fewer"
            );
            return Err(Error::Limit(text));
        }
        while !self.ended && self.samples < next + self.grid.window as u64 {
            self.read(control)?;
        }
        if self.samples >= next + self.grid.window as u64 {
            self.last_start = Some(next);
            return Ok(Some(next));
        }
        if std::mem::replace(&mut self.closed, true) {
            return Ok(None);
        }
        Ok(self.grid.closing_start(self.last_start, self.samples))
    }

    /// Share of the recording that was read, 0 where its length is not known. Under 1 to the end: the network
    /// is not done when the last sample is read.
    pub(super) fn fraction(&self) -> f32 {
        match self.source.len_hint() {
            Some(total) if total > 0 => ((self.samples as f64 / total as f64) as f32).min(0.99),
            _ => 0.0,
        }
    }

    /// Reads one block, and lets go of audio that no window can need any more.
    fn read(&mut self, control: &Control<'_>) -> Result<()> {
        control.check(Stage::Analysis, self.fraction())?;
        let passed = (self.needed - self.buffer_start) as usize;
        if passed >= self.grid.window / 2 {
            self.buffer.drain(..passed);
            self.buffer_start = self.needed;
        }
        let before = self.buffer.len();
        let count = self.source.read(&mut self.buffer)?;
        self.ended = count == 0;
        self.samples += count as u64;
        let missing = self.keep.saturating_sub(self.head.len());
        self.head.extend(self.buffer[before..].iter().take(missing));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::BufferSource;

    fn windows_of(samples: usize, window: usize, hop: usize) -> (Vec<u64>, Vec<Vec<f32>>, Vec<f32>) {
        let audio: Vec<f32> = (0..samples).map(|index| index as f32 / 1e6).collect();
        let mut source = BufferSource::from_f32(&audio, 16_000, 1).unwrap();
        let mut reader = WindowReader::new(&mut source, WindowGrid::new(window, hop, 640), 100);
        let (mut starts, mut windows) = (Vec::new(), Vec::new());
        while let Some(batch) = reader.next_batch(0, 3, &Control::none()).unwrap() {
            let stretch = &batch.stretch;
            starts.extend(stretch.offsets.iter().map(|&offset| stretch.start + offset as u64));
            windows.extend((0..stretch.offsets.len()).map(|index| stretch.window(index).to_vec()));
        }
        assert_eq!(reader.samples, samples as u64);
        (starts, windows, reader.head)
    }

    #[test]
    fn every_sample_lies_in_the_window_that_says_so() {
        let (starts, windows, head) = windows_of(100_000, 16_000, 6400);
        assert_eq!(starts.last(), Some(&84_480));
        for (start, window) in starts.iter().zip(&windows) {
            for (offset, &value) in window.iter().enumerate() {
                let at = *start as usize + offset;
                assert_eq!(value, if at < 100_000 { at as f32 / 1e6 } else { 0.0 });
            }
        }
        assert_eq!(head.len(), 100);
    }

    #[test]
    fn a_recording_shorter_than_a_window_is_one_window_followed_by_silence() {
        let (starts, windows, _) = windows_of(160, 16_000, 6400);
        assert_eq!(starts, [0]);
        assert!(windows[0][160..].iter().all(|&sample| sample == 0.0));
        assert!(windows_of(0, 16_000, 6400).0.is_empty());
        assert_eq!(windows_of(16_000, 16_000, 6400).0, [0]);
    }
}
