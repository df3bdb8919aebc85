//! A stretch of a recording: neighbouring windows, and the audio that they share.

/// Neighbouring windows of a recording, and the audio that they share.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Mono samples at 16 kHz from the start of the first window to the end of the last.
    pub audio: Vec<f32>,
    /// Sample of the recording at which `audio` starts.
    pub start: u64,
    /// Samples of each window.
    pub window: usize,
    /// Samples of one frame of the windows' activity.
    pub frame: usize,
    /// First sample of each window in `audio`, ascending.
    pub offsets: Vec<usize>,
}

impl Stretch {
    /// The audio of one window.
    pub fn window(&self, index: usize) -> &[f32] {
        &self.audio[self.offsets[index]..][..self.window]
    }

    /// Frame of the recording at which a window starts.
    pub fn start_frame(&self, index: usize) -> usize {
        let sample = self.start + self.offsets[index] as u64;
        usize::try_from(sample / self.frame as u64).unwrap_or(usize::MAX)
    }
}
