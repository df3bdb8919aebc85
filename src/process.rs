//! The process that the library runs in: whether it is the one in which something was made, and its
//! environment.

pub(crate) mod environment;
mod fork;

pub(crate) use fork::{Process, ProcessCount, ProcessMutex};
