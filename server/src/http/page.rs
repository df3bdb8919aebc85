//! The page and the description of the interface: their files are part of the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};

/// Nothing from elsewhere, and what it records can be played.
const POLICY: &str =
    "default-src 'self'; img-src data:; media-src blob:; frame-ancestors 'none'; base-uri 'none'";

/// A file of the page.
fn file(kind: &'static str, bytes: &'static [u8]) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

/// GET /openapi.json
pub(super) async fn openapi() -> Response {
    file("application/json", include_bytes!("../../openapi.json"))
}

/// GET /
pub(super) async fn index() -> Response {
    file("text/html; charset=utf-8", include_bytes!("../../page/index.html"))
}

/// GET /style.css
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_bytes!("../../page/style.css"))
}

/// GET /app.js
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_bytes!("../../page/app.js"))
}

/// GET /worklet.js
pub(super) async fn worklet() -> Response {
    file("text/javascript; charset=utf-8", include_bytes!("../../page/worklet.js"))
}
