//! Who spoke when: speaker diarization behind a C ABI.
//!
//! ```text
//! file / PCM ──> audio ──> windows ──> local diarizer ──> clustering ──> reconstruction ──> segments
//!                decode     4-10 s,    activity [T,S]     AHC or VBx     overlap-add,        RTTM, JSON,
//!                downmix    fixed hop  embedding [S,D]                   count, smooth       SRT, C structs
//!                16 kHz
//! ```
//!
//! ```
//! use voiceflow::{Call, Config, Diarizer};
//!
//! # fn main() -> voiceflow::Result<()> {
//! let diarizer = Diarizer::new(&Config::default())?;
//! let result = diarizer.process_file("examples/data/conversation.flac", &Call::none())?;
//! for segment in &result.segments {
//!     let speaker = &result.speakers[segment.speaker].label;
//!     println!("{:7.2} {:7.2}  {speaker}", segment.start_s, segment.end_s);
//! }
//! # assert_eq!(result.speakers.len(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Diarizer`] is loaded once and serves any number of recordings and [`Stream`]s, from any
//! number of threads; a [`Gallery`] identifies speakers by their voices. The models are compiled
//! in. ONNX Runtime is not: the file that [`Config::set_runtime_library`] names, else that of
//! `VOICEFLOW_ORT_LIBRARY` or `ORT_DYLIB_PATH`, else what lies beside the program or where the
//! system keeps libraries.
//!
//! Cargo features: `embedded-model` (on by default) compiles `fast-cnn` in, `accurate-model` the
//! accurate bundle too, which is taken where it is installed otherwise; `serde` (on by default)
//! derives `Serialize` and `Deserialize` for results, embeddings included, which are biometric
//! data.
//!
//! A window is analysed once; a stage never reaches back. The local diarizer is one joint network,
//! or a segmentation and a speaker embedding network.

#![deny(unsafe_code)]

/// The page of the documents for Rust, whose programs are run as those of this crate's comments.
#[cfg(doctest)]
#[doc = include_str!("../docs/start/rust.md")]
pub struct StartInFiveMinutes;

mod analysis;
mod assignment;
pub mod audio;
pub mod call;
pub mod config;
pub mod diarize;
pub mod diarizer;
mod ending;
pub mod error;
mod features;
pub mod ffi;
pub mod files;
pub mod gallery;
mod loading;
mod memory;
pub mod model;
mod noise;
mod onnx;
pub mod output;
mod pool;
// Apart from the file, which tests/schedules and tests/races compile with other locks.
#[cfg(test)]
#[path = "pool/tests.rs"]
mod pool_tests;
mod process;
pub mod reload;
pub mod score;
pub mod stream;
mod sync;
pub mod transcript;
pub mod types;
mod usage;

pub use call::{Call, Cancel};
pub use config::{
    ClusteringMethod, Config, EmbeddingFamily, Frontend, ModelSource, Provider, ProviderPolicy,
};
pub use diarizer::Diarizer;
pub use error::{Error, InvalidArgument, Result, Stage};
pub use ffi::version::VF_ABI_VERSION as ABI_VERSION;
pub use gallery::{Gallery, Identity, Voice};
pub use reload::Reloadable;
pub use stream::{Finished, LiveSegment, Stream};
pub use types::{Annotations, Diarization, Segment, Speaker, Turn, Warning, WarningCode};
