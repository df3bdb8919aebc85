//! The models, in OpenAI's shape.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;

use super::App;
use super::error::ApiError;
use super::json::Json;
use crate::models::Bundle;

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
}

/// A list of models.
#[derive(Serialize)]
pub(super) struct List {
    object: &'static str,
    data: Vec<Model>,
}

impl Model {
    fn of(bundle: &Bundle) -> Self {
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
        }
    }
}

/// GET /v1/models
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<List> {
    Json(List { object: "list", data: app.models.current().iter().map(|bundle| Model::of(bundle)).collect() })
}

/// GET /v1/models/{name}
pub(super) async fn one(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Model>, ApiError> {
    let Path(name) = name.map_err(|error| ApiError::malformed(format!("path: {}", error.body_text())))?;
    let bundle = app.models.current().filter(|bundle| bundle.answers_to(&name));
    bundle.map(|bundle| Json(Model::of(&bundle))).ok_or_else(|| ApiError::no_model(&name))
}
