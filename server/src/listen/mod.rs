//! Sockets: how many connections there are, how long each may take for its header, and how they end
//! when the server does.

mod counts;
mod linger;
mod patience;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use counts::{Counted, Counts};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use linger::Lingering;
use patience::Patience;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Listen;

pub use tls::Tls;

/// Time until accepting is tried again after the system refused it, for want of descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Longest header of a request in bytes.
const MAX_HEADER_BYTES: usize = 65_536;

/// The connection of a request. It counts as one while this is kept, also where it has become a
/// WebSocket.
#[derive(Clone)]
pub struct Peer {
    certificate: Option<Arc<str>>,
    _counted: Arc<Counted>,
}

impl Peer {
    /// The name in the certificate that the client has shown.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
}

/// Listens at `address`.
///
/// # Errors
/// The system's reason, with the address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))
}

/// Serves `router` on `listener`, over TLS where there is `tls`, until `closing` is set; then
/// connections end after the request that they are at. Returns once all have ended.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    config: Listen,
    mut closing: watch::Receiver<bool>,
) {
    let counts = Arc::new(Counts::new(config.connections, config.connections_per_address));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    builder.header_read_timeout(Duration::from_secs_f64(config.header_timeout_s));
    builder.max_buf_size(MAX_HEADER_BYTES);
    let patience = Duration::from_secs_f64(config.write_timeout_s);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed(&mut closing) => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // One too many is closed before a byte is read of it.
        let Some(counted) = counts.add(peer.ip()) else { continue };
        let (tls, router, builder) = (tls.clone(), router.clone(), builder.clone());
        let mut closing = closing.clone();
        tokio::spawn(async move {
            // Segments are small and wanted at once.
            let _ = socket.set_nodelay(true);
            let socket = Patience::new(socket, patience);
            let peer = Peer { certificate: None, _counted: Arc::new(counted) };
            let Some(tls) = tls else { return connection(socket, peer, router, builder, closing).await };
            let accepted = tokio::select! {
                accepted = tls.accept(socket) => accepted,
                () = closed(&mut closing) => return,
            };
            match accepted {
                Ok((socket, certificate)) => {
                    let peer = Peer { certificate, ..peer };
                    connection(socket, peer, router, builder, closing).await;
                }
                Err(error) => tracing::debug!(error, "handshake"),
            }
        });
    }
    drop(listener);
    counts.none_left().await;
}

/// Waits until the server closes.
async fn closed(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        // Nobody is there any more to close it.
        std::future::pending().await
    }
}

/// Serves one connection to its end.
async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    builder: http1::Builder,
    mut closing: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        let mut router = router.clone();
        async move {
            tower_service::Service::call(
                &mut router,
                Request::map(request, |body| axum::body::Body::new(Lingering::new(body))),
            )
            .await
        }
    });
    let mut connection =
        std::pin::pin!(builder.serve_connection(TokioIo::new(socket), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection");
    }
}
