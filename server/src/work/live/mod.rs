//! Live streams: each an actor with a bounded mailbox, and the threads that give them turns.

mod mailbox;
mod outbox;
mod run_queue;
mod samples;
mod settings;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use voiceflow::{Call, Cancel, LiveSegment, Stream, Turn};

use mailbox::{Mailbox, Portion};
pub use outbox::{Event, Labelled, Outbox};
pub use run_queue::RunQueue;
pub use samples::Samples;
pub use settings::Settings;
use settings::values_per_s;

use super::batch::{BatchQueue, Place};
use super::shadow::{Follower, Shadow, turn_of};
use super::{Failure, contained};
use crate::metrics::{Kind, Metrics};
use crate::voices::Answered;

/// Most audio in seconds that one turn processes: one window more of the shipped model.
pub(super) const TURN_S: f64 = 0.4;

/// One stream.
pub struct Actor {
    mailbox: Mutex<Mailbox<Box<Settings>>>,
    /// Told when the mailbox has room.
    pub room: Notify,
    /// What the stream has to say.
    pub outbox: Outbox,
    /// Used by whoever has the turn.
    work: Mutex<Work>,
    cancel: Cancel,
    lane: Arc<LiveLane>,
    /// The place of the stream among all, which is that of its client.
    place: Weak<dyn Any + Send + Sync>,
}

struct Work {
    settings: Settings,
    stream: Option<Stream>,
    /// The candidate that hears the same, and what it is compared with.
    follower: Option<Arc<Follower>>,
    given: Vec<Turn>,
    updates: u64,
    /// Whether the last provisional segments were some.
    open: bool,
}

/// The run queue of all streams and its workers.
pub struct LiveLane {
    queue: RunQueue<Actor>,
    batch: Arc<BatchQueue>,
    metrics: Arc<Metrics>,
    workers: usize,
    shadow: OnceLock<Arc<Shadow>>,
    /// When a worker was last free, for [`LiveLane::answers`].
    seen: Mutex<Instant>,
}

impl LiveLane {
    /// Streams for `workers` threads; results at the end are made by the workers of `batch`.
    pub fn new(workers: usize, batch: Arc<BatchQueue>, metrics: Arc<Metrics>) -> Self {
        let (queue, shadow, seen) = (RunQueue::new(), OnceLock::new(), Mutex::new(Instant::now()));
        Self { queue, batch, metrics, workers, shadow, seen }
    }

    /// Lets a candidate hear some of the streams.
    pub fn compare_by(&self, shadow: Arc<Shadow>) {
        // There is one.
        let _ = self.shadow.set(shadow);
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// The system's, where it has no more threads.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let worker = |index| {
            let lane = self.clone();
            std::thread::Builder::new().name(format!("live-{index}")).spawn(move || lane.work())
        };
        (0..self.workers).map(worker).collect()
    }

    /// How long streams wait for a turn: 99 of 100 of the last second no longer.
    pub fn delay_p99(&self) -> Duration {
        self.queue.delay_p99()
    }

    /// Whether a worker was free within `limit`, or nothing waits for one.
    pub fn answers(&self, limit: Duration) -> bool {
        self.seen.lock().elapsed() < limit || self.delay_p99() < limit
    }

    /// Lets the workers end once no stream waits.
    pub fn end(&self) {
        self.queue.end();
    }

    fn work(&self) {
        while let Some((actor, waited)) = self.queue.next() {
            self.metrics.stream_queue.observe(waited.as_secs_f64());
            actor.turn();
            *self.seen.lock() = Instant::now();
            actor.yield_turn();
        }
    }
}

impl Actor {
    /// A stream whose outbox takes about `outbox_bytes`, for as long as its place is kept.
    pub fn new(lane: Arc<LiveLane>, settings: Settings, outbox_bytes: usize, place: &Place) -> Arc<Self> {
        Arc::new(Self {
            mailbox: Mutex::new(Mailbox::new(values_per_s(&settings))),
            room: Notify::new(),
            outbox: Outbox::new(outbox_bytes),
            work: Mutex::new(Work::new(settings)),
            cancel: Cancel::new(),
            lane,
            place: Arc::downgrade(place),
        })
    }

    /// Whether another message may be given.
    pub fn has_room(&self) -> bool {
        self.mailbox.lock().has_room()
    }

