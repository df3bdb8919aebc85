//! Which models answer a request, and how its answer says so.

use std::sync::{Arc, OnceLock};

use super::App;
use super::error::ApiError;
use super::voices::on_disk;
use crate::auth::Tenant;
use crate::models::Bundle;
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

/// The bundle that answers a request, once it is chosen.
#[derive(Clone, Default)]
pub struct Answering(Arc<OnceLock<Arc<Bundle>>>);

impl Answering {
    /// The bundle.
    pub(super) fn bundle(&self) -> Option<&Arc<Bundle>> {
        self.0.get()
    }

    /// Says which bundle answers.
    pub fn is_by(&self, bundle: &Arc<Bundle>) {
        // The header is that of the first choice.
        self.0.get_or_init(|| bundle.clone());
    }
}

/// The bundle of the arm that answers the request `id`, and the gallery that it names. A gallery is
/// of one model: where an arm has that, it answers.
///
/// # Errors
/// A model or a gallery that is not there; a gallery of a model that no arm has.
pub async fn choose(
    app: &Arc<App>,
    tenant: &Tenant,
    id: &str,
    asked: Asked<'_>,
) -> Result<(Arc<Bundle>, Option<Known>), ApiError> {
    if let Some(threshold) = asked.name_threshold.filter(|threshold| !(-1.0..=1.0).contains(threshold)) {
        return Err(ApiError::invalid("name_threshold", format!("expected -1 to 1, got {threshold}")));
    }
    let key = asked.key.unwrap_or(id);
    let Some(gallery) = asked.gallery else { return Ok((answering(app, key, asked.model, |_| true)?, None)) };
    let reader = tenant.clone();
    let known = on_disk(app, gallery, move |voices, gallery| voices.read(&reader, gallery)).await?;
    let fits = |bundle: &Bundle| known.check_model(bundle.info()).is_ok();
    let bundle =
        answering(app, key, asked.model, fits).or_else(|_| answering(app, key, asked.model, |_| true))?;
    let refused = |error| ApiError::from((Refusal::of_model(error), gallery));
    known.check_model(bundle.info()).map_err(refused)?;
    Ok((bundle, Some(Known::new(known, asked.name_threshold))))
}

/// The bundle that enrols voices in a gallery: of an arm with the gallery's model, or of the first
/// one, so that no new gallery is of a model that few requests go to.
///
/// # Errors
/// A model that is not there.
pub(super) async fn enrolling(
    app: &Arc<App>,
    tenant: &Tenant,
    gallery: &str,
    model: Option<&str>,
) -> Result<Arc<Bundle>, ApiError> {
    let reader = tenant.clone();
    let known = on_disk(app, gallery, move |voices, gallery| match voices.read(&reader, gallery) {
        Err(Refusal::NoGallery) => Ok(None),
        known => known.map(Some),
    });
    let known = known.await?;
    let fleet = app.models.fleet();
    let arms = fleet.iter().flat_map(|fleet| &fleet.arms).filter(|arm| arm.weight > 0.0);
    let asked =
        arms.map(|arm| &arm.bundle).filter(|bundle| model.is_none_or(|model| bundle.answers_to(model)));
    let asked: Vec<_> = asked.collect();
    let fits =
        |bundle: &&&Arc<Bundle>| known.as_ref().is_some_and(|known| known.check_model(bundle.info()).is_ok());
    let bundle = asked.iter().find(fits).or(asked.first());
    bundle.map(|bundle| (*bundle).clone()).ok_or_else(|| ApiError::no_model(model.unwrap_or_default()))
}

fn answering(
    app: &App,
    key: &str,
    model: Option<&str>,
    fits: impl Fn(&Bundle) -> bool,
) -> Result<Arc<Bundle>, ApiError> {
    let fleet = app.models.fleet();
    let fit = |bundle: &Bundle| model.is_none_or(|model| bundle.answers_to(model)) && fits(bundle);
    let bundle = fleet.and_then(|fleet| fleet.choose(key, fit));
    bundle.ok_or_else(|| ApiError::no_model(model.unwrap_or_default()))
}
