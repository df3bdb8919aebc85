//! Cuts a source into overlapping windows as it is read.

use crate::audio::{AudioSource, MAX_READ_FRACTION};
use crate::call::Call;
use crate::diarize::windows::WindowGrid;
use crate::error::{Error, Result, Stage};
use crate::memory;
use crate::model::Stretch;

/// Most windows of the first set, the diarizer's own: 55 hours at a hop of 2 s. What is kept of all
/// sets is then about 760 MB.
const MAX_WINDOWS: u64 = 100_000;

/// Windows of one set that are analysed together.
pub(super) struct Batch {
    /// Place in the order of batches.
    pub(super) number: usize,
    /// Which of the reader's cutters made it.
    pub(super) set: usize,
    /// The windows.
    pub(super) stretch: Stretch,
}

/// Where the windows of one set are cut.
pub(super) struct Cutter {
    grid: WindowGrid,
    /// Windows of a batch.
    size: usize,
    last_start: Option<u64>,
    /// First sample that a window still needs.
    needed: u64,
    closed: bool,
}

impl Cutter {
    /// Windows of `grid`, at most `size` in a batch.
    pub(super) fn new(grid: WindowGrid, size: usize) -> Self {
        Self { grid, size, last_start: None, needed: 0, closed: false }
    }

    /// Start of the next whole window.
    fn next_start(&self) -> u64 {
        self.last_start.map_or(0, |start| start + self.grid.hop as u64)
    }

    /// End of the next whole window.
    fn next_end(&self) -> u64 {
        self.next_start() + self.grid.window as u64
    }
}

/// Cuts a source into overlapping windows of one or more sets. Keeps the audio from the start of
/// the batches' first windows on.
pub(super) struct WindowReader<'a> {
    source: &'a mut dyn AudioSource,
    cutters: Vec<Cutter>,
    /// Samples from `buffer_start` of the recording on.
    buffer: Vec<f32>,
    buffer_start: u64,
    /// Samples read so far.
    pub(super) samples: u64,
    ended: bool,
    keep: usize,
    /// The first samples, at most `keep`.
    pub(super) head: Vec<f32>,
}

impl<'a> WindowReader<'a> {
    pub(super) fn new(source: &'a mut dyn AudioSource, cutters: Vec<Cutter>, keep: usize) -> Self {
        Self {
            source,
            cutters,
            buffer: Vec::new(),
            buffer_start: 0,
            samples: 0,
            ended: false,
            keep,
            head: Vec::new(),
        }
    }

    /// The next windows of the set that is farthest behind; `None` at the end of the recording.
    pub(super) fn next_batch(&mut self, number: usize, call: &Call<'_>) -> Result<Option<Batch>> {
        loop {
            let open = (0..self.cutters.len()).filter(|&set| !self.cutters[set].closed);
            let Some(set) = open.min_by_key(|&set| self.cutters[set].next_end()) else { return Ok(None) };
            if let Some(stretch) = self.next_stretch(set, call)? {
                return Ok(Some(Batch { number, set, stretch }));
            }
        }
    }

    /// The next windows of a set; `None` where there are no more.
    fn next_stretch(&mut self, set: usize, call: &Call<'_>) -> Result<Option<Stretch>> {
        let mut starts = Vec::new();
        while starts.len() < self.cutters[set].size {
            let Some(start) = self.next_start(set, call)? else { break };
            if starts.is_empty() {
                self.cutters[set].needed = start;
            }
            starts.push(start);
        }
        let (Some(&first), Some(&last)) = (starts.first(), starts.last()) else { return Ok(None) };
        let cutter = &mut self.cutters[set];
        let from = (first - self.buffer_start) as usize;
        let length = (last - first) as usize + cutter.grid.window;
        let mut audio = memory::with_capacity("windows", length)?;
        audio.extend_from_slice(&self.buffer[from..(from + length).min(self.buffer.len())]);
        // Silence follows the end of the recording.
        audio.resize(length, 0.0);
        cutter.needed = last;
        Ok(Some(Stretch {
            audio,
            start: first,
            window: cutter.grid.window,
            frame: cutter.grid.frame,
            offsets: starts.iter().map(|start| (start - first) as usize).collect(),
        }))
    }

