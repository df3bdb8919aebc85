//! Uploads: spooled to a file without a name, and counted as they come, their texts too, for as
//! long as they are kept.

mod form;

use std::fs::File;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, Instant, timeout_at};

use super::App;
use super::error::{ApiError, is_full};
use super::fields::Fields;
use crate::admission::{Reason, Reserved};
use crate::auth::Tenant;
use crate::traces::Span;
use form::Form;

/// What a recording without a name is called.
const UNNAMED: &str = "recording";

/// What has come in whole.
pub(super) struct Uploaded {
    pub(super) recording: Recording,
    pub(super) fields: Fields,
    /// Holds the place of the fields in the spool, to be kept as long as they are.
    pub(super) texts: Reserved,
}

/// A recording.
pub(super) struct Recording {
    pub(super) file: File,
    /// As the client calls it, without its folder and its ending.
    pub(super) name: String,
    /// Holds its place in the spool.
    pub(super) reserved: Reserved,
}

/// Receives the recording and the fields of a request: a form with `file`, or the bare recording
/// with the fields in the query.
///
/// # Errors
/// What is wrong with the request, or a limit that it exceeds.
pub(super) async fn receive(app: &Arc<App>, tenant: &Tenant, request: Request) -> Result<Uploaded, ApiError> {
    let mut fields = Fields::default();
    let query = request.uri().query().unwrap_or_default().as_bytes();
    for (name, value) in form_urlencoded::parse(query) {
        fields.set(&name, &value)?;
    }
    let mut texts = app.admission.upload(tenant);
    texts.resize(fields.text_bytes()).map_err(|reason| app.admission.refuse(reason))?;
    let kind = content_type(request.headers());
    check_length(request.headers(), app.config.limits.upload_bytes, &kind)?;
    let _span = Span::begin("upload");
    let pace = Pace::new(app);
    let body: BodyStream = Box::pin(request.into_body().into_data_stream());
    let uploaded = match multer::parse_boundary(&kind) {
        Ok(boundary) => Form::new(app, tenant, body, boundary, pace).receive(fields, texts).await?,
        Err(_) if is_recording(&kind) => {
            Uploaded { recording: bare(app, tenant, body, pace).await?, fields, texts }
        }
        Err(_) => {
            let expected = "expected multipart/form-data with a field file, or the recording as audio/* or \
                            application/octet-stream";
            return Err(ApiError::media_type(format!("Content-Type: {expected}, got {kind:?}")));
        }
    };
    uploaded.fields.check()?;
    Ok(uploaded)
}

fn content_type(headers: &HeaderMap) -> String {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned()
}

/// Whether a body of this type is a recording. Without a type, as `curl -T` sends it, it is.
fn is_recording(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.is_empty()
        || ["audio/", "video/"].iter().any(|prefix| kind.starts_with(prefix))
        || ["application/octet-stream", "application/ogg"].contains(&kind.as_str())
}

/// Refuses a bare body that is too large before any of it is read.
fn check_length(headers: &HeaderMap, most: u64, kind: &str) -> Result<(), ApiError> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > most && is_recording(kind) => Err(over(most)),
        _ => Ok(()),
    }
}

fn over(most: u64) -> ApiError {
    ApiError::too_large(format!("file: expected at most {most} bytes, got more"))
}

/// By when more of an upload must have come.
struct Pace {
    begin: Instant,
    bytes_per_s: f64,
    received: u64,
}

impl Pace {
    fn new(app: &App) -> Self {
        let limits = &app.config.limits;
        let begin = Instant::now() + Duration::from_secs_f64(limits.upload_grace_s);
        Self { begin, bytes_per_s: limits.upload_bytes_per_minute as f64 / 60.0, received: 0 }
    }

    /// The result of `next`, which is the next piece of the upload.
    async fn within<T>(&self, next: impl Future<Output = T>) -> Result<T, ApiError> {
        // At no rate at all there is no end.
        let allowance = self.received as f64 / self.bytes_per_s;
        let end = Duration::try_from_secs_f64(allowance)
            .ok()
            .and_then(|allowance| self.begin.checked_add(allowance));
        let Some(end) = end else { return Ok(next.await) };
        timeout_at(end, next).await.map_err(|_| {
            let least = self.bytes_per_s * 60.0;
            ApiError::too_slow(format!("file: expected at least {least} bytes a minute, got fewer"))
        })
    }
}

/// The file that an upload becomes.
struct Spooled {
    file: tokio::fs::File,
    bytes: u64,
    most: u64,
    reserved: Reserved,
}

impl Spooled {
    async fn new(app: &App, tenant: &Tenant) -> Result<Self, ApiError> {
        let folder = app.config.limits.spool_folder.clone().unwrap_or_else(std::env::temp_dir);
        let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let file = match made {
            Ok(Ok(file)) => tokio::fs::File::from_std(file),
            Ok(Err(error)) => return Err(refused(app, &error)),
            Err(error) => return Err(ApiError::internal(&error)),
        };
        Ok(Self {
            file,
            bytes: 0,
            most: app.config.limits.upload_bytes,
            reserved: app.admission.upload(tenant),
        })
    }

    async fn write(&mut self, app: &App, piece: &Bytes) -> Result<(), ApiError> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.most {
            return Err(over(self.most));
        }
        self.reserved.grow(piece.len() as u64).map_err(|reason| app.admission.refuse(reason))?;
        self.file.write_all(piece).await.map_err(|error| refused(app, &error))
    }

    async fn finish(mut self, app: &App, name: String) -> Result<Recording, ApiError> {
        self.file.flush().await.map_err(|error| refused(app, &error))?;
        Ok(Recording { file: self.file.into_std().await, name, reserved: self.reserved })
    }
}

/// What the client is told when the system takes no more of an upload.
fn refused(app: &App, error: &std::io::Error) -> ApiError {
    if is_full(error) {
        tracing::warn!(%error, "spool");
        return app.admission.refuse(Reason::SpoolFull).into();
    }
    ApiError::internal(&format!("spool: {error}"))
}

type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

/// A body that is the recording.
async fn bare(
    app: &App,
    tenant: &Tenant,
    mut body: BodyStream,
    mut pace: Pace,
) -> Result<Recording, ApiError> {
    let mut spooled = Spooled::new(app, tenant).await?;
    while let Some(piece) = pace.within(body.next()).await? {
        let piece = piece.map_err(|error| ApiError::malformed(format!("body: {error}")))?;
        pace.received += piece.len() as u64;
        spooled.write(app, &piece).await?;
    }
    spooled.finish(app, UNNAMED.to_owned()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_come_by_their_types() {
        for kind in ["", "audio/wav", "Audio/FLAC; x=y", "video/mp4", "application/octet-stream"] {
            assert!(is_recording(kind), "{kind}");
        }
        for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
            assert!(!is_recording(kind), "{kind}");
        }
    }
}
