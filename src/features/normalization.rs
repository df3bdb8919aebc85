//! What is subtracted from features and divided by, over the time that a network is given.

use ndarray::ArrayViewMut2;

/// Added to a deviation by NeMo (`CONSTANT`) and sherpa-onnx, so that a bin that never changes can
/// be divided.
const NEMO_DEVIATION: f64 = 1e-5;

/// Each bin by itself, over all frames given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Normalization {
    /// Features stay as they are.
    None,
    /// The mean is subtracted.
    Mean,
    /// The mean is subtracted and the standard deviation divided by.
    MeanAndDeviation {
        /// Whether the squares are averaged over one frame less than there are.
        unbiased: bool,
    },
}

impl Normalization {
    /// Normalises `features`, `[frames, bins]`, by what holds for the frames that are `counted`.
    /// Where no frame is, features stay as they are; a single frame becomes zeros.
    pub fn apply(self, features: &mut ArrayViewMut2<'_, f32>, counted: impl Fn(usize) -> bool) {
        if self == Normalization::None {
            return;
        }
        for mut bin in features.columns_mut() {
            let values = bin.iter().enumerate().filter(|(frame, _)| counted(*frame));
            let values: Vec<f64> = values.map(|(_, &x)| f64::from(x)).collect();
            if values.is_empty() {
                return;
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let scale = match self {
                Normalization::MeanAndDeviation { unbiased } => {
                    1.0 / (deviation(&values, mean, unbiased) + NEMO_DEVIATION)
                }
                _ => 1.0,
            };
            bin.mapv_inplace(|x| ((f64::from(x) - mean) * scale) as f32);
        }
    }
}

/// The standard deviation of `values` from their mean.
fn deviation(values: &[f64], mean: f64, unbiased: bool) -> f64 {
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    // One value does not deviate.
    let count = if unbiased { (values.len() - 1).max(1) } else { values.len() };
    (squares / count as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    fn applied(normalization: Normalization, mut features: Array2<f32>) -> Array2<f32> {
        normalization.apply(&mut features.view_mut(), |_| true);
        features
    }

    #[test]
    fn bins_are_normalised_over_time() {
        let features = array![[1.0, 5.0], [3.0, 5.0]];
        assert_eq!(applied(Normalization::None, features.clone()), features);
        assert_eq!(applied(Normalization::Mean, features.clone()), array![[-1.0, 0.0], [1.0, 0.0]]);
        let deviation = |unbiased| {
            let normalised = applied(Normalization::MeanAndDeviation { unbiased }, features.clone());
            assert_eq!(normalised.column(1).to_vec(), [0.0, 0.0]);
            normalised[[1, 0]]
        };
        assert!((deviation(false) - 1.0).abs() < 1e-4);
        assert!((deviation(true) - 0.5_f32.sqrt()).abs() < 1e-4);
    }

    #[test]
    fn one_frame_becomes_zeros_and_none_stays_none() {
        for unbiased in [false, true] {
            let normalization = Normalization::MeanAndDeviation { unbiased };
            assert_eq!(applied(normalization, array![[-15.9, 4.0]]), array![[0.0, 0.0]]);
            assert_eq!(applied(normalization, Array2::zeros((0, 2))).dim(), (0, 2));
        }
    }
}
