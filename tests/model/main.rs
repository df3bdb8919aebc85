//! Models and ONNX Runtime as a caller meets them. Needs scripts/fetch_runtime.sh to have been run.

mod allocations;
mod concurrency;
mod contract;
mod infer;
mod loading;
mod support;
