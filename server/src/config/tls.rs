//! The section of TLS.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::sections::within;

/// TLS on the public address.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The file of the server's certificate and of those between it and the root, as PEM; no TLS
    /// without it.
    pub certificate: Option<PathBuf>,
    /// The file of its private key, as PEM.
    pub key: Option<PathBuf>,
    /// The file of the certificates that sign those of clients, as PEM; clients need none without
    /// it.
    pub client_ca: Option<PathBuf>,
    /// Longest time in seconds of a handshake.
    pub handshake_timeout_s: f64,
    /// Time in seconds from one look at the files to the next; changed ones are read again.
    pub watch_s: f64,
}

impl Default for Tls {
    fn default() -> Self {
        Self { certificate: None, key: None, client_ca: None, handshake_timeout_s: 10.0, watch_s: 10.0 }
    }
}

impl Tls {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.certificate.is_some() != self.key.is_some() {
            let (given, missing) =
                if self.key.is_some() { ("key", "certificate") } else { ("certificate", "key") };
            return Err(format!("tls.{missing}: expected one with tls.{given}, got none"));
        }
        if self.client_ca.is_some() && self.certificate.is_none() {
            return Err("tls.certificate: expected one with tls.client_ca, got none".to_owned());
        }
        within("tls.handshake_timeout_s", self.handshake_timeout_s, 0.1..=3600.0)?;
        within("tls.watch_s", self.watch_s, 0.1..=86_400.0)
    }
}
