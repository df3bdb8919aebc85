//! Models and ONNX Runtime as a caller meets them. Needs scripts/fetch_runtime.sh to have been run.

// Helpers of tests are tests too, which clippy does not see.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod allocations;
mod concurrency;
mod contract;
mod infer;
mod loading;
mod optimized;
mod support;
