//! The way from a voice embedding to the space in which VBx compares voices: centred, scaled,
//! projected by linear discriminant analysis, and rotated by probabilistic linear discriminant
//! analysis (PLDA), so that within one speaker every direction has variance 1 and is independent of
//! the others. As `vbx_setup` of VBx (Landini et al., "Bayesian HMM clustering of x-vector
//! sequences (VBx) in speaker diarization", Computer Speech & Language 71, 2022).

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, Dimension};

use crate::error::{Error, Result};
use crate::memory;

/// Most dimensions of the PLDA space that are used: those in which speakers differ most, as in
/// pyannote.audio.
const MAX_DIMENSIONS: usize = 128;

/// A PLDA model with the transform that goes before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plda {
    mean1: Array1<f64>,
    mean2: Array1<f64>,
    lda: Array2<f64>,
    mu: Array1<f64>,
    /// Rows of the diagonalising transform, by descending variance between speakers:
    /// [features, projected].
    transform: Array2<f64>,
    /// Variance between speakers in each feature, descending.
    phi: Array1<f64>,
}

/// The arrays a [`Plda`] is made of, by the names they have in the files of VBx, for embeddings of
/// `D` dimensions that LDA projects to `L`.
#[derive(Clone, Debug, PartialEq)]
pub struct PldaArrays {
    /// Mean of the embeddings: `[D]`.
    pub mean1: Array1<f64>,
    /// Mean of the projected embeddings: `[L]`.
    pub mean2: Array1<f64>,
    /// Projection of linear discriminant analysis: [D, L].
    pub lda: Array2<f64>,
    /// Mean of the PLDA model: `[L]`.
    pub mu: Array1<f64>,
    /// Transform, row by row, after which the variance within speakers is 1 and that between them
    /// diagonal: [L, L].
    pub tr: Array2<f64>,
    /// Variance between speakers after the transform, above 0: `[L]`.
    pub psi: Array1<f64>,
}

impl Plda {
    /// Checks the arrays and makes the model.
    ///
    /// The reference solves a generalised eigenproblem of the covariances within and between
    /// speakers, both of which it computes from `tr` and `psi`. The rows of `tr` are its
    /// eigenvectors and `psi` its eigenvalues already, so that ordering them is all there is to do.
    ///
    /// # Errors [`Error::Model`] that names the array, for a shape that does not fit the others or a value
    /// that is not finite or out of range.
    pub fn new(arrays: PldaArrays) -> Result<Self> {
        let PldaArrays { mean1, mean2, lda, mu, tr, psi } = arrays;
        let (from, to) = lda.dim();
        if from == 0 || to == 0 {
            return Err(Error::Model(format!(
                "PLDA: lda: expected no empty axis, found the shape [{from}, {to}]"
            )));
        }
        check("mean1", &mean1, &[from])?;
        check("mean2", &mean2, &[to])?;
        check("lda", &lda, &[from, to])?;
        check("mu", &mu, &[to])?;
        check("tr", &tr, &[to, to])?;
        check("psi", &psi, &[to])?;
        if let Some(value) = psi.iter().find(|&&value| value <= 0.0) {
            return Err(Error::Model(format!("PLDA: psi: expected values above 0, found {value}")));
        }
        let mut order: Vec<usize> = (0..to).collect();
        order.sort_by(|&a, &b| psi[b].total_cmp(&psi[a]));
        order.truncate(MAX_DIMENSIONS);
        let mut transform = memory::array("PLDA", (order.len(), to), 0.0)?;
        for (mut row, &dimension) in transform.rows_mut().into_iter().zip(&order) {
            row.assign(&tr.row(dimension));
        }
        let phi = psi.select(Axis(0), &order);
        Ok(Self { mean1, mean2, lda, mu, transform, phi })
    }

    /// Dimensions of the embeddings that the model is for.
    pub fn dimensions(&self) -> usize {
        self.mean1.len()
    }

