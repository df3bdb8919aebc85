//! Runs the local diarizer over a recording: cuts audio into windows as it is read and analyses batches of
//! them on several threads at once. Holds a few batches of audio, however long the recording.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use ndarray::{Array2, Axis};
use parking_lot::Mutex;

use crate::audio::AudioSource;
use crate::control::Control;
use crate::diarize::LocalWindow;
use crate::diarize::windows::WindowGrid;
use crate::error::{Error, Result, Stage};
use crate::model::{Inference, Session};

/// How a recording is analysed.
#[derive(Clone, Copy, Debug)]
pub struct AnalysisOptions {
    /// Where the windows lie.
    pub grid: WindowGrid,
    /// Windows in one run of the network.
    pub batch: usize,
    /// Runs of the network at once.
    pub workers: usize,
    /// Samples from the beginning that are kept.
    pub keep: usize,
}

/// What the local diarizer says of a recording.
#[derive(Debug, Default)]
pub struct Analysis {
    /// The windows by start.
    pub windows: Vec<LocalWindow>,
    /// Samples in the recording, at 16 kHz.
    pub samples: u64,
    /// The first samples of the recording, as many as were to be kept.
    pub head: Vec<f32>,
}

/// Windows that are analysed together.
struct Batch {
    number: usize,
    starts: Vec<u64>,
    audio: Array2<f32>,
}

/// Reads `source` to its end and analyses it. The result does not depend on the number of workers.
///
/// # Errors
/// Those of the source, of [`Session::infer`] and of [`Control::check`]; the first in the order of time.
pub fn analyse(
    session: &Session,
    options: &AnalysisOptions,
    source: &mut dyn AudioSource,
    control: &Control<'_>,
) -> Result<Analysis> {
    let mut reader = WindowReader::new(source, options.grid, options.keep);
    let done: Mutex<Vec<(usize, Vec<LocalWindow>)>> = Mutex::new(Vec::new());
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let (to_workers, queue) = sync_channel::<Batch>(1);
    let queue = Mutex::new(queue);
    let worker_control = control.without_progress();

    let fed = std::thread::scope(|scope| {
        for _ in 0..options.workers.max(1) {
            scope.spawn(|| {
                let mut output = Inference::default();
                loop {
                    // The lock is held while waiting: one idle worker waits for the queue, the others for it.
                    let Ok(batch) = queue.lock().recv() else { break };
                    if stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    match session.infer(batch.audio.view(), &mut output, &worker_control) {
                        Ok(()) => {
                            done.lock().push((batch.number, local_windows(&batch, &output, &options.grid)))
                        }
                        Err(error) => {
                            failure.lock().get_or_insert(error);
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        // The sender is moved in, so that however feeding ends the workers see the queue close.
        let sender = to_workers;
        let result = feed(&mut reader, options.batch, &sender, &stop, control);
        if result.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        result
    });
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    fed?;
    let mut batches = done.into_inner();
    batches.sort_by_key(|(number, _)| *number);
    let windows = batches.into_iter().flat_map(|(_, windows)| windows).collect();
    control.check(Stage::Analysis, 1.0)?;
    Ok(Analysis { windows, samples: reader.samples, head: reader.head })
}

/// Hands batches to the workers until the recording ends or `stop` is set.
fn feed(
    reader: &mut WindowReader<'_>,
    batch_size: usize,
    queue: &std::sync::mpsc::SyncSender<Batch>,
    stop: &AtomicBool,
    control: &Control<'_>,
) -> Result<()> {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let Some(batch) = reader.next_batch(number, batch_size, control)? else { break };
        if queue.send(batch).is_err() {
            break;
        }
        number += 1;
    }
    Ok(())
}

/// The network's output for a batch as windows of the recording.
fn local_windows(batch: &Batch, output: &Inference, grid: &WindowGrid) -> Vec<LocalWindow> {
    batch
        .starts
        .iter()
        .enumerate()
        .map(|(row, start)| LocalWindow {
            start_frame: usize::try_from(start / grid.frame as u64).unwrap_or(usize::MAX),
            activity: output.activity.index_axis(Axis(0), row).to_owned(),
            embedding: output.embedding.index_axis(Axis(0), row).to_owned(),
        })
        .collect()
}

/// Cuts a source into overlapping windows. Keeps the audio from the last window's start on.
struct WindowReader<'a> {
    source: &'a mut dyn AudioSource,
    grid: WindowGrid,
    /// Samples from `buffer_start` of the recording on.
    buffer: Vec<f32>,
    buffer_start: u64,
    samples: u64,
    last_start: Option<u64>,
    ended: bool,
    closed: bool,
    keep: usize,
    head: Vec<f32>,
}

impl<'a> WindowReader<'a> {
    fn new(source: &'a mut dyn AudioSource, grid: WindowGrid, keep: usize) -> Self {
        Self {
            source,
            grid,
            buffer: Vec::new(),
            buffer_start: 0,
            samples: 0,
            last_start: None,
            ended: false,
            closed: false,
            keep,
            head: Vec::new(),
        }
    }

    /// The next windows, at most `size`; `None` at the end of the recording.
    fn next_batch(&mut self, number: usize, size: usize, control: &Control<'_>) -> Result<Option<Batch>> {
        let mut starts = Vec::with_capacity(size);
        let mut audio = Vec::with_capacity(size * self.grid.window);
        while starts.len() < size {
            let Some(start) = self.next_start(control)? else { break };
            let from = (start - self.buffer_start) as usize;
            let to = (from + self.grid.window).min(self.buffer.len());
            audio.extend_from_slice(&self.buffer[from..to]);
            starts.push(start);
            // Silence follows the end of the recording.
            audio.resize(starts.len() * self.grid.window, 0.0);
        }
        if starts.is_empty() {
            return Ok(None);
        }
        let shape = (starts.len(), self.grid.window);
        let audio = Array2::from_shape_vec(shape, audio).expect("each window was filled to its full length");
        Ok(Some(Batch { number, starts, audio }))
    }

    /// Start of the next window, once the buffer holds its audio.
    fn next_start(&mut self, control: &Control<'_>) -> Result<Option<u64>> {
        let next = self.last_start.map_or(0, |start| start + self.grid.hop as u64);
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

    /// Reads one block, and lets go of audio that no window can need any more.
    fn read(&mut self, control: &Control<'_>) -> Result<()> {
        let fraction = match self.source.len_hint() {
            Some(total) if total > 0 => (self.samples as f64 / total as f64) as f32,
            _ => 0.0,
        };
        control.check(Stage::Analysis, fraction)?;
        let needed = self.last_start.unwrap_or(0);
        let passed = (needed - self.buffer_start) as usize;
        if passed >= self.grid.window / 2 {
            self.buffer.drain(..passed);
            self.buffer_start = needed;
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
            starts.extend(&batch.starts);
            windows.extend(batch.audio.rows().into_iter().map(|row| row.to_vec()));
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
