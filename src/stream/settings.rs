//! What the options of a stream come to in frames and windows of its diarizer's model.

use crate::audio::SAMPLE_RATE;
use crate::config::Config;
use crate::diarize::clustering::OnlineOptions;
use crate::diarize::live::LiveOptions;
use crate::diarize::timeline::FrameTimes;
use crate::diarize::windows::WindowGrid;
use crate::diarizer::Diarizer;

/// Time in seconds from one window that is remembered to the next.
const REMEMBER_S: f64 = 2.0;

/// Windows that are remembered: the people of the last ten minutes.
const MEMORY: usize = 300;

/// The numbers that a stream works with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The windows that live labels come from.
    pub(super) live: WindowGrid,
    /// The windows of the diarizer, for the answer at the end.
    pub(super) whole: WindowGrid,
    /// Which of the live windows are among the diarizer's short ones.
    pub(super) detail: Option<WindowGrid>,
    /// Whether live windows shorter than the model's are filled up with silence before them.
    pub(super) padded: bool,
    /// Frames from a frame to the end of the window with which it is settled, at most.
    pub(super) latency_frames: usize,
    /// Windows of the diarizer that are kept for the answer at the end.
    pub(super) history: usize,
    /// How people are told apart.
    pub(super) online: OnlineOptions,
    /// How turns are built.
    pub(super) turns: LiveOptions,
    /// When frames are.
    pub(super) times: FrameTimes,
}

impl Settings {
    /// Those of `config`, for streams over `diarizer`.
    pub(super) fn new(diarizer: &Diarizer, config: &Config) -> Self {
        let (whole, times) = (diarizer.grid(), diarizer.frame_times());
        let tuning = diarizer.tuning();
        let live = diarizer.live_grid();
        let step = live.hop / live.frame;
        let frames = |seconds: f64| ((seconds / times.step_s).round() as usize).max(1);
        let threshold = config.clustering_threshold().unwrap_or_else(|| diarizer.cosine_threshold());
        let hop_s = whole.hop as f64 / f64::from(SAMPLE_RATE);
        Self {
            live,
            whole,
            detail: diarizer.detail(),
            padded: !diarizer.local().takes_short_windows(),
            latency_frames: ((config.latency_s() / times.step_s + 1e-6) as usize).max(step),
            history: (config.history_s() / hop_s).ceil() as usize,
            online: OnlineOptions {
                new_threshold: threshold * tuning.live_new_factor,
                link_threshold: threshold * tuning.live_link_factor,
                max_speakers: *config.speaker_range().end(),
                trusted_frames: diarizer.frames(tuning.trusted_s),
                founding_frames: diarizer.frames(tuning.live_founding_s),
                remember_every: (frames(REMEMBER_S) / step).max(1),
                memory: MEMORY,
                hysteresis: diarizer.hysteresis(),
            },
            turns: LiveOptions {
                hysteresis: diarizer.hysteresis(),
                pause_frames: diarizer.frames(config.min_silence_s().unwrap_or(tuning.min_silence_s)),
                least_frames: diarizer.frames(config.min_speech_s().unwrap_or(tuning.min_speech_s)),
            },
            times,
        }
    }

    /// Frames of a live window, and from one to the next.
    pub(super) fn live_frames(&self) -> (usize, usize) {
        (self.live.window / self.live.frame, self.live.hop / self.live.frame)
    }
}
