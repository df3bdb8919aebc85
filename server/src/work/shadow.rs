//! A candidate that hears what others have answered. It is compared with them by the diarization
//! error rate, answers nobody, and is given up wherever somebody waits.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use voiceflow::audio::FileSource;
use voiceflow::score::{ScoreOptions, score};
use voiceflow::{Call, Cancel, Diarization, LiveSegment, Segment, Stream, Turn};

use super::batch::{BatchQueue, Place};
use super::limited::Limited;
use super::live::{Samples, Settings};
use super::options::Options;
use super::{Failure, contained};
use crate::metrics::{Kind, Metrics};
use crate::models::{Bundle, Models, name_of, part_of};
use crate::priority;

/// Most recordings that wait to be heard.
const MOST_RECORDINGS: usize = 2;
/// Audio in seconds by which the candidate may be behind a stream.
const LONGEST_BEHIND_S: f64 = 30.0;
/// What the shares are drawn with.
const SALT: &str = "shadow";

/// A recording that was answered.
pub(super) struct Heard {
    pub(super) file: File,
    pub(super) name: String,
    pub(super) options: Options,
    pub(super) audio_s: f64,
    #[expect(dead_code, reason = "kept as long as the file")]
    pub(super) place: Place,
    /// The answer.
    pub(super) given: Vec<Turn>,
}

/// The candidate's work, and its two threads: of recordings and of streams.
pub struct Shadow {
    models: Arc<Models>,
    batch: Arc<BatchQueue>,
    metrics: Arc<Metrics>,
    share: f64,
    niceness: i32,
    /// Recordings and streams that might have been heard.
    drawn: AtomicU64,
    recordings: Queue<Heard>,
    /// Those that have something to hear, each once.
    followers: Queue<Arc<Follower>>,
    ended: AtomicBool,
}

/// What waits for a thread.
struct Queue<T> {
    state: Mutex<(VecDeque<T>, bool)>,
    changed: Condvar,
}

/// The candidate at one stream.
pub struct Follower {
    shadow: Arc<Shadow>,
    bundle: Arc<Bundle>,
    settings: Settings,
    mailbox: Mutex<Mailbox>,
    stream: Mutex<Option<Stream>>,
    /// Set where it is given up.
    dropped: AtomicBool,
    ended: AtomicBool,
}

#[derive(Default)]
struct Mailbox {
    waiting: VecDeque<Samples>,
    audio_s: f64,
    /// The answer that was given, at the end.
    given: Option<Vec<Turn>>,
    scheduled: bool,
}

impl<T> Queue<T> {
    fn new() -> Self {
        Self { state: Mutex::new((VecDeque::new(), false)), changed: Condvar::new() }
    }

    fn len(&self) -> usize {
        self.state.lock().0.len()
    }

    fn add(&self, item: T) {
        self.state.lock().0.push_back(item);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if state.1 {
                return None;
            }
            if let Some(item) = state.0.pop_front() {
                return Some(item);
            }
            self.changed.wait(&mut state);
        }
    }

    fn end(&self) {
        let mut state = self.state.lock();
        state.1 = true;
        state.0.clear();
        self.changed.notify_all();
    }
}

impl Shadow {
    /// For the candidate of `models`, on a share of what is answered, by threads that give way by
    /// `niceness`.
    pub fn new(
        models: Arc<Models>,
        batch: Arc<BatchQueue>,
        metrics: Arc<Metrics>,
        (share, niceness): (f64, i32),
    ) -> Arc<Self> {
        let (recordings, followers) = (Queue::new(), Queue::new());
        let (drawn, ended) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { models, batch, metrics, share, niceness, drawn, recordings, followers, ended })
    }

    /// Starts the threads.
    ///
    /// # Errors
    /// The system's, where it has no more of them.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let start = |name: &str, work: fn(&Self)| {
            let shadow = self.clone();
            let run = move || {
                priority::give_way(shadow.niceness);
                work(&shadow);
            };
            std::thread::Builder::new().name(name.to_owned()).spawn(run)
        };
        Ok(vec![start("shadow-batch", Self::hear)?, start("shadow-live", Self::follow_on)?])
    }

    /// Lets the threads end, whatever waits.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.recordings.end();
        self.followers.end();
    }

    /// Whether a recording that was answered is heard. One that nobody has time for is dropped.
    pub(super) fn wants_recording(&self) -> bool {
        if !self.draws() {
            return false;
        }
        let busy = self.batch.is_busy() || self.recordings.len() >= MOST_RECORDINGS;
        if busy {
            self.metrics.models.compared("dropped");
        }
        !busy
    }

    /// Adds a recording.
    pub(super) fn add(&self, heard: Heard) {
        self.recordings.add(heard);
    }

    /// The candidate at a stream that begins, if it is to hear it.
    pub(super) fn follow(self: &Arc<Self>, settings: &Settings) -> Option<Arc<Follower>> {
        if !self.draws() {
            return None;
        }
        let (shadow, bundle, settings) = (self.clone(), self.models.shadow()?, settings.clone());
        let (mailbox, stream) = (Mutex::default(), Mutex::default());
        let (dropped, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        Some(Arc::new(Follower { shadow, bundle, settings, mailbox, stream, dropped, ended }))
    }

    /// Whether this is one of the share.
    fn draws(&self) -> bool {
        if self.share == 0.0 || self.models.shadow().is_none() {
            return false;
        }
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        part_of(SALT, &number.to_string()) < self.share
    }

    fn hear(&self) {
        while let Some(heard) = self.recordings.next() {
            let Some(bundle) = self.models.shadow() else { continue };
            let done = contained(&self.metrics, || {
                let turns = self.diarize(&heard, &bundle)?;
                Ok(score(&heard.given, &turns, None, &ScoreOptions::default())?.der())
            });
            self.compared(Kind::Batch, &bundle, done);
        }
    }

    fn diarize(&self, heard: &Heard, bundle: &Bundle) -> Result<Vec<Turn>, Failure> {
        let cancel = Cancel::new();
        let give_up = |_, _| {
            if self.batch.is_busy() || self.ended.load(Ordering::Relaxed) {
                cancel.set();
            }
        };
        let call = heard.options.asked_of(Call::none().with_cancel(&cancel).with_progress(&give_up));
        let diarizer = bundle.batch.adjusted(&heard.options.config()?);
        let source = FileSource::from_seekable(&heard.name, &heard.file, &call)?;
        Ok(turns_of(&diarizer.process(&mut Limited::new(source, heard.audio_s), &call)?))
    }

    fn follow_on(&self) {
        while let Some(follower) = self.followers.next() {
            // Streams that are answered go first.
            self.batch.give_way();
            follower.turn();
        }
    }

    fn compared(&self, kind: Kind, bundle: &Bundle, done: Result<f64, Failure>) {
        let outcome = match done {
            Ok(error_rate) => {
                self.metrics.models.diverged(name_of(bundle.info(kind)), error_rate);
                "done"
            }
            Err(Failure::Library(voiceflow::Error::Cancelled { .. })) => "dropped",
            Err(failure) => {
                tracing::warn!(?failure, "the candidate failed");
                super::FAILED
            }
        };
        self.metrics.models.compared(outcome);
    }
}

