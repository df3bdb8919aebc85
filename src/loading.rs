//! Loading under a deadline. What loads a model reads files, waits for locks and calls ONNX
//! Runtime, and may be in none of them when its time is over. So it runs on a thread of its own,
//! which its caller leaves behind: the thread ends as soon as it looks whether it is still wanted,
//! and what it made is dropped there.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::call::Call;
use crate::error::{Error, Result, Stage};

/// Longest wait between two looks at the caller's wish to cancel.
const CANCEL_POLL: Duration = Duration::from_millis(10);

/// Stack of the thread in bytes: as much as the main thread usually has, for ONNX Runtime walks
/// nested graphs by recursion.
const STACK: usize = 8 << 20;

/// Most threads that callers left behind and that are still at work: each may hold a model's
/// memory, and hosts try again.
const MAX_LEFT: usize = 8;

/// How many there are.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// States of a load.
const RUNNING: u8 = 0;
const ENDED: u8 = 1;
const LEFT_BEHIND: u8 = 2;

/// What the thread came to; the panic that ended it is the outer error.
type Outcome<T> = std::result::Result<Result<T>, Box<dyn Any + Send>>;

/// What both threads know.
#[derive(Default)]
struct Shared {
    state: AtomicU8,
    unwanted: Arc<AtomicBool>,
}

/// Work under way on a thread of its own. Dropping it leaves the thread behind.
pub(crate) struct Load<T> {
    shared: Arc<Shared>,
    outcome: Receiver<Outcome<T>>,
}

impl<T: Send + 'static> Load<T> {
    /// Starts `work`, whose call says when it is no longer wanted.
    ///
    /// # Errors
    /// [`Error::Limit`] where the system refuses a thread, or too many were left behind.
    pub(crate) fn start(work: impl FnOnce(&Call<'_>) -> Result<T> + Send + 'static) -> Result<Self> {
        let left = LEFT.load(Ordering::Relaxed);
        if left >= MAX_LEFT {
            return Err(Error::Limit(format!(
                "loading: expected fewer than {MAX_LEFT} loads still at work after their deadline or cancellation, \
                 found {left}"
            )));
        }
        let shared = Arc::<Shared>::default();
        let (sender, outcome) = sync_channel(1);
        let load = Self { shared: Arc::clone(&shared), outcome };
        let run = move || {
            let call = Call::none().with_stop(&shared.unwanted);
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&call)));
            // Dropped here where nobody waits any more.
            drop(sender.send(outcome));
            if shared.state.swap(ENDED, Ordering::AcqRel) == LEFT_BEHIND {
                LEFT.fetch_sub(1, Ordering::Relaxed);
            }
        };
        let builder = std::thread::Builder::new().name("voiceflow-load".to_owned()).stack_size(STACK);
        builder.spawn(run).map_err(|error| Error::Limit(format!("no thread could be started: {error}")))?;
        Ok(load)
    }

    /// Waits for the end of the work, as long as `call` allows. `stage` is what the caller is at.
    ///
    /// # Errors
    /// Those of the work; [`Error::Cancelled`] or [`Error::Deadline`] of `stage`, after which it
    /// can be waited for again.
    pub(crate) fn wait(&self, call: &Call<'_>, stage: Stage) -> Result<T> {
        loop {
            let longest = call.remaining().unwrap_or(CANCEL_POLL).min(CANCEL_POLL);
            match self.outcome.recv_timeout(longest) {
                Ok(outcome) => {
                    // The thread has little left to do: it is not left behind.
                    self.shared.state.store(ENDED, Ordering::Release);
                    // A panic goes on here, where the call's guard makes a status of it.
                    return outcome.unwrap_or_else(|panic| resume_unwind(panic));
                }
                Err(RecvTimeoutError::Timeout) => call.check(stage, 0.0)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Runtime(
                        "the thread that loads a model ended without a result".to_owned(),
                    ));
                }
            }
        }
    }
}