    /// Start of the next window of a set, once the buffer holds its audio.
    fn next_start(&mut self, set: usize, call: &Call<'_>) -> Result<Option<u64>> {
        let Cutter { grid, last_start, closed, .. } = self.cutters[set];
        let (next, end) = (self.cutters[set].next_start(), self.cutters[set].next_end());
        if closed {
            return Ok(None);
        }
        if set == 0 && next / grid.hop as u64 >= MAX_WINDOWS {
            let text = format!(
                "recording: expected at most {MAX_WINDOWS} windows, got more; a longer hop makes fewer"
            );
            return Err(Error::Limit(text));
        }
        while !self.ended && self.samples < end {
            self.read(call)?;
        }
        if self.samples >= end {
            self.cutters[set].last_start = Some(next);
            return Ok(Some(next));
        }
        self.cutters[set].closed = true;
        Ok(grid.closing_start(last_start, self.samples))
    }

    /// Share of the recording that was read, 0 where its length is not known.
    pub(super) fn fraction(&self) -> f32 {
        match self.source.len_hint() {
            Some(total) if total > 0 => ((self.samples as f64 / total as f64) as f32).min(MAX_READ_FRACTION),
            _ => 0.0,
        }
    }

    /// Reads one block, and lets go of audio that no window can need any more.
    fn read(&mut self, call: &Call<'_>) -> Result<()> {
        call.check(Stage::Analysis, self.fraction())?;
        let open = self.cutters.iter().filter(|cutter| !cutter.closed);
        let needed = open.map(|cutter| cutter.needed).min().unwrap_or(self.samples);
        let passed = needed.saturating_sub(self.buffer_start) as usize;
        if passed >= self.buffer.len() / 2 {
            self.buffer.drain(..passed);
            self.buffer_start += passed as u64;
        }
        let before = self.buffer.len();
        let count = self.source.read(&mut self.buffer)?;
        self.ended = count == 0;
        self.samples += count as u64;
        let missing = self.keep.saturating_sub(self.head.len());
        memory::extend("audio", &mut self.head, self.buffer[before..].iter().copied().take(missing))?;
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
        let cutters = vec![Cutter::new(WindowGrid::new(window, hop, 640), 3)];
        let mut reader = WindowReader::new(&mut source, cutters, 100);
        let (mut starts, mut windows) = (Vec::new(), Vec::new());
        while let Some(batch) = reader.next_batch(0, &Call::none()).unwrap() {
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
    fn two_sets_are_cut_side_by_side() {
        let audio: Vec<f32> = (0..1_000_000).map(|index| index as f32 / 1e6).collect();
        let mut source = BufferSource::from_f32(&audio, 16_000, 1).unwrap();
        let long = Cutter::new(WindowGrid::new(64_000, 12_800, 640), 4);
        let short = Cutter::new(WindowGrid::new(16_000, 6400, 640), 3);
        let mut reader = WindowReader::new(&mut source, vec![long, short], 0);
        let mut starts = [Vec::new(), Vec::new()];
        while let Some(batch) = reader.next_batch(0, &Call::none()).unwrap() {
            for (index, offset) in batch.stretch.offsets.iter().enumerate() {
                let start = batch.stretch.start as usize + offset;
                let window = batch.stretch.window(index);
                let known = window.len().min(audio.len() - start);
                assert_eq!(window[..known], audio[start..start + known]);
                starts[batch.set].push(start);
            }
            assert!(reader.buffer.len() < 300_000);
        }
        let alone = |window, hop| -> Vec<usize> {
            windows_of(1_000_000, window, hop).0.iter().map(|&start| start as usize).collect()
        };
        assert_eq!(starts, [alone(64_000, 12_800), alone(16_000, 6400)]);
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
