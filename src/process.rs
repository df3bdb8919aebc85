//! The process that the library runs in: whether it is the one in which something was made, its
//! environment, the files mapped into it, the processor under it. What one system alone tells is
//! asked here.

pub(crate) mod environment;
mod fork;
mod mapped;
mod processor;

pub(crate) use fork::{Process, ProcessCount, ProcessMutex};
pub(crate) use mapped::{Mapped, mapped_files};
pub(crate) use processor::{model_and_features, physical_cores};
