//! What is let in: every 429 and 503 is decided here.

mod rate;
mod spool;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use spool::{Reserved, Spool};
pub use streams::StreamPermit;
use streams::Streams;

use crate::auth::Tenant;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::work::batch::{BatchQueue, Job, Ticket};
use rate::Rates;

/// Longest time that a client is asked to wait before it tries again.
const LONGEST_RETRY: Duration = Duration::from_secs(600);

/// When it may be worth trying again after a stream was refused: conversations last minutes.
const STREAM_RETRY: Duration = Duration::from_secs(10);

/// Why a request or a stream is refused for now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// The models are not loaded yet.
    Loading,
    /// The server ends.
    Draining,
    /// As many recordings wait as may.
    QueueFull,
    /// As many bytes of uploads are kept as may be.
    SpoolFull,
    /// As many streams are under way as the machine can serve.
    StreamsFull,
    /// The tenant asks too often.
    RateLimit,
    /// The tenant's share of streams or of uploads is used up.
    TenantShare,
}

impl Reason {
    /// In metrics and as the code of errors.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Loading => "loading",
            Reason::Draining => "draining",
            Reason::QueueFull => "queue_full",
            Reason::SpoolFull => "spool_full",
            Reason::StreamsFull => "streams_full",
            Reason::RateLimit => "rate_limit",
            Reason::TenantShare => "tenant_share",
        }
    }

    /// The status of the answer: 429 where the client's own share is used up, 503 where the server
    /// has no more.
    pub fn status(self) -> u16 {
        match self {
            Reason::QueueFull | Reason::RateLimit | Reason::TenantShare => 429,
            Reason::Loading | Reason::Draining | Reason::SpoolFull | Reason::StreamsFull => 503,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Reason::Loading => "the models are being loaded",
            Reason::Draining => "the server is ending",
            Reason::QueueFull => "too many recordings wait already",
            Reason::SpoolFull => "too many uploads are under way",
            Reason::StreamsFull => "as many streams are under way as this machine can serve",
            Reason::RateLimit => "too many requests",
            Reason::TenantShare => "this tenant's share is used up",
        }
    }
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rejection {
    /// Why.
    pub reason: Reason,
    /// When it may be worth trying again.
    pub retry_after: Duration,
}

impl Rejection {
    /// For the client.
    pub fn text(&self) -> String {
        let seconds = self.retry_after_s();
        format!("{}; try again in {seconds} s", self.reason.text())
    }

    /// Whole seconds for the header Retry-After, at least one.
    pub fn retry_after_s(&self) -> u64 {
        (self.retry_after.as_secs_f64().ceil() as u64).clamp(1, LONGEST_RETRY.as_secs())
    }
}

/// Decides what is let in.
pub struct Admission {
    models: Arc<Models>,
    queue: Arc<BatchQueue>,
    spool: Arc<Spool>,
    streams: Arc<Streams>,
    rates: Rates,
    draining: AtomicBool,
    metrics: Arc<Metrics>,
}

impl Admission {
    /// Admission to these queues.
    pub fn new(config: &Config, models: Arc<Models>, queue: Arc<BatchQueue>, metrics: Arc<Metrics>) -> Self {
        let limits = &config.limits;
        let spool = Arc::new(Spool::new(limits.spool_bytes, limits.tenant_share));
        let streams = Arc::new(Streams::new(limits.tenant_share, metrics.clone()));
        let rates = Rates::new(limits.requests_per_s, limits.requests_burst);
        Self { models, queue, spool, streams, rates, draining: AtomicBool::new(false), metrics }
    }

    /// From now on nothing new is let in.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.metrics.draining.set(1);
    }

    /// Why nothing would be let in at the moment; empty where it would.
    pub fn not_ready(&self) -> Vec<Reason> {
        let reasons = [
            (Reason::Loading, self.models.fleet().is_none()),
            (Reason::Draining, self.draining.load(Ordering::SeqCst)),
            (Reason::QueueFull, self.queue.is_full()),
            (Reason::StreamsFull, self.streams.is_full()),
        ];
        reasons.into_iter().filter(|(_, holds)| *holds).map(|(reason, _)| reason).collect()
    }

    /// Lets in a recording that is about to be uploaded.
    ///
    /// # Errors
    /// Why it would be refused after its upload.
    pub fn recording(&self, tenant: &Tenant) -> Result<(), Rejection> {
        self.check_rate(tenant)?;
        if self.queue.is_full() {
            return Err(self.refuse(Reason::QueueFull));
        }
        self.check_models()
    }

    /// The place of a stream among the streams.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn stream(&self, tenant: &Tenant) -> Result<StreamPermit, Rejection> {
        self.check_rate(tenant)?;
        self.check_models()?;
        self.streams.begin(tenant).map_err(|reason| self.refuse(reason))
    }

    /// Lets in a request that takes no worker.
    ///
    /// # Errors
    /// [`Reason::RateLimit`].
    pub fn small(&self, tenant: &Tenant) -> Result<(), Rejection> {
        self.check_rate(tenant)
    }

    /// Sets how many streams there may be.
    pub fn set_stream_capacity(&self, capacity: usize) {
        self.streams.set_capacity(capacity);
    }

    fn check_rate(&self, tenant: &Tenant) -> Result<(), Rejection> {
        // Everybody is no tenant, whose share could be held.
        if tenant.is_named() && !self.rates.take(tenant, Instant::now()) {
            return Err(self.refuse(Reason::RateLimit));
        }
        Ok(())
    }

    /// Refuses what is new where there are no models yet, or none any more.
    fn check_models(&self) -> Result<(), Rejection> {
        if self.draining.load(Ordering::SeqCst) {
            return Err(self.refuse(Reason::Draining));
        }
        if self.models.fleet().is_none() { Err(self.refuse(Reason::Loading)) } else { Ok(()) }
    }

    /// Queues a recording, for as long as its ticket is kept.
    ///
    /// # Errors
    /// [`Reason::QueueFull`].
    pub fn submit(&self, job: Job) -> Result<Ticket, Rejection> {
        self.queue.submit(job).map_err(|_| self.refuse(Reason::QueueFull))
    }

    /// A place in the spool for an upload, which holds nothing yet.
    pub fn upload(&self, tenant: &Tenant) -> Reserved {
        Reserved::new(self.spool.clone(), tenant.clone())
    }

    /// A refusal, which is counted.
    pub fn refuse(&self, reason: Reason) -> Rejection {
        self.metrics.rejection(reason.name());
        let retry_after = match reason {
            Reason::Loading => Duration::from_secs(1),
            // By then another server has the address, or none.
            Reason::Draining => Duration::from_secs(5),
            Reason::QueueFull | Reason::SpoolFull => self.queue.wait_estimate(),
            Reason::StreamsFull | Reason::TenantShare => STREAM_RETRY,
            Reason::RateLimit => Duration::from_secs(1),
        };
        Rejection { reason, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_asked_to_wait_whole_seconds() {
        let wait =
            |seconds| Rejection { reason: Reason::QueueFull, retry_after: Duration::from_secs_f64(seconds) };
        assert_eq!([0.0, 0.2, 1.0, 1.1, 1e6].map(|seconds| wait(seconds).retry_after_s()), [1, 1, 1, 2, 600]);
        assert_eq!(wait(2.0).text(), "too many recordings wait already; try again in 2 s");
    }
}
