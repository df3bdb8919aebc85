//! What only operators see.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use serde::{Deserialize, Serialize};

use super::App;
use super::error::ApiError;
use super::json::{Json, small_json};
use super::origin;
use crate::metrics::Kind;
use crate::models::{Bundle, name_of};
use crate::rollout::{Change, Wanted};

/// The text format that the metrics are in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// GET /metrics
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    let text = app.metrics.text().map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// GET /config
pub(super) async fn config(State(app): State<Arc<App>>) -> Result<String, ApiError> {
    app.config.to_toml().map_err(|error| ApiError::internal(&error))
}

/// What is to be loaded anew.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reload {
    arm: Option<String>,
    model: Option<String>,
    orphan_galleries: bool,
}

/// What is to go back.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RollBack {
    arm: Option<String>,
    orphan_galleries: bool,
}

/// Weights of arms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    weights: BTreeMap<String, f64>,
}

/// What became of the arms.
#[derive(Serialize)]
struct Changed {
    arms: Vec<ChangedArm>,
}

#[derive(Serialize)]
struct ChangedArm {
    arm: String,
    /// For recordings.
    model: String,
    /// For streams.
    live_model: String,
    sha256: String,
    changed: bool,
    seconds: f64,
}

/// The arms and the shadow.
#[derive(Serialize)]
struct Arms {
    arms: Vec<ArmItem>,
    shadow: Option<Running>,
    /// Bundles in memory.
    loaded: usize,
}

#[derive(Serialize)]
struct ArmItem {
    name: String,
    weight: f64,
    share: f64,
    #[serde(flatten)]
    running: Running,
    /// SHA-256 of the model that it would go back to.
    before: Option<String>,
}

#[derive(Serialize)]
struct Running {
    /// For recordings.
    model: String,
    sha256: String,
    /// For streams.
    live_model: String,
    /// As it is named in the configuration.
    bundle: Option<String>,
}

impl Running {
    fn of(bundle: &Bundle) -> Self {
        let (batch, live) = (bundle.info(Kind::Batch), bundle.info(Kind::Live));
        let (sha256, named) = (batch.sha256.clone(), bundle.source.name.clone());
        Self { model: name_of(batch), sha256, live_model: name_of(live), bundle: named }
    }
}

fn changed(changes: Vec<Change>) -> Json<Changed> {
    let item = |Change { arm, model, live_model, sha256, changed, took_s }| ChangedArm {
        arm,
        model,
        live_model,
        sha256,
        changed,
        seconds: (took_s * 1e3_f64).round() / 1e3,
    };
    Json(Changed { arms: changes.into_iter().map(item).collect() })
}

/// POST /reload
pub(super) async fn reload(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let Reload { arm, model, orphan_galleries } = asked(request).await?;
    Ok(changed(app.rollout.reload(Wanted { arm, model, orphan_galleries }).await?).into_response())
}

/// POST /rollback
pub(super) async fn roll_back(State(app): State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let RollBack { arm, orphan_galleries } = asked(request).await?;
    Ok(changed(app.rollout.roll_back(arm, orphan_galleries).await?).into_response())
}

/// POST /arms
pub(super) async fn weigh(app: State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    origin::check(request.headers(), &[])?;
    let Weights { weights } = small_json(request.into_body()).await?;
    app.rollout.weigh(weights).await?;
    Ok(arms(app).await)
}

/// GET /arms
pub(super) async fn arms(State(app): State<Arc<App>>) -> Response {
    let fleet = app.models.fleet();
    let item = |(fleet, arm): (&crate::models::Fleet, &crate::models::Arm)| ArmItem {
        name: arm.name.to_string(),
        weight: arm.weight,
        share: fleet.share(arm),
        running: Running::of(&arm.bundle),
        before: arm.before.as_ref().map(|before| before.sha256.clone()),
    };
    let arms = fleet.iter().flat_map(|fleet| fleet.arms.iter().map(|arm| item((fleet, arm)))).collect();
    let shadow = app.models.shadow().map(|bundle| Running::of(&bundle));
    Json(Arms { arms, shadow, loaded: app.models.count() }).into_response()
}

/// What a body asks for, which may be left out.
async fn asked<T: Default + for<'a> Deserialize<'a>>(request: Request) -> Result<T, ApiError> {
    // Whoever reads a page in a browser is no operator.
    origin::check(request.headers(), &[])?;
    let body = request.into_body();
    if body.size_hint().exact() == Some(0) {
        return Ok(T::default());
    }
    small_json(body).await
}
