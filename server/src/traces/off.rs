//! The same without traces.

use axum::http::HeaderMap;

use crate::config;

/// Nothing that sends spans.
pub struct Traces;

impl Traces {
    /// Starts nothing.
    ///
    /// # Errors
    /// A collector is configured.
    pub fn start(config: &config::Traces) -> Result<Self, String> {
        match &config.collector {
            None => Ok(Self),
            Some(_) => {
                Err("traces.collector: expected none, as this server is built without the feature otlp"
                    .to_owned())
            }
        }
    }

    /// Nothing is left to send.
    pub fn end(&self) {}
}

/// No span.
pub struct Span;

impl Span {
    /// Of a request.
    pub fn of_request(_headers: &HeaderMap, _method: &str, _route: &str) -> Self {
        Self
    }

    /// Of what is done within the active span.
    pub fn begin(_name: &'static str) -> Self {
        Self
    }

    /// Of what comes next.
    pub fn then(self, _name: &'static str) -> Self {
        self
    }

    /// Ends nothing.
    pub fn end(self) {}

    /// The work itself.
    pub fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work
    }

    /// Says nothing.
    pub fn text(&self, _key: &'static str, _value: &str) {}

    /// Says nothing.
    pub fn number(&self, _key: &'static str, _value: f64) {}

    /// Says nothing.
    pub fn answered(&self, _status: u16, _code: Option<&str>) {}

    /// Of no trace.
    pub fn trace_id(&self) -> Option<String> {
        None
    }
}
