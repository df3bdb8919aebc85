//! The way to the collector: one request on a connection of its own for each batch of spans.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::header::HOST;
use axum::http::{HeaderValue, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// Time in which the collector must have answered.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer, in bytes.
const LARGEST: usize = 64 << 10;
/// The port of addresses without one.
const HTTP_PORT: u16 = 80;

/// A client of the collector. Spans are sent by a thread of their own, the connections belong to
/// the runtime of the server.
#[derive(Debug)]
pub(super) struct Collector(Handle);

impl Collector {
    /// A client within the current runtime.
    pub(super) fn new() -> Self {
        Self(Handle::current())
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.0.spawn(async { tokio::time::timeout(PATIENCE, send(request)).await });
        let answer = match sent.await? {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs()).into()),
        };
        match &answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!(status = answer.status().as_u16(), "the collector refuses spans"),
            Err(error) => tracing::warn!(%error, "the collector takes no spans"),
        }
        answer
    }
}

async fn send(mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or("expected a host")?;
    let host = authority.host().trim_matches(['[', ']']);
    let socket = TcpStream::connect((host, authority.port_u16().unwrap_or(HTTP_PORT))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    // Ends with the sender.
    tokio::spawn(connection);
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    // A server, unlike a proxy, is asked by the path.
    *request.uri_mut() = uri.path_and_query().map_or(Uri::from_static("/"), |path| path.clone().into());
    let answer = sender.send_request(request.map(Full::new)).await?;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
