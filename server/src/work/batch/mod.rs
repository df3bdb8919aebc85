//! Recordings: a bounded queue, and the threads that take from it.

mod job;
mod ticket;

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use voiceflow::Call;
use voiceflow::audio::FileSource;

use super::limited::Limited;
use super::shadow::{Shadow, turns_of};
use super::{FAILED, Failure, REFUSED, contained};
use crate::metrics::{Kind, Metrics};
use crate::priority;
use crate::voices::Answered;
use job::let_go;
pub use job::{Job, Place, Progress};
pub use ticket::Ticket;

/// How long a recording takes until one was measured, in seconds.
const FIRST_GUESS_S: f64 = 5.0;

/// Delay of live streams above which recordings wait.
const LIVE_DELAY: Duration = Duration::from_millis(20);
/// Longest that a recording waits for live streams at a time.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Time from one look at live streams to the next.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Share of the newest recording in the mean of their times.
const NEWEST_SHARE: f64 = 0.2;

/// The end of a stream, whose answer for the whole takes long.
pub type Finish = Box<dyn FnOnce() + Send>;

/// The delay of live streams at the moment.
pub type LiveDelay = Box<dyn Fn() -> Duration + Send + Sync>;

/// The queue of recordings and its workers.
pub struct BatchQueue {
    state: Mutex<State>,
    changed: Condvar,
    workers: usize,
    most_waiting: usize,
    niceness: i32,
    metrics: Arc<Metrics>,
    live_delay: OnceLock<LiveDelay>,
    shadow: OnceLock<Weak<Shadow>>,
}

struct State {
    /// Each with its number, in the order in which they came.
    waiting: VecDeque<(u64, Job)>,
    next_number: u64,
    /// At most one for each stream, before all recordings.
    finishing: VecDeque<Finish>,
    idle: usize,
    /// Mean time in seconds of the newest recordings.
    mean_s: f64,
    ended: bool,
}

