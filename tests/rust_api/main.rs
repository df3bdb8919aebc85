//! The crate as its callers meet it: everything that can be tested beside other tests in one
//! process. What measures or changes its process (memory, the logger, the allocator) is a program
//! of its own, beside this folder.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod audio;
mod clustering;
mod diarizer;
mod gallery;
mod invariants;
mod looks;
mod public_pair;
mod reload;
mod score;
mod sound;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod systems;
mod two_stage;
