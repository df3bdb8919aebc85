//! Which local diarizer the options ask for.

use std::sync::Arc;

use super::bundle::{Bundle, Pair};
use super::embedded;
use super::joint::Session;
use super::local::LocalDiarizer;
use super::two_stage::TwoStage;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::error::Result;

/// Loads the models of `config`, as long as `call` wants them: a pair, or one joint model with
/// which windows are run in batches. Where it names none, the embedded or installed pair if there
/// is one.
///
/// # Errors
/// [`Error::InvalidArgument`] for one model of a pair without the other; those of [`Bundle::of`],
/// [`TwoStage::load`] and [`Session::new`].
pub(crate) fn open_local(config: &Config, call: &Call<'_>) -> Result<Arc<dyn LocalDiarizer>> {
    let bundle = if config.names_models() { Bundle::of(config)? } else { Bundle::default_pair()? };
    let pair = match bundle {
        Some(Bundle::Pair(pair)) => Some(*pair),
        None if config.names_pair() => Some(Pair::of(config)?),
        Some(Bundle::Joint(..)) | None => None,
    };
    Ok(match pair {
        Some(pair) => Arc::new(TwoStage::load(pair, config, call)?),
        None => Arc::new(Session::for_batches(config, call)?),
    })
}

/// The model of live audio beside that of recordings which [`open_local`] loads for `config`;
/// `None` where it is the same for both.
pub(crate) fn live_model(config: &Config) -> Option<ModelSource> {
    let both = !config.names_models() && embedded::model().is_some() && Bundle::has_default_pair();
    both.then_some(ModelSource::Embedded)
}
