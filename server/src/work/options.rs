//! What is asked of one recording.

use voiceflow::audio::{Channels, Tracks};
use voiceflow::{Call, Config};

/// What is asked of one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Exactly so many speakers.
    pub num_speakers: Option<usize>,
    /// At least so many speakers.
    pub min_speakers: Option<usize>,
    /// At most so many speakers.
    pub max_speakers: Option<usize>,
    /// Distance under which two voices are one speaker.
    pub clustering_threshold: Option<f32>,
    /// Shortest speech in seconds that is kept.
    pub min_speech_s: Option<f64>,
    /// Shortest pause in seconds that is kept.
    pub min_silence_s: Option<f64>,
    /// Whether no two speakers may talk at once in the result.
    pub exclusive: bool,
    /// Which channels are used.
    pub channels: Channels,
    /// Which audio tracks are used.
    pub tracks: Tracks,
}

impl Options {
    /// The call with the numbers of speakers, and what of the recording is used.
    pub(super) fn asked_of<'a>(&self, call: Call<'a>) -> Call<'a> {
        let mut call = call.with_channels(self.channels).with_tracks(self.tracks);
        if let Some(count) = self.num_speakers {
            call = call.with_num_speakers(count);
        }
        if let Some(count) = self.min_speakers {
            call = call.with_min_speakers(count);
        }
        if let Some(count) = self.max_speakers {
            call = call.with_max_speakers(count);
        }
        if self.exclusive { call.exclusive() } else { call }
    }

    /// What the diarizer is told of it.
    ///
    /// # Errors
    /// [`voiceflow::Error::InvalidArgument`] where a value is out of range.
    pub fn config(&self) -> voiceflow::Result<Config> {
        let mut config = Config::default();
        if let Some(threshold) = self.clustering_threshold {
            config.set_clustering_threshold(threshold)?;
        }
        if let Some(seconds) = self.min_speech_s {
            config.set_min_speech(seconds)?;
        }
        if let Some(seconds) = self.min_silence_s {
            config.set_min_silence(seconds)?;
        }
        Ok(config)
    }
}
