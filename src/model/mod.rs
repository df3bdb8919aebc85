//! The local diarizer's network: finds and loads ONNX Runtime, opens a model, checks that it keeps the model
//! contract, and runs it in a pool of slots. The only part of the crate that names `ort`; it knows nothing of
//! files of audio or windows of a recording. Beside the network it reads the PLDA model of a clustering.
//!
//! ```text
//! source ──> bytes + sha256 ──> runtime ──> provider ──> contract ──> golden ──> pool ──> Session::infer
//!                               one per     CUDA or      metadata,    known      run slots
//!                               process     CPU          shapes       answer
//! ```

mod contract;
mod dry_run;
mod embedded;
mod golden;
mod log_queue;
mod plda_file;
mod pool;
mod provider;
pub mod runtime;
mod search;
mod session;
mod slot;
mod source;
mod threads;
mod watchdog;

pub use contract::{CONTRACT_VERSION, ModelInfo, SAMPLE_RATE, Thresholds};
pub use dry_run::validate;
pub use golden::golden_input;
pub use plda_file::read_plda;
pub use session::{Inference, MAX_SAMPLES, Session};
pub(crate) use threads::thread_count;
