//! Times of subtitles.

use std::fmt::{self, Display, Formatter};

/// Milliseconds as `HH:MM:SS,mmm`, with this sign in front of the last three digits. Hours have two
/// digits or more.
pub(crate) struct Timestamp(pub(crate) u64, pub(crate) char);

impl Display for Timestamp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(milliseconds, sign) = self;
        let seconds = milliseconds / 1000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}{sign}{:03}", seconds % 60, milliseconds % 1000)
    }
}
