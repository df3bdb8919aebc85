//! What the options of a stream come to in frames and windows of its diarizer's model.

use crate::audio::SAMPLE_RATE;
use crate::config::Config;
use crate::diarize::clustering::OnlineOptions;
use crate::diarize::live::LiveOptions;
use crate::diarizer::{Diarizer, Plan};

/// Time in seconds from one window that is remembered to the next.
const REMEMBER_S: f64 = 2.0;

/// Windows that are remembered: those of the last ten minutes.
const MEMORY: usize = 300;

/// The numbers that a stream works with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The windows: live ones for the segments as they come, long and short ones for the result at
    /// the end.
    pub(super) plan: Plan,
    /// Frames from a frame to the end of the window with which it is settled, at most.
    pub(super) latency_frames: usize,
    /// Long windows that are kept for the result at the end.
    pub(super) history: usize,
    /// How speakers are clustered.
    pub(super) online: OnlineOptions,
    /// How turns are built.
    pub(super) turns: LiveOptions,
}

impl Settings {
    /// Those of `config`, for streams over `diarizer`.
    pub(super) fn new(diarizer: &Diarizer, config: &Config) -> Self {
        let plan = diarizer.plan();
        let Plan { tuning, times, .. } = plan;
        let (hysteresis, counting) = (plan.hysteresis, plan.counting);
        let step = plan.live.hop / plan.live.frame;
        let frames = |seconds: f64| ((seconds / times.step_s).round() as usize).max(1);
        let threshold = config.clustering_threshold().unwrap_or_else(|| diarizer.cosine_threshold());
        let hop_s = plan.long.hop as f64 / f64::from(SAMPLE_RATE);
        Self {
            plan: plan.clone(),
            latency_frames: ((config.latency_s() / times.step_s + 1e-6) as usize).max(step),
            history: (config.history_s() / hop_s).ceil() as usize,
            online: OnlineOptions {
                new_threshold: threshold * tuning.live_new_factor,
                link_threshold: threshold * tuning.live_link_factor,
                max_speakers: *config.speaker_range().end(),
                trusted_frames: plan.frames(tuning.trusted_s),
                founding_frames: plan.frames(tuning.live_founding_s),
                remember_every: (frames(REMEMBER_S) / step).max(1),
                memory: MEMORY,
                hysteresis,
            },
            turns: LiveOptions {
                hysteresis,
                counting,
                pause_frames: plan.frames(config.min_silence_s().unwrap_or(tuning.min_silence_s)),
                least_frames: plan.frames(config.min_speech_s().unwrap_or(tuning.min_speech_s)),
            },
        }
    }

    /// Frames of a live window, and from one to the next.
    pub(super) fn live_frames(&self) -> (usize, usize) {
        (self.plan.live.window / self.plan.live.frame, self.plan.live.hop / self.plan.live.frame)
    }
}
