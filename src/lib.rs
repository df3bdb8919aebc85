//! Who spoke when: speaker diarization behind a C ABI.
//!
//! ```text
//! file / PCM ──> audio ──> windows ──> local diarizer ──> clustering ──> reconstruction ──> segments
//!                decode     4 s,       one ONNX call:     AHC with       overlap-add,        RTTM, JSON,
//!                downmix    fixed hop  activity [T,S]     cannot-link    count, smooth       SRT, C structs
//!                16 kHz                embedding [S,D]
//! ```
//!
//! A window is analysed once; a stage never reaches back.

#![deny(unsafe_code)]

mod analysis;
mod assignment;
pub mod audio;
pub mod config;
pub mod control;
pub mod diarize;
pub mod diarizer;
pub mod error;
pub mod ffi;
pub mod model;
pub mod output;
pub mod score;
pub mod types;

pub use config::{
    ClusteringMethod, Config, EmbeddingFamily, Frontend, ModelSource, Provider, ProviderPolicy,
};
pub use control::Control;
pub use diarizer::Diarizer;
pub use error::{Error, Result, Stage};
pub use ffi::version::VF_ABI_VERSION as ABI_VERSION;
pub use types::{Annotations, Diarization, Segment, Speaker, Turn};
