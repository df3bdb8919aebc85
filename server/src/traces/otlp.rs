//! Spans by the SDK of OpenTelemetry, in batches.

use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::collector::Collector;
use crate::config;

/// Name of the service, unless OTEL_SERVICE_NAME has another, and of what makes spans.
const NAME: &str = "voiceflow-server";
/// Time in which the last spans must be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// What sends spans; nothing where no collector is configured.
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Starts sending spans. Within the runtime of the server, which the connections belong to.
    ///
    /// # Errors
    /// What is wrong with the collector's address.
    pub fn start(config: &config::Traces) -> Result<Self, String> {
        let Some(url) = config.url()? else {
            return Ok(Self(None));
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .with_http_client(Collector::new())
            .build()
            .map_err(|error| format!("traces.collector: {error}"))?;
        let root = Sampler::TraceIdRatioBased(config.sample);
        let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| NAME.to_owned());
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(name).with_attribute(version).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(resource)
            .build();
        global::set_tracer_provider(provider.clone());
        Ok(Self(Some(provider)))
    }

    /// Sends what is left. Takes a while; the runtime must live on meanwhile.
    pub fn end(&self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(PATIENCE)
        {
            tracing::warn!(%error, "the last spans are lost");
        }
    }
}

/// A stretch of work, which ends when this is dropped.
pub struct Span {
    own: Context,
    parent: Context,
}

impl Drop for Span {
    fn drop(&mut self) {
        self.own.span().end();
    }
}

impl Span {
    /// Of a request, in the trace that its client names.
    pub fn of_request(headers: &HeaderMap, method: &str, route: &str) -> Self {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        let span = Self::new(format!("{method} {route}"), SpanKind::Server, parent);
        span.text("http.request.method", method);
        span.text("http.route", route);
        span
    }

    /// Of what is done within the active span.
    pub fn begin(name: &'static str) -> Self {
        Self::new(name.to_owned(), SpanKind::Internal, Context::current())
    }

    /// Of what comes next, where this ends.
    pub fn then(self, name: &'static str) -> Self {
        let parent = self.parent.clone();
        self.end();
        Self::new(name.to_owned(), SpanKind::Internal, parent)
    }

    /// Ends it before its scope does.
    pub fn end(self) {}

    fn new(name: String, kind: SpanKind, parent: Context) -> Self {
        let tracer = global::tracer(NAME);
        let span = tracer.span_builder(name).with_kind(kind).start_with_context(&tracer, &parent);
        Self { own: parent.with_span(span), parent }
    }

    /// The work, in which this is the active span.
    pub fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.with_context(self.own.clone())
    }

    /// Says something of the work.
    pub fn text(&self, key: &'static str, value: &str) {
        self.own.span().set_attribute(KeyValue::new(key, value.to_owned()));
    }

    /// Says a number of the work.
    pub fn number(&self, key: &'static str, value: f64) {
        self.own.span().set_attribute(KeyValue::new(key, value));
    }

    /// Says how a request was answered: by a status, and by a code where it failed.
    pub fn answered(&self, status: u16, code: Option<&str>) {
        let span = self.own.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if let Some(code) = code {
            span.set_attribute(KeyValue::new("error.type", code.to_owned()));
        }
        // What a client did wrong is no failure of the server.
        if status >= 500 {
            span.set_status(Status::error(code.unwrap_or_default().to_owned()));
        }
    }

    /// The trace, where there is one.
    pub fn trace_id(&self) -> Option<String> {
        let span = self.own.span();
        let context = span.span_context();
        context.is_valid().then(|| context.trace_id().to_string())
    }
}
