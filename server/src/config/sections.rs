//! The sections of the configuration, with their defaults and ranges.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::logs;

/// 1 MiB.
const MIB: u64 = 1 << 20;

pub(super) fn within(name: &str, value: f64, range: RangeInclusive<f64>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{name}: expected {} to {}, got {value}", range.start(), range.end()))
}

pub(super) fn at_least_one(name: &str, value: u64) -> Result<(), String> {
    if value > 0 { Ok(()) } else { Err(format!("{name}: expected 1 or more, got 0")) }
}

/// Sockets.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Public address and port; port 0 is any that is free.
    pub address: String,
    /// Address and port of metrics and administration.
    pub admin: String,
    /// Whether everybody is accepted on an address that other machines can reach.
    pub insecure: bool,
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one address.
    pub connections_per_address: usize,
    /// Longest time in seconds in which the header of a request must come.
    pub header_timeout_s: f64,
    /// Longest time in seconds in which a client must read something of its answer.
    pub write_timeout_s: f64,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: "127.0.0.1:8080".to_owned(),
            admin: "127.0.0.1:9464".to_owned(),
            insecure: false,
            connections: 4096,
            connections_per_address: 256,
            header_timeout_s: 10.0,
            write_timeout_s: 30.0,
        }
    }
}

impl Listen {
    /// The public address and that of metrics.
    pub fn addresses(&self) -> Result<(SocketAddr, SocketAddr), String> {
        Ok((address("listen.address", &self.address)?, address("listen.admin", &self.admin)?))
    }

    /// Whether what listens on an address that other machines can reach asks who comes.
    pub(super) fn check(&self, asks: bool) -> Result<(), String> {
        let (public, admin) = self.addresses()?;
        // The address of administration asks nobody.
        for (name, address, asks) in [("listen.address", public, asks), ("listen.admin", admin, false)] {
            if !address.ip().is_loopback() && !self.insecure && !asks {
                return Err(format!(
                    "{name}: expected a loopback address, as everybody is accepted; --insecure-listen allows {address}"
                ));
            }
        }
        at_least_one("listen.connections", self.connections as u64)?;
        at_least_one("listen.connections_per_address", self.connections_per_address as u64)?;
        within("listen.write_timeout_s", self.write_timeout_s, 0.1..=3600.0)?;
        within("listen.header_timeout_s", self.header_timeout_s, 0.1..=3600.0)
    }
}

fn address(name: &str, text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{name}: expected ADDRESS:PORT such as 127.0.0.1:8080, got {text}"))
}

/// What runs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// The bundle, a name or a folder; the library's own models without it.
    pub bundle: Option<PathBuf>,
    /// The file of ONNX Runtime; searched for without it.
    pub runtime: Option<PathBuf>,
    /// Folder in which optimised models are kept; whoever can write to it decides what runs.
    pub cache: Option<PathBuf>,
    /// Threads of live streams, and as many of recordings; 0 is one for each physical core.
    pub threads: usize,
    /// Hardware that runs the network.
    pub provider: ProviderName,
}

/// Hardware that runs the network; all but auto must be there.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderName {
    /// What there is.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// An NVIDIA GPU by CUDA.
    Cuda,
    /// An NVIDIA GPU by TensorRT.
    TensorRt,
}

/// Recordings.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Batch {
    /// Recordings at once; 0 is half as many as cores, and at least one.
    pub workers: usize,
    /// Most recordings that wait for a worker.
    pub waiting: usize,
    /// Longest time in seconds from the end of the upload to the answer.
    pub deadline_s: f64,
    /// By how much the threads of recordings give way to others, 0 to 19, as nice(1) has it.
    pub niceness: i32,
}

impl Default for Batch {
    fn default() -> Self {
        Self { workers: 0, waiting: 32, deadline_s: 600.0, niceness: 10 }
    }
}

impl Batch {
    pub(super) fn check(&self) -> Result<(), String> {
        within("batch.workers", self.workers as f64, 0.0..=256.0)?;
        within("batch.waiting", self.waiting as f64, 0.0..=100_000.0)?;
        within("batch.niceness", f64::from(self.niceness), 0.0..=19.0)?;
        within("batch.deadline_s", self.deadline_s, 0.001..=86_400.0)
    }
}

/// What a client may ask for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest upload in bytes.
    pub upload_bytes: u64,
    /// Slowest upload in bytes a minute, after the grace.
    pub upload_bytes_per_minute: u64,
    /// Time in seconds before an upload can be too slow.
    pub upload_grace_s: f64,
    /// Longest recording in seconds, counted while it is decoded.
    pub audio_s: f64,
    /// Most bytes of all uploads at once.
    pub spool_bytes: u64,
    /// Share of the spool and of the streams that one tenant may have, 0 to 1.
    pub tenant_share: f64,
    /// Requests of one tenant a second.
    pub requests_per_s: f64,
    /// Requests of one tenant at once.
    pub requests_burst: f64,
    /// Folder of the uploads, where they have no name; the system's for temporary files without it.
    pub spool_folder: Option<PathBuf>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            upload_bytes: 512 * MIB,
            upload_bytes_per_minute: 20 * MIB,
            upload_grace_s: 10.0,
            audio_s: 4.0 * 3600.0,
            spool_bytes: 8192 * MIB,
            tenant_share: 0.25,
            requests_per_s: 20.0,
            requests_burst: 40.0,
            spool_folder: None,
        }
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), String> {
        at_least_one("limits.upload_bytes", self.upload_bytes)?;
        at_least_one("limits.spool_bytes", self.spool_bytes)?;
        within("limits.upload_grace_s", self.upload_grace_s, 0.0..=86_400.0)?;
        within("limits.tenant_share", self.tenant_share, 0.0..=1.0)?;
        within("limits.requests_per_s", self.requests_per_s, 0.001..=1e6)?;
        within("limits.requests_burst", self.requests_burst, 1.0..=1e6)?;
        within("limits.audio_s", self.audio_s, 0.001..=864_000.0)
    }
}

/// How the server ends.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Drain {
    /// Time in seconds from the signal to the closing of the socket, for load balancers to notice.
    pub delay_s: f64,
    /// Time in seconds in which what is under way is ended.
    pub length_s: f64,
}

impl Default for Drain {
    fn default() -> Self {
        Self { delay_s: 5.0, length_s: 90.0 }
    }
}

impl Drain {
    pub(super) fn check(&self) -> Result<(), String> {
        within("drain.delay_s", self.delay_s, 0.0..=3600.0)?;
        within("drain.length_s", self.length_s, 0.0..=86_400.0)
    }
}

/// Who may ask.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The file of tokens; everybody may ask without it.
    pub tokens: Option<PathBuf>,
}

/// Log records.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Least severity.
    pub level: logs::Level,
    /// Form.
    pub format: logs::Format,
}
