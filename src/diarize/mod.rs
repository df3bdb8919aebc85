//! From what the local diarizer says of each window to who spoke when in the whole recording. Pure functions
//! on arrays: no model, no file, no clock.
//!
//! ```text
//! windows ──> tracks ──> clustering ──> reconstruct ──> speaker_count ──> Diarization
//!             one local    AHC with       overlap-add,     asked for
//!             speaker of   cannot-link    count, smooth    means given
//!             one window
//! ```

pub mod activity;
pub mod clustering;
pub mod powerset;
pub mod reconstruct;
pub mod speaker_count;
pub mod timeline;
pub mod windows;

pub use windows::LocalWindow;
