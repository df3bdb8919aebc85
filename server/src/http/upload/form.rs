//! Forms: their parts, of which `file` is the recording, and what of them is in memory.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use multer::{Field, Multipart};
use parking_lot::Mutex;

use super::{ApiError, App, BodyStream, Fields, Pace, Reason, Reserved, Spooled, Tenant, UNNAMED, Uploaded};

/// Largest field of a form beside the file, in bytes.
const MAX_FIELD_BYTES: usize = 65_536;
/// Largest field with words, in bytes: those of a day.
const MAX_WORDS_BYTES: usize = 8 << 20;
/// Most bytes between two parts of a form: the boundary and the header of a part, and some.
const MAX_BETWEEN_BYTES: usize = 1 << 20;
/// Most fields of a form.
const MAX_FIELDS: usize = 64;

/// A form in which `file` is the recording.
pub(super) struct Form<'a> {
    app: &'a App,
    tenant: &'a Tenant,
    parts: Multipart<'static>,
    between: Between,
    pace: Pace,
}

/// What comes where only the bytes between two parts of a form are due. The parser keeps them all
/// until the next part begins, which it may never do: they are counted, and they are bounded.
#[derive(Clone)]
struct Between(Arc<Mutex<Kept>>);

/// What the parser keeps.
struct Kept {
    /// How many bytes more may come; any number of those of a part.
    left: Option<usize>,
    reserved: Reserved,
    /// Why the spool had no room for them.
    refused: Option<Reason>,
}

impl Between {
    fn new(reserved: Reserved) -> Self {
        Self(Arc::new(Mutex::new(Kept { left: None, reserved, refused: None })))
    }

    /// The body, which fails once more has come than may.
    fn over(&self, body: BodyStream) -> BodyStream {
        let kept = self.0.clone();
        Box::pin(body.map(move |piece| {
            let piece = piece?;
            let taken = kept.lock().take(piece.len());
            taken.map(|()| piece).map_err(axum::Error::new)
        }))
    }

    /// A part is over, and the next one is due.
    fn begin(&self) {
        let mut kept = self.0.lock();
        kept.left = Some(MAX_BETWEEN_BYTES);
        kept.reserved.shrink(0);
    }

    /// A part has begun, whose header of so many bytes is kept.
    fn end(&self, header: usize) -> Result<(), Reason> {
        let mut kept = self.0.lock();
        kept.left = None;
        kept.reserved.resize(header as u64)
    }

    fn refused(&self) -> Option<Reason> {
        self.0.lock().refused
    }
}

impl Kept {
    fn take(&mut self, bytes: usize) -> Result<(), &'static str> {
        let Some(left) = &mut self.left else { return Ok(()) };
        let reason = "expected the next part, got no end of what is before it";
        *left = left.checked_sub(bytes).ok_or(reason)?;
        self.refused = self.reserved.grow(bytes as u64).err();
        if self.refused.is_some() { Err("the spool is full") } else { Ok(()) }
    }
}

impl<'a> Form<'a> {
    /// That of a body with this boundary.
    pub(super) fn new(
        app: &'a App,
        tenant: &'a Tenant,
        body: BodyStream,
        boundary: String,
        pace: Pace,
    ) -> Self {
        let between = Between::new(app.admission.upload(tenant));
        let parts = Multipart::new(between.over(body), boundary);
        Self { app, tenant, parts, between, pace }
    }

    /// The recording, and the fields over those of the query, which `texts` counts.
    pub(super) async fn receive(
        mut self,
        mut fields: Fields,
        mut texts: Reserved,
    ) -> Result<Uploaded, ApiError> {
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
                let mut spooled = Spooled::new(self.app, self.tenant).await?;
                self.room(spooled.reserved.grow(called.capacity() as u64))?;
                while let Some(piece) = self.chunk(&mut field).await? {
                    spooled.write(self.app, &piece).await?;
                }
                recording = Some(spooled.finish(self.app, called).await?);
                continue;
            }
            let value = self.value(&name, &mut field, &mut texts).await?;
            fields.set(&name, &value)?;
            drop(value);
            // What is kept of it, in place of what came.
            self.room(texts.resize(fields.text_bytes()))?;
        }
        let recording =
            recording.ok_or_else(|| ApiError::invalid("file", "expected a recording, got none"))?;
        Ok(Uploaded { recording, fields, texts })
    }

    /// The next part.
    async fn next(&mut self) -> Result<Option<Field<'static>>, ApiError> {
        self.between.begin();
        let next = self.pace.within(self.parts.next_field()).await?;
        let next = next.map_err(|error| self.failed(error))?;
        let header = next.as_ref().map_or(0, header_bytes);
        self.room(self.between.end(header))?;
        Ok(next)
    }

    /// The next piece of a part.
    async fn chunk(&mut self, field: &mut Field<'static>) -> Result<Option<Bytes>, ApiError> {
        let piece = self.pace.within(field.chunk()).await?.map_err(|error| self.failed(error))?;
        self.pace.received += piece.as_ref().map_or(0, Bytes::len) as u64;
        Ok(piece)
    }

    /// The value of a field that is text, counted as it comes.
    async fn value(
        &mut self,
        name: &str,
        field: &mut Field<'static>,
        texts: &mut Reserved,
    ) -> Result<String, ApiError> {
        let most = if name == "words" { MAX_WORDS_BYTES } else { MAX_FIELD_BYTES };
        let mut value = Vec::new();
        while let Some(piece) = self.chunk(field).await? {
            if value.len() + piece.len() > most {
                return Err(ApiError::invalid(name, format!("expected at most {most} bytes, got more")));
            }
            let before = value.capacity();
            value.extend_from_slice(&piece);
            self.room(texts.grow((value.capacity() - before) as u64))?;
        }
        String::from_utf8(value).map_err(|_| ApiError::invalid(name, "expected UTF-8"))
    }

    /// Refuses the upload where the spool has no room.
    fn room(&self, taken: Result<(), Reason>) -> Result<(), ApiError> {
        taken.map_err(|reason| self.app.admission.refuse(reason).into())
    }

    fn failed(&self, error: multer::Error) -> ApiError {
        match self.between.refused() {
            Some(reason) => self.app.admission.refuse(reason).into(),
            None => ApiError::malformed(format!("form: {error}")),
        }
    }
}

/// Bytes of a part's header: its lines, and the names that are taken from them.
fn header_bytes(field: &Field<'static>) -> usize {
    let lines = field.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let names = [field.name(), field.file_name()].into_iter().flatten().map(str::len);
    lines.chain(names).sum()
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
}
