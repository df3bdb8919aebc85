//! What the fuzz targets share: a file that lives in memory, an input read piece by piece, a source
//! of callbacks, and mutations that keep the structure of a format.

use voiceflow as _;

pub mod archive;
pub mod boxes;
pub mod calls;
pub mod input;
pub mod memory_file;
pub mod mutation;
pub mod ogg;
pub mod protobuf;
pub mod riff;
pub mod source;

/// Lets caught panics go on: libFuzzer's hook aborts on any panic, but the library turns those of
/// the packages that decode audio into errors, as it promises. A panic that reaches the target
/// still ends the run.
pub fn keep_caught_panics() {
    drop(std::panic::take_hook());
}
