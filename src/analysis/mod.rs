//! Runs the local diarizer over a recording: cuts audio into windows as it is read and analyses
//! batches of them on several threads at once. Holds a few batches of audio, however long the
//! recording.

mod reader;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use reader::{Batch, Cutter, WindowReader};

use crate::audio::AudioSource;
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::windows::WindowGrid;
use crate::error::{Error, Result, Stage};
use crate::memory;
use crate::model::LocalDiarizer;
use crate::sync::Mutex;

/// Longest time between two looks at the caller's wish to cancel while the network runs.
const CANCEL_POLL: Duration = Duration::from_millis(50);

/// How a recording is analysed.
#[derive(Clone, Copy, Debug)]
pub struct AnalysisOptions {
    /// Where the windows lie.
    pub grid: WindowGrid,
    /// Where short windows lie beside them, if any.
    pub short: Option<WindowGrid>,
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
    /// The short windows by start.
    pub short_windows: Vec<LocalWindow>,
    /// Samples in the recording, at 16 kHz.
    pub samples: u64,
    /// The first samples of the recording, as many as were to be kept.
    pub head: Vec<f32>,
}

/// Reads `source` to its end and analyses it. The result does not depend on the number of workers.
///
/// # Errors
/// Those of the source, of [`LocalDiarizer::analyse`] and of [`Call::check`]; the first in the
/// order of time.
pub fn analyse(
    local: &dyn LocalDiarizer,
    options: &AnalysisOptions,
    source: &mut dyn AudioSource,
    call: &Call<'_>,
) -> Result<Analysis> {
    let grids: Vec<WindowGrid> = std::iter::once(options.grid).chain(options.short).collect();
    let at_once = |grid: &WindowGrid| local.windows_at_once(options.batch, grid);
    let cutters = grids.iter().map(|grid| Cutter::new(*grid, at_once(grid))).collect();
    let mut reader = WindowReader::new(source, cutters, options.keep);
    let stop = Arc::new(AtomicBool::new(false));
    let team = Team::new(local, options.batch, call.on_worker(&stop), &stop);
    std::thread::scope(|scope| {
        let (sender, queue) = bounded(1);
        let (busy, all_done) = bounded(0);
        let workers = team.start(scope, options.workers, &queue, &busy)?;
        // The workers' own ends are left: the queue closes when the last of them ends.
        drop((queue, busy));
        let fed = feed(&mut reader, &sender, &stop, call);
        drop(sender);
        let waited = fed.and_then(|()| wait(&all_done, reader.fraction(), call));
        if waited.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        waited
    })?;
    let mut sets = team.finish(grids.len())?.into_iter();
    call.check(Stage::Analysis, 1.0)?;
    let mut next = || sets.next().unwrap_or_default();
    Ok(Analysis { windows: next(), short_windows: next(), samples: reader.samples, head: reader.head })
}

/// Hands batches to the workers until the recording ends or `stop` is set.
fn feed(
    reader: &mut WindowReader<'_>,
    queue: &Sender<Batch>,
    stop: &AtomicBool,
    call: &Call<'_>,
) -> Result<()> {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let Some(mut batch) = reader.next_batch(number, call)? else { break };
        loop {
            match queue.send_timeout(batch, CANCEL_POLL) {
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) => batch = back,
                Err(SendTimeoutError::Disconnected(_)) => return Ok(()),
            }
            call.check(Stage::Analysis, reader.fraction())?;
        }
        number += 1;
    }
    Ok(())
}

/// Waits until the last worker has let go of its end of `all_done`.
fn wait(all_done: &Receiver<()>, fraction: f32, call: &Call<'_>) -> Result<()> {
    while let Err(RecvTimeoutError::Timeout) = all_done.recv_timeout(CANCEL_POLL) {
        call.check(Stage::Analysis, fraction)?;
    }
    Ok(())
}

/// The threads that run the network, and what they found.
struct Team<'a> {
    local: &'a dyn LocalDiarizer,
    batch: usize,
    call: Call<'a>,
    /// Number and set of each batch, and its windows.
    done: Mutex<Vec<(usize, usize, Vec<LocalWindow>)>>,
    failure: Mutex<Option<Error>>,
    /// Set after the first failure: batches still in the queue are not analysed, and runs end
    /// early.
    stop: &'a AtomicBool,
}

