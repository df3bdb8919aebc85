//! Live audio: who speaks, while they speak. A stream is the state of one audio source over a
//! shared diarizer.
//!
//! ```text
//! push ──> converter ──> buffer ──┬──> live windows, 3.2 s every 0.4 s ─> online ───> turns ──> queue ──> read
//!          16 kHz mono            │                                      clustering  settled or
//!                                 │                                                  provisional
//!                                 └──> the diarizer's windows ──> history ──────────────────────> finish
//! ```
//!
//! The segments depend on the audio alone, not on how it is cut into pushes.

mod answer;
mod audio_buffer;
mod bound;
mod crossing;
mod inbox;
mod joined;
mod kept;
mod queue;
mod samples;
mod settings;
mod work;

use std::sync::Arc;

pub use answer::{Finished, LiveSegment};
use bound::{Bound, Source};
use inbox::Inbox;
use queue::SegmentQueue;
use samples::Samples;
use work::{Context, Work};

use crate::call::Call;
use crate::config::Config;
use crate::diarizer::Diarizer;
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::pool::Pool;
use crate::process::Process;
use crate::reload::Reloadable;
use crate::sync::Mutex;
use crate::types::Speaker;

/// Most interleaved samples that are converted between two looks at what can be analysed.
const BLOCK: usize = 65_536;

/// Longest audio in seconds that may wait to be analysed, after calls that failed, before more is
/// refused.
const MAX_BACKLOG_S: f64 = 3600.0;

