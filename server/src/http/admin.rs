//! What only operators see.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::App;
use super::error::ApiError;

/// The text format that the metrics are in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// GET /metrics
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let text = app.metrics.text().map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// GET /config
pub(super) async fn config(State(app): State<Arc<App>>) -> Result<String, ApiError> {
    app.config.to_toml().map_err(|error| ApiError::internal(&error))
}
