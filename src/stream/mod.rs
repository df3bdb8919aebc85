//! Live audio: who speaks, while they speak. A stream is the state of one audio source over a shared diarizer.
//!
//! ```text
//! push ──> converter ──> tape ──┬──> live windows, 3.2 s every 0.4 s ─> people ──> turns ──> outbox ──> read
//!          16 kHz mono          │                                      online     settled or
//!                               │                                      clustering provisional
//!                               └──> the diarizer's windows ──> history ──────────────────────> finish
//! ```
//!
//! What is told depends on the audio alone, not on how it is cut into pushes.

mod outbox;
mod settings;
mod tape;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outbox::Outbox;
use settings::Settings;
use work::{Surroundings, Work};

use crate::audio::first_not_finite;
use crate::call::Call;
use crate::config::Config;
use crate::diarizer::Diarizer;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Process;
use crate::sync::Mutex;
use crate::types::{Diarization, Segment, Speaker};

/// Most interleaved samples that are converted between two looks at what can be analysed.
const BLOCK: usize = 65_536;

/// Longest audio in seconds that may wait to be analysed, after calls that failed, before more is refused.
const MAX_BACKLOG_S: f64 = 3600.0;

/// A segment of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LiveSegment {
    /// The segment; its speaker is a number of the stream, see [`Stream::speakers`].
    pub segment: Segment,
    /// Whether it never changes again. Those that are not final hold until [`Stream::updates`] changes.
    pub is_final: bool,
}

/// What a stream comes to in the end.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Finished {
    /// Who spoke when as the diarizer finds it for a recording: clustered anew, over the time of the history.
    pub diarization: Diarization,
    /// For each speaker of the stream, who that is in the diarization; `None` for one who is nobody there.
    pub final_speakers: Vec<Option<usize>>,
}

