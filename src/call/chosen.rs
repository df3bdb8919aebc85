//! Which tracks and channels of a recording a call is about. Numbers count from 0 here, as those of
//! ffmpeg's stream specifiers do; text, the command line and the other languages count from 1.

use std::str::FromStr;

/// Largest number, from 1, of a channel or a track.
pub(crate) const MAX_NUMBER: u16 = 32;

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

impl FromStr for Channels {
    type Err = String;

    /// `mix`, `left`, `right`, `separate`, or the number of a channel, from 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "mix" => Ok(Self::Mix),
            "left" => Ok(Self::Only(0)),
            "right" => Ok(Self::Only(1)),
            "separate" => Ok(Self::Separate),
            _ => number(text).map(Self::Only).ok_or_else(|| {
                format!(
                    "expected mix, left, right, separate, or a number from 1 to {MAX_NUMBER}, got {text:?}"
                )
            }),
        }
    }
}

impl FromStr for Tracks {
    type Err = String;

    /// `auto`, `all`, or the number of a track, from 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Speech),
            "all" => Ok(Self::All),
            _ => number(text).map(Self::Only).ok_or_else(|| {
                format!("expected auto, all, or a number from 1 to {MAX_NUMBER}, got {text:?}")
            }),
        }
    }
}

/// A number from 1 as an index.
fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number)).map(|number| number - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_go_by_their_names_and_numbers() {
        assert_eq!("mix".parse(), Ok(Channels::Mix));
        assert_eq!("separate".parse(), Ok(Channels::Separate));
        assert_eq!("right".parse::<Channels>(), "2".parse());
        assert_eq!("1".parse(), Ok(Channels::Only(0)));
        for wrong in ["0", "33", "-1", "Left", ""] {
            let refusal = "expected mix, left, right, separate, or a number from 1 to 32, got";
            assert_eq!(wrong.parse::<Channels>().unwrap_err(), format!("{refusal} {wrong:?}"));
        }
    }

    #[test]
    fn tracks_go_by_their_numbers() {
        assert_eq!("auto".parse(), Ok(Tracks::Speech));
        assert_eq!("all".parse(), Ok(Tracks::All));
        assert_eq!("2".parse(), Ok(Tracks::Only(1)));
        for wrong in ["0", "33", "first"] {
            let refusal = "expected auto, all, or a number from 1 to 32, got";
            assert_eq!(wrong.parse::<Tracks>().unwrap_err(), format!("{refusal} {wrong:?}"));
        }
    }
}
