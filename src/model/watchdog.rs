//! Stops runs of the network at their deadline: one thread for each session, started by the first run that has
//! a deadline. ONNX Runtime looks at its stop flag between the nodes of the network, so a run ends soon after.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use ort::session::RunOptions;
use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

/// The thread and the runs it watches.
pub(super) struct Watchdog {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: Vec<Watched>,
    next_id: u64,
    closed: bool,
}

struct Watched {
    id: u64,
    at: Instant,
    options: Arc<RunOptions>,
    stopped: bool,
}

impl Watchdog {
    /// A watchdog for at most `runs` runs at once; its thread is not started yet.
    pub(super) fn new(runs: usize) -> Self {
        let shared = Arc::new(Shared::default());
        shared.state.lock().watched.reserve(runs);
        Self { shared, thread: Mutex::new(None) }
    }

    /// Stops the run that uses `options` at `at`, unless the guard is dropped before.
    ///
    /// # Errors
    /// [`Error::Runtime`] when the system refuses a thread.
    pub(super) fn watch(&self, at: Instant, options: &Arc<RunOptions>) -> Result<Watch<'_>> {
        self.start()?;
        let mut state = self.shared.state.lock();
        let id = state.next_id;
        state.next_id += 1;
        state.watched.push(Watched { id, at, options: Arc::clone(options), stopped: false });
        drop(state);
        self.shared.changed.notify_one();
        Ok(Watch { shared: &self.shared, id })
    }

    fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let spawned =
                std::thread::Builder::new().name("voiceflow-deadline".to_owned()).spawn(move || shared.run());
            *thread = Some(spawned.map_err(|error| {
                Error::Runtime(format!("the thread that keeps deadlines cannot be started: {error}"))
            })?);
        }
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.get_mut().take() {
            // The thread cannot panic; if it did, there is nothing left to stop.
            _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            let now = Instant::now();
            for run in state.watched.iter_mut().filter(|run| !run.stopped && run.at <= now) {
                // Under the lock: once its guard is gone, a run is never stopped. Fails for no valid options.
                _ = run.options.terminate();
                run.stopped = true;
            }
            match state.watched.iter().filter(|run| !run.stopped).map(|run| run.at).min() {
                Some(at) => _ = self.changed.wait_until(&mut state, at),
                None => self.changed.wait(&mut state),
            }
        }
    }
}

/// A run being watched.
pub(super) struct Watch<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Watch<'_> {
    /// Whether the run was stopped.
    pub(super) fn stopped(&self) -> bool {
        self.shared.state.lock().watched.iter().any(|run| run.id == self.id && run.stopped)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.watched.retain(|run| run.id != self.id);
    }
}
