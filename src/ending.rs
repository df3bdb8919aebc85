//! The ends of threads and of the process, where the host's code still runs and ONNX Runtime's data
//! is gone already: its thread-local objects, destroyed before the host's older ones and before
//! what `pthread_key_create` destroys, and its static objects, destroyed before the host's older
//! ones and before what was registered with `atexit` earlier. A network that runs then reads and
//! writes freed memory. So work is refused from the moment at which the first of them may be gone.
//!
//! Both kinds are destroyed in the reverse order in which they were made. A mark of this library
//! that is made after those of ONNX Runtime goes before them, and says so. ONNX Runtime makes some
//! of its objects when it first needs them: marks are made anew after the first, the second, the
//! fourth … piece of work.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::LocalKey;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// Longest time that the end of the process waits for the work that other threads have begun. Work
/// that can be stopped ends within some 20 ms and the time of a node of the network.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time between two looks at the work that is left.
const POLL: Duration = Duration::from_millis(1);

/// Marks of the process, and of each thread.
const MARKS: usize = 8;

/// Whether the process has begun to destroy what ONNX Runtime made.
static PROCESS_ENDS: AtomicBool = AtomicBool::new(false);

/// How much work is under way in this process: the process in the upper half, as a child of fork(2)
/// has none of its parent's threads, and the number in the lower.
static UNDER_WAY: AtomicU64 = AtomicU64::new(0);

/// How many pieces of work the process has done, as far as marks need it.
static DONE: AtomicU32 = AtomicU32::new(0);

thread_local! {
    // Without destructors: they can be read to the thread's last instruction.
    static THREAD_ENDS: Cell<bool> = const { Cell::new(false) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static THREAD_DONE: Cell<u32> = const { Cell::new(0) };

    static MARK_0: Mark = const { Mark };
    static MARK_1: Mark = const { Mark };
    static MARK_2: Mark = const { Mark };
    static MARK_3: Mark = const { Mark };
    static MARK_4: Mark = const { Mark };
    static MARK_5: Mark = const { Mark };
    static MARK_6: Mark = const { Mark };
    static MARK_7: Mark = const { Mark };
}

/// The marks of a thread, in the order in which they are made.
static THREAD_MARKS: [&LocalKey<Mark>; MARKS] =
    [&MARK_0, &MARK_1, &MARK_2, &MARK_3, &MARK_4, &MARK_5, &MARK_6, &MARK_7];

/// Says when a thread begins to destroy what ONNX Runtime made on it.
struct Mark;

impl Drop for Mark {
    fn drop(&mut self) {
        THREAD_ENDS.set(true);
    }
}

/// Whether the process is ending: whoever works should stop.
pub(crate) fn process_ends() -> bool {
    PROCESS_ENDS.load(Ordering::SeqCst)
}

/// Checks that neither the calling thread nor the process is ending.
///
/// # Errors
/// [`Error::Ending`].
pub(crate) fn check() -> Result<()> {
    if process_ends() {
        return Err(Error::Ending("this process is ending: ONNX Runtime may be gone already"));
    }
    if THREAD_ENDS.get() {
        return Err(Error::Ending(
            "this thread is ending: its thread-local data is gone, that of ONNX Runtime too",
        ));
    }
    Ok(())
}

/// As [`check`], for a call that uses a network, on whatever thread it runs: from now on the thread
/// knows its end.
///
/// # Errors
/// [`Error::Ending`].
pub(crate) fn enter() -> Result<()> {
    check()?;
    mark_thread();
    Ok(())
}

/// Begins work with ONNX Runtime on this thread, for as long as the result lives. The end of the
/// process waits for it. Work may begin other work.
///
/// # Errors
/// [`Error::Ending`].
pub(crate) fn work() -> Result<Work> {
    check()?;
    change(|count| count + 1);
    DEPTH.set(DEPTH.get() + 1);
    let work = Work { _of_this_thread: PhantomData };
    // The end of the process may have begun between the look and the count, and may not have seen
    // the latter.
    check()?;
    Ok(work)
}

/// Work under way.
pub(crate) struct Work {
    _of_this_thread: PhantomData<*const ()>,
}

impl Drop for Work {
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth == 0 && !process_ends() {
            mark_thread();
            mark_process();
        }
        change(|count| count.saturating_sub(1));
    }
}

/// Changes the number of pieces of work that this process has under way.
fn change(change: impl Fn(u32) -> u32) {
    let process = u64::from(std::process::id()) << 32;
    let next = |word: u64| {
        let count = if word >> 32 == process >> 32 { word as u32 } else { 0 };
        Some(process | u64::from(change(count)))
    };
    // It always says what comes next.
    _ = UNDER_WAY.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
}

/// How much of it is under way on all threads.
fn under_way() -> u32 {
    let word = UNDER_WAY.load(Ordering::SeqCst);
    if word >> 32 == u64::from(std::process::id()) { word as u32 } else { 0 }
}

/// The mark that is due after so much work; `None` where none is.
fn due(done: u32) -> Option<usize> {
    let index = done.trailing_zeros() as usize;
    (done.is_power_of_two() && index < MARKS).then_some(index)
}

fn mark_thread() {
    let done = THREAD_DONE.get().saturating_add(1);
    THREAD_DONE.set(done);
    if let Some(mark) = due(done).and_then(|index| THREAD_MARKS.get(index)) {
        // Made at the first look; fails where it is gone, which the thread knows.
        _ = mark.try_with(|_| ());
    }
}

#[expect(unsafe_code, reason = "the standard library has no name for atexit (ADR 15)")]
fn mark_process() {
    // Counts no further than marks are made, or the counter would be written by all threads for
    // ever.
    if DONE.load(Ordering::Relaxed) < 1 << MARKS && due(DONE.fetch_add(1, Ordering::Relaxed) + 1).is_some() {
        // SAFETY: the function may be called at any time and does not unwind; the library is never
        // unloaded (-z nodelete). Without memory for it there is one mark less.
        _ = unsafe { libc::atexit(end_process) };
    }
}

/// Refuses new work, and waits for what other threads have begun: they would go on with memory that
/// exit(3) frees.
extern "C" fn end_process() {
    if PROCESS_ENDS.swap(true, Ordering::SeqCst) {
        return;
    }
    // That of this very thread, which ends the process from inside a callback, would never end.
    let own = DEPTH.get();
    let until = Instant::now() + PATIENCE;
    while under_way() > own && Instant::now() < until {
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_due_after_powers_of_two() {
        let found: Vec<u32> = (0..1000).filter(|&done| due(done).is_some()).collect();
        assert_eq!(found, [1, 2, 4, 8, 16, 32, 64, 128]);
    }

    #[test]
    fn a_thread_refuses_work_once_its_marks_are_gone() {
        struct Late(std::sync::mpsc::Sender<Result<()>>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.send(work().map(drop)).unwrap();
            }
        }
        thread_local! {
            // Made before the marks, so that they are gone when it goes.
            static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            LATE.with_borrow_mut(|late| *late = Some(Late(sender)));
            drop(work().unwrap());
        });
        thread.join().unwrap();
        assert!(
            matches!(receiver.recv().unwrap(), Err(Error::Ending(text)) if text.contains("thread is ending"))
        );
    }
}
