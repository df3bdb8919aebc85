//! The command line as a process, with its own model: what it writes where, and how it ends.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod cache;
mod files;
mod formats;
mod gallery;
mod import_model;
mod info;
mod models;
mod pipes;
mod privacy;
mod provider;
mod recordings;
mod runtime;
mod stream;
mod support;
mod validate;
mod words;
