//! JSON as an answer, and as a small body.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// Largest body that is JSON, in bytes.
const MAX_BYTES: usize = 4096;

/// A value that is answered as JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
            // Structs of strings and numbers have no keys that JSON could refuse.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// What a body says.
///
/// # Errors
/// What is wrong with it.
pub(super) async fn small_json<T: for<'a> Deserialize<'a>>(body: Body) -> Result<T, ApiError> {
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => ApiError::too_large(format!("body: expected at most {MAX_BYTES} bytes, got more")),
        false => ApiError::malformed(format!("body: {error}")),
    })?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| ApiError::malformed(format!("body: {error}")))
}
