//! Every metric: its name, its unit, its buckets and its labels. Labels come from closed sets:
//! routes, status numbers, names of reasons; never what a client chose.

mod looks;
mod models;
mod process;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use std::sync::atomic::AtomicU64;

pub use models::{Kind, Models};

/// Seconds, or what else is no whole number.
type FloatCounter = Counter<f64, AtomicU64>;
type FloatGauge = Gauge<f64, AtomicU64>;

/// Upper ends in seconds of the buckets of requests: from a page to a long recording.
const REQUEST_BUCKETS: [f64; 12] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0, 300.0, 600.0];

/// Upper ends in seconds of the buckets of streams: 1 ms to 1 s.
const STREAM_BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// A request, by what it asked for and how it ended.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Request {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Code {
    code: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct Outcome {
    outcome: &'static str,
}

/// The metrics of the server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Histogram, fn() -> Histogram>,
    rejections: Family<Reason, Counter>,
    errors: Family<Code, Counter>,
    streams: Family<Outcome, Counter>,
    certificate_reloads: Family<Outcome, Counter>,
    /// Streams under way.
    pub streams_active: Gauge,
    /// Streams that the machine can serve at once.
    pub stream_capacity: FloatGauge,
    /// The share of that which is under way.
    pub stream_utilization: FloatGauge,
    /// Time that streams waited for a turn.
    pub stream_queue: Histogram,
    /// Recordings that wait for a worker.
    pub batch_queue: Gauge,
    /// Time in seconds that recordings have waited for streams.
    pub batch_paused: FloatCounter,
    /// Panics that were contained.
    pub panics: Counter,
    /// Time in seconds in which models were loaded last.
    pub model_load: FloatGauge,
    /// Which models run, and what they do.
    pub models: Models,
    /// 1 from the signal to the end.
    pub draining: Gauge,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let requests: Family<Request, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUEST_BUCKETS));
        let mut registry = Registry::default();
        let models = Models::new(&mut registry);
        let mut metrics = Self {
            registry,
            requests,
            rejections: Family::default(),
            errors: Family::default(),
            streams: Family::default(),
            certificate_reloads: Family::default(),
            streams_active: Gauge::default(),
            stream_capacity: FloatGauge::default(),
            stream_utilization: FloatGauge::default(),
            stream_queue: Histogram::new(STREAM_BUCKETS),
            batch_queue: Gauge::default(),
            batch_paused: FloatCounter::default(),
            panics: Counter::default(),
            model_load: FloatGauge::default(),
            models,
            draining: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("voiceflow_build", "The server", version);
        let text = "Time from the header of a request to the end of its answer's header";
        registry.register("voiceflow_http_request_duration_seconds", text, self.requests.clone());
        let text = "Requests and streams that were refused for want of capacity or quota";
        registry.register("voiceflow_rejections", text, self.rejections.clone());
        registry.register("voiceflow_errors", "Errors answered, by their code", self.errors.clone());
        self.register_streams();
        let registry = &mut self.registry;
        let text = "Recordings that wait for a worker";
        registry.register("voiceflow_batch_queue_length", text, self.batch_queue.clone());
        let text = "Time that recordings have waited for streams, each recording's own";
        registry.register("voiceflow_batch_paused_seconds", text, self.batch_paused.clone());
        registry.register("voiceflow_panics", "Panics that were contained", self.panics.clone());
        let text = "Time in which models were loaded last";
        registry.register("voiceflow_model_load_seconds", text, self.model_load.clone());
        let text = "1 from the signal to end to the end";
        registry.register("voiceflow_draining", text, self.draining.clone());
        let text = "Certificates that were read again, by how that ended";
        registry.register("voiceflow_certificate_reloads", text, self.certificate_reloads.clone());
        registry.register_collector(Box::new(process::Process));
    }

    fn register_streams(&mut self) {
        let registry = &mut self.registry;
        registry.register("voiceflow_streams", "Streams that ended, by how", self.streams.clone());
        registry.register("voiceflow_streams_active", "Streams under way", self.streams_active.clone());
        let text = "Streams that can be served at once";
        registry.register("voiceflow_stream_capacity", text, self.stream_capacity.clone());
        let text = "Share of the capacity that is under way";
        registry.register("voiceflow_stream_utilization_ratio", text, self.stream_utilization.clone());
        let text = "Time that streams waited for a turn";
        registry.register("voiceflow_stream_queue_seconds", text, self.stream_queue.clone());
    }

    /// A stream ended.
    pub fn stream_ended(&self, outcome: &'static str) {
        self.streams.get_or_create(&Outcome { outcome }).inc();
    }

    /// Certificates were read again.
    pub fn certificates_reloaded(&self, outcome: &'static str) {
        self.certificate_reloads.get_or_create(&Outcome { outcome }).inc();
    }

    /// A request to `route` was answered.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let labels = Request { route: route.to_owned(), method: method.to_owned(), status };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request or stream was refused.
    pub fn rejection(&self, reason: &'static str) {
        self.rejections.get_or_create(&Reason { reason }).inc();
    }

    /// An error was answered.
    pub fn error(&self, code: &'static str) {
        self.errors.get_or_create(&Code { code }).inc();
    }

    /// In the text format of OpenMetrics.
    ///
    /// # Errors
    /// None that a string can have.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
