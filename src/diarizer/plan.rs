//! Where the windows of recordings and streams lie, and what their frames are: all that a stream
//! needs to know of its diarizer beside the networks.

use crate::audio::SAMPLE_RATE;
use crate::diarize::activity::Hysteresis;
use crate::diarize::reconstruct::Counting;
use crate::diarize::timeline::FrameTimes;
use crate::diarize::windows::WindowGrid;
use crate::model::{LocalDiarizer, Tuning};

/// The windows of a diarizer and of its streams.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The windows of a recording, by which speakers are clustered.
    pub(crate) long: WindowGrid,
    /// The windows of a stream: whole steps long, and no longer than the long ones.
    pub(crate) live: WindowGrid,
    /// Windows that vote on activity beside the long ones, where the model gains by them: some of
    /// the live ones.
    pub(crate) short: Option<WindowGrid>,
    /// Whether windows shorter than the long ones are filled up with silence before them.
    pub(crate) padded: bool,
    /// When frames are.
    pub(crate) times: FrameTimes,
    /// When a local speaker talks.
    pub(crate) hysteresis: Hysteresis,
    /// What the number of talkers is.
    pub(crate) counting: Counting,
    /// What the model was tuned to.
    pub(crate) tuning: Tuning,
}

impl Plan {
    /// That of the model of `local`, whose windows lie on `long`.
    pub(super) fn new(local: &dyn LocalDiarizer, long: WindowGrid) -> Self {
        let (info, tuning) = (local.info(), local.tuning());
        let step_s = long.frame as f64 / f64::from(SAMPLE_RATE);
        // The model states the middle of its first frame.
        let middle_s = info.frame_offset_samples as f64 / f64::from(SAMPLE_RATE);
        let live = live_grid(tuning, long, step_s);
        let hysteresis = Hysteresis { onset: info.thresholds.onset, offset: info.thresholds.offset };
        Self {
            long,
            live,
            short: short_grid(tuning, long, live),
            padded: !local.takes_short_windows(),
            times: FrameTimes { origin_s: middle_s - step_s / 2.0, step_s },
            hysteresis,
            counting: counting(tuning),
            tuning: tuning.clone(),
        }
    }

    /// Fewest frames that last `seconds` or longer.
    pub(crate) fn frames(&self, seconds: f64) -> usize {
        // A whole number of frames stays that number whatever the rounding of the quotient.
        (seconds / self.times.step_s - 1e-6).ceil() as usize
    }
}

/// By activity, where the model gives probabilities that are tuned for it.
fn counting(tuning: &Tuning) -> Counting {
    match tuning.pair.and_then(|pair| pair.silence_weight) {
        Some(_) => Counting::Activity,
        None => Counting::Talking,
    }
}

fn live_grid(tuning: &Tuning, long: WindowGrid, step_s: f64) -> WindowGrid {
    let frame = long.frame;
    let most = long.window / frame;
    let step = ((tuning.live_hop_s / step_s).round() as usize).clamp(1, most);
    let steps = (tuning.live_window_s / tuning.live_hop_s).round() as usize;
    WindowGrid { window: steps.clamp(1, most / step) * step * frame, hop: step * frame, frame }
}

fn short_grid(tuning: &Tuning, long: WindowGrid, live: WindowGrid) -> Option<WindowGrid> {
    let short_hop_s = tuning.short_hop_s.filter(|_| 2 * live.window <= long.window)?;
    let steps = ((short_hop_s / tuning.live_hop_s).round() as usize).max(1);
    Some(WindowGrid { hop: steps * live.hop, ..live })
}
