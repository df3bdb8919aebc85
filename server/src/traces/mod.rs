//! Traces: a span for each request and each stream, and for what a recording waits for and is
//! worked on, sent to a collector of OpenTelemetry by OTLP over HTTP. Spans never hold audio,
//! embeddings, tokens or names of voices.
//!
//! The span of a request continues the trace of its `traceparent` (W3C Trace Context).

#[cfg(feature = "otlp")]
mod collector;
#[cfg(not(feature = "otlp"))]
mod off;
#[cfg(feature = "otlp")]
mod otlp;

#[cfg(not(feature = "otlp"))]
pub use off::{Span, Traces};
#[cfg(feature = "otlp")]
pub use otlp::{Span, Traces};
