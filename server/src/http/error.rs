//! Errors as clients of OpenAI's interface expect them:
//! `{"error":{"message","type","param", "code"}}`. A message never holds a path of the server.

use std::fmt::Display;
use std::io::ErrorKind;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use voiceflow::Error;

use super::json::Json;
use crate::admission::Rejection;
use crate::auth;
use crate::rollout::Refused;
use crate::voices::Refusal;
use crate::work::Failure;

/// An error that is answered.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    /// The field that is wrong.
    param: Option<String>,
    message: String,
    retry_after_s: Option<u64>,
}

/// The code of the answer, for metrics and logs.
#[derive(Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// The body.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Debug, Serialize)]
struct Inner<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: &'static str,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, param: None, message: message.into(), retry_after_s: None }
    }

    /// A field that cannot be what it is.
    pub fn invalid(param: impl Into<String>, reason: impl Display) -> Self {
        let param = param.into();
        let message = format!("{param}: {reason}");
        Self { param: Some(param), ..Self::new(StatusCode::BAD_REQUEST, "VF_E_INVALID_ARGUMENT", message) }
    }

    /// A request whose form is wrong.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", message)
    }

    /// A body of a type that is not taken.
    pub(super) fn media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// More than a limit of the server.
    pub fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "VF_E_LIMIT", message)
    }

    /// An upload that came too slowly.
    pub(super) fn too_slow(message: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "upload_too_slow", message)
    }

    /// The deadline passed.
    pub(super) fn deadline(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "VF_E_DEADLINE", message)
    }

    /// A model that is not there.
    pub fn no_model(name: &str) -> Self {
        let message = format!("model: expected one of those in /v1/models, got {name:?}");
        let param = Some("model".to_owned());
        Self { param, ..Self::new(StatusCode::NOT_FOUND, "model_not_found", message) }
    }

    /// A model that recordings have, asked for by a stream.
    pub fn no_model_of_streams(name: &str) -> Self {
        let message = format!(
            "model: expected one of those in /v1/models that are default_for streams, got {name:?}, which answers \
             recordings"
        );
        Self { message, ..Self::no_model(name) }
    }

    /// A gallery that is not there.
    pub(super) fn no_gallery(name: &str) -> Self {
        let message = format!("gallery: expected one of those in /v1/voices, got {name:?}");
        let param = Some("gallery".to_owned());
        Self { param, ..Self::new(StatusCode::NOT_FOUND, "gallery_not_found", message) }
    }

    fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path; see /openapi.json")
    }

    pub(super) fn no_method() -> Self {
        let message = "this path is not used with this method; see the header Allow";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// A fault of the server, which is logged and not shown.
    pub fn internal(error: &dyn Display) -> Self {
        tracing::error!(%error, "internal error");
        let message = "the server failed; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// The body as JSON.
    pub fn body(&self) -> Body<'_> {
        let r#type = match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            status if status >= 500 => "server_error",
            _ => "invalid_request_error",
        };
        Body {
            error: Inner { message: &self.message, r#type, param: self.param.as_deref(), code: self.code },
        }
    }

    /// A request without a token that allows it.
    pub fn refused(refused: auth::Refused) -> Self {
        use auth::Refused;
        match refused {
            Refused::Token => {
                let message = "Authorization: expected Bearer and a token of this server";
                Self::new(StatusCode::UNAUTHORIZED, "invalid_token", message)
            }
            Refused::Certificate => {
                let message = "TLS: expected a client's certificate with a DNS name or a URI";
                Self::new(StatusCode::UNAUTHORIZED, "invalid_certificate", message)
            }
            Refused::Scope => Self::forbidden("Authorization: expected a token that allows this"),
        }
    }

    /// A request that nobody is allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// Whether the client did something wrong.
    pub fn is_of_client(&self) -> bool {
        self.status.is_client_error()
    }

    /// The code, for metrics.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(Code(self.code));
        response
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let status =
            StatusCode::from_u16(rejection.reason.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let retry_after_s = Some(rejection.retry_after_s());
        Self { retry_after_s, ..Self::new(status, rejection.reason.name(), rejection.text()) }
    }
}

/// Why models stay as they are: an operator sees the reason, with its paths.
impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Asked(param, reason) => Self::invalid(param, reason),
            Refused::Failed(failed) => {
                let param = Some(failed.stage.name().to_owned());
                Self { param, ..Self::conflict("reload_failed", failed.to_string()) }
            }
        }
    }
}

/// What was asked of a gallery, and why it was not done.
impl From<(Refusal, &str)> for ApiError {
    fn from((refusal, gallery): (Refusal, &str)) -> Self {
        match refusal {
            Refusal::Off => {
                let message = "this server keeps no voices; voices.folder of its configuration turns them on";
                Self::new(StatusCode::NOT_FOUND, "voices_off", message)
            }
            Refusal::GalleryName => Self::invalid(
                "gallery",
                format!("expected 1 to 64 letters, digits, -, _ or . (not as the first), got {gallery:?}"),
            ),
            Refusal::NoGallery => Self::no_gallery(gallery),
            Refusal::NoVoice => Self::new(
                StatusCode::NOT_FOUND,
                "voice_not_found",
                format!("name: expected a voice of the gallery {gallery:?}"),
            ),
            Refusal::GalleriesFull(most) => Self::conflict(
                "VF_E_LIMIT",
                format!("gallery: expected at most {most} of a tenant, which there are"),
            ),
            Refusal::VoicesFull(most) => {
                let text = format!("name: expected at most {most} voices in the gallery, which it has");
                Self::conflict("VF_E_LIMIT", text)
            }
            Refusal::Taken => Self::conflict("voice_exists", "name: expected one that no other voice has"),
            Refusal::OtherModel(text) => Self::conflict("VF_E_GALLERY", text),
            Refusal::Library(Error::Io { source: Some(source), .. }) if is_full(&source) => {
                let message = "the server has no room for voices at the moment";
                Self {
                    retry_after_s: Some(60),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "spool_full", message)
                }
            }
            Refusal::Library(error @ (Error::Gallery(_) | Error::Limit(_))) => Self::internal(&error),
            Refusal::Library(error) => Self::from(Failure::Library(error)),
        }
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let error = match failure {
            Failure::Library(error) => error,
            Failure::Panic => {
                let message = "the server failed at this recording; its log says where";
                return Self::new(StatusCode::INTERNAL_SERVER_ERROR, "VF_E_PANIC", message);
            }
        };
        let of_client = |status, code| Self::new(status, code, error.to_string());
        match &error {
            Error::InvalidArgument(argument) => Self::invalid(argument.name.clone(), &argument.reason),
            Error::Audio(_) => of_client(StatusCode::BAD_REQUEST, "VF_E_AUDIO"),
            Error::Limit(_) => of_client(StatusCode::PAYLOAD_TOO_LARGE, "VF_E_LIMIT"),
            Error::Deadline { .. } => Self::deadline(error.to_string()),
            Error::Cancelled { .. } => {
                let message = "the server ended before the work was done";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "VF_E_CANCELLED", message)
            }
            Error::Memory { .. } => {
                tracing::warn!(%error, "no memory");
                let message = "the server has no memory for this at the moment";
                Self {
                    retry_after_s: Some(10),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "VF_E_LIMIT", message)
                }
            }
            _ => Self::internal(&error),
        }
    }
}

/// Whether the disk has no room.
pub(super) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}
