//! The shared library as other programs meet it: its header, its exports, programs in C and C++
//! that are compiled and run, packages, examples. What is tested runs in processes of its own.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says why")]
#![allow(clippy::print_stdout, reason = "figures, and what is skipped, are printed")]

mod abi;
mod c_abi;
mod c_api_page;
mod consumers;
mod cpp_face;
mod examples;
mod exports;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod faults;
mod header;
#[cfg(target_os = "linux")]
mod privacy;
mod readme;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod soak;
#[path = "../support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod trust;
