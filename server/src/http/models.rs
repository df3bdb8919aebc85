//! The models, in OpenAI's shape.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::json::Json;
use crate::models::{Arm, Fleet};

/// A model.
#[derive(Serialize)]
pub(super) struct Model {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    name: String,
    version: String,
    sha256: String,
    provider: &'static str,
    /// The arm that has it.
    arm: String,
    /// The share of the requests and streams that it gets.
    share: f64,
}

/// A list of models.
#[derive(Serialize)]
pub(super) struct List {
    object: &'static str,
    data: Vec<Model>,
}

impl Model {
    fn of(arm: &Arm, fleet: &Fleet) -> Self {
        let bundle = &arm.bundle;
        let info = bundle.info();
        Self {
            id: bundle.name(),
            object: "model",
            created: bundle.loaded_at,
            owned_by: "voiceflow",
            name: info.name.clone(),
            version: info.version.clone(),
            sha256: info.sha256.clone(),
            provider: info.provider.name(),
            arm: arm.name.to_string(),
            share: fleet.share(arm),
        }
    }
}

/// GET /v1/models
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<List> {
    let fleet = app.models.fleet();
    let models = fleet.iter().flat_map(|fleet| fleet.arms.iter().map(|arm| Model::of(arm, fleet)));
    Json(List { object: "list", data: models.collect() })
}

/// GET /v1/models/{name}
pub(super) async fn one(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Model>, ApiError> {
    let Path(name) = name.map_err(|error| ApiError::malformed(format!("path: {}", error.body_text())))?;
    let fleet = app.models.fleet().ok_or_else(|| ApiError::no_model(&name))?;
    let arm = fleet.arms.iter().find(|arm| arm.bundle.answers_to(&name));
    arm.map(|arm| Json(Model::of(arm, &fleet))).ok_or_else(|| ApiError::no_model(&name))
}
