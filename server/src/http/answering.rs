//! Which models answer a request, and how its answer says so.

use std::sync::{Arc, OnceLock};

use voiceflow::model::ModelInfo;

use super::App;
use super::error::ApiError;
use super::voices::on_disk;
use crate::auth::Tenant;
use crate::metrics::Kind;
use crate::models::{Chosen, answers_to};
use crate::voices::{Known, Refusal};

/// What of a request decides which models answer it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// What requests that belong together have in common; the identifier of the request without it.
    pub key: Option<&'a str>,
    /// The model that the client names.
    pub model: Option<&'a str>,
    /// Whose voices the speakers may be.
    pub gallery: Option<&'a str>,
    /// Cosine similarity from which a speaker is one of them.
    pub name_threshold: Option<f32>,
}

/// The model that answers a request, once it is chosen.
#[derive(Clone, Default)]
pub struct Answering(Arc<OnceLock<Chosen>>);

impl Answering {
    /// The model.
    pub(super) fn chosen(&self) -> Option<&Chosen> {
        self.0.get()
    }

    /// Says which model answers.
    pub fn is_by(&self, chosen: &Chosen) {
        // The header is that of the first choice.
        self.0.get_or_init(|| chosen.clone());
    }
}

/// The model that answers the request `id` for a recording or a stream, and the gallery that it
/// names. A gallery is of one voice space: where a model has that, it answers.
///
/// # Errors
/// A model or a gallery that is not there; a gallery of a voice space that no model has.
pub async fn choose(
    app: &Arc<App>,
    tenant: &Tenant,
    id: &str,
    kind: Kind,
    asked: Asked<'_>,
) -> Result<(Chosen, Option<Known>), ApiError> {
    if let Some(threshold) = asked.name_threshold.filter(|threshold| !(-1.0..=1.0).contains(threshold)) {
        return Err(ApiError::invalid("name_threshold", format!("expected -1 to 1, got {threshold}")));
    }
    let key = asked.key.unwrap_or(id);
    let fleet = app.models.fleet();
    let fleet = fleet.as_deref();
    let answering = |fits: &dyn Fn(&ModelInfo) -> bool| {
        fleet?.choose(kind, key, |model| is_asked(asked.model, model) && fits(model))
    };
    let absent = || match asked.model {
        Some(name) if kind == Kind::Live && fleet.is_some_and(|fleet| fleet.has(name)) => {
            ApiError::no_model_of_streams(name)
        }
        name => ApiError::no_model(name.unwrap_or_default()),
    };
    let any = || answering(&|_| true).ok_or_else(absent);
    let Some(gallery) = asked.gallery else { return Ok((any()?, None)) };
    let reader = tenant.clone();
    let known = on_disk(app, gallery, move |voices, gallery| voices.read(&reader, gallery)).await?;
    let chosen = match answering(&|model| known.check_model(model).is_ok()) {
        Some(chosen) => chosen,
        None => any()?,
    };
    known.check_model(chosen.info()).map_err(|error| {
        let refusal = match Refusal::of_model(error) {
            Refusal::OtherModel(text) if kind == Kind::Live => {
                let name = &chosen.info().name;
                Refusal::OtherModel(format!("{text}; voices for streams are enrolled with model={name}"))
            }
            refusal => refusal,
        };
        ApiError::from((refusal, gallery))
    })?;
    Ok((chosen, Some(Known::new(known, asked.name_threshold))))
}

/// The model that enrols voices in a gallery: one of the gallery's voice space, or that which the
/// first arm has for recordings, so that no new gallery is of a model that few requests go to.
///
/// # Errors
/// A model that is not there.
pub(super) async fn enrolling(
    app: &Arc<App>,
    tenant: &Tenant,
    gallery: &str,
    model: Option<&str>,
) -> Result<Chosen, ApiError> {
    let reader = tenant.clone();
    let known = on_disk(app, gallery, move |voices, gallery| match voices.read(&reader, gallery) {
        Err(Refusal::NoGallery) => Ok(None),
        known => known.map(Some),
    });
    let known = known.await?;
    let fleet = app.models.fleet();
    let first = |fits: &dyn Fn(&ModelInfo) -> bool| {
        fleet.as_ref()?.first(|of_arm| is_asked(model, of_arm) && fits(of_arm))
    };
    let of_gallery = known.and_then(|known| first(&|model| known.check_model(model).is_ok()));
    of_gallery.or_else(|| first(&|_| true)).ok_or_else(|| ApiError::no_model(model.unwrap_or_default()))
}

fn is_asked(name: Option<&str>, model: &ModelInfo) -> bool {
    name.is_none_or(|name| answers_to(model, name))
}
