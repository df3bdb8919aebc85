//! The arguments by which commands choose among the tracks and channels of a recording.

use clap::Args;
use voiceflow::Call;
use voiceflow::audio::{Channels, Tracks};

/// Largest number of a channel or a track.
const MAX_NUMBER: u16 = 32;

/// What of a recording is used.
#[derive(Args)]
pub struct PartArgs {
    /// Channels that are used: mix (their mean), left, right, or the number of one, from 1; or
    /// separate, for a party on each channel
    #[arg(long, value_name = "WHICH", default_value = "mix", value_parser = channels)]
    channels: Channels,
    /// Audio track that is used: auto (the default one, unless another has the speech), the number
    /// of one, from 1; or all, each by itself
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = tracks)]
    track: Tracks,
}

impl PartArgs {
    /// `call` with the choice.
    pub fn apply<'a>(&self, call: &Call<'a>) -> Call<'a> {
        call.with_channels(self.channels).with_tracks(self.track)
    }
}

/// Reads `--channels`.
fn channels(text: &str) -> Result<Channels, String> {
    match text {
        "mix" => Ok(Channels::Mix),
        "left" => Ok(Channels::Only(0)),
        "right" => Ok(Channels::Only(1)),
        "separate" => Ok(Channels::Separate),
        _ => match number(text) {
            Some(index) => Ok(Channels::Only(index)),
            None => Err(format!("expected mix, left, right, separate, or a number from 1 to {MAX_NUMBER}")),
        },
    }
}

/// Reads `--track`.
fn tracks(text: &str) -> Result<Tracks, String> {
    match text {
        "auto" => Ok(Tracks::Speech),
        "all" => Ok(Tracks::All),
        _ => match number(text) {
            Some(index) => Ok(Tracks::Only(index)),
            None => Err(format!("expected auto, all, or a number from 1 to {MAX_NUMBER}")),
        },
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
        assert_eq!(channels("mix"), Ok(Channels::Mix));
        assert_eq!(channels("separate"), Ok(Channels::Separate));
        assert_eq!(channels("right"), channels("2"));
        assert_eq!(channels("1"), Ok(Channels::Only(0)));
        for wrong in ["0", "33", "-1", "Left", ""] {
            let refusal = "expected mix, left, right, separate, or a number from 1 to 32";
            assert_eq!(channels(wrong).unwrap_err(), refusal);
        }
    }

    #[test]
    fn tracks_go_by_their_numbers() {
        assert_eq!(tracks("auto"), Ok(Tracks::Speech));
        assert_eq!(tracks("all"), Ok(Tracks::All));
        assert_eq!(tracks("2"), Ok(Tracks::Only(1)));
        for wrong in ["0", "33", "first"] {
            assert_eq!(tracks(wrong).unwrap_err(), "expected auto, all, or a number from 1 to 32");
        }
    }
}
