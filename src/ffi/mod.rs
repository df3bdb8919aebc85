//! The C interface: what `include/voiceflow.h` declares. It owns the unsafe code of the crate (but
//! see ADR 13) and decides nothing about speech: each function checks what C handed over, calls the
//! Rust interface and hands the answer back.
//!
//! ```text
//! C ──> guard ──> handle, buffer: pointers become references ──> the crate ──> buffer ──> C
//!       panics,   NULL, tags, sizes, text                                      or a new handle
//!       status,
//!       last error
//! ```
//!
//! One file for each C type, or each use of a large one. Functions and enums are written out, never
//! made by a macro: cbindgen reads the source text.

#![allow(unsafe_code)]
// Names as C has them; the documentation is the header's, which says what the caller must keep to.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

mod buffer;
mod choice;
mod error_text;
mod guard;
mod handle;
mod sized;
mod stack;

pub mod call;
pub mod callback;
pub mod cancel;
pub mod diarization;
pub mod diarization_options;
pub mod diarizer;
pub mod gallery;
pub mod gallery_identify;
pub mod infer;
pub mod last_error;
pub mod log;
pub mod model_info;
pub mod model_options;
pub mod options;
pub mod reload;
pub mod runtime_options;
pub mod segment;
pub mod session;
pub mod source;
pub mod status;
pub mod stream;
pub mod stream_options;
pub mod version;
pub mod voice_space;
pub mod warnings;
