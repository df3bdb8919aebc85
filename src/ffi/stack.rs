//! The stack that a call runs on: the thread's own where it has room, else one that lives as long
//! as the call. Threads of hosts may have little: those of musl 128 KB, those of some runtimes 64
//! KB, and part of it is in use.

/// Bytes that a call may take, with a margin: a run of a network takes 93 KB, most of it a panel of
/// ONNX Runtime's matrix products, the start of an AAC decoder 83 KB, and 137 KB where it is built
/// without optimisation.
const NEEDED: usize = 256 << 10;
/// Bytes of a stack made for a call, of which only those touched take memory.
const OWN: usize = 1 << 20;

/// Runs `work` where it has the stack that it needs.
pub(super) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(NEEDED, OWN, work)
}
