//! The models, in OpenAI's shape.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use voiceflow::model::ModelInfo;

use super::App;
use super::error::ApiError;
use super::json::Json;
use crate::metrics::Kind;
use crate::models::{Arm, Fleet, answers_to, name_of};

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
    /// What has it where nobody asks for another.
    default_for: Vec<&'static str>,
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
    /// A model of an arm, with what has it where nobody asks for another.
    fn of(arm: &Arm, fleet: &Fleet, (info, kinds): (&ModelInfo, Vec<Kind>)) -> Self {
        Self {
            id: name_of(info),
            object: "model",
            created: arm.bundle.loaded_at,
            owned_by: "voiceflow",
            name: info.name.clone(),
            version: info.version.clone(),
            sha256: info.sha256.clone(),
            provider: info.provider.name(),
            default_for: kinds.into_iter().map(kind_name).collect(),
            arm: arm.name.to_string(),
            share: fleet.share(arm),
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Batch => "recordings",
        Kind::Live => "streams",
    }
}

/// The models of all arms that are `wanted`.
fn models(app: &App, wanted: impl Fn(&ModelInfo) -> bool) -> Vec<Model> {
    let Some(fleet) = app.models.fleet() else { return Vec::new() };
    let of_arms = fleet.arms.iter().flat_map(|arm| arm.bundle.models().into_iter().map(move |it| (arm, it)));
    let found = of_arms.filter(|(_, (info, _))| wanted(info));
    found.map(|(arm, model)| Model::of(arm, &fleet, model)).collect()
}

/// GET /v1/models
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<List> {
    Json(List { object: "list", data: models(&app, |_| true) })
}

/// GET /v1/models/{name}
pub(super) async fn one(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Model>, ApiError> {
    let Path(name) = name.map_err(|error| ApiError::malformed(format!("path: {}", error.body_text())))?;
    let found = models(&app, |model| answers_to(model, &name)).into_iter().next();
    found.map(Json).ok_or_else(|| ApiError::no_model(&name))
}
