//! Stops runs of the network at their deadline, or when nobody wants them any more: one thread for
//! each network, started by the first run that can be stopped, ended with the network. ONNX Runtime
//! looks at its stop flag between the nodes of the network, so a run ends soon after.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ort::session::RunOptions;

use crate::ending;
use crate::error::{Error, Result};
use crate::process::Process;
use crate::sync::{Mutex, Thread, park, park_timeout};

/// Time between two looks at the flags of the runs that have one.
const FLAG_POLL: Duration = Duration::from_millis(20);

/// The thread and the runs it watches.
pub(crate) struct Watchdog {
    process: Process,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    watched: Vec<Watched>,
    next_id: u64,
    /// When the thread looks again by itself; none if it waits to be woken.
    next_look: Option<Instant>,
    closed: bool,
}

struct Watched {
    id: u64,
    at: Option<Instant>,
    flag: Option<Arc<AtomicBool>>,
    options: Arc<RunOptions>,
    stopped: bool,
}

impl Watched {
    fn is_due(&self, now: Instant) -> bool {
        ending::process_ends()
            || self.at.is_some_and(|at| at <= now)
            || self.flag.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// When to look at it again.
    fn next_look(&self, now: Instant) -> Option<Instant> {
        let poll = self.flag.as_ref().map(|_| now + FLAG_POLL);
        self.at.into_iter().chain(poll).min()
    }
}

impl Watchdog {
    /// A watchdog for at most `runs` runs at once; its thread is not started yet.
    pub(crate) fn new(runs: usize) -> Self {
        let shared = Arc::new(Shared::default());
        shared.state.lock().watched.reserve(runs);
        Self { process: Process::current(), shared, thread: Mutex::new(None) }
    }

    /// Stops the run that uses `options` at `at` or when `flag` is set, unless the guard is dropped
    /// before.
    ///
    /// # Errors
    /// [`Error::Runtime`] when the system refuses a thread.
    pub(crate) fn watch(
        &self,
        at: Option<Instant>,
        flag: Option<&Arc<AtomicBool>>,
        options: &Arc<RunOptions>,
    ) -> Result<Watch<'_>> {
        let thread = self.start()?;
        let mut state = self.shared.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        let flag = flag.map(Arc::clone);
        let run = Watched { id, at, flag, options: Arc::clone(options), stopped: false };
        let look = run.next_look(Instant::now());
        state.watched.push(run);
        // Most runs end long before the thread looks: it is woken only if it would look too late.
        let is_late = look.is_some_and(|look| state.next_look.is_none_or(|next| look < next));
        if is_late {
            state.next_look = look;
        }
        drop(state);
        if is_late {
            thread.unpark();
        }
        Ok(Watch { shared: &self.shared, id })
    }

    /// The thread, started if there is none yet.
    fn start(&self) -> Result<Thread> {
        let mut thread = self.thread.lock();
        if let Some(started) = &*thread {
            return Ok(started.thread().clone());
        }
        let shared = Arc::clone(&self.shared);
        let builder = std::thread::Builder::new().name("voiceflow-deadline".to_owned());
        let started = builder.spawn(move || shared.run()).map_err(|error| {
            Error::Runtime(format!("the thread that keeps deadlines cannot be started: {error}"))
        })?;
        Ok(thread.insert(started).thread().clone())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        let Some(thread) = self.thread.get_mut().take() else { return };
        if !self.process.is_current() {
            // It stayed in the parent, and may have held the lock.
            std::mem::forget(thread);
            return;
        }
        self.shared.state.lock().closed = true;
        thread.thread().unpark();
        // The thread cannot panic; if it did, there is nothing left to stop.
        _ = thread.join();
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let mut state = self.state.lock();
            if state.closed {
                return;
            }
            let now = Instant::now();
            for run in state.watched.iter_mut().filter(|run| !run.stopped && run.is_due(now)) {
                // Under the lock: once its guard is gone, a run is never stopped. Fails for no
                // valid options.
                _ = run.options.terminate();
                run.stopped = true;
            }
            let running = state.watched.iter().filter(|run| !run.stopped);
            let next_look = running.filter_map(|run| run.next_look(now)).min();
            state.next_look = next_look;
            drop(state);
            // Either ends at once if a run came meanwhile that has to be looked at earlier.
            match next_look {
                Some(at) => park_timeout(at.saturating_duration_since(now)),
                None => park(),
            }
        }
    }
}

/// A run being watched.
pub(crate) struct Watch<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Watch<'_> {
    /// Whether the run was stopped.
    pub(crate) fn stopped(&self) -> bool {
        self.shared.state.lock().watched.iter().any(|run| run.id == self.id && run.stopped)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.watched.retain(|run| run.id != self.id);
    }
}
