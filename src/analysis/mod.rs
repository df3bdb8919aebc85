//! Runs the local diarizer over a recording: cuts audio into windows as it is read and analyses batches of
//! them on several threads at once. Holds a few batches of audio, however long the recording.

mod reader;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use ndarray::Axis;
use parking_lot::Mutex;

use reader::{Batch, WindowReader};

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
    let team = Team::new(session, options.grid, control.without_progress());
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Batch>(1);
        let workers = team.start(scope, options.workers, receiver)?;
        let fed = feed(&mut reader, options.batch, &sender, &team.stop, control);
        if fed.is_err() {
            team.stop.store(true, Ordering::Relaxed);
        }
        drop(sender);
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        fed
    })?;
    let windows = team.finish()?;
    control.check(Stage::Analysis, 1.0)?;
    Ok(Analysis { windows, samples: reader.samples, head: reader.head })
}

/// Hands batches to the workers until the recording ends or `stop` is set.
fn feed(
    reader: &mut WindowReader<'_>,
    batch_size: usize,
    queue: &SyncSender<Batch>,
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

/// The threads that run the network, and what they found.
struct Team<'a> {
    session: &'a Session,
    grid: WindowGrid,
    control: Control<'static>,
    done: Mutex<Vec<(usize, Vec<LocalWindow>)>>,
    failure: Mutex<Option<Error>>,
    /// Set after the first failure: batches still in the queue are not analysed.
    stop: AtomicBool,
}

impl<'a> Team<'a> {
    fn new(session: &'a Session, grid: WindowGrid, control: Control<'static>) -> Self {
        let (done, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
        Self { session, grid, control, done, failure, stop: AtomicBool::new(false) }
    }

    /// Starts up to `count` workers, at least one. The queue closes when the last of them ends.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        count: usize,
        queue: Receiver<Batch>,
    ) -> Result<Vec<ScopedJoinHandle<'scope, ()>>> {
        let queue = Arc::new(Mutex::new(queue));
        let mut workers = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let queue = Arc::clone(&queue);
            let name = format!("voiceflow-{number}");
            match Builder::new().name(name).spawn_scoped(scope, move || self.work(&queue)) {
                Ok(worker) => workers.push(worker),
                // Fewer workers do the same work.
                Err(error) if !workers.is_empty() => {
                    log::warn!("{number} of {count} threads could be started: {error}");
                    break;
                }
                Err(error) => return Err(Error::Limit(format!("no thread could be started: {error}"))),
            }
        }
        Ok(workers)
    }

    /// Analyses batches until the queue is closed and empty.
    fn work(&self, queue: &Mutex<Receiver<Batch>>) {
        let mut output = Inference::default();
        loop {
            // The lock is held while waiting: one idle worker waits for the queue, the others for it.
            let Ok(batch) = queue.lock().recv() else { break };
            if self.stop.load(Ordering::Relaxed) {
                continue;
            }
            match self.session.infer(batch.audio.view(), &mut output, &self.control) {
                Ok(()) => self.done.lock().push((batch.number, local_windows(&batch, &output, &self.grid))),
                Err(error) => {
                    self.failure.lock().get_or_insert(error);
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// The windows in the order of their start, or the first failure.
    fn finish(self) -> Result<Vec<LocalWindow>> {
        if let Some(error) = self.failure.into_inner() {
            return Err(error);
        }
        let mut batches = self.done.into_inner();
        batches.sort_by_key(|(number, _)| *number);
        Ok(batches.into_iter().flat_map(|(_, windows)| windows).collect())
    }
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
