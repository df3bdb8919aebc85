//! The section of streams.

use serde::{Deserialize, Serialize};

use super::sections::{at_least_one, within};

/// Streams.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// Threads; 0 is one for each core.
    pub workers: usize,
    /// Most streams at once; 0 is as many as a measurement at the start allows.
    pub capacity: usize,
    /// Largest message of a client in bytes.
    pub message_bytes: usize,
    /// Most bytes of messages, about, that wait for a client to read them.
    pub outbox_bytes: usize,
    /// Longest time in seconds until the first samples.
    pub first_message_s: f64,
    /// Longest time in seconds without samples.
    pub idle_s: f64,
    /// Longest time in seconds that a stream lasts.
    pub longest_s: f64,
    /// Longest time in seconds that samples wait to be processed.
    pub behind_s: f64,
    /// Time in seconds without a message after which the client is asked whether it lives.
    pub ping_s: f64,
    /// Time in seconds in which it must answer.
    pub pong_s: f64,
    /// Origins of pages of other sites that may open streams, such as `https://meet.example`.
    pub origins: Vec<String>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            workers: 0,
            capacity: 0,
            message_bytes: 65_536,
            outbox_bytes: 262_144,
            first_message_s: 10.0,
            idle_s: 30.0,
            longest_s: 43_200.0,
            behind_s: 10.0,
            ping_s: 20.0,
            pong_s: 20.0,
            origins: Vec::new(),
        }
    }
}

impl Live {
    pub(super) fn check(&self) -> Result<(), String> {
        within("live.workers", self.workers as f64, 0.0..=256.0)?;
        at_least_one("live.message_bytes", self.message_bytes as u64)?;
        at_least_one("live.outbox_bytes", self.outbox_bytes as u64)?;
        for (name, value) in [
            ("live.first_message_s", self.first_message_s),
            ("live.idle_s", self.idle_s),
            ("live.longest_s", self.longest_s),
            ("live.behind_s", self.behind_s),
            ("live.ping_s", self.ping_s),
            ("live.pong_s", self.pong_s),
        ] {
            within(name, value, 0.1..=864_000.0)?;
        }
        Ok(())
    }
}
