//! ONNX Runtime: finds and loads it, checks and opens a network, and runs it in a pool of slots.
//! The only room that names `ort`; it knows nothing of speech, nor of what the tensors mean.
//!
//! ```text
//! bytes + sha256 ──> limits ──> runtime ──> provider ──> network ──> Network::run
//!                    memory     one per     CUDA or      slots,      tensors lent
//!                    of a load  process     CPU          watchdog
//! ```

mod bytes;
mod description;
pub(crate) mod fields;
mod input_memory;
mod limits;
mod log_queue;
mod network;
mod optimized;
mod pool_threads;
mod provider;
pub mod runtime;
mod search;
mod slot;
mod system_loader;
mod tensors;
mod threads;
mod watchdog;

pub(crate) use bytes::{Bytes, MAX_MODEL_BYTES, ModelBytes, read_file, sha256};
pub(crate) use description::{Description, Tensor};
pub(crate) use input_memory::InputMemory;
pub(crate) use network::Network;
pub(crate) use provider::{Plans, settled};
pub(crate) use search::own_folder;
pub(crate) use tensors::{Elements, Outputs, floats, integers};
pub(crate) use threads::thread_count;