impl<'a> Team<'a> {
    fn new(local: &'a dyn LocalDiarizer, batch: usize, call: Call<'a>, stop: &'a AtomicBool) -> Self {
        let (done, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
        Self { local, batch, call, done, failure, stop }
    }

    /// Starts up to `count` workers, at least one. Each holds an end of `queue` and of `busy` until
    /// it ends.
    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        count: usize,
        queue: &Receiver<Batch>,
        busy: &Sender<()>,
    ) -> Result<Vec<ScopedJoinHandle<'scope, ()>>> {
        let mut workers = Vec::with_capacity(count);
        for number in 0..count.max(1) {
            let (queue, busy) = (queue.clone(), busy.clone());
            let name = format!("voiceflow-{number}");
            let work = move || {
                let _busy = busy;
                self.work(&queue);
            };
            match Builder::new().name(name).spawn_scoped(scope, work) {
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
    fn work(&self, queue: &Receiver<Batch>) {
        // A panic ends the work of all.
        let _stop = StopAtPanic(self.stop);
        for batch in queue {
            if self.stop.load(Ordering::Relaxed) {
                continue;
            }
            let found = self.local.analyse(&batch.stretch, self.batch, &self.call);
            let kept = found.and_then(|windows| {
                memory::push("windows", &mut *self.done.lock(), (batch.number, batch.set, windows))
            });
            match kept {
                Ok(()) => {}
                Err(error) => {
                    self.failure.lock().get_or_insert(error);
                    self.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// The windows of each set in the order of their start, or the first failure.
    fn finish(self, sets: usize) -> Result<Vec<Vec<LocalWindow>>> {
        if let Some(error) = self.failure.into_inner() {
            return Err(error);
        }
        let mut batches = self.done.into_inner();
        batches.sort_unstable_by_key(|(number, ..)| *number);
        let mut found: Vec<Vec<LocalWindow>> = vec![Vec::new(); sets];
        for (_, set, windows) in batches {
            memory::extend("windows", &mut found[set], windows)?;
        }
        Ok(found)
    }
}

/// Sets the flag when it is dropped by a panic.
struct StopAtPanic<'a>(&'a AtomicBool);

impl Drop for StopAtPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use super::*;
    use crate::audio::{BufferSource, SAMPLE_RATE};
    use crate::call::Cancel;
    use crate::config::Config;
    use crate::model::{ModelInfo, Session, Stretch, Tuning};

    /// Runs the network on the same windows until it is stopped: no recording keeps it busy so
    /// long.
    #[derive(Debug)]
    struct Endless(Session);

    impl LocalDiarizer for Endless {
        fn info(&self) -> &ModelInfo {
            self.0.info()
        }

        fn tuning(&self) -> &Tuning {
            self.0.tuning()
        }

        fn windows_at_once(&self, batch: usize, grid: &WindowGrid) -> usize {
            self.0.windows_at_once(batch, grid)
        }

        fn takes_short_windows(&self) -> bool {
            self.0.takes_short_windows()
        }

        fn analyse(&self, stretch: &Stretch, batch: usize, call: &Call<'_>) -> Result<Vec<LocalWindow>> {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(600) {
                self.0.analyse(stretch, batch, call)?;
            }
            Err(Error::Runtime("nobody ended the analysis".to_owned()))
        }
    }

    /// Fails as no network should at its first windows, and takes its time for the others.
    #[derive(Debug)]
    struct Panicking {
        session: Session,
        calls: AtomicUsize,
    }

    impl LocalDiarizer for Panicking {
        fn info(&self) -> &ModelInfo {
            self.session.info()
        }

        fn tuning(&self) -> &Tuning {
            self.session.tuning()
        }

        fn windows_at_once(&self, _: usize, _: &WindowGrid) -> usize {
            1
        }

        fn takes_short_windows(&self) -> bool {
            true
        }

        fn analyse(&self, _: &Stretch, _: usize, _: &Call<'_>) -> Result<Vec<LocalWindow>> {
            assert!(self.calls.fetch_add(1, Ordering::Relaxed) > 0, "the first windows");
            std::thread::sleep(Duration::from_millis(5));
            Ok(Vec::new())
        }
    }

    #[test]
    fn a_panic_ends_the_analysis() {
        let session = Session::for_batches(&Config::default(), &Call::none()).unwrap();
        let local = Panicking { session, calls: AtomicUsize::new(0) };
        let grid = WindowGrid::new(16_000, 16_000, 640);
        let options = AnalysisOptions { grid, short: None, batch: 1, workers: 2, keep: 0 };
        let audio = vec![0.0; 1000 * 16_000];
        let mut source = BufferSource::from_f32(&audio, SAMPLE_RATE, 1).unwrap();
        let run = || analyse(&local, &options, &mut source, &Call::none());
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the first windows"));
        let calls = local.calls.into_inner();
        assert!(calls < 500, "{calls} of 1000 windows were analysed");
    }

    #[test]
    fn cancelling_is_heard_while_the_network_runs() {
        let mut config = Config::default();
        config.set_threads(1).unwrap();
        config.set_slots(2).unwrap();
        let local = Endless(Session::for_batches(&config, &Call::none()).unwrap());
        let grid = WindowGrid::new(160_000, 32_000, 640);
        let options = AnalysisOptions { grid, short: None, batch: 8, workers: 2, keep: 0 };
        // One window, and more than the workers and the queue take: while it waits for the end, and
        // while it feeds them. Reading takes fewer calls than are allowed.
        for (seconds, allowed) in [(1, 10), (60, 40)] {
            let audio = vec![0.0; seconds * 16_000];
            let calls = AtomicUsize::new(0);
            let cancel = Cancel::new();
            let stop = |_: Stage, _: f32| {
                if calls.fetch_add(1, Ordering::Relaxed) == allowed {
                    cancel.set();
                }
            };
            let call = Call::none().with_progress(&stop).with_cancel(&cancel);
            let mut source = BufferSource::from_f32(&audio, SAMPLE_RATE, 1).unwrap();
            let error = analyse(&local, &options, &mut source, &call).unwrap_err();
            assert!(matches!(error, Error::Cancelled { stage: Stage::Analysis }), "{seconds} s: {error:?}");
        }
    }
}
