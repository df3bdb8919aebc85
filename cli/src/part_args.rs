//! The arguments by which commands choose among the tracks and channels of a recording.

use std::str::FromStr;

use clap::Args;
use voiceflow::Call;
use voiceflow::audio::{Channels, Tracks};

/// What of a recording is used.
#[derive(Args)]
pub struct PartArgs {
    /// Channels that are used: mix (their mean), left, right, or the number of one, from 1; or
    /// separate, for a party on each channel
    #[arg(long, value_name = "WHICH", default_value = "mix", value_parser = Channels::from_str)]
    channels: Channels,
    /// Audio track that is used: auto (the default one, unless another has the speech), the number
    /// of one, from 1; or all, each by itself
    #[arg(long, value_name = "WHICH", default_value = "auto", value_parser = Tracks::from_str)]
    track: Tracks,
}

impl PartArgs {
    /// `call` with the choice.
    pub fn apply<'a>(&self, call: &Call<'a>) -> Call<'a> {
        call.with_channels(self.channels).with_tracks(self.track)
    }
}
