//! Whether the server lives, and whether it should get work.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::App;
use super::json::Json;

/// Longest time in which a worker of streams answers, if the server lives.
const ANSWER: Duration = Duration::from_secs(5);

/// GET /health
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    let (status, text) = match app.live.answers(ANSWER) {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "stuck"),
    };
    (status, Json(json!({"status": text, "version": env!("CARGO_PKG_VERSION")}))).into_response()
}

/// GET /ready
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let reasons: Vec<&str> = app.admission.not_ready().iter().map(|reason| reason.name()).collect();
    let (status, text) = match reasons.is_empty() {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    (status, Json(json!({"status": text, "reasons": reasons}))).into_response()
}
