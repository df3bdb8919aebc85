//! The section of traces.

use serde::{Deserialize, Serialize};

use super::sections::within;

/// Where a collector takes spans if its address has no path.
const PATH: &str = "/v1/traces";

/// Traces by OpenTelemetry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Traces {
    /// Address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; no traces
    /// without it.
    pub collector: Option<String>,
    /// Share of the requests without a `traceparent` that are traced.
    pub sample: f64,
}

impl Default for Traces {
    fn default() -> Self {
        Self { collector: None, sample: 1.0 }
    }
}

impl Traces {
    pub(super) fn check(&self) -> Result<(), String> {
        self.url()?;
        within("traces.sample", self.sample, 0.0..=1.0)
    }

    /// Where spans are sent.
    ///
    /// # Errors
    /// No address over HTTP.
    pub fn url(&self) -> Result<Option<String>, String> {
        let Some(collector) = &self.collector else { return Ok(None) };
        let wrong = || format!("traces.collector: expected http://HOST:PORT, got {collector}");
        let uri: axum::http::Uri = collector.parse().map_err(|_| wrong())?;
        // A password has no place where the configuration is shown; OTEL_EXPORTER_OTLP_HEADERS has.
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(
                "traces.collector: expected http://HOST:PORT, got a user or password in it".to_owned()
            );
        }
        // Without TLS: a collector stands beside the server, and sends on.
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        let base = collector.trim_end_matches('/');
        Ok(Some(if uri.path() == "/" { format!("{base}{PATH}") } else { base.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_over_http() {
        let url =
            |collector: &str| Traces { collector: Some(collector.to_owned()), ..Traces::default() }.url();
        for collector in
            ["http://127.0.0.1:4318", "http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"]
        {
            assert_eq!(url(collector).unwrap().unwrap(), "http://127.0.0.1:4318/v1/traces");
        }
        assert_eq!(url("http://[::1]:1/a/b").unwrap().unwrap(), "http://[::1]:1/a/b");
        for wrong in ["", "127.0.0.1:4318", "https://127.0.0.1:4318", "grpc://a:1", "http://", "/v1/traces"] {
            let error = url(wrong).unwrap_err();
            assert!(error.starts_with("traces.collector: expected http://"), "{error}");
        }
        let error = url("http://me:secret@127.0.0.1:4318").unwrap_err();
        assert!(
            error.starts_with("traces.collector: expected http://HOST:PORT") && !error.contains("secret")
        );
        assert_eq!(Traces::default().url(), Ok(None));
    }
}
