//! The local diarizer's network: finds and loads ONNX Runtime, opens a model, checks that it keeps the model
//! contract, and runs it in a pool of slots. The only part of the crate that names `ort`; it knows nothing of
//! files of audio, windows of a recording or clustering.
//!
//! ```text
//! source ──> bytes + sha256 ──> runtime ──> provider ──> contract ──> golden ──> pool ──> Session::infer
//!                               one per     CUDA or      metadata,    known      run slots
//!                               process     CPU          shapes       answer
//! ```

mod contract;
mod dry_run;
mod embedded;
#[allow(dead_code, unused_imports)]
mod features;
mod golden;
mod log_queue;
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
pub use session::{Inference, MAX_SAMPLES, Session};
pub(crate) use threads::thread_count;
