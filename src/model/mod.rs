//! The models of diarization: the contract of a joint model, the local diarizer in its two
//! implementations, bundles, what a model was tuned to, and what is checked of it. Networks are run
//! by the room `onnx`. Knows nothing of files of audio.
//!
//! ```text
//! source ──> bytes ──> network ──> contract, tuning ──> golden ──> Session::infer ──> LocalDiarizer
//!                                  metadata             known                         windows of a stretch
//!                                                       answer
//! ```

mod bundle;
mod contract;
mod embedded;
#[cfg(fuzzing)]
pub mod fuzzing;
mod golden;
mod import;
mod joint;
mod local;
mod open;
mod outputs;
mod plda_file;
mod plda_property;
mod quoted;
mod rows;
mod source;
mod stretch;
mod tuning;
mod two_stage;
mod validate;

pub use bundle::find_bundle;
pub use contract::{CONTRACT_VERSION, ModelInfo, SAMPLE_RATE, Thresholds};
pub use golden::golden_input;
pub use joint::{Inference, MAX_SAMPLES, Session};
pub use local::LocalDiarizer;
pub(crate) use open::{live_model, open_local};
pub(crate) use outputs::{check_activity, check_voice};
pub use plda_file::read_plda;
pub use stretch::Stretch;
pub(crate) use tuning::USUAL_IDENTITY_THRESHOLD;
pub use tuning::{PairTuning, Tuning};
pub use two_stage::{Imported, TwoStage, import_model};
pub use validate::{ModelKind, Report, validate};

pub use crate::onnx::runtime;
pub(crate) use crate::onnx::thread_count;
