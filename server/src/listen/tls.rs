//! TLS: the certificate of the server, those of clients, and new ones in place of both while
//! connections live.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, RwLock};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::patience::Patience;
use crate::config;
use crate::metrics::Metrics;

/// What is spoken over TLS.
const ALPN: &[u8] = b"http/1.1";

/// The files of a server with TLS, as they were last read.
pub struct Tls {
    files: config::Tls,
    /// Whether a client may come without a certificate, as it can have a token.
    anonymous: bool,
    current: RwLock<Arc<ServerConfig>>,
    /// What the files looked like when they were last read.
    stamps: Mutex<Vec<Stamp>>,
    metrics: Arc<Metrics>,
}

/// What tells a file from the one that was there before: one that is renamed onto it may have its
/// time.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Tls {
    /// Reads the files of `files`; `None` where there are none. Clients need a certificate where
    /// `client_ca` is given and no `tokens` are.
    ///
    /// # Errors
    /// What is wrong with a file, with its name.
    pub fn new(
        files: &config::Tls,
        tokens: bool,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Arc<Self>>, String> {
        if files.certificate.is_none() {
            return Ok(None);
        }
        let stamps = Mutex::new(stamps(files));
        let current = RwLock::new(read(files, tokens)?);
        Ok(Some(Arc::new(Self { files: files.clone(), anonymous: tokens, current, stamps, metrics })))
    }

    /// Reads the files again, for connections from now on; where something is wrong with them, the
    /// certificates stay as they are.
    pub fn reload(&self) {
        *self.stamps.lock() = stamps(&self.files);
        let outcome = match read(&self.files, self.anonymous) {
            Ok(config) => {
                *self.current.write() = config;
                tracing::info!("certificates are read again");
                "done"
            }
            Err(error) => {
                tracing::error!(error, "certificates stay as they are");
                "failed"
            }
        };
        self.metrics.certificates_reloaded(outcome);
    }

    /// Reads the files again whenever they have changed.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = interval(Duration::from_secs_f64(self.files.watch_s));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let changed = stamps(&self.files) != *self.stamps.lock();
            if changed {
                self.reload();
            }
        }
    }

    /// The handshake with a client, and the name in its certificate.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn accept(
        &self,
        socket: Patience<TcpStream>,
    ) -> Result<(TlsStream<Patience<TcpStream>>, Option<Arc<str>>), String> {
        let acceptor = TlsAcceptor::from(self.current.read().clone());
        let limit = Duration::from_secs_f64(self.files.handshake_timeout_s);
        let stream = timeout(limit, acceptor.accept(socket)).await;
        let stream = stream.map_err(|_| "no end in time".to_owned())?.map_err(|error| error.to_string())?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let name = certificates.first().and_then(name_of);
        Ok((stream, name))
    }
}

fn stamps(files: &config::Tls) -> Vec<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let stamp = |path: &std::path::PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    };
    [&files.certificate, &files.key, &files.client_ca].into_iter().flatten().map(stamp).collect()
}

/// The name in a client's certificate: its first DNS name, else its first URI.
fn name_of(certificate: &CertificateDer<'_>) -> Option<Arc<str>> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    let name = certificate.valid_dns_names().next();
    name.or_else(|| certificate.valid_uri_names().next()).map(Arc::from)
}

/// What the files say.
fn read(files: &config::Tls, anonymous: bool) -> Result<Arc<ServerConfig>, String> {
    let (Some(certificate), Some(key)) = (&files.certificate, &files.key) else {
        return Err("tls.certificate, tls.key: expected both".to_owned());
    };
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| format!("{}: {}", key.display(), reason(&error, "a private key")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let mut roots = RootCertStore::empty();
            for root in certificates(path)? {
                roots.add(root).map_err(|error| named(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = if anonymous { verifier.allow_unauthenticated() } else { verifier };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| named(&error))?)
        }
    };
    let mut config = builder
        .with_single_cert(chain, private)
        .map_err(|error| format!("{}, {}: {error}", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |error: PemError| format!("{}: {}", path.display(), reason(&error, "a certificate"));
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(named)?.collect();
    let found = found.map_err(named)?;
    if found.is_empty() {
        return Err(named(PemError::NoItemsFound));
    }
    Ok(found)
}

/// What is wrong with a PEM file, without what stands in it.
fn reason(error: &PemError, expected: &str) -> String {
    match error {
        PemError::Io(error) => error.to_string(),
        PemError::NoItemsFound => format!("expected {expected} as PEM, got none"),
        _ => format!("expected {expected} as PEM, got one that is broken"),
    }
}
