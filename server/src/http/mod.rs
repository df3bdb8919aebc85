//! HTTP: the routes, and what the requests of all of them have in common.

mod admin;
mod answering;
mod bearer;
mod diarizations;
mod error;
mod fields;
mod health;
mod json;
mod models;
mod observe;
mod origin;
mod page;
mod progress;
mod render;
mod upload;
mod voices;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::watch;

use crate::admission::Admission;
use crate::auth::Auth;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::rollout::Rollout;
use crate::voices::Voices;
use crate::work::live::LiveLane;

pub use answering::{Answering, Asked, choose};
pub use bearer::websocket_token;
pub use error::{ApiError, Body as ErrorBody};
pub use observe::RequestId;
pub use origin::check as check_origin;
pub use render::{Diarized, Extent, json_text, to_four_decimals, to_millisecond};

/// What handlers share.
pub struct App {
    /// The configuration.
    pub config: Config,
    /// What is loaded.
    pub models: Arc<Models>,
    /// What changes it.
    pub rollout: Arc<Rollout>,
    /// Who may ask.
    pub auth: Auth,
    /// What is let in.
    pub admission: Arc<Admission>,
    /// Galleries of known voices.
    pub voices: Arc<Voices>,
    /// Streams.
    pub live: Arc<LiveLane>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Set when what is under way is to end.
    pub closing: watch::Receiver<bool>,
}

/// What the public address answers, `more` included.
pub fn public(app: Arc<App>, more: Router<Arc<App>>) -> Router {
    let diarizations = post(diarizations::diarize);
    Router::new()
        .route("/health", get(health::health))
        .route("/healthz", get(health::health))
        .route("/ready", get(health::ready))
        .route("/readyz", get(health::ready))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*name}", get(models::one))
        .route("/v1/audio/diarizations", diarizations.clone())
        .route("/v1/audio/diarization", diarizations.clone())
        .route("/v1/diarizations", diarizations)
        .route("/v1/audio/identify", post(voices::identify))
        .route("/v1/voices", get(voices::galleries))
        .route("/v1/voices/{gallery}", get(voices::voices).delete(voices::remove_gallery))
        .route(
            "/v1/voices/{gallery}/{name}",
            get(voices::voice)
                .put(voices::replace)
                .post(voices::add)
                .patch(voices::rename)
                .delete(voices::remove),
        )
        .merge(more)
        .route("/openapi.json", get(page::openapi))
        .route("/", get(page::index))
        .route("/style.css", get(page::style))
        .route("/app.js", get(page::script))
        .route("/worklet.js", get(page::worklet))
        .fallback(async || ApiError::no_route())
        .method_not_allowed_fallback(async || ApiError::no_method())
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .with_state(app)
}

/// What the address of administration answers.
pub fn admin(app: Arc<App>) -> Router {
    Router::new()
        .route("/metrics", get(admin::metrics))
        .route("/config", get(admin::config))
        .route("/reload", post(admin::reload))
        .route("/rollback", post(admin::roll_back))
        .route("/arms", get(admin::arms).post(admin::weigh))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .fallback(async || ApiError::no_route())
        .method_not_allowed_fallback(async || ApiError::no_method())
        .with_state(app)
}
