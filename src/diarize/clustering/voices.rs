//! The directions of voice embeddings. Models give voices of any length, and cosine distance knows
//! directions only.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1};

use super::CLUSTERING;
use super::tracks::Track;
use crate::error::Result;
use crate::memory;

/// Cosine distance, 0 to 2, of two vectors of unit length.
pub fn cosine_distance(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f32 {
    (1.0 - a.dot(&b)).clamp(0.0, 2.0)
}

/// Scales a vector of finite values to unit length; zeros stay.
pub fn scale_to_unit(mut vector: ArrayViewMut1<'_, f32>) {
    // The sum of squares of any f32 values fits f64.
    let length = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.mapv_inplace(|value| (f64::from(value) / length) as f32);
    }
}

/// The voice of each track scaled to unit length, zeros for a track without one:
/// [tracks, dimension].
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn directions(tracks: &[Track<'_>]) -> Result<Array2<f32>> {
    let dimension = tracks.first().map_or(0, |track| track.embedding.len());
    let mut directions = memory::array(CLUSTERING, (tracks.len(), dimension), 0.0)?;
    for (mut row, track) in directions.rows_mut().into_iter().zip(tracks).filter(|(_, track)| track.has_voice)
    {
        row.assign(&track.embedding);
        scale_to_unit(row);
    }
    Ok(directions)
}

/// Mean of the rows of each cluster: [clusters, dimension]. `numbers` gives the cluster of each
/// row.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn means(rows: ArrayView2<'_, f32>, numbers: &[usize], clusters: usize) -> Result<Array2<f64>> {
    let mut sums = memory::array(CLUSTERING, (clusters, rows.ncols()), 0.0)?;
    let mut sizes = memory::filled(CLUSTERING, clusters, 0usize)?;
    for (row, &number) in rows.rows().into_iter().zip(numbers) {
        sums.row_mut(number).zip_mut_with(&row, |sum, &value| *sum += f64::from(value));
        sizes[number] += 1;
    }
    for (mut sum, size) in sums.rows_mut().into_iter().zip(sizes) {
        sum /= size.max(1) as f64;
    }
    Ok(sums)
}

/// Rows scaled to unit length; zeros stay.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn unit_rows(rows: &Array2<f64>) -> Result<Array2<f32>> {
    let mut scaled = memory::array(CLUSTERING, rows.dim(), 0.0)?;
    for (mut to, row) in scaled.rows_mut().into_iter().zip(rows.rows()) {
        let length = row.dot(&row).sqrt();
        let divisor = if length > 0.0 { length } else { 1.0 };
        to.zip_mut_with(&row, |to, &value| *to = (value / divisor) as f32);
    }
    Ok(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn any_length_is_scaled_to_one() {
        for scale in [1e-30, 1.0, 1e30] {
            let mut vector = array![3.0, -4.0] * scale as f32;
            scale_to_unit(vector.view_mut());
            assert!((vector - array![0.6, -0.8]).iter().all(|error| error.abs() < 1e-6));
        }
        let mut zeros = array![0.0, 0.0];
        scale_to_unit(zeros.view_mut());
        assert_eq!(zeros, array![0.0, 0.0]);
    }

    #[test]
    fn means_are_by_cluster() {
        let rows = array![[1.0, 0.0], [3.0, 4.0], [5.0, 5.0]];
        assert_eq!(means(rows.view(), &[0, 0, 1], 2).unwrap(), array![[2.0, 2.0], [5.0, 5.0]]);
    }
}
