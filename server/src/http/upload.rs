//! Uploads: spooled to a file without a name, and counted as they come.

use std::fs::File;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use multer::{Field, Multipart};
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, Instant, timeout_at};

use super::App;
use super::error::{ApiError, is_full};
use super::fields::Fields;
use crate::admission::Reserved;
use crate::auth::Tenant;
use crate::traces::Span;

/// Largest field of a form beside the file, in bytes.
const MAX_FIELD_BYTES: usize = 65_536;
/// Largest field with words, in bytes: those of a day.
const MAX_WORDS_BYTES: usize = 8 << 20;
/// Most bytes between two parts of a form: the boundary and the header of a part, and some.
const MAX_BETWEEN_BYTES: usize = 1 << 20;
/// In place of a number of bytes that is not counted.
const UNLIMITED: usize = usize::MAX;
/// Most fields of a form.
const MAX_FIELDS: usize = 64;
/// What a recording without a name is called.
const UNNAMED: &str = "recording";

/// A recording that has come in whole.
pub(super) struct Uploaded {
    pub(super) file: File,
    /// As the client calls it, without its folder and its ending.
    pub(super) name: String,
    pub(super) fields: Fields,
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
    let kind = content_type(request.headers());
    check_length(request.headers(), app.config.limits.upload_bytes, &kind)?;
    let _span = Span::begin("upload");
    let pace = Pace::new(app);
    let body: BodyStream = Box::pin(request.into_body().into_data_stream());
    let uploaded = match multer::parse_boundary(&kind) {
        Ok(boundary) => {
            let allowance = Allowance::default();
            let form = Form { parts: Multipart::new(allowance.over(body), boundary), allowance, pace };
            form.receive(app, tenant, fields).await?
        }
        Err(_) if is_recording(&kind) => {
            let (file, reserved) = bare(app, tenant, body, pace).await?;
            Uploaded { file, name: UNNAMED.to_owned(), fields, reserved }
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
        if !self.reserved.grow(piece.len() as u64) {
            return Err(app.admission.spool_full().into());
        }
        self.file.write_all(piece).await.map_err(|error| refused(app, &error))
    }

    async fn finish(mut self, app: &App) -> Result<(File, Reserved), ApiError> {
        self.file.flush().await.map_err(|error| refused(app, &error))?;
        Ok((self.file.into_std().await, self.reserved))
    }
}

/// What the client is told when the system takes no more of an upload.
fn refused(app: &App, error: &std::io::Error) -> ApiError {
    if is_full(error) {
        tracing::warn!(%error, "spool");
        return app.admission.spool_full().into();
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
) -> Result<(File, Reserved), ApiError> {
    let mut spooled = Spooled::new(app, tenant).await?;
    while let Some(piece) = pace.within(body.next()).await? {
        let piece = piece.map_err(|error| ApiError::malformed(format!("body: {error}")))?;
        pace.received += piece.len() as u64;
        spooled.write(app, &piece).await?;
    }
    spooled.finish(app).await
}

/// How many bytes may come where only those between two parts of a form are due. The parser keeps
/// them all until the next part begins, which it may never do.
#[derive(Clone, Default)]
struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// The body, which fails once more has come than is allowed.
    fn over(&self, body: BodyStream) -> BodyStream {
        let left = self.0.clone();
        Box::pin(body.map(move |piece| {
            let piece = piece?;
            let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
                UNLIMITED => Some(UNLIMITED),
                left => left.checked_sub(piece.len()),
            });
            let reason = "expected the next part, got no end of what is before it";
            before.map(|_| piece).map_err(|_| axum::Error::new(reason))
        }))
    }

    fn set(&self, bytes: usize) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A form in which `file` is the recording.
struct Form {
    parts: Multipart<'static>,
    allowance: Allowance,
    pace: Pace,
}

fn malformed(error: multer::Error) -> ApiError {
    ApiError::malformed(format!("form: {error}"))
}

impl Form {
    async fn receive(mut self, app: &App, tenant: &Tenant, mut fields: Fields) -> Result<Uploaded, ApiError> {
        let (mut recording, mut count) = (None, 0);
        while let Some(mut field) = self.next().await? {
            count += 1;
            if count > MAX_FIELDS {
                let text = format!("form: expected at most {MAX_FIELDS} fields, got more");
                return Err(ApiError::too_large(text));
            }
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" {
                if recording.is_some() {
                    return Err(ApiError::invalid("file", "expected once, got more"));
                }
                let called = field.file_name().map_or(UNNAMED.to_owned(), stem);
                let mut spooled = Spooled::new(app, tenant).await?;
                while let Some(piece) = self.pace.within(field.chunk()).await?.map_err(malformed)? {
                    self.pace.received += piece.len() as u64;
                    spooled.write(app, &piece).await?;
                }
                recording = Some((spooled.finish(app).await?, called));
                continue;
            }
            let value = self.value(&name, &mut field).await?;
            fields.set(&name, &value)?;
        }
        let ((file, reserved), name) =
            recording.ok_or_else(|| ApiError::invalid("file", "expected a recording, got none"))?;
        Ok(Uploaded { file, name, fields, reserved })
    }

    /// The next part.
    async fn next(&mut self) -> Result<Option<Field<'static>>, ApiError> {
        self.allowance.set(MAX_BETWEEN_BYTES);
        let next = self.pace.within(self.parts.next_field()).await?.map_err(malformed)?;
        self.allowance.set(UNLIMITED);
        Ok(next)
    }

    /// The value of a field that is text.
    async fn value(&mut self, name: &str, field: &mut Field<'static>) -> Result<String, ApiError> {
        let most = if name == "words" { MAX_WORDS_BYTES } else { MAX_FIELD_BYTES };
        let mut value = Vec::new();
        while let Some(piece) = self.pace.within(field.chunk()).await?.map_err(malformed)? {
            self.pace.received += piece.len() as u64;
            value.extend_from_slice(&piece);
            if value.len() > most {
                return Err(ApiError::invalid(name, format!("expected at most {most} bytes, got more")));
            }
        }
        String::from_utf8(value).map_err(|_| ApiError::invalid(name, "expected UTF-8"))
    }
}

/// The name of a file without its folder and its ending.
fn stem(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let plain: String = stem.chars().filter(|c| !c.is_control()).take(256).collect();
    if plain.is_empty() { UNNAMED.to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_called_as_the_command_line_calls_them() {
        let names = [
            ("meeting.flac", "meeting"),
            ("a.b.wav", "a.b"),
            ("/etc/passwd", "passwd"),
            ("C:\\sounds\\x.mp3", "x"),
            (".hidden", ".hidden"),
            ("", "recording"),
            ("a\nb.wav", "ab"),
        ];
        for (name, expected) in names {
            assert_eq!(stem(name), expected);
        }
    }

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