    /// Variance between speakers in each feature, descending; within a speaker it is 1.
    pub fn phi(&self) -> ArrayView1<'_, f64> {
        self.phi.view()
    }

    /// Embeddings as the model gave them, of any length, [tracks, D], to features
    /// [tracks, features].
    ///
    /// # Errors
    /// [`Error::Model`] for embeddings of another size.
    pub fn features(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
        let (expected, found) = (self.dimensions(), embeddings.ncols());
        if found != expected {
            return Err(Error::Model(format!(
                "PLDA: expected embeddings of {expected} dimensions, as it was made for, found {found}"
            )));
        }
        let (from, to) = self.lda.dim();
        let mut centred = embeddings.mapv(f64::from) - &self.mean1;
        scale_rows(&mut centred, (from as f64).sqrt());
        let mut projected = centred.dot(&self.lda) - &self.mean2;
        scale_rows(&mut projected, (to as f64).sqrt());
        Ok((projected - &self.mu).dot(&self.transform.t()))
    }
}

/// Scales each row to `length`; a row of zeros stays.
fn scale_rows(rows: &mut Array2<f64>, length: f64) {
    for mut row in rows.rows_mut() {
        let found = row.dot(&row).sqrt();
        if found > 0.0 {
            row *= length / found;
        }
    }
}

fn check<D: Dimension>(name: &str, array: &ndarray::Array<f64, D>, expected: &[usize]) -> Result<()> {
    if array.shape() != expected {
        let found = array.shape();
        return Err(Error::Model(format!("PLDA: {name}: expected the shape {expected:?}, found {found:?}")));
    }
    match array.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::Model(format!("PLDA: {name}: expected finite values, found {value}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn arrays() -> PldaArrays {
        PldaArrays {
            mean1: Array1::zeros(3),
            mean2: Array1::zeros(2),
            lda: array![[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]],
            mu: Array1::zeros(2),
            tr: array![[1.0, 0.0], [0.0, 2.0]],
            psi: array![0.5, 3.0],
        }
    }

    #[test]
    fn features_are_by_descending_variance_and_do_not_know_the_length_of_the_embedding() {
        let plda = Plda::new(arrays()).unwrap();
        assert_eq!(plda.phi(), array![3.0, 0.5]);
        let features = plda.features(array![[3.0, 4.0, 9.0], [30.0, 40.0, 90.0], [0.0; 3]].view()).unwrap();
        let expected = array![1.6 * 2f64.sqrt(), 0.6 * 2f64.sqrt()];
        for row in 0..2 {
            assert!((&features.row(row) - &expected).iter().all(|error| error.abs() < 1e-12));
        }
        assert_eq!(features.row(2), array![0.0, 0.0]);
    }

    #[test]
    fn arrays_that_do_not_fit_are_named() {
        let message = |arrays: PldaArrays| Plda::new(arrays).unwrap_err().to_string();
        let wrong = PldaArrays { mean2: Array1::zeros(3), ..arrays() };
        assert_eq!(message(wrong), "PLDA: mean2: expected the shape [2], found [3]");
        let wrong = PldaArrays { tr: Array2::zeros((2, 3)), ..arrays() };
        assert_eq!(message(wrong), "PLDA: tr: expected the shape [2, 2], found [2, 3]");
        let wrong = PldaArrays { mu: array![0.0, f64::NAN], ..arrays() };
        assert_eq!(message(wrong), "PLDA: mu: expected finite values, found NaN");
        let wrong = PldaArrays { psi: array![1.0, 0.0], ..arrays() };
        assert_eq!(message(wrong), "PLDA: psi: expected values above 0, found 0");
        let wrong = PldaArrays { lda: Array2::zeros((0, 2)), ..arrays() };
        assert_eq!(message(wrong), "PLDA: lda: expected no empty axis, found the shape [0, 2]");
        let error = Plda::new(arrays()).unwrap().features(Array2::zeros((1, 4)).view()).unwrap_err();
        assert!(
            error.to_string().ends_with("expected embeddings of 3 dimensions, as it was made for, found 4")
        );
    }
}
