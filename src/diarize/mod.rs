//! From what the local diarizer says of each window to who spoke when in the whole recording. Pure
//! functions on arrays: no model, no file, no clock.
//!
//! ```text
//! powerset ──> windows ──> tracks ──> clustering ──> reconstruct ──> speaker_count ──> Diarization
//! classes to               one local    linkage or     overlap-add,     asked for
//! activity                 speaker of   VBx            count, smooth    means given
//!                          one window
//! ```

pub mod activity;
pub mod clustering;
pub mod live;
pub mod powerset;
pub mod reconstruct;
pub mod speaker_count;
pub mod timeline;
pub mod windows;

pub use windows::LocalWindow;
