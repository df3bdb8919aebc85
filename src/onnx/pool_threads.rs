//! The threads of one ONNX Runtime session. ONNX Runtime waits for ever for the threads of its pool
//! when the system refuses it one of them, as under RLIMIT_NPROC or in a control group. So all of
//! them are started before it asks for the first, and handed to it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use ort::environment::ThreadManager;

use crate::error::{Error, Result};
use crate::sync::Mutex;

/// Stack of a thread in bytes, as ONNX Runtime's own have by default.
const STACK: usize = 8 << 20;

type Work = Box<dyn FnOnce() + Send>;

/// Threads that wait for their work. Those that got none end when this is dropped.
pub(crate) struct PoolThreads(Mutex<Vec<Waiting>>);

struct Waiting {
    work: Sender<Work>,
    thread: JoinHandle<()>,
}

impl PoolThreads {
    /// Starts the threads of a pool of `threads`, one of which is the thread that runs the network.
    ///
    /// # Errors
    /// [`Error::Limit`] where the system refuses one; then there is none.
    pub(crate) fn start(threads: usize) -> Result<Self> {
        let pool = Self(Mutex::default());
        for number in 1..threads {
            match Waiting::start(number) {
                Ok(waiting) => pool.0.lock().push(waiting),
                Err(error) => {
                    pool.end();
                    return Err(Error::Limit(format!(
                        "threads: expected {threads}, of which the system gives no more than {number}: {error}"
                    )));
                }
            }
        }
        Ok(pool)
    }

    /// Ends those that wait, so that the system counts them no more.
    fn end(&self) {
        for Waiting { work, thread } in std::mem::take(&mut *self.0.lock()) {
            drop(work);
            // It cannot have panicked: it did nothing.
            _ = thread.join();
        }
    }
}

impl Waiting {
    fn start(number: usize) -> std::io::Result<Self> {
        let (work, wait): (Sender<Work>, Receiver<Work>) = channel();
        let run = move || {
            if let Ok(work) = wait.recv() {
                work();
            }
        };
        let builder = std::thread::Builder::new().name(format!("voiceflow-net-{number}")).stack_size(STACK);
        Ok(Self { work, thread: builder.spawn(run)? })
    }
}

impl ThreadManager for PoolThreads {
    type Thread = JoinHandle<()>;

    fn create(&self, work: impl FnOnce() + Send + 'static) -> ort::Result<Self::Thread> {
        // More than were started are asked for by no session with one thread between operators.
        let refused = || ort::Error::new("ONNX Runtime asks for more threads than it was told to use");
        let Waiting { work: sender, thread } = self.0.lock().pop().ok_or_else(refused)?;
        sender.send(Box::new(work)).map_err(|_| refused())?;
        Ok(thread)
    }

    fn join(thread: Self::Thread) -> ort::Result<()> {
        thread.join().map_err(|_| ort::Error::new("a thread of ONNX Runtime panicked"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn as_many_threads_work_as_were_asked_for_and_the_rest_ends() {
        let pool = PoolThreads::start(4).unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let work = |ran: &Arc<AtomicUsize>| {
            let ran = Arc::clone(ran);
            move || _ = ran.fetch_add(1, Ordering::Relaxed)
        };
        let threads: Vec<_> = (0..3).map(|_| pool.create(work(&ran)).unwrap()).collect();
        assert!(pool.create(work(&ran)).is_err());
        threads.into_iter().for_each(|thread| PoolThreads::join(thread).unwrap());
        assert_eq!(ran.load(Ordering::Relaxed), 3);
        PoolThreads::start(3).unwrap().end();
        assert!(PoolThreads::start(1).unwrap().0.lock().is_empty());
    }
}