    /// How long the oldest audio has waited for a turn.
    pub fn behind(&self) -> Duration {
        self.mailbox.lock().behind()
    }

    /// Looks at the clock, as it is to be done a few times a second: whether there is audio that
    /// nothing follows.
    pub fn look_at_clock(self: &Arc<Self>) {
        self.give(Mailbox::look_at_clock);
    }

    /// Gives samples that came in just now.
    pub fn push(self: &Arc<Self>, samples: Samples) {
        self.give(|mailbox| mailbox.push(samples));
    }

    /// Changes the settings of a stream that had no samples yet.
    pub fn configure(self: &Arc<Self>, settings: Settings) {
        self.give(|mailbox| mailbox.configure(values_per_s(&settings), Box::new(settings)));
    }

    /// Begins anew; what was not processed yet is thrown away.
    pub fn reset(self: &Arc<Self>, settings: Settings) {
        self.give(|mailbox| mailbox.reset(values_per_s(&settings), Box::new(settings)));
    }

    /// Ends the stream after what was given before; at the end it says so.
    pub fn end(self: &Arc<Self>) {
        self.give(Mailbox::end);
    }

    /// Gives the stream up: nobody reads its outbox any more.
    pub fn close(&self) {
        self.cancel.set();
        self.mailbox.lock().close();
    }

    fn give(self: &Arc<Self>, change: impl FnOnce(&mut Mailbox<Box<Settings>>)) {
        let mut mailbox = self.mailbox.lock();
        change(&mut mailbox);
        let scheduled = mailbox.schedule();
        drop(mailbox);
        if let Some(ahead) = scheduled {
            self.lane.queue.add(self.clone(), ahead);
        }
    }

    /// Goes to the end of the run queue if there is more to do.
    fn yield_turn(self: Arc<Self>) {
        self.give(Mailbox::yield_turn);
        self.room.notify_one();
    }

    /// Processes the oldest input, of audio at most [`TURN_S`].
    fn turn(self: &Arc<Self>) {
        let Some(portion) = self.mailbox.lock().take() else { return };
        let mut work = self.work.lock();
        let began = Instant::now();
        let outcome = contained(&self.lane.metrics, || match portion {
            Portion::Audio(pieces) => {
                let values: usize = pieces.iter().map(|(samples, _)| samples.len()).sum();
                let audio_s = values as f64 / values_per_s(&work.settings);
                self.process(&mut work, &pieces)?;
                let (bundle, took) = (&work.settings.bundle, began.elapsed());
                self.lane.metrics.models.work(Kind::Live, &bundle.arm, audio_s, took);
                bundle.record.took(Kind::Live, took.as_secs_f64());
                Ok(())
            }
            Portion::Configure(settings) => {
                work.settings = *settings;
                Ok(())
            }
            Portion::Reset(settings) => {
                *work = Work::new(*settings);
                self.mailbox.lock().need(0.0);
                self.outbox.post(Event::Reset);
                Ok(())
            }
            Portion::End if work.settings.result => {
                // The answer for the whole takes long: it is no work for who serves others live.
                let (actor, place) = (self.clone(), self.place.upgrade());
                // Nobody can leave more of them behind than there are places. Whose client has gone
                // needs no result.
                if place.is_some() {
                    self.lane.batch.finish(Box::new(move || actor.finish(place)));
                }
                Ok(())
            }
            Portion::End => {
                drop(work);
                self.finish(None);
                Ok(())
            }
        });
        if let Err(failure) = outcome {
            self.fail(failure);
        }
    }

    fn fail(&self, failure: Failure) {
        self.close();
        self.outbox.post(Event::Failed(failure));
    }

    fn process(&self, work: &mut Work, pieces: &[(Samples, Instant)]) -> Result<(), Failure> {
        #[cfg(debug_assertions)]
        super::faults::pass("live", &work.settings.bundle.info(Kind::Live).version);
        let call = Call::none().with_cancel(&self.cancel);
        if work.stream.is_none() {
            work.follower = self.lane.shadow.get().and_then(|shadow| shadow.follow(&work.settings));
        }
        // When the audio came in that the segments waited for.
        let mut completed = None;
        for (samples, since) in pieces {
            if let Some(follower) = &work.follower {
                follower.push(samples.clone());
            }
            let updates = work.updates;
            let stream = work.stream()?;
            match samples {
                Samples::I16(samples) => stream.push_i16(samples, &call)?,
                Samples::F32(samples) => stream.push_f32(samples, &call)?,
            }
            if stream.updates() != updates {
                completed.get_or_insert(*since);
            }
        }
        let stream = work.stream()?;
        let received_s = stream.received_s();
        self.mailbox.lock().need(stream.until_window_s());
        let (settled, provisional) = work.news()?;
        self.outbox.publish(settled, provisional, received_s, completed.unwrap_or_else(Instant::now));
        Ok(())
    }

