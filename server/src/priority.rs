//! How the system shares processors between threads: those of recordings give way to those that
//! serve streams.

use rustix::process::{getpriority_process, setpriority_process};

/// The least that there is: see setpriority(2).
const LEAST: i32 = 19;

/// Lets the calling thread, and all that it starts from now on, give way to other threads:
/// `niceness` is added to that of the thread. On Linux it belongs to a thread, and not to the
/// process.
pub fn give_way(niceness: i32) {
    let own = getpriority_process(None).unwrap_or(0);
    // A lower priority is always allowed; without it, everything is only less smooth.
    if let Err(error) = setpriority_process(None, own.saturating_add(niceness).min(LEAST)) {
        tracing::warn!(%error, "the threads of recordings keep their priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_and_those_it_starts_give_way_and_others_do_not() {
        let before = getpriority_process(None).unwrap();
        let niceness = || getpriority_process(None).unwrap();
        let inner = std::thread::spawn(move || {
            give_way(3);
            (niceness(), std::thread::spawn(niceness).join().unwrap())
        });
        let expected = (before + 3).min(LEAST);
        assert_eq!(inner.join().unwrap(), (expected, expected));
        assert_eq!(niceness(), before);
    }
}