impl<T> Drop for Load<T> {
    fn drop(&mut self) {
        self.shared.unwanted.store(true, Ordering::Relaxed);
        LEFT.fetch_add(1, Ordering::Relaxed);
        let exchanged =
            self.shared.state.compare_exchange(RUNNING, LEFT_BEHIND, Ordering::AcqRel, Ordering::Acquire);
        if exchanged.is_err() {
            LEFT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Loads a model by `work`, on a thread of its own where `call` may end it or reports progress.
///
/// # Errors
/// Those of `work`, [`Load::start`] and [`Load::wait`]; [`Error::InvalidArgument`] for what a load
/// has no use for.
pub(crate) fn run<T: Send + 'static>(
    call: &Call<'_>,
    work: impl FnOnce(&Call<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    call.without_result("loading a model")?;
    if !call.looks_up() {
        return work(&Call::none());
    }
    call.check(Stage::Loading, 0.0)?;
    let loaded = Load::start(work)?.wait(call, Stage::Loading)?;
    call.check(Stage::Loading, 1.0)?;
    Ok(loaded)
}

#[cfg(test)]
pub(crate) use tests::alone;

#[cfg(test)]
mod tests {
    use std::sync::MutexGuard;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use super::*;
    use crate::call::Cancel;
    use crate::sync::Mutex;

    static ALONE: Mutex<()> = Mutex::new(());

    fn wait_until(condition: impl Fn() -> bool) {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < Duration::from_secs(120));
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// For tests that leave work behind, which is counted in the whole process: once no other does,
    /// and nothing is left.
    pub(crate) fn alone() -> MutexGuard<'static, ()> {
        let alone = ALONE.lock();
        wait_until(|| LEFT.load(Ordering::Relaxed) == 0);
        alone
    }

    #[test]
    fn a_deadline_leaves_the_work_behind_and_what_it_made_is_dropped() {
        let _alone = alone();
        let (go_on, wait) = channel::<()>();
        let made = Arc::new(());
        let kept = Arc::clone(&made);
        let call = Call::none().with_deadline(Some(Duration::from_millis(250)));
        let error = run(&call, move |_| {
            wait.recv().unwrap();
            Ok(kept)
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "deadline of 250 ms passed while loading a model");
        assert_eq!(LEFT.load(Ordering::Relaxed), 1);
        go_on.send(()).unwrap();
        wait_until(|| LEFT.load(Ordering::Relaxed) == 0);
        assert_eq!(Arc::strong_count(&made), 1);
    }

    #[test]
    fn the_switch_ends_the_wait_and_the_work_sees_that_it_is_not_wanted() {
        let _alone = alone();
        let cancel = Cancel::new();
        let (began, begins) = channel();
        std::thread::scope(|scope| {
            scope.spawn({
                let cancel = cancel.clone();
                move || {
                    begins.recv().unwrap();
                    cancel.set();
                }
            });
            let call = Call::none().with_cancel(&cancel);
            let error = run(&call, move |call| {
                began.send(()).unwrap();
                wait_until(|| call.check_wanted(Stage::Loading).is_err());
                Ok(())
            })
            .unwrap_err();
            assert!(matches!(error, Error::Cancelled { stage: Stage::Loading }), "{error}");
        });
        wait_until(|| LEFT.load(Ordering::Relaxed) == 0);
    }

    #[test]
    fn only_so_many_are_left_behind() {
        let _alone = alone();
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..MAX_LEFT).map(|_| channel::<()>()).unzip();
        for wait in receivers {
            let call = Call::none().with_deadline(Some(Duration::from_millis(250)));
            let error = run(&call, move |_| {
                let _ = wait.recv();
                Ok(())
            })
            .unwrap_err();
            assert!(matches!(error, Error::Deadline { .. }), "{error}");
        }
        let generous = || Call::none().with_deadline(Some(Duration::from_secs(600)));
        let error = run(&generous(), |_| Ok(())).unwrap_err();
        assert!(matches!(error, Error::Limit(_)) && error.to_string().contains("found 8"), "{error}");
        // What has neither deadline nor switch is never left behind.
        run(&Call::none(), |_| Ok(())).unwrap();
        drop(senders);
        wait_until(|| LEFT.load(Ordering::Relaxed) == 0);
        run(&generous(), |_| Ok(())).unwrap();
    }

    #[test]
    fn a_panic_of_the_work_is_the_callers() {
        let _alone = alone();
        let call = Call::none().with_deadline(Some(Duration::from_secs(600)));
        let caught = catch_unwind(AssertUnwindSafe(|| run::<()>(&call, |_| panic!("broken"))));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "broken");
        assert_eq!(LEFT.load(Ordering::Relaxed), 0);
    }
}