impl Follower {
    /// Gives it what the stream has heard; where it is too far behind, it is given up.
    pub(super) fn push(self: &Arc<Self>, samples: Samples) {
        let Settings { sample_rate, channels, .. } = self.settings;
        let mut mailbox = self.mailbox.lock();
        if self.dropped.load(Ordering::Relaxed) {
            return;
        }
        mailbox.audio_s += samples.len() as f64 / (f64::from(sample_rate) * f64::from(channels));
        if mailbox.audio_s > LONGEST_BEHIND_S {
            self.dropped.store(true, Ordering::Relaxed);
            mailbox.waiting.clear();
            return;
        }
        mailbox.waiting.push_back(samples);
        self.schedule(mailbox);
    }

    /// Compares it with the answer that was given, once it has heard all.
    pub(super) fn compare(self: &Arc<Self>, given: Vec<Turn>) {
        let mut mailbox = self.mailbox.lock();
        mailbox.given = Some(given);
        self.schedule(mailbox);
    }

    fn schedule(self: &Arc<Self>, mut mailbox: parking_lot::MutexGuard<'_, Mailbox>) {
        if !std::mem::replace(&mut mailbox.scheduled, true) {
            drop(mailbox);
            self.shadow.followers.add(self.clone());
        }
    }

    fn turn(self: &Arc<Self>) {
        let (samples, given) = {
            let mut mailbox = self.mailbox.lock();
            let samples = mailbox.waiting.pop_front();
            let given = if samples.is_none() { mailbox.given.take() } else { None };
            (samples, given)
        };
        let done = contained(&self.shadow.metrics, || self.hear(samples, given));
        if let Some(done) = done.transpose() {
            self.ended.store(true, Ordering::Relaxed);
            self.dropped.store(true, Ordering::Relaxed);
            self.shadow.compared(Kind::Live, &self.bundle, done);
        }
        let mut mailbox = self.mailbox.lock();
        mailbox.scheduled = false;
        if !mailbox.waiting.is_empty() || mailbox.given.is_some() {
            self.schedule(mailbox);
        }
    }

    /// The error rate, at the end.
    fn hear(&self, samples: Option<Samples>, given: Option<Vec<Turn>>) -> Result<Option<f64>, Failure> {
        let Settings { sample_rate, channels, config, .. } = &self.settings;
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped || (samples.is_none() && given.is_none()) {
            return Ok(None);
        }
        let mut stream = self.stream.lock();
        let made = match stream.take() {
            Some(stream) => stream,
            None => {
                let mut config = config.clone();
                config.set_history(0.0)?;
                Stream::new(&self.bundle.live, &config, *sample_rate, *channels)?
            }
        };
        let own = stream.insert(made);
        if let Some(samples) = samples {
            let heard_s = samples.len() as f64 / (f64::from(*sample_rate) * f64::from(*channels));
            match &samples {
                Samples::I16(samples) => own.push_i16(samples, &Call::none())?,
                Samples::F32(samples) => own.push_f32(samples, &Call::none())?,
            }
            self.mailbox.lock().audio_s -= heard_s;
        }
        let Some(given) = given else { return Ok(None) };
        own.finish(&Call::none())?;
        let segments = own.read(usize::MAX);
        let turns: Vec<Turn> = segments.iter().filter(|live| live.is_final).map(turn_of).collect();
        Ok(Some(score(&given, &turns, None, &ScoreOptions::default())?.der()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Relaxed) {
            self.shadow.metrics.models.compared("dropped");
        }
    }
}

/// The turns of an answer.
pub(super) fn turns_of(diarization: &Diarization) -> Vec<Turn> {
    diarization.segments.iter().map(turn).collect()
}

/// The turn of a segment of a stream.
pub(super) fn turn_of(live: &LiveSegment) -> Turn {
    turn(&live.segment)
}

fn turn(segment: &Segment) -> Turn {
    Turn { start_s: segment.start_s, end_s: segment.end_s, speaker: segment.speaker.to_string() }
}
