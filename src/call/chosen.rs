//! Which tracks and channels of a recording a call is about. Numbers count from 0 here, as those of
//! ffmpeg's stream specifiers do; the command line and the other languages count from 1.

/// Which channels of audio are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channels {
    /// The mean of all. Of two that are each other's inverse, as a microphone with a swapped lead
    /// makes them, the first alone, as their mean is silence.
    #[default]
    Mix,
    /// One of them, counted from 0.
    Only(u16),
    /// Each by itself, for recordings with a party on each, as telephone systems make them. It is
    /// for the results of a diarizer alone: no two channels have a speaker in common, and labels
    /// are `CH1_SPEAKER_00`, `CH2_SPEAKER_00`, and so on. A segment in which another channel has
    /// the same but louder is cross-talk and dropped, and so is what a channel repeats of an
    /// earlier one. Numbers of speakers that are asked for hold for each channel.
    Separate,
}

/// Which of the audio tracks of a file are used; tracks of other kinds do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tracks {
    /// The default one, unless it has little speech and another has more than twice as much. The
    /// result's warnings say which of several was taken.
    #[default]
    Speech,
    /// One of them, counted from 0.
    Only(u16),
    /// Each by itself, for the results of a diarizer alone: no two tracks have a speaker in common,
    /// and labels are `TRACK1_SPEAKER_00`, `TRACK2_SPEAKER_00`, and so on. Numbers of speakers that
    /// are asked for hold for each track.
    All,
}
