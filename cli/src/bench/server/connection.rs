//! Connections to a server, plain or by TLS.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::Uri;
use tungstenite::http::header::{AUTHORIZATION, HeaderValue};
use tungstenite::{HandshakeError, WebSocket};

use crate::exit::Failure;

/// Longest wait for a connection, a handshake or an answer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Where Debian, and what is made from it, keeps the certificates that are trusted.
const TRUSTED: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Where the token is looked for: a command line can be seen by others.
const TOKEN: &str = "VOICEFLOW_TOKEN";
/// The live streams of a server.
const STREAMS: &str = "/v1/audio/diarizations/stream";

/// A server and how it is reached.
pub struct Address {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    token: Option<String>,
}

/// A connection.
pub enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Why there is no stream.
pub enum NotOpened {
    /// The server answered with this status.
    Refused(u16),
    Failed(String),
}

impl Address {
    /// The server at `url`, whose certificate is signed by one in `ca`.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let usage =
            || Failure::Usage(format!("--server: expected ws://HOST:PORT or wss://HOST:PORT, got {url}"));
        let uri: Uri = url.parse().map_err(|_| usage())?;
        let tls = match uri.scheme_str() {
            Some("ws" | "http") => None,
            Some("wss" | "https") => Some(tls(ca.unwrap_or(Path::new(TRUSTED)))?),
            _ => return Err(usage()),
        };
        let host = uri.host().ok_or_else(usage)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
        Ok(Self { host, port, tls, token: std::env::var(TOKEN).ok() })
    }

    /// Host and port, as they stand in a URL.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The token to send.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A connection.
    pub fn connect(&self) -> Result<Socket, String> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", self.authority());
        let found = (self.host.as_str(), self.port).to_socket_addrs().map_err(|error| named(&error))?;
        let mut failure = "no address".to_owned();
        for address in found {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => return self.over(socket).map_err(|error| named(&error)),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(named(&failure))
    }

    fn over(&self, socket: TcpStream) -> Result<Socket, String> {
        let prepared = socket.set_nodelay(true).and_then(|()| socket.set_read_timeout(Some(PATIENCE)));
        prepared.map_err(|error| error.to_string())?;
        let Some(config) = &self.tls else { return Ok(Socket::Plain(socket)) };
        let name = ServerName::try_from(self.host.clone()).map_err(|error| error.to_string())?;
        let connection = ClientConnection::new(config.clone(), name).map_err(|error| error.to_string())?;
        Ok(Socket::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    /// A live stream, with these fields in the query.
    pub fn open(&self, query: &str) -> Result<WebSocket<Socket>, NotOpened> {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}{STREAMS}?{query}", self.authority());
        let failed = |error: &dyn std::fmt::Display| NotOpened::Failed(error.to_string());
        let mut request = url.into_client_request().map_err(|error| failed(&error))?;
        if let Some(token) = &self.token {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            request.headers_mut().insert(AUTHORIZATION, value.map_err(|_| failed(&"the token"))?);
        }
        let socket = self.connect().map_err(NotOpened::Failed)?;
        match tungstenite::client(request, socket) {
            Ok((socket, _)) => Ok(socket),
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                Err(NotOpened::Refused(response.status().as_u16()))
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

impl Socket {
    /// What the system knows it by.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Socket::Plain(socket) => socket,
            Socket::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.read(bytes),
            Socket::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Socket::Plain(socket) => socket.write(bytes),
            Socket::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Socket::Plain(socket) => socket.flush(),
            Socket::Tls(stream) => stream.flush(),
        }
    }
}

/// TLS for whom one of the certificates in `ca` has signed.
fn tls(ca: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", ca.display()));
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca).map_err(|error| named(&error))?;
    // A system's own may hold some that nobody can read any more.
    roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    if roots.is_empty() {
        return Err(named(&"expected a certificate as PEM, got none"));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| named(&error))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_a_url() {
        let authority = |url: &str| Address::new(url, None).map(|address| address.authority());
        assert_eq!(authority("ws://127.0.0.1:8080").unwrap(), "127.0.0.1:8080");
        assert_eq!(authority("http://a.example/").unwrap(), "a.example:80");
        assert_eq!(authority("ws://[::1]:9").unwrap(), "[::1]:9");
        for wrong in ["a.example:80", "ftp://a.example", "ws://", ""] {
            assert!(matches!(authority(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
        let missing = Address::new("wss://a.example", Some(Path::new("/nowhere.pem")));
        assert!(matches!(missing, Err(Failure::Failed(text)) if text.starts_with("/nowhere.pem: ")));
    }
}