impl BatchQueue {
    /// A queue of at most `waiting` recordings beside those that `workers` threads are at, which
    /// give way to others by `niceness`.
    pub fn new(workers: usize, waiting: usize, niceness: i32, metrics: Arc<Metrics>) -> Self {
        let (recordings, finishing) = (VecDeque::new(), VecDeque::new());
        let (idle, mean_s, ended) = (0, FIRST_GUESS_S, false);
        let state = State { waiting: recordings, next_number: 0, finishing, idle, mean_s, ended };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Self {
            state,
            changed,
            workers,
            most_waiting: waiting,
            niceness,
            metrics,
            live_delay: OnceLock::new(),
            shadow: OnceLock::new(),
        }
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// The system's, where it has no more threads.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let worker = |index| {
            let queue = self.clone();
            std::thread::Builder::new().name(format!("batch-{index}")).spawn(move || queue.work())
        };
        (0..self.workers).map(worker).collect()
    }

    /// Adds a recording, which has a place as long as its ticket is kept; gives it back where the
    /// queue is full.
    pub fn submit(self: &Arc<Self>, job: Job) -> Result<Ticket, Box<Job>> {
        let mut state = self.state.lock();
        if state.is_full(self.most_waiting) {
            return Err(Box::new(job));
        }
        let (number, cancel) = (state.next_number, job.cancel.clone());
        state.next_number += 1;
        state.waiting.push_back((number, job));
        self.metrics.batch_queue.set(state.waiting.len() as i64);
        drop(state);
        self.changed.notify_one();
        Ok(Ticket { queue: self.clone(), number, cancel })
    }

    /// Takes out a recording that nobody waits for any more, unless a worker has it.
    fn leave(&self, number: u64) {
        let mut state = self.state.lock();
        let Ok(index) = state.waiting.binary_search_by_key(&number, |(number, _)| *number) else { return };
        let left = state.waiting.remove(index);
        self.metrics.batch_queue.set(state.waiting.len() as i64);
        drop(state);
        if let Some((_, job)) = left {
            // Of its models it says nothing: their record stays as it is.
            self.metrics.models.answered(Kind::Batch, &job.chosen.bundle.arm, REFUSED);
        }
    }

    /// Adds the end of a stream.
    pub fn finish(&self, finish: Finish) {
        self.state.lock().finishing.push_back(finish);
        self.changed.notify_one();
    }

    /// Says how to ask for the delay of live streams. It is asked for once they are there.
    pub fn watch_live(&self, live_delay: LiveDelay) {
        // There is one kind of live streams.
        let _ = self.live_delay.set(live_delay);
    }

    /// Lets a candidate be compared on some of the recordings.
    pub fn compare_by(&self, shadow: &Arc<Shadow>) {
        // There is one.
        let _ = self.shadow.set(Arc::downgrade(shadow));
    }

    /// Whether anybody waits, for a worker or for a turn.
    pub fn is_busy(&self) -> bool {
        let late = self.live_delay.get().is_some_and(|live_delay| live_delay() > LIVE_DELAY);
        late || !self.state.lock().waiting.is_empty()
    }

    /// Waits while live streams wait, and not for ever.
    pub fn give_way(&self) {
        let Some(live_delay) = self.live_delay.get() else { return };
        let began = Instant::now();
        while live_delay() > LIVE_DELAY && began.elapsed() < LONGEST_PAUSE {
            std::thread::sleep(LOOK_EVERY);
            self.metrics.batch_paused.inc_by(LOOK_EVERY.as_secs_f64());
        }
    }

    /// Whether another recording would be refused.
    pub fn is_full(&self) -> bool {
        self.state.lock().is_full(self.most_waiting)
    }

    /// Time in which a place in the queue becomes free, by the newest recordings.
    pub fn wait_estimate(&self) -> Duration {
        Duration::from_secs_f64(self.state.lock().mean_s / self.workers.max(1) as f64)
    }

    /// Lets the workers end once nothing waits.
    pub fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }

    fn work(&self) {
        priority::give_way(self.niceness);
        self.rest();
        while let Some(task) = self.next() {
            match task {
                Task::Finish(finish) => {
                    finish();
                    self.rest();
                }
                Task::Job(job) => self.answer(*job),
            }
        }
    }

    /// Counts the calling worker as one that is idle.
    fn rest(&self) {
        self.state.lock().idle += 1;
    }

    fn answer(&self, mut job: Job) {
        let began = Instant::now();
        job.span = job.span.then("diarize");
        let result = contained(&self.metrics, || self.diarize(&job));
        let took = began.elapsed();
        self.count(&job, &result, took);
        if let Ok((_, audio_s)) = &result {
            job.span.number("voiceflow.audio_s", *audio_s);
            let mut state = self.state.lock();
            state.mean_s += NEWEST_SHARE * (took.as_secs_f64() - state.mean_s);
        }
        // Before the answer: who has it may send the next recording at once.
        self.rest();
        let result = result.map(|(answered, _)| answered);
        let shadow = self.shadow.get().and_then(Weak::upgrade);
        let compared = result.as_ref().ok().zip(shadow).and_then(|(answered, shadow)| {
            shadow.wants_recording().then(|| (shadow, turns_of(&answered.diarization)))
        });
        // The recording's place too is given back before the answer.
        let reply = let_go(job, compared);
        // Where nobody waits any more there is nobody to answer.
        let _ = reply.send(result);
    }

    /// Counts what became of a recording.
    fn count(&self, job: &Job, result: &Result<(Answered, f64), Failure>, took: Duration) {
        let (bundle, metrics) = (&job.chosen.bundle, &self.metrics.models);
        let arm = &bundle.arm;
        if let Ok((_, audio_s)) = result {
            metrics.work(Kind::Batch, arm, *audio_s, took);
            if *audio_s > 0.0 {
                let ratio = took.as_secs_f64() / audio_s;
                metrics.speed(arm, ratio);
                bundle.record.took(Kind::Batch, ratio);
            }
        }
        let outcome = match result {
            Ok(_) => "done",
            // The client wanted more than can be had.
            Err(Failure::Library(voiceflow::Error::Deadline { .. })) if job.is_hurried => REFUSED,
            Err(failure) => failure.outcome(),
        };
        metrics.answered(Kind::Batch, arm, outcome);
        bundle.record.answered(outcome == FAILED);
    }

    fn next(&self) -> Option<Task> {
        let mut state = self.state.lock();
        let task = loop {
            if let Some(finish) = state.finishing.pop_front() {
                break Some(Task::Finish(finish));
            }
            if let Some((_, job)) = state.waiting.pop_front() {
                break Some(Task::Job(Box::new(job)));
            }
            if state.ended {
                break None;
            }
            self.changed.wait(&mut state);
        };
        state.idle -= 1;
        self.metrics.batch_queue.set(state.waiting.len() as i64);
        task
    }

    /// Who spoke when in a recording, and the seconds of audio in it.
    fn diarize(&self, job: &Job) -> Result<(Answered, f64), Failure> {
        let progress = |stage, fraction| {
            job.progress.send_replace(Progress { stage, fraction });
            self.give_way();
            #[cfg(debug_assertions)]
            super::faults::pass("batch", &job.chosen.info().version);
        };
        let remaining = job.deadline.saturating_duration_since(Instant::now());
        let call = Call::none().with_cancel(&job.cancel).with_deadline(remaining).with_progress(&progress);
        let diarizer = job.chosen.for_recordings(&call)?.adjusted(&job.options.config()?);
        let call = job.options.asked_of(call);
        let source = FileSource::from_seekable(&job.name, &job.file, &call)?;
        let mut source = Limited::new(source, job.audio_s);
        let diarization = diarizer.process(&mut source, &call)?;
        Ok((Answered::new(diarization, job.known.as_ref())?, source.given_s()))
    }
}

