//! One log record and one observation for each request, and the identifiers by which it is found.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::App;
use super::answering::Answering;
use super::error::Code;
use crate::models::{Chosen, name_of};
use crate::traces::Span;

/// Header with the identifier of a request.
const REQUEST_ID: &str = "x-request-id";
/// Header with the model that answered.
const MODEL: &str = "x-voiceflow-model";
/// Header with the arm that it has.
const ARM: &str = "x-voiceflow-arm";
/// Longest identifier that is taken from a client.
const LONGEST_ID: usize = 64;
/// Methods that have a name in traces.
const KNOWN_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
/// Name of what is at no path, in metrics.
const NO_ROUTE: &str = "none";

/// The identifier of a request.
#[derive(Clone)]
pub struct RequestId(pub String);

/// Answers a request, and says so.
pub(super) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = own_id(request.headers()).unwrap_or_else(new_id);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    // A method that nobody has heard of would be a name of the client's choice.
    let known = if KNOWN_METHODS.contains(&method) { method.as_str() } else { "other" };
    let span = Span::of_request(request.headers(), known, &route);
    span.text("voiceflow.request_id", &id);
    let trace_id = span.trace_id().or_else(|| trace_id(request.headers()));
    let answering = Answering::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(answering.clone());
    let mut response = span.within(next.run(request)).await;
    let (took, status) = (began.elapsed(), response.status().as_u16());
    app.metrics.request(&route, known, status, took);
    let code = response.extensions().get::<Code>().map(|code| code.0);
    span.answered(status, code);
    if let Some(code) = code {
        app.metrics.error(code);
    }
    let duration_s = took.as_secs_f64();
    tracing::info!(request_id = id, trace_id, method = known, route, status, code, duration_s, "request");
    // Of several arms, what no model has answered is of none, and of several models too.
    let bundle = answering.chosen().map(|chosen| chosen.bundle.clone()).or_else(|| app.models.only());
    let only = || match bundle.as_ref()?.models().as_slice() {
        [(model, _)] => Some(name_of(model)),
        _ => None,
    };
    let model = answering.chosen().map(Chosen::name).or_else(only);
    let arm = bundle.as_ref().map(|bundle| bundle.arm.to_string());
    for (name, value) in [(REQUEST_ID, Some(id)), (MODEL, model), (ARM, arm)] {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The identifier that the client gave the request, where it can stand in a log.
fn own_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    ((1..=LONGEST_ID).contains(&id.len()) && id.chars().all(plain)).then(|| id.to_owned())
}

/// A new identifier: 128 random bits.
pub fn new_id() -> String {
    let mut bytes = [0; 16];
    // Without the system's random numbers, requests cannot be told apart; they are answered.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The trace that the request belongs to: the second field of `traceparent`, see W3C Trace Context.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("traceparent")?.to_str().ok()?.split('-').nth(1)?;
    let valid = id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase());
    (valid && id.chars().any(|c| c != '0')).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn identifiers_of_clients_are_kept_where_they_are_plain() {
        let kept = |value: &str| own_id(&headers(REQUEST_ID, value));
        assert_eq!(kept("call-4711").as_deref(), Some("call-4711"));
        assert!(kept(&"a".repeat(64)).is_some() && kept(&"a".repeat(65)).is_none());
        assert!(kept("").is_none() && kept("a b").is_none() && own_id(&HeaderMap::new()).is_none());
        assert!(new_id().len() == 32 && new_id() != new_id());
    }

    #[test]
    fn traces_are_those_of_w3c() {
        let traced = |value: &str| trace_id(&headers("traceparent", value));
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(traced(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        for wrong in ["", "00", "00-4BF92F3577B34DA6A3CE929D0E0E4736-0-01", "00-12-1-01"] {
            assert_eq!(traced(wrong), None, "{wrong}");
        }
        assert_eq!(traced(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
    }
}