/// One audio source, listened to as it comes. Any thread may use it, concurrently: pushes wait for each other, reading
/// waits for nothing that takes long.
///
/// Every frame of audio gets its first label with the next window, at most 0.4 s later, and its last one when
/// [`latency_s`](Stream::latency_s) of audio has come after it. A segment is final when it ended so long ago.
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
    diarizer: Diarizer,
    deadline: Option<Duration>,
    settings: Settings,
    latency_s: f64,
    sample_rate: u32,
    channels: u16,
    work: Mutex<Work>,
    outbox: Mutex<Outbox>,
    /// Ends the calls under way once it is set; calls made after that have another.
    stop: Mutex<Arc<AtomicBool>>,
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
    /// A stream of `channels` interleaved channels (1 to 32) at `sample_rate` Hz (1000 to 768000). Of `config` the
    /// latency, the history, the most speakers, the least speech and silence and the clustering threshold apply, and
    /// the deadline of each call; all else is that of [`Diarizer::for_streams`], and the answer of
    /// [`finish`](Stream::finish) follows its options alone.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where a number is out of range; those of [`Diarizer::for_streams`].
    pub fn new(diarizer: &Diarizer, config: &Config, sample_rate: u32, channels: u16) -> Result<Self> {
        let diarizer = diarizer.for_streams()?;
        let settings = Settings::new(&diarizer, config);
        let work = Work::new(&settings, sample_rate, channels)?;
        let frames = settings.latency_frames + settings.turns.pause_frames;
        Ok(Self {
            latency_s: frames as f64 * settings.times.step_s + work.held_back_s(),
            process: Process::current(),
            diarizer,
            deadline: config.deadline(),
            settings,
            sample_rate,
            channels,
            work: Mutex::new(work),
            outbox: Mutex::new(Outbox::default()),
            stop: Mutex::default(),
        })
    }

    /// Time in seconds, of audio, after which what is told of a moment never changes: the latency asked for, the pauses
    /// that are filled, and what the resampler holds back.
    pub fn latency_s(&self) -> f64 {
        self.latency_s
    }

    /// The sample rate and the channels that it was made for.
    pub fn format(&self) -> (u32, u16) {
        (self.sample_rate, self.channels)
    }

    /// Takes the next samples, interleaved, full scale ±1, and analyses the windows that they complete, on this
    /// thread: the work is that of the audio pushed, and no other stream waits for more than one window of it. All
    /// samples are taken or none; after [`Error::Cancelled`], [`Error::Deadline`], [`Error::Runtime`] and
    /// [`Error::Model`] they are taken, and the next call goes on with them. After [`Error::Memory`] some may be lost: the
    /// stream takes no more, [`finish`](Stream::finish) answers for what came before, and [`reset`](Stream::reset) makes it
    /// as new.
    ///
    /// # Errors
    /// [`Error::Audio`]: NaN or infinity; [`Error::InvalidArgument`]: the stream was finished; [`Error::Limit`]: an hour
    /// of audio is there that earlier calls failed to analyse; [`Error::Memory`]; those of [`Call::check`]; [`Error::Runtime`],
    /// [`Error::Forked`].
    pub fn push_f32(&self, samples: &[f32], call: &Call<'_>) -> Result<()> {
        if let Some(index) = first_not_finite(samples) {
            let text = format!("samples: expected finite values, got {} at index {index}", samples[index]);
            return Err(Error::Audio(text));
        }
        self.push(samples.chunks(BLOCK).map(Ok), call)
    }

    /// As [`push_f32`](Stream::push_f32), of 16-bit samples, which become `sample / 32768`.
    ///
    /// # Errors
    /// As [`push_f32`](Stream::push_f32).
    pub fn push_i16(&self, samples: &[i16], call: &Call<'_>) -> Result<()> {
        let blocks = samples.chunks(BLOCK);
        let floats = |block: &[i16]| {
            memory::collected("audio", block.iter().map(|&sample| f32::from(sample) / 32_768.0))
        };
        self.push(blocks.map(floats), call)
    }

    fn push<B: AsRef<[f32]>>(&self, blocks: impl Iterator<Item = Result<B>>, call: &Call<'_>) -> Result<()> {
        self.check_process()?;
        let stop = Arc::clone(&self.stop.lock());
        let call = call.or_deadline(self.deadline).with_stop(&stop);
        let mut work = self.work.lock();
        if work.ended {
            let text = "stream: expected no audio after finish; reset it first";
            return Err(Error::InvalidArgument(text.to_owned()));
        }
        if work.lost {
            let text = "stream: expected no audio after some for which there was no memory; finish or reset it first";
            return Err(Error::InvalidArgument(text.to_owned()));
        }
        let mut blocks = blocks.peekable();
        if work.backlog_s(&self.settings) > MAX_BACKLOG_S && blocks.peek().is_some() {
            return Err(Error::Limit(format!(
                "stream: expected at most {MAX_BACKLOG_S} s of audio that earlier calls failed to analyse, got more; push \
                 nothing until that succeeds, or reset the stream"
            )));
        }
        // What an earlier call left is gone on with, whatever comes with this one.
        let mut outcome = work.advance(&self.around(&call));
        for block in blocks {
            if let Err(error) = block.and_then(|block| work.take(block.as_ref())) {
                // Later audio would come at the time of the audio that is missing.
                work.lost = true;
                return Err(error);
            }
            self.outbox.lock().heard_s = work.heard_s();
            if outcome.is_ok() {
                outcome = work.advance(&self.around(&call));
            }
        }
        outcome
    }

    /// Takes out segments that were not read yet, at most `most`: first the final ones, each once, in the order of
    /// their end, then those that are not final as they were told last.
    pub fn read(&self, most: usize) -> Vec<LiveSegment> {
        self.outbox.lock().read(most)
    }

    /// How many times the provisional segments were replaced: once this has changed, segments read before that were not final hold no
    /// longer, whether or not there are others.
    pub fn updates(&self) -> u64 {
        self.outbox.lock().updates
    }

    /// Who each speaker is in the answer of [`finish`](Stream::finish); `None` before it.
    pub fn final_speakers(&self) -> Option<Vec<Option<usize>>> {
        self.outbox.lock().final_speakers.clone()
    }

    /// Segments that can be read.
    pub fn waiting(&self) -> usize {
        self.outbox.lock().waiting()
    }

    /// The speakers heard so far, by number, with the speech of their final segments and their voices as they are
    /// known by now.
    pub fn speakers(&self) -> Vec<Speaker> {
        self.outbox.lock().speakers.clone()
    }

    /// Number of speakers heard so far.
    pub fn speaker_count(&self) -> usize {
        self.outbox.lock().speakers.len()
    }

    /// One of [`speakers`](Stream::speakers).
    pub fn speaker(&self, number: usize) -> Option<Speaker> {
        self.outbox.lock().speakers.get(number).cloned()
    }

    /// Seconds of audio taken so far, less what the resampler holds back.
    pub fn heard_s(&self) -> f64 {
        self.outbox.lock().heard_s
    }

    /// Ends the stream: all segments become final and can be read, and what was heard is clustered anew as a whole.
    /// After an error of cancellation, deadline or runtime it may be called again; audio is not taken any more.
    ///
    /// # Errors
    /// As [`push_f32`](Stream::push_f32).
    pub fn finish(&self, call: &Call<'_>) -> Result<Finished> {
        self.check_process()?;
        let stop = Arc::clone(&self.stop.lock());
        let call = call.or_deadline(self.deadline).with_stop(&stop);
        let mut work = self.work.lock();
        if work.finished {
            let text = "stream: expected to be finished once; reset it first";
            return Err(Error::InvalidArgument(text.to_owned()));
        }
        work.finish(&self.around(&call))
    }

    /// Ends pushes and finishes under way soon with [`Error::Cancelled`], but for the time that they wait for another
    /// call of this stream. Calls made later are not concerned.
    pub fn cancel(&self) {
        std::mem::take(&mut *self.stop.lock()).store(true, Ordering::Relaxed);
    }

    /// Forgets everything: the stream is as new.
    ///
    /// # Errors
    /// [`Error::Forked`].
    pub fn reset(&self) -> Result<()> {
        self.check_process()?;
        let new = Work::new(&self.settings, self.sample_rate, self.channels)?;
        let mut work = self.work.lock();
        *work = new;
        *self.outbox.lock() = Outbox::default();
        Ok(())
    }

    /// Fails in a child of the process that made the stream.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.process.check(&self.diarizer.model().name)
    }

    fn around<'a>(&'a self, call: &'a Call<'a>) -> Surroundings<'a> {
        Surroundings { diarizer: &self.diarizer, settings: &self.settings, outbox: &self.outbox, call }
    }
}

/// A stream is shared between threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Stream>();
};
