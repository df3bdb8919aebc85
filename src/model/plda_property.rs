//! The metadata property `voiceflow.plda` of a joint model: how its voices differ within and
//! between people, so that they can be clustered by VBx. A JSON object with the arrays of
//! [`PldaArrays`], matrices row by row, and the two factors of VBx;
//! models/diarization/voiceflow_models/export/plda.py writes it. A model may be without.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array1, Array2};

use crate::diarize::clustering::{Plda, PldaArrays, Start, Vbx};
use crate::memory;

const KEY: &str = "voiceflow.plda";

#[derive(serde::Deserialize)]
struct Property {
    fa: f64,
    fb: f64,
    #[serde(deserialize_with = "memory::deserialize")]
    mean1: Vec<f64>,
    #[serde(deserialize_with = "memory::deserialize")]
    lda: Vec<f64>,
    #[serde(deserialize_with = "memory::deserialize")]
    mean2: Vec<f64>,
    #[serde(deserialize_with = "memory::deserialize")]
    mu: Vec<f64>,
    #[serde(deserialize_with = "memory::deserialize")]
    tr: Vec<f64>,
    #[serde(deserialize_with = "memory::deserialize")]
    psi: Vec<f64>,
}

/// Reads the property among those of a file, for embeddings of `dimension` numbers; `Ok(None)`
/// where there is none.
///
/// # Errors
/// How the property breaks the contract: the key, what was expected, what was found.
pub(super) fn read(properties: &BTreeMap<String, String>, dimension: usize) -> Result<Option<Vbx>, String> {
    let Some(text) = properties.get(KEY) else { return Ok(None) };
    parse(text, dimension).map(Some).map_err(|reason| format!("metadata `{KEY}`: {reason}"))
}

fn parse(text: &str, dimension: usize) -> Result<Vbx, String> {
    let property: Property = serde_json::from_str(text).map_err(|error| {
        format!("expected a JSON object with the arrays of a PLDA, found another ({error})")
    })?;
    let (from, to) = (property.mean1.len(), property.mean2.len());
    if from != dimension {
        return Err(format!("mean1: expected {dimension} numbers, as an embedding has, found {from}"));
    }
    let matrix = |name: &str, rows: usize, columns: usize, values: Vec<f64>| {
        let found = values.len();
        let expected = format!("{name}: expected {rows} x {columns} numbers, found {found}");
        Array2::from_shape_vec((rows, columns), values).map_err(|_| expected)
    };
    let arrays = PldaArrays {
        lda: matrix("lda", from, to, property.lda)?,
        tr: matrix("tr", to, to, property.tr)?,
        mean1: Array1::from_vec(property.mean1),
        mean2: Array1::from_vec(property.mean2),
        mu: Array1::from_vec(property.mu),
        psi: Array1::from_vec(property.psi),
    };
    let plda = Plda::new(arrays).map_err(|error| error.to_string())?;
    let vbx = Vbx::new(Arc::new(plda)).with_factors(property.fa, property.fb);
    vbx.map(|vbx| vbx.with_start(Start::Average)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"fa": 0.1, "fb": 0.9, "mean1": [0, 0, 0], "lda": [1, 0, 0, 1, 0, 0], "mean2": [0, 0],
        "mu": [0, 0], "tr": [1, 0, 0, 2], "psi": [3, 0.5]}"#;

    #[test]
    fn arrays_and_factors_are_read() {
        let vbx = parse(GOOD, 3).unwrap();
        assert_eq!((vbx.fa(), vbx.fb(), vbx.start()), (0.1, 0.9, Start::Average));
        assert_eq!(vbx.plda().phi().to_vec(), [3.0, 0.5]);
        assert_eq!(vbx.plda().dimensions(), 3);
    }

    #[test]
    fn breaches_are_named() {
        let message = |text: &str, dimension| parse(text, dimension).unwrap_err();
        assert!(
            message("[]", 3).starts_with("expected a JSON object with the arrays of a PLDA, found another")
        );
        assert!(message(&GOOD.replace("\"psi\"", "\"phi\""), 3).contains("missing field `psi`"));
        assert_eq!(message(GOOD, 4), "mean1: expected 4 numbers, as an embedding has, found 3");
        let short = GOOD.replace("[1, 0, 0, 2]", "[1, 0, 0]");
        assert_eq!(message(&short, 3), "tr: expected 2 x 2 numbers, found 3");
        assert!(
            message(&GOOD.replace("[3, 0.5]", "[3, -1]"), 3)
                .contains("psi: expected values above 0, found -1")
        );
        assert!(message(&GOOD.replace("0.9", "0"), 3).contains("fb: expected above 0, got 0"));
    }
}
