//! Galleries of known voices: enrolled by recordings, listed, renamed, removed, and asked whose a
//! voice is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use voiceflow::gallery::{Enrolled, Gallery, Voice};

use super::answering::{Answering, choose, enrolling};
use super::bearer::token;
use super::diarizations::submit;
use super::error::ApiError;
use super::fields::Fields;
use super::json::{Json, small_json};
use super::render::{DiarizedWarning, to_four_decimals, to_millisecond, warnings_of};
use super::upload::{Recording, Uploaded, receive};
use super::{App, RequestId, origin};
use crate::auth::{Scope, Tenant};
use crate::listen::Peer;
use crate::metrics::Kind;
use crate::models::Chosen;
use crate::voices::{Enrolment, Refusal, Voices};
use crate::work::Failure;

/// What a path names; what is no text is refused as everything else is.
type Named<T> = Result<Path<T>, PathRejection>;

/// A gallery.
#[derive(Serialize)]
struct GalleryItem {
    id: String,
    object: &'static str,
}

/// A voice, without its embedding.
#[derive(Serialize)]
struct VoiceItem {
    name: String,
    object: &'static str,
    /// Seconds of speech that it is made of.
    speech: f64,
    recordings: u32,
    agreement: f64,
    /// Of the recording that was just enrolled, where there is any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<DiarizedWarning>,
}

/// A list, as OpenAI has them.
#[derive(Serialize)]
struct List<T> {
    object: &'static str,
    data: Vec<T>,
}

/// What was removed.
#[derive(Serialize)]
struct Deleted {
    id: String,
    deleted: bool,
}

/// Whose a voice is.
#[derive(Serialize)]
struct Identification {
    name: Option<String>,
    name_score: f32,
    speech: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<DiarizedWarning>,
}

/// What a voice is renamed to.
#[derive(Deserialize)]
struct Rename {
    name: String,
}

impl VoiceItem {
    fn of(voice: &Enrolled) -> Self {
        Self {
            name: voice.name.clone(),
            object: "voice",
            speech: to_millisecond(voice.speech_s),
            recordings: voice.recordings,
            agreement: to_millisecond(voice.agreement),
            warnings: Vec::new(),
        }
    }
}

fn list<T>(data: Vec<T>) -> Json<List<T>> {
    Json(List { object: "list", data })
}

/// GET /v1/voices
pub(super) async fn galleries(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let tenant = admitted(&app, &request)?;
    let names = on_disk(&app, "", move |voices, _| voices.galleries(&tenant)).await?;
    let item = |id| GalleryItem { id, object: "gallery" };
    Ok(list(names.into_iter().map(item).collect()).into_response())
}

/// GET /v1/voices/{gallery}
pub(super) async fn voices(
    State(app): State<Arc<App>>,
    gallery: Named<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let gallery = path(gallery)?;
    let tenant = admitted(&app, &request)?;
    let known = on_disk(&app, &gallery, move |voices, gallery| voices.read(&tenant, gallery)).await?;
    Ok(list(known.voices().iter().map(VoiceItem::of).collect()).into_response())
}

/// DELETE /v1/voices/{gallery}
pub(super) async fn remove_gallery(
    State(app): State<Arc<App>>,
    gallery: Named<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let gallery = path(gallery)?;
    let tenant = admitted(&app, &request)?;
    on_disk(&app, &gallery, move |voices, gallery| voices.remove_gallery(&tenant, gallery)).await?;
    Ok(Json(Deleted { id: gallery, deleted: true }).into_response())
}

/// GET /v1/voices/{gallery}/{name}
pub(super) async fn voice(
    State(app): State<Arc<App>>,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (gallery, name) = path(names)?;
    let tenant = admitted(&app, &request)?;
    let found = on_disk(&app, &gallery, move |voices, gallery| {
        voices.read(&tenant, gallery)?.voice(&name).map(VoiceItem::of).ok_or(Refusal::NoVoice)
    });
    Ok(Json(found.await?).into_response())
}

/// DELETE /v1/voices/{gallery}/{name}
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (gallery, name) = path(names)?;
    let (tenant, id) = (admitted(&app, &request)?, name.clone());
    on_disk(&app, &gallery, move |voices, gallery| voices.remove(&tenant, gallery, &name)).await?;
    Ok(Json(Deleted { id, deleted: true }).into_response())
}

/// PATCH /v1/voices/{gallery}/{name}
pub(super) async fn rename(
    State(app): State<Arc<App>>,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let (gallery, name) = path(names)?;
    let tenant = admitted(&app, &request)?;
    let Rename { name: new_name } = json(request).await?;
    let renamed =
        on_disk(&app, &gallery, move |voices, gallery| voices.rename(&tenant, (gallery, &name), &new_name));
    Ok(Json(VoiceItem::of(&renamed.await?)).into_response())
}

/// PUT /v1/voices/{gallery}/{name}: the voice is that of this recording.
pub(super) async fn replace(
    app: State<Arc<App>>,
    answering: Extension<Answering>,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    enrol(app, answering, names, request, Enrolment::Whole).await
}

