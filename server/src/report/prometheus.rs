//! Questions to a Prometheus over its HTTP interface.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest time for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest answer in bytes.
const MAX_BYTES: usize = 16 << 20;
/// The port without which an address is understood.
const PORT: u16 = 9090;

/// A Prometheus, over HTTP without TLS: it stands in the same network.
pub(super) struct Prometheus {
    host: String,
    authority: String,
    path: String,
}

/// One of the values that a query gives.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Sample {
    /// The value of a label, empty where there is none.
    pub(super) fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_default()
    }

    /// The value as a number of events: Prometheus extrapolates.
    pub(super) fn count(&self) -> u64 {
        self.value.round().max(0.0) as u64
    }
}

impl Prometheus {
    /// That at this address.
    ///
    /// # Errors
    /// No address over HTTP.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let wrong = || format!("--prometheus: expected http://HOST:PORT, got {url}");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(wrong)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        let host = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(PORT));
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host, authority: authority.to_string(), path })
    }

    /// What a query gives now.
    ///
    /// # Errors
    /// What the system or Prometheus says.
    pub(super) async fn query(&self, query: &str) -> Result<Vec<Sample>, String> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", self.authority);
        let asked = timeout(PATIENCE, self.ask(query)).await;
        let bytes = asked.map_err(|_| named(&"no answer in time"))?.map_err(|error| named(&error))?;
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| named(&format!("expected an answer of Prometheus, got another ({error})")))?;
        let data = answer.data.filter(|_| answer.status == "success");
        let result = data.ok_or_else(|| named(&answer.error))?.result;
        let sample = |Series { metric, value: (_, value) }| {
            let value: f64 = value.parse().ok()?;
            value.is_finite().then_some(Sample { labels: metric, value })
        };
        Ok(result.into_iter().filter_map(sample).collect())
    }

    async fn ask(&self, query: &str) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let socket = TcpStream::connect(&self.host).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        let connection = tokio::spawn(connection);
        let asked: String =
            form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish();
        let request = Request::get(format!("{}/api/v1/query?{asked}", self.path))
            .header("host", &self.authority)
            .body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await?;
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await?.to_bytes();
        connection.abort();
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prometheus_is_an_address_over_http() {
        let at = |url: &str| Prometheus::new(url).map(|it| (it.host, it.path));
        assert_eq!(at("http://127.0.0.1:1/"), Ok(("127.0.0.1:1".to_owned(), String::new())));
        assert_eq!(at("http://prometheus/a/"), Ok(("prometheus:9090".to_owned(), "/a".to_owned())));
        for wrong in ["", "127.0.0.1:1", "https://127.0.0.1:1", "http://me:secret@a:1", "/api"] {
            assert!(at(wrong).unwrap_err().starts_with("--prometheus: expected http://HOST:PORT"), "{wrong}");
        }
    }
}
