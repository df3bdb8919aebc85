//! The local diarizer's network: finds and loads ONNX Runtime, opens a model, checks that it keeps the model
//! contract, and runs it in a pool of slots. The only part of the crate that names `ort`; it knows nothing of
//! files of audio or windows of a recording. Beside the network it reads the PLDA model of a clustering.
//!
//! ```text
//! source ──> bytes + sha256 ──> runtime ──> provider ──> contract ──> golden ──> pool ──> Session::infer
//!                               one per     CUDA or      metadata,    known      run slots
//!                               process     CPU          shapes       answer
//! ```

mod bundle;
mod contract;
mod description;
mod embedded;
mod features;
#[cfg(fuzzing)]
pub mod fuzzing;
mod golden;
mod import;
mod inference;
mod input_memory;
mod joint_check;
mod limits;
mod local;
mod log_queue;
mod network;
mod noise;
mod optimized;
mod plda_file;
mod plda_property;
mod pool_threads;
mod process;
mod provider;
mod quoted;
mod rows;
pub mod runtime;
mod search;
mod session;
mod slot;
mod source;
mod system_loader;
mod threads;
mod tuning;
mod two_stage;
mod validate;
mod variables;
mod watchdog;

pub use bundle::find_bundle;
pub use contract::{CONTRACT_VERSION, ModelInfo, SAMPLE_RATE, Thresholds};
pub use golden::golden_input;
pub use inference::Inference;
pub use local::{LocalDiarizer, Stretch};
pub(crate) use local::{live_model, open_local};
pub use plda_file::read_plda;
pub(crate) use process::Process;
pub use session::{MAX_SAMPLES, Session};
pub(crate) use threads::thread_count;
pub(crate) use tuning::USUAL_IDENTITY_THRESHOLD;
pub use tuning::{PairTuning, Tuning};
pub use two_stage::{Imported, TwoStage, import_model};
pub use validate::{ModelKind, Report, validate};