    /// Ends the stream: the last segments, then who the speakers are in the result. Its place, if
    /// that was kept for it, is given back before the client hears of the end.
    fn finish(&self, place: Option<Place>) {
        let mut work = self.work.lock();
        let outcome = contained(&self.lane.metrics, || {
            let asked = work.settings.result;
            // Without a result, this is a turn of those who serve streams: nobody would take the
            // turns that it gave way to.
            let pause = |_, _| {
                if asked {
                    self.lane.batch.give_way()
                }
            };
            let call = Call::none().with_cancel(&self.cancel).with_progress(&pause);
            let finished = work.stream()?.finish(&call)?;
            let (settled, provisional) = work.news()?;
            let received_s = work.stream()?.received_s();
            self.outbox.publish(settled, provisional, received_s, Instant::now());
            if let Some(follower) = work.follower.take() {
                follower.compare(std::mem::take(&mut work.given));
            }
            let stream = work.stream()?;
            let in_result = |speaker: Option<usize>| {
                finished.diarization.speakers.get(speaker?).map(|speaker| speaker.label.clone())
            };
            let labels = stream.speakers().into_iter().map(|speaker| speaker.label);
            let map: BTreeMap<_, _> =
                labels.zip(finished.final_speakers.iter().map(|&speaker| in_result(speaker))).collect();
            let map = if asked { map } else { BTreeMap::new() };
            let known = work.settings.known.as_ref();
            let result = asked.then(|| Answered::new(finished.diarization, known)).transpose()?;
            drop(place);
            self.outbox.post(Event::Done { map, result, duration_s: received_s });
            Ok(())
        });
        if let Err(failure) = outcome {
            self.fail(failure);
        }
    }
}

impl Work {
    fn new(settings: Settings) -> Self {
        Self { settings, stream: None, follower: None, given: Vec::new(), updates: 0, open: false }
    }

    /// The stream, which is made with its first samples.
    fn stream(&mut self) -> Result<&Stream, Failure> {
        let Settings { bundle, sample_rate, channels, config, .. } = &self.settings;
        let made = match self.stream.take() {
            Some(stream) => stream,
            None => Stream::new(&bundle.live, config, *sample_rate, *channels)?,
        };
        Ok(self.stream.insert(made))
    }

    /// What has become final, and the provisional segments where they are others than before.
    ///
    /// # Errors
    /// Those of [`Gallery::identify_all`](voiceflow::Gallery::identify_all).
    fn news(&mut self) -> voiceflow::Result<(Vec<Labelled>, Option<Vec<Labelled>>)> {
        let Some(stream) = &self.stream else { return Ok((Vec::new(), None)) };
        let updates = stream.updates();
        if std::mem::replace(&mut self.updates, updates) == updates {
            return Ok((Vec::new(), None));
        }
        let speakers = stream.speakers();
        let known = self.settings.known.as_ref();
        let identified = known.map(|known| known.identify(&speakers)).transpose()?.unwrap_or_default();
        let labelled = |live: &LiveSegment| Labelled {
            start_s: live.segment.start_s,
            end_s: live.segment.end_s,
            speaker: speakers.get(live.segment.speaker).map(|it| it.label.clone()).unwrap_or_default(),
            name: identified.get(live.segment.speaker).and_then(|identified| identified.name.clone()),
            confidence: live.segment.confidence,
        };
        let (settled, provisional): (Vec<_>, Vec<_>) =
            stream.read(usize::MAX).into_iter().partition(|live| live.is_final);
        if self.follower.is_some() {
            self.given.extend(settled.iter().map(turn_of));
        }
        let provisional: Vec<Labelled> = provisional.iter().map(labelled).collect();
        let was_open = std::mem::replace(&mut self.open, !provisional.is_empty());
        let told = was_open || self.open;
        Ok((settled.iter().map(labelled).collect(), told.then_some(provisional)))
    }
}
