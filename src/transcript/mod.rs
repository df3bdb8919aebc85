//! Words with speakers: what a speech recogniser wrote, joined with who spoke when.
//!
//! ```text
//! words of a recogniser ──> read ──┐
//!                                  ├──> assign ──> passages ──> diarized JSON, SRT, WebVTT
//! diarization ─────────────────────┘
//! ```
//!
//! The room owns the forms in which recognisers write words, and the choice of a speaker for each;
//! it touches no file and knows no audio.

mod assign;
mod passages;
mod read;
mod write;

pub use assign::{AssignOptions, assign};
pub use passages::{Passage, PassageOptions, passages};
pub use read::{Transcript, parse};
pub use write::{UNKNOWN, diarized_json, read_diarized_json, srt, vtt};

/// A word, or what else a recogniser gave a time of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Start in seconds from the beginning of the recording.
    pub start_s: f64,
    /// End in seconds, `start_s` or later.
    pub end_s: f64,
    /// The word with its punctuation, without white space around it.
    pub text: String,
    /// Whether a space stands in front of it.
    pub spaced: bool,
}
