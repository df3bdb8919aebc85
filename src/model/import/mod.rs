//! Cuts a speaker embedding network in two where its frames are pooled: one part makes features of the frames of a
//! stretch of audio, once, and the other pools those of each speaker. What is found is kept beside the file, so that
//! the next load need not look for it.

pub(super) mod cache;
pub(super) mod fields;
mod graph;
mod probe;
mod split;

pub(super) use split::{FrameAxis, split};