/// What a worker takes.
enum Task {
    Finish(Finish),
    Job(Box<Job>),
}

impl State {
    /// Idle workers take what waits at once.
    fn is_full(&self, most_waiting: usize) -> bool {
        self.ended || self.waiting.len() >= most_waiting + self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long a recording waits for streams that are late for `late`, what is counted, and
    /// whether they were still late at the last look.
    fn pause(late: Duration) -> (Duration, f64, bool) {
        let metrics = Arc::new(Metrics::new());
        let queue = BatchQueue::new(1, 0, 0, metrics.clone());
        // Nobody serves streams yet: there is nothing to wait for.
        queue.give_way();
        let (began, last) = (Instant::now(), Arc::new(Mutex::new(None)));
        let look = last.clone();
        queue.watch_live(Box::new(move || {
            let is_late = began.elapsed() < late;
            *look.lock() = Some(is_late);
            if is_late { LIVE_DELAY + Duration::from_millis(1) } else { LIVE_DELAY }
        }));
        queue.give_way();
        let last = *last.lock();
        (began.elapsed(), metrics.batch_paused.get(), last.unwrap())
    }

    #[test]
    fn recordings_wait_while_streams_are_late_and_not_for_ever() {
        let (_, counted, late) = pause(Duration::ZERO);
        assert!(counted == 0.0 && !late, "{counted}");
        let (took, counted, late) = pause(Duration::from_millis(200));
        // A machine that does other work may look after the longest pause again.
        assert!(took >= Duration::from_millis(200) && (!late || took >= LONGEST_PAUSE), "{took:?}");
        assert!(counted > 0.0 && counted <= took.as_secs_f64() + 1e-9, "{counted} of {took:?}");
        let (took, _, late) = pause(Duration::MAX);
        assert!(took >= LONGEST_PAUSE && late, "{took:?}");
    }
}
