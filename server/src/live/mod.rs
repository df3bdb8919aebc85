//! Live streams over WebSocket: the messages of SGLang-Omni, and more types beside them, which a
//! client that does not know them can ignore.

mod decoder;
mod encoding;
mod outcome;
mod protocol;
mod session;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State, WebSocketUpgrade};
use axum::response::Response;
use axum::{Extension, RequestExt};

use crate::auth::Scope;
use crate::http::{Answering, ApiError, App, RequestId, check_origin, websocket_token};
use crate::listen::Peer;
use crate::metrics::Kind;
use crate::models::Chosen;
use crate::traces::Span;
use crate::work::batch::Place;
use session::Session;
use settings::Wanted;

/// The subprotocol of clients that name one.
const PROTOCOL: &str = "voiceflow";

/// GET /v1/audio/diarizations/stream
pub async fn stream(
    State(app): State<Arc<App>>,
    Extension(RequestId(id)): Extension<RequestId>,
    Extension(answering): Extension<Answering>,
    mut request: Request,
) -> Result<Response, ApiError> {
    check_origin(request.headers(), &app.config.live.origins)?;
    let mut wanted = Wanted::default();
    for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        wanted.set_text(&name, &value)?;
    }
    let upgrade = request.extract_parts::<WebSocketUpgrade>().await;
    let upgrade =
        upgrade.map_err(|error| ApiError::malformed(format!("WebSocket: {}", error.body_text())))?;
    let token = websocket_token(request.headers());
    let connection = request.extensions().get::<Peer>().cloned();
    let certificate = connection.as_ref().and_then(Peer::certificate);
    let tenant = app.auth.tenant(token, certificate, Scope::Stream).map_err(ApiError::refused)?;
    let permit: Place = Arc::new(app.admission.stream(&tenant)?);
    let settings = wanted.settings(&app, &tenant, &id).await?;
    answering.is_by(&Chosen { bundle: settings.bundle.clone(), usual_for: Kind::Live });
    let decoder = wanted.decoder(&settings)?;
    let bytes = app.config.live.message_bytes;
    // That with a token is not answered.
    let upgrade = upgrade.max_message_size(bytes).max_frame_size(bytes).protocols([PROTOCOL]);
    let upgrade = upgrade.read_buffer_size(READ_BYTES);
    let span = Span::begin("stream");
    Ok(upgrade.on_upgrade(move |socket| async move {
        let session =
            Session::new(app.clone(), id.clone(), tenant.clone(), wanted, settings, decoder, &permit);
        let outcome = session.run(socket).await;
        app.metrics.stream_ended(outcome.name());
        let (outcome, audio_s) = (outcome.name(), outcome.audio_s());
        span.text("voiceflow.outcome", outcome);
        span.number("voiceflow.audio_s", audio_s);
        tracing::info!(request_id = id, tenant = tenant.name(), outcome, audio_s, "stream");
        drop((permit, connection));
    }))
}

/// Bytes that are read from a socket at once: some messages of 100 ms. Each stream has so many.
const READ_BYTES: usize = 8192;

/// Time in which a message must be taken by the socket, and the longest backlog.
const PATIENCE: Duration = Duration::from_secs(10);
