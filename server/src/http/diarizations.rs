//! POST /v1/audio/diarizations: a recording in, who spoke when out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use tokio::sync::{oneshot, watch};
use voiceflow::Cancel;
use voiceflow::error::Stage;
use voiceflow::transcript::Word;

use super::answering::{Answering, choose};
use super::bearer::token;
use super::error::ApiError;
use super::fields::{Fields, Format};
use super::render::{Extent, render};
use super::upload::{Recording, Uploaded, receive};
use super::{App, RequestId, origin, progress};
use crate::admission::Reserved;
use crate::auth::Scope;
use crate::listen::Peer;
use crate::metrics::Kind;
use crate::models::Chosen;
use crate::traces::Span;
use crate::voices::{Answered, Known};
use crate::work::Failure;
use crate::work::batch::{Job, Progress, Ticket};

/// Time after the deadline in which the library itself answers that it has passed.
const GRACE: Duration = Duration::from_secs(1);

/// A recording that is under way. Dropping it gives it up: nobody waits any more.
pub(super) struct Pending {
    pub(super) progress: watch::Receiver<Progress>,
    reply: oneshot::Receiver<Result<Answered, Failure>>,
    deadline: Instant,
    /// Its place in the queue.
    _ticket: Ticket,
    /// Its place in the spool.
    _place: Arc<Reserved>,
}

impl Pending {
    /// The result.
    pub(super) async fn result(&mut self) -> Result<Answered, ApiError> {
        let end = tokio::time::Instant::from_std(self.deadline + GRACE);
        match tokio::time::timeout_at(end, &mut self.reply).await {
            Ok(Ok(result)) => Ok(result?),
            Ok(Err(_)) => Err(ApiError::internal(&"a worker ended without an answer")),
            // Still in the queue.
            Err(_) => Err(ApiError::deadline("the deadline passed while waiting for a worker")),
        }
    }
}

/// What the answer is made of beside the result.
pub(super) struct Answer {
    name: String,
    format: Format,
    extent: Extent,
    words: Option<Vec<Word>>,
    /// The place of the words in the spool.
    _texts: Reserved,
}

impl Answer {
    /// The answer's type and text.
    pub(super) fn render(&self, answered: &Answered) -> Result<(&'static str, String), ApiError> {
        Ok(render(answered, &self.name, self.format, &self.extent, self.words.as_deref())
            .map_err(Failure::from)?)
    }
}

/// Answers a recording.
pub(super) async fn diarize(
    State(app): State<Arc<App>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(answering): Extension<Answering>,
    request: Request,
) -> Result<Response, ApiError> {
    origin::check(request.headers(), &app.config.live.origins)?;
    let certificate = request.extensions().get::<Peer>().and_then(Peer::certificate);
    let tenant = app.auth.tenant(token(request.headers()), certificate, Scope::Diarize);
    let tenant = tenant.map_err(ApiError::refused)?;
    app.admission.recording(&tenant)?;
    let began = Instant::now();
    let Uploaded { recording, mut fields, texts } = receive(&app, &tenant, request).await?;
    let uploaded_in = began.elapsed();
    let (chosen, known) = choose(&app, &tenant, &id, Kind::Batch, fields.asked()).await?;
    answering.is_by(&chosen);
    let Fields { format, embeddings, .. } = fields;
    let model = (format == Format::VerboseJson).then(|| chosen.name());
    let (name, words, extent) = (recording.name.clone(), fields.words.take(), Extent { model, embeddings });
    let answer = Answer { name, format, extent, words, _texts: texts };
    let mut pending = submit(&app, recording, &fields, chosen, known)?;
    if answer.format == Format::Ndjson {
        let body = Body::from_stream(progress::lines(pending, answer));
        return Ok(([(CONTENT_TYPE, "application/x-ndjson")], body).into_response());
    }
    let (kind, text) = answer.render(&pending.result().await?)?;
    let mut response = ([(CONTENT_TYPE, kind)], text).into_response();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let (upload, work) = (milliseconds(uploaded_in), milliseconds(began.elapsed() - uploaded_in));
    if let Ok(timing) = HeaderValue::try_from(format!("upload;dur={upload:.1}, work;dur={work:.1}")) {
        response.headers_mut().insert("server-timing", timing);
    }
    Ok(response)
}

/// Queues the recording.
pub(super) fn submit(
    app: &App,
    recording: Recording,
    fields: &Fields,
    chosen: Chosen,
    known: Option<Known>,
) -> Result<Pending, ApiError> {
    let longest = Duration::from_secs_f64(app.config.batch.deadline_s);
    let wanted = fields.deadline.map_or(longest, |deadline| deadline.min(longest));
    let deadline = Instant::now() + wanted;
    let (progress, told) = watch::channel(Progress { stage: Stage::Waiting, fraction: 0.0 });
    let (reply, result) = oneshot::channel();
    let place = Arc::new(recording.reserved);
    let ticket = app.admission.submit(Job {
        file: recording.file,
        name: recording.name,
        options: fields.options.clone(),
        audio_s: app.config.limits.audio_s,
        deadline,
        is_hurried: wanted < longest,
        cancel: Cancel::new(),
        chosen,
        place: place.clone(),
        known,
        span: Span::begin("queue"),
        progress,
        reply,
    })?;
    Ok(Pending { progress: told, reply: result, deadline, _ticket: ticket, _place: place })
}
