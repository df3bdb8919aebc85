//! The server as a process, with its own model: what it answers, what it refuses, how it ends.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod arms;
mod attacks;
mod contained;
mod diarizations;
mod life;
mod limits;
mod opus_packets;
mod page;
mod registry;
mod reload;
mod rollout;
mod stream_ends;
mod streams;
mod support;
mod tls;
mod tokens;
mod traces;
mod two_models;
mod voices;