/// POST /v1/voices/{gallery}/{name}: this is one more recording of the voice.
pub(super) async fn add(
    app: State<Arc<App>>,
    answering: Extension<Answering>,
    names: Named<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    enrol(app, answering, names, request, Enrolment::Another).await
}

async fn enrol(
    State(app): State<Arc<App>>,
    Extension(answering): Extension<Answering>,
    names: Named<(String, String)>,
    request: Request,
    enrolment: Enrolment,
) -> Result<Response, ApiError> {
    let (gallery, name) = path(names)?;
    let tenant = allowed(&app, &request)?;
    app.voices.check(&gallery).map_err(|refusal| (refusal, gallery.as_str()))?;
    Gallery::check_name(&name).map_err(Failure::from)?;
    app.admission.recording(&tenant)?;
    let Uploaded { recording, fields, texts: _texts } = receive(&app, &tenant, request).await?;
    fields.of_one_voice()?;
    let chosen = enrolling(&app, &tenant, &gallery, fields.model.as_deref()).await?;
    answering.is_by(&chosen);
    let (voice, warnings) = voice_of(&app, recording, &fields, chosen.clone()).await?;
    let (enrolled, is_new) = on_disk(&app, &gallery, move |voices, gallery| {
        voices.enrol(&tenant, (gallery, &name), &voice, enrolment, chosen.info())
    })
    .await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(VoiceItem { warnings, ..VoiceItem::of(&enrolled) })).into_response())
}

/// POST /v1/audio/identify
pub(super) async fn identify(
    State(app): State<Arc<App>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(answering): Extension<Answering>,
    request: Request,
) -> Result<Response, ApiError> {
    let tenant = allowed(&app, &request)?;
    app.admission.recording(&tenant)?;
    let Uploaded { recording, fields, texts: _texts } = receive(&app, &tenant, request).await?;
    fields.of_one_voice()?;
    let (chosen, known) = choose(&app, &tenant, &id, Kind::Batch, fields.asked()).await?;
    answering.is_by(&chosen);
    let (voice, warnings) = voice_of(&app, recording, &fields, chosen).await?;
    let known = known.ok_or_else(|| ApiError::invalid("gallery", "expected the name of one, got none"))?;
    let identity = known.gallery.identify(&voice.embedding, known.threshold).map_err(Failure::from)?;
    let name = known.gallery.name_of(&identity).map(str::to_owned);
    let name_score = to_four_decimals(identity.score);
    let speech = to_millisecond(voice.speech_s);
    Ok(Json(Identification { name, name_score, speech, warnings }).into_response())
}

/// The voice in a recording, and what is to be said of that.
async fn voice_of(
    app: &Arc<App>,
    recording: Recording,
    fields: &Fields,
    chosen: Chosen,
) -> Result<(Voice, Vec<DiarizedWarning>), ApiError> {
    let answered = submit(app, recording, fields, chosen, None)?.result().await?;
    let voice = Voice::of(&answered.diarization).map_err(Failure::from)?;
    Ok((voice, warnings_of(&answered.diarization)))
}

/// Runs what waits for the disk where it keeps no socket waiting.
pub(super) async fn on_disk<T: Send + 'static>(
    app: &Arc<App>,
    gallery: &str,
    work: impl FnOnce(&Voices, &str) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, ApiError> {
    let (voices, name) = (app.voices.clone(), gallery.to_owned());
    let done = tokio::task::spawn_blocking(move || work(&voices, &name)).await;
    let done = done.map_err(|error| ApiError::internal(&error))?;
    done.map_err(|refusal| ApiError::from((refusal, gallery)))
}

/// Who asks, where voices are theirs to ask for.
fn allowed(app: &App, request: &Request) -> Result<Tenant, ApiError> {
    origin::check(request.headers(), &app.config.live.origins)?;
    let certificate = request.extensions().get::<Peer>().and_then(Peer::certificate);
    app.auth.tenant(token(request.headers()), certificate, Scope::Voices).map_err(ApiError::refused)
}

/// The same, not too often.
fn admitted(app: &App, request: &Request) -> Result<Tenant, ApiError> {
    let tenant = allowed(app, request)?;
    app.admission.small(&tenant)?;
    Ok(tenant)
}

fn path<T>(named: Named<T>) -> Result<T, ApiError> {
    named
        .map(|Path(names)| names)
        .map_err(|error| ApiError::malformed(format!("path: {}", error.body_text())))
}

/// A small body of JSON.
async fn json<T: for<'a> Deserialize<'a>>(request: Request) -> Result<T, ApiError> {
    let kind = content_type(request.headers());
    if kind != "application/json" {
        return Err(ApiError::media_type(format!("Content-Type: expected application/json, got {kind:?}")));
    }
    small_json(request.into_body()).await
}

fn content_type(headers: &HeaderMap) -> String {
    let kind = headers.get(axum::http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
