//! In which process something was made. fork(2) copies memory but only the thread that calls it: in
//! the child the threads of ONNX Runtime and of this library are missing, and locks that they held
//! stay held. What was made in the parent is refused there before a lock of its own is taken.

use std::fmt::Display;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::ending;
use crate::error::{Error, Result};
use crate::sync::Mutex;

/// A process, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// The process that calls.
    pub(crate) fn current() -> Self {
        // A system call of some 0.1 µs, which no number kept in memory can replace: fork(2) copies
        // that too.
        Self(std::process::id())
    }

    /// Whether this is the process that calls.
    pub(crate) fn is_current(self) -> bool {
        self == Self::current()
    }

    /// Checks that the model `name`, loaded in this process, is used in it, and that neither it nor
    /// the calling thread is ending.
    ///
    /// # Errors
    /// [`Error::Forked`], [`Error::Ending`].
    pub(crate) fn check(self, name: &dyn Display) -> Result<()> {
        if self.is_current() {
            return ending::enter();
        }
        Err(Error::Forked(format!(
            "{name}: this process was forked after the model was loaded; load it again in the child"
        )))
    }
}

/// Nobody has the lock.
const FREE: u32 = 0;

/// Time between two looks at a lock that another thread has. It is held while a library or a model
/// is loaded, which takes tens of milliseconds.
const POLL: Duration = Duration::from_millis(1);

/// A lock for work that may take long, which knows the process of its holder: a child of fork(2)
/// that inherits it held is told so and does not wait for a thread that it does not have.
pub(crate) struct ProcessMutex<T> {
    holder: AtomicU32,
    /// Locked by the holder alone.
    value: Mutex<T>,
}

impl<T> ProcessMutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { holder: AtomicU32::new(FREE), value: Mutex::new(value) }
    }

    /// # Errors
    /// [`Error::Forked`] where another thread of the parent held it when this process was forked.
    pub(crate) fn lock(&self) -> Result<Held<'_, T>> {
        let this = std::process::id();
        loop {
            match self.holder.compare_exchange(FREE, this, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break,
                Err(holder) if holder == this => std::thread::sleep(POLL),
                Err(_) => return Err(forked_while_loading()),
            }
        }
        let release = Release(&self.holder);
        Ok(Held { value: self.value.lock(), _release: release })
    }
}

/// Counts work that may go on side by side, and knows the process in which it does: a child of
/// fork(2) that inherits work under way, whose thread it does not have, is told so.
pub(crate) struct ProcessCount {
    /// The process in the upper half, of which the lower half counts the work.
    state: AtomicU64,
}

impl ProcessCount {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU64::new(0) }
    }

    /// Begins a piece of work, which ends when what this gives is dropped.
    ///
    /// # Errors
    /// [`Error::Forked`] where another thread of the parent was at work when this process was
    /// forked.
    pub(crate) fn enter(&self) -> Result<Counted<'_>> {
        let this = u64::from(std::process::id()) << 32;
        let begin = |state: u64| match state as u32 {
            0 => Some(this | 1),
            _ if state >> 32 == this >> 32 => state.checked_add(1),
            _ => None,
        };
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin) {
            Ok(_) => Ok(Counted(&self.state)),
            Err(_) => Err(forked_while_loading()),
        }
    }
}

/// Work under way.
pub(crate) struct Counted<'a>(&'a AtomicU64);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn forked_while_loading() -> Error {
    let text = "this process was forked while another thread of its parent loaded a model: it cannot load models \
                itself; fork before models are loaded";
    Error::Forked(text.to_owned())
}

/// The lock, held. The fields are dropped in their order: the value's own lock is free before
/// another can come.
pub(crate) struct Held<'a, T> {
    value: MutexGuard<'a, T>,
    _release: Release<'a>,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Held<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

struct Release<'a>(&'a AtomicU32);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A process that does not call.
    fn other() -> Process {
        Process(std::process::id().wrapping_add(1))
    }

    #[test]
    fn another_process_is_refused_by_name() {
        assert!(Process::current().check(&"model.onnx").is_ok());
        let error = other().check(&"model.onnx").unwrap_err();
        assert_eq!(
            error.to_string(),
            "model.onnx: this process was forked after the model was loaded; load it again in the child"
        );
    }

    #[test]
    fn the_check_takes_less_than_a_microsecond() {
        const CHECKS: u32 = 10_000;
        let process = Process::current();
        // The best of some: others use this machine too.
        let once = || {
            let start = Instant::now();
            assert!((0..CHECKS).all(|_| std::hint::black_box(process).check(&"model").is_ok()));
            start.elapsed() / CHECKS
        };
        let best = (0..20).map(|_| once()).min().unwrap();
        println!("a check takes {best:?}");
        assert!(best < Duration::from_micros(1), "{best:?}");
    }

    #[test]
    fn a_lock_held_in_another_process_is_refused_at_once() {
        let lock = ProcessMutex::new(7);
        assert_eq!(*lock.lock().unwrap(), 7);
        lock.holder.store(other().0, Ordering::Relaxed);
        let error = lock.lock().err().unwrap();
        assert!(matches!(error, Error::Forked(_)), "{error}");
    }

    #[test]
    fn work_goes_on_side_by_side_in_one_process_alone() {
        let count = ProcessCount::new();
        let (first, second) = (count.enter().unwrap(), count.enter().unwrap());
        drop(first);
        assert_eq!(count.state.load(Ordering::Relaxed) as u32, 1);
        drop(second);
        drop(count.enter().unwrap());
        // Nobody was at work in the parent.
        count.state.store(u64::from(other().0) << 32, Ordering::Relaxed);
        drop(count.enter().unwrap());
        count.state.store(u64::from(other().0) << 32 | 1, Ordering::Relaxed);
        assert!(matches!(count.enter().err().unwrap(), Error::Forked(_)));
    }

    #[test]
    fn one_thread_at_a_time_holds_the_lock() {
        let lock = ProcessMutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let mut held = lock.lock().unwrap();
                        let before = *held;
                        std::thread::yield_now();
                        *held = before + 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock().unwrap(), 40);
    }
}
