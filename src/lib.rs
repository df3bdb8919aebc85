//! Who spoke when: speaker diarization behind a C ABI.
//!
//! ```text
//! file / PCM ──> audio ──> windows ──> local diarizer ──> clustering ──> reconstruction ──> segments
//!                decode     4-10 s,    activity [T,S]     AHC or VBx     overlap-add,        RTTM, JSON,
//!                downmix    fixed hop  embedding [S,D]                   count, smooth       SRT, C structs
//!                16 kHz
//! ```
//!
//! A window is analysed once; a stage never reaches back. The local diarizer is one joint network, or a segmentation
//! and a speaker embedding network.

#![deny(unsafe_code)]

mod analysis;
mod assignment;
pub mod audio;
pub mod config;
pub mod control;
pub mod diarize;
pub mod diarizer;
mod ending;
pub mod error;
pub mod ffi;
pub mod files;
pub mod gallery;
mod loading;
mod memory;
pub mod model;
pub mod output;
pub mod score;
pub mod stream;
mod sync;
pub mod types;

pub use config::{
    ClusteringMethod, Config, EmbeddingFamily, Frontend, ModelSource, Provider, ProviderPolicy,
};
pub use control::{Cancel, Control};
pub use diarizer::Diarizer;
pub use error::{Error, Result, Stage};
pub use ffi::version::VF_ABI_VERSION as ABI_VERSION;
pub use gallery::{Gallery, Identity, Voice};
pub use stream::{Finished, LiveSegment, Stream};
pub use types::{Annotations, Diarization, Segment, Speaker, Turn};
