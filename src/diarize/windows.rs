//! Where windows lie, and what the local diarizer says of one. Owns the arithmetic between samples
//! and frames; holds no audio.

use ndarray::{Array2, ArrayView1};

use crate::error::Result;
use crate::memory;

/// What the local diarizer says of one window.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalWindow {
    /// Frame of the recording at which the window starts.
    pub start_frame: usize,
    /// Probability, 0 to 1, that a local speaker talks: [frames, local speakers].
    pub activity: Array2<f32>,
    /// Voice of each local speaker, of any length: [local speakers, dimension]. Zeros, or values
    /// that are not finite, where the speaker is silent or says too little to have one.
    pub embedding: Array2<f32>,
}

impl LocalWindow {
    /// A copy.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(crate) fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            start_frame: self.start_frame,
            activity: memory::owned("windows", &self.activity.view())?,
            embedding: memory::owned("windows", &self.embedding.view())?,
        })
    }

    /// Frames in the window.
    pub fn frames(&self) -> usize {
        self.activity.nrows()
    }

    /// Local speakers, talking or not.
    pub fn speakers(&self) -> usize {
        self.activity.ncols()
    }

    /// The activity of one local speaker over the window.
    pub fn speaker_activity(&self, local: usize) -> ArrayView1<'_, f32> {
        self.activity.column(local)
    }

    /// Whether the model gave this local speaker a voice.
    pub fn has_voice(&self, local: usize) -> bool {
        let voice = self.embedding.row(local);
        voice.iter().all(|value| value.is_finite()) && voice.iter().any(|&value| value != 0.0)
    }
}

/// Length, hop and frame of the windows, in samples at 16 kHz; the hop is whole frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowGrid {
    /// Samples of one window.
    pub window: usize,
    /// Samples from the start of one window to the next.
    pub hop: usize,
    /// Samples of one frame.
    pub frame: usize,
}

impl WindowGrid {
    /// A grid with `hop` rounded to whole frames, at least one, and no more than fit into the
    /// window, so that no sample is left out. A window is at least one frame long.
    pub fn new(window: usize, hop: usize, frame: usize) -> Self {
        let frame = frame.max(1);
        let window = window.max(frame);
        let hop = ((hop + frame / 2) / frame).clamp(1, window / frame) * frame;
        Self { window, hop, frame }
    }

    /// Frames that cover `samples` samples; the last may be partly filled.
    pub fn frames_in(&self, samples: u64) -> usize {
        usize::try_from(samples.div_ceil(self.frame as u64)).unwrap_or(usize::MAX)
    }

    /// Start of the window that ends a recording of `samples` samples in which the last whole
    /// window started at `last`: `None` when that window reached the end.
    pub fn closing_start(&self, last: Option<u64>, samples: u64) -> Option<u64> {
        let (window, frame) = (self.window as u64, self.frame as u64);
        match last {
            Some(start) if start + window >= samples => None,
            Some(_) => Some((samples - window).div_ceil(frame) * frame),
            None if samples == 0 => None,
            None => Some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_rounds_to_frames() {
        let grid = WindowGrid::new(160_000, 50_000, 640);
        assert_eq!(grid, WindowGrid { window: 160_000, hop: 49_920, frame: 640 });
        assert_eq!(WindowGrid::new(160_000, 400_000, 640).hop, 160_000);
        assert_eq!(WindowGrid::new(160_000, 160_000, 270).hop, 159_840);
        assert_eq!(grid.frames_in(1), 1);
        assert_eq!(grid.frames_in(1280), 2);
    }

    #[test]
    fn the_closing_window_ends_at_the_end_or_at_most_a_frame_past_it() {
        let grid = WindowGrid::new(6400, 3200, 640);
        assert_eq!(grid.closing_start(None, 0), None);
        assert_eq!(grid.closing_start(None, 100), Some(0));
        assert_eq!(grid.closing_start(Some(0), 6400), None);
        assert_eq!(grid.closing_start(Some(0), 6401), Some(640));
        assert_eq!(grid.closing_start(Some(3200), 9600), None);
        assert_eq!(grid.closing_start(Some(3200), 10_000), Some(3840));
    }
}
