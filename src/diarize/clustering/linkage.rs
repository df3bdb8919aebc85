//! Agglomerative clustering with average linkage on cosine distance, and the cut of its tree.
//! Average linkage of voice embeddings as in Sell et al., "Diarization is Hard" (Interspeech 2018).

use ndarray::ArrayView2;

use super::CLUSTERING;
use super::dendrogram::{Distances, Join, average_linkage};
use super::forest::Forest;
use super::voices::cosine_distance;
use crate::call::Call;
use crate::error::Result;
use crate::memory;

/// Distance between two speakers of one window: they cannot be the same speaker. So far above the
/// cosine distances (0 to 2) that the average over any two clusters with such a pair stays above
/// every threshold: two clusters of 6,000 tracks have at most 9 million pairs.
const CANNOT_LINK: f32 = 1e8;

/// Cluster numbers of tracks, from 0 without gaps, by the order of the first track. `directions`
/// [tracks, dimension] are the voices scaled to unit length, `windows` the windows the tracks are
/// of. Clusters are joined while they are nearer than `threshold`, but to no fewer than `min` and
/// in any case to no more than `max`.
pub fn agglomerate(
    windows: &[usize],
    directions: ArrayView2<'_, f32>,
    threshold: f32,
    min: usize,
    max: usize,
    call: &Call<'_>,
) -> Result<Vec<usize>> {
    let count = windows.len();
    if count < 2 {
        return memory::filled(CLUSTERING, count, 0);
    }
    let distances = Distances::new(count, call, |row, other| {
        if windows[row] == windows[other] {
            CANNOT_LINK
        } else {
            cosine_distance(directions.row(row), directions.row(other))
        }
    })?;
    cut(count, &average_linkage(distances, call)?, threshold, min, max)
}

/// Follows the joins of `observations` tracks from the nearest pair on.
fn cut(observations: usize, joins: &[Join], threshold: f32, min: usize, max: usize) -> Result<Vec<usize>> {
    let mut forest = Forest::new(observations, joins.len())?;
    let mut clusters = observations;
    for (number, join) in joins.iter().enumerate() {
        let wanted = join.distance < threshold && clusters > min;
        if !(wanted || clusters > max) {
            break;
        }
        forest.join(number, join.one, join.two);
        clusters -= 1;
    }
    forest.numbers()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn labels(degrees: &[f32], windows: &[usize], threshold: f32, min: usize, max: usize) -> Vec<usize> {
        let directions = Array2::from_shape_fn((degrees.len(), 2), |(row, axis)| {
            let radians = degrees[row].to_radians();
            if axis == 0 { radians.cos() } else { radians.sin() }
        });
        agglomerate(windows, directions.view(), threshold, min, max, &Call::none()).unwrap()
    }

    #[test]
    fn near_voices_join_and_far_ones_do_not() {
        assert_eq!(labels(&[0.0, 90.0, 5.0, 95.0], &[0, 1, 2, 3], 0.3, 1, 9), [0, 1, 0, 1]);
    }

    #[test]
    fn two_speakers_of_one_window_stay_apart_however_alike() {
        assert_eq!(labels(&[0.0, 1.0, 0.0, 1.0], &[0, 0, 1, 1], 0.3, 1, 9), [0, 1, 0, 1]);
    }

    #[test]
    fn the_number_asked_for_is_honoured_even_against_cannot_link() {
        assert_eq!(labels(&[0.0, 90.0, 5.0], &[0, 1, 2], 0.3, 3, 3), [0, 1, 2]);
        assert_eq!(labels(&[0.0, 90.0, 180.0], &[0, 0, 0], 0.3, 1, 1), [0, 0, 0]);
        assert_eq!(labels(&[0.0, 90.0, 5.0, 170.0], &[0, 1, 2, 3], 0.0, 2, 2), [0, 1, 0, 1]);
    }
}
