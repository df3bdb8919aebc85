//! What both kinds of files say in their metadata.

use crate::error::Result;
use crate::model::contract::{self, SAMPLE_RATE};
use crate::model::tuning::{Kind, Stated};
use crate::onnx::Description;

/// Refuses a file for another sample rate than 16 kHz; one that does not say is taken to be for it.
pub(super) fn check_sample_rate(described: &Description) -> Result<()> {
    match described.number::<usize>("sample_rate")? {
        Some(rate) if rate != SAMPLE_RATE => {
            Err(described.broken(&format!("metadata `sample_rate`: expected {SAMPLE_RATE}, found {rate}")))
        }
        _ => Ok(()),
    }
}

/// The voice space that a file names; empty where it names none.
///
/// # Errors
/// [`Error::Model`](crate::Error::Model) says what was expected.
pub(super) fn voice_space(described: &Description) -> Result<String> {
    contract::voice_space(described.properties()).map_err(|reason| described.broken(&reason))
}

/// What a file says of its tuning.
///
/// # Errors
/// [`Error::Model`](crate::Error::Model) names the key that cannot be.
pub(super) fn stated(described: &Description) -> Result<Stated> {
    Stated::of_file(described.properties(), Kind::Pair).map_err(|reason| described.broken(&reason))
}