/// One audio source, diarized as it comes. Any thread may use it, concurrently: pushes wait for
/// each other, reading waits for nothing that takes long.
///
/// Every frame of audio gets its first label with the next window, at most 0.4 s later, and its
/// last one when [`latency_s`](Stream::latency_s) of audio has come after it. A segment is final
/// when it ended so long ago.
///
/// ```
/// use voiceflow::audio::{AudioSource, FileSource};
/// use voiceflow::{Call, Config, Diarizer, Stream};
///
/// # fn main() -> voiceflow::Result<()> {
/// let config = Config::default();
/// let stream = Stream::new(&Diarizer::new(&config)?, &config, 16_000, 1)?;
/// // A file stands for a microphone.
/// let (mut microphone, mut samples) = (FileSource::open("examples/data/conversation.flac")?, Vec::new());
/// # let mut count = 0;
/// while microphone.read(&mut samples)? > 0 {
///     stream.push_f32(&samples, &Call::none())?;
///     samples.clear();
///     for live in stream.read(usize::MAX).iter().filter(|live| live.is_final) {
///         println!("{:7.2} {:7.2}  {}", live.segment.start_s, live.segment.end_s, live.segment.speaker);
/// #       count += 1;
///     }
/// }
/// // Clustered anew, as a whole.
/// let finished = stream.finish(&Call::none())?;
/// # assert!(count > 9 && finished.diarization.speakers.len() == 3);
/// # Ok(())
/// # }
/// ```
pub struct Stream {
    /// Its locks are known in this process only.
    process: Process,
    /// How messages name it: by the model that it began with.
    name: String,
    /// Exchanged by the call that has the work, between two windows.
    bound: Mutex<Arc<Bound>>,
    /// The versions that it follows, if it does.
    source: Option<Source>,
    latency_s: f64,
    sample_rate: u32,
    channels: u16,
    /// Used by one call at a time, in the order in which they came.
    work: Pool<Work>,
    inbox: Mutex<Inbox>,
    queue: Mutex<SegmentQueue>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rate, channels) = (self.sample_rate, self.channels);
        f.debug_struct("Stream")
            .field("sample_rate", &rate)
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream of `channels` interleaved channels (1 to 32) at `sample_rate` Hz (1000 to 768000).
    /// Of `config` the latency, the history, the most speakers, the least speech and silence and
    /// the clustering threshold apply; all else is that of [`Diarizer::for_streams`], and the
    /// answer of [`finish`](Stream::finish) follows its options and its call alone.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where a number is out of range; those of
    /// [`Diarizer::for_streams`].
    pub fn new(diarizer: &Diarizer, config: &Config, sample_rate: u32, channels: u16) -> Result<Self> {
        Self::open(diarizer, config, sample_rate, channels, &Call::none())
    }

    /// As [`Stream::new`]; `call` ends the load of a model that streams have for themselves.
    ///
    /// # Errors
    /// Those of [`Stream::new`]; [`Error::Cancelled`], [`Error::Deadline`].
    pub fn open(
        diarizer: &Diarizer,
        config: &Config,
        sample_rate: u32,
        channels: u16,
        call: &Call<'_>,
    ) -> Result<Self> {
        bound::check_followed(config)?;
        Self::over(Bound::new(diarizer, config, call)?, None, sample_rate, channels)
    }

    /// As [`Stream::open`], over the current version of `diarizer`. With the option
    /// [`follow_reloads`](Config::set_follow_reloads) it goes over to each version that takes its
    /// place, between two windows; its speakers keep their numbers. To a version of another voice
    /// space they are known by their newest speech, 8 s of each in memory. A reset begins with the
    /// current version.
    ///
    /// # Errors
    /// Those of [`Stream::open`].
    pub fn open_reloadable(
        diarizer: &Reloadable<Diarizer>,
        config: &Config,
        sample_rate: u32,
        channels: u16,
        call: &Call<'_>,
    ) -> Result<Self> {
        let source = config.follows_reloads().then(|| Source::new(diarizer, config));
        Self::over(Bound::new(&diarizer.current(), config, call)?, source, sample_rate, channels)
    }

    fn over(bound: Arc<Bound>, source: Option<Source>, sample_rate: u32, channels: u16) -> Result<Self> {
        let settings = &bound.settings;
        let work = Work::new(settings, sample_rate, channels, source.is_some())?;
        let frames = settings.latency_frames + settings.turns.pause_frames;
        Ok(Self {
            latency_s: frames as f64 * settings.plan.times.step_s + work.held_back_s(),
            process: Process::current(),
            name: bound.diarizer.model().name.clone(),
            bound: Mutex::new(bound),
            source,
            sample_rate,
            channels,
            work: Pool::new(work, 1),
            inbox: Mutex::new(Inbox::default()),
            queue: Mutex::new(SegmentQueue::default()),
        })
    }

    /// What the model that it works with says of itself.
    pub fn model(&self) -> ModelInfo {
        self.bound().diarizer.model().clone()
    }

    fn bound(&self) -> Arc<Bound> {
        Arc::clone(&self.bound.lock())
    }

    /// Time in seconds, of audio, after which the segments of a moment never change: the latency
    /// asked for, the pauses that are filled, and what the resampler holds back.
    pub fn latency_s(&self) -> f64 {
        self.latency_s
    }

    /// The sample rate and the channels that it was made for.
    pub fn format(&self) -> (u32, u16) {
        (self.sample_rate, self.channels)
    }

    /// Takes the next samples, interleaved, full scale ±1, and analyses the windows that they
    /// complete, on this thread: the work is that of the audio pushed, and no other stream waits
    /// for more than one window of it. Calls of one stream wait for each other, in the order in
    /// which they came. All samples are taken or none; after [`Error::Cancelled`],
    /// [`Error::Deadline`], [`Error::Runtime`] and [`Error::Model`] they are taken, and the next
    /// call goes on with them. After [`Error::Memory`] some may be lost: the stream takes no more,
    /// [`finish`](Stream::finish) answers for what came before, and [`reset`](Stream::reset) makes
    /// it as new.
    ///
    /// # Errors
    /// [`Error::Audio`]: NaN or infinity; [`Error::InvalidArgument`]: the stream was finished;
    /// [`Error::Limit`]: an hour of audio is there that earlier calls failed to analyse;
    /// [`Error::Memory`]; those of [`Call::check`]; [`Error::Runtime`], [`Error::Forked`].
    pub fn push_f32(&self, samples: &[f32], call: &Call<'_>) -> Result<()> {
        self.push(Samples::F32(samples), call)
    }

    /// As [`push_f32`](Stream::push_f32), of 16-bit samples, which become `sample / 32768`.
    ///
    /// # Errors
    /// As [`push_f32`](Stream::push_f32).
    pub fn push_i16(&self, samples: &[i16], call: &Call<'_>) -> Result<()> {
        self.push(Samples::I16(samples), call)
    }

    /// Takes samples where they lie if no other call uses the stream, else as a copy that waits
    /// with this call.
    fn push(&self, samples: Samples<'_>, call: &Call<'_>) -> Result<()> {
        self.check_process()?;
        call.without_result("a push")?;
        samples.check_finite()?;
        if let Some(mut work) = self.work.try_take() {
            self.inbox.lock().check_open()?;
            if samples.len() > 0 {
                work.check_backlog(&self.bound().settings)?;
            }
            let mut outcome = self.catch_up(&mut work, call, true);
            for start in (0..samples.len()).step_by(BLOCK) {
                self.take(&mut work, samples.part(start..samples.len().min(start + BLOCK)))?;
                outcome = outcome.and_then(|()| self.advance(&mut work, call, true));
            }
            return outcome;
        }
        self.inbox.lock().put(&samples, self.most_waiting())?;
        let mut work = self.work.take(call, || self.unused(&self.bound()))?;
        self.catch_up(&mut work, call, true)
    }

    /// Most values that may wait for another call: as long as what may wait to be analysed.
    fn most_waiting(&self) -> usize {
        (MAX_BACKLOG_S * f64::from(self.sample_rate) * f64::from(self.channels)) as usize
    }

    /// Takes what waits in the inbox, and goes on with what earlier calls left.
    fn catch_up(&self, work: &mut Work, call: &Call<'_>, follows: bool) -> Result<()> {
        let mut outcome = self.advance(work, call, follows);
        loop {
            let Some(samples) = self.inbox.lock().pop() else { return outcome };
            for block in samples.chunks(BLOCK) {
                self.take(work, Ok(block))?;
                outcome = outcome.and_then(|()| self.advance(work, call, follows));
            }
        }
    }

    /// Goes over to the version that it `follows`, and analyses all windows whose audio is there.
    fn advance(&self, work: &mut Work, call: &Call<'_>, follows: bool) -> Result<()> {
        let mut bound = self.bound();
        if follows
            && let Some(source) = &self.source
            && let Some(next) = source.take_over(work, &bound, &self.context(&bound, call))?
        {
            (*self.bound.lock(), bound) = (Arc::clone(&next), next);
        }
        work.advance(&self.context(&bound, call))
    }

    /// Takes samples without analysing them.
    fn take<B: AsRef<[f32]>>(&self, work: &mut Work, block: Result<B>) -> Result<()> {
        if let Err(error) = block.and_then(|block| work.take(block.as_ref())) {
            // Later audio would come at the time of the audio that is missing.
            self.inbox.lock().lose();
            return Err(error);
        }
        self.queue.lock().received_s = work.received_s();
        Ok(())
    }

    /// Takes out segments that were not read yet, at most `most`: first the final ones, each once,
    /// in the order of their end, then the newest provisional ones.
    pub fn read(&self, most: usize) -> Vec<LiveSegment> {
        self.queue.lock().read(most)
    }

    /// How many times the provisional segments were replaced: once this has changed, segments read
    /// before that were not final hold no longer, whether or not there are others.
    pub fn updates(&self) -> u64 {
        self.queue.lock().updates
    }

    /// Who each speaker is in the answer of [`finish`](Stream::finish); `None` before it.
    pub fn final_speakers(&self) -> Option<Vec<Option<usize>>> {
        self.queue.lock().final_speakers.clone()
    }

    /// Segments that can be read.
    pub fn waiting(&self) -> usize {
        self.queue.lock().waiting()
    }

    /// The speakers so far, by index, with the speech of their final segments and their newest
    /// embeddings.
    pub fn speakers(&self) -> Vec<Speaker> {
        self.queue.lock().speakers.clone()
    }

    /// Number of speakers so far.
    pub fn speaker_count(&self) -> usize {
        self.queue.lock().speakers.len()
    }

    /// One of [`speakers`](Stream::speakers).
    pub fn speaker(&self, number: usize) -> Option<Speaker> {
        self.queue.lock().speakers.get(number).cloned()
    }

    /// Seconds of audio taken so far, less what the resampler holds back.
    pub fn received_s(&self) -> f64 {
        self.queue.lock().received_s
    }

    /// Seconds of audio that the next live window still needs: pushes of less bring no segments. A
    /// resampler holds a little more back. 0 where the window is complete, after a call that
    /// failed.
    pub fn until_window_s(&self) -> f64 {
        let hop_s = self.bound().diarizer.live_hop_s();
        let queue = self.queue.lock();
        (queue.analysed_s + hop_s - queue.received_s).max(0.0)
    }

    /// Ends the stream: all segments become final and can be read, and all of its audio is
    /// clustered anew as a whole. After an error of cancellation, deadline or runtime it may be
    /// called again; audio is not taken any more.
    ///
    /// # Errors
    /// As [`push_f32`](Stream::push_f32).
    pub fn finish(&self, call: &Call<'_>) -> Result<Finished> {
        self.check_process()?;
        call.without_parts("as a stream has no use for it")?;
        let mut work = self.work.take(call, || self.unused(&self.bound()))?;
        if work.finished {
            let reason = "expected to be finished once; reset it first";
            return Err(Error::invalid("stream", reason));
        }
        self.inbox.lock().end();
        // Another version would have nothing to go on with, and cost what is known for the answer.
        self.catch_up(&mut work, call, false)?;
        work.finish(&self.context(&self.bound(), call))
    }

    /// Forgets everything: the stream is as new.
    ///
    /// # Errors
    /// [`Error::Forked`]; [`Error::Cancelled`], [`Error::Deadline`] while another call uses the
    /// stream: then it is as it was.
    pub fn reset(&self, call: &Call<'_>) -> Result<()> {
        self.check_process()?;
        call.without_result("a reset")?;
        let next = self.inbox.lock().next();
        let mut work = self.work.take(call, || self.unused(&self.bound()))?;
        let bound = match &self.source {
            Some(source) => source.first(call)?,
            None => self.bound(),
        };
        // All that may fail comes before the first change.
        let unused = self.unused(&bound)?;
        *self.bound.lock() = bound;
        *work = unused;
        self.inbox.lock().reset(next);
        *self.queue.lock() = SegmentQueue::default();
        Ok(())
    }

    /// Fails in a child of the process that made the stream.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.process.check(&self.name)
    }

    /// The state before the first sample, for work with `bound`.
    fn unused(&self, bound: &Bound) -> Result<Work> {
        Work::new(&bound.settings, self.sample_rate, self.channels, self.source.is_some())
    }

    fn context<'a>(&'a self, bound: &'a Bound, call: &'a Call<'a>) -> Context<'a> {
        Context { diarizer: &bound.diarizer, settings: &bound.settings, queue: &self.queue, call }
    }
}

/// A stream is shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Stream>();
};
