//! k-means with a given number of clusters (Lloyd, 1982), from starts far from each other (greedy
//! k-means++, Arthur and Vassilvitskii, 2007). The same vectors give the same clusters: the random
//! numbers are always the same.

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::CLUSTERING;
use super::voices::means;
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// Starts, of which the one with the tightest clusters counts, as pyannote.audio has it.
const STARTS: usize = 3;

/// Most rounds from one start; a few dozen are common.
const MAX_ROUNDS: usize = 100;

/// Rows compared with all centroids between two looks at deadline and cancellation.
const CHECK_EVERY: usize = 64;

/// Cluster of each row, each of the `clusters` (at least 1, at most the rows) with at least one
/// row.
pub fn k_means(rows: ArrayView2<'_, f32>, clusters: usize, call: &Call<'_>) -> Result<Vec<usize>> {
    // For each row the distances of two draws, and its distance and number in two rounds and the
    // best one.
    memory::ask::<[u8; 64]>(CLUSTERING, rows.nrows())?;
    let mut random = SplitMix64(0);
    let mut best: Option<(f64, Vec<usize>)> = None;
    for _ in 0..STARTS {
        let mut centroids = starts(rows, clusters, &mut random, call)?;
        let mut numbers = Vec::new();
        let mut spread = 0.0;
        for _ in 0..MAX_ROUNDS {
            call.check(Stage::Clustering, 1.0)?;
            let (nearest, distances) = nearest(rows, &centroids, call)?;
            let nearest = fill_empty(nearest, &distances, clusters);
            spread = distances.iter().sum();
            let settled = nearest == numbers;
            numbers = nearest;
            if settled {
                break;
            }
            centroids = means(rows, &numbers, clusters)?;
        }
        if best.as_ref().is_none_or(|(least, _)| spread < *least) {
            best = Some((spread, numbers));
        }
    }
    Ok(best.map(|(_, numbers)| numbers).unwrap_or_default())
}

/// Rows to start from. Each next one is drawn with a chance that grows with the square of its
/// distance from those before; of a few draws the one counts that leaves the rows nearest to a
/// start.
fn starts(
    rows: ArrayView2<'_, f32>,
    clusters: usize,
    random: &mut SplitMix64,
    call: &Call<'_>,
) -> Result<Array2<f64>> {
    let count = rows.nrows();
    let draws = 2 + (clusters as f64).ln() as usize;
    let mut centroids = Array2::zeros((clusters, rows.ncols()));
    let mut distances = vec![f64::INFINITY; count];
    for cluster in 0..clusters {
        let total: f64 = distances.iter().sum();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..draws {
            call.check(Stage::Clustering, 1.0)?;
            let draw = random.fraction();
            let row = if total.is_finite() && total > 0.0 {
                pick(&distances, draw * total)
            } else {
                ((draw * count as f64) as usize).min(count - 1)
            };
            let start = rows.row(row).mapv(f64::from);
            let left: Vec<f64> = distances
                .iter()
                .zip(rows.rows())
                .map(|(&distance, other)| distance.min(squared_distance(other, start.view())))
                .collect();
            let spread = left.iter().sum();
            if best.as_ref().is_none_or(|(least, ..)| spread < *least) {
                best = Some((spread, row, left));
            }
        }
        if let Some((_, row, left)) = best {
            centroids.row_mut(cluster).assign(&rows.row(row).mapv(f64::from));
            distances = left;
        }
    }
    Ok(centroids)
}

/// The row at which the running sum of `weights` passes `target`.
fn pick(weights: &[f64], target: f64) -> usize {
    let mut sum = 0.0;
    let passed = weights.iter().position(|weight| {
        sum += weight;
        sum > target
    });
    passed.unwrap_or(weights.len() - 1)
}

/// Nearest centroid of each row, the first of equals, and the square of its distance.
fn nearest(
    rows: ArrayView2<'_, f32>,
    centroids: &Array2<f64>,
    call: &Call<'_>,
) -> Result<(Vec<usize>, Vec<f64>)> {
    rows.rows()
        .into_iter()
        .enumerate()
        .map(|(index, row)| {
            if index.is_multiple_of(CHECK_EVERY) {
                call.check(Stage::Clustering, 1.0)?;
            }
            let distances = centroids.rows().into_iter().map(|centroid| squared_distance(row, centroid));
            let first = (0, f64::INFINITY);
            Ok(distances.enumerate().fold(first, |best, next| if next.1 < best.1 { next } else { best }))
        })
        .collect()
}

/// Gives each empty cluster the row farthest from its centroid of those that are not alone.
fn fill_empty(mut numbers: Vec<usize>, distances: &[f64], clusters: usize) -> Vec<usize> {
    let mut sizes = vec![0; clusters];
    for &number in &numbers {
        sizes[number] += 1;
    }
    while let Some(empty) = sizes.iter().position(|&size| size == 0) {
        let not_alone = (0..numbers.len()).filter(|&row| sizes[numbers[row]] > 1);
        let Some(row) = not_alone.max_by(|&a, &b| distances[a].total_cmp(&distances[b])) else { break };
        sizes[numbers[row]] -= 1;
        sizes[empty] = 1;
        numbers[row] = empty;
    }
    numbers
}

fn squared_distance(row: ArrayView1<'_, f32>, centroid: ArrayView1<'_, f64>) -> f64 {
    row.iter().zip(centroid).map(|(&value, centre)| (f64::from(value) - centre).powi(2)).sum()
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    /// From 0 to just under 1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // The 53 upper bits are as many as an f64 holds.
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[f32], clusters: usize) -> Vec<usize> {
        let rows = Array2::from_shape_fn((values.len(), 1), |(row, _)| values[row]);
        k_means(rows.view(), clusters, &Call::none()).unwrap()
    }

    #[test]
    fn clusters_are_found_whatever_the_order() {
        let found = numbers(&[0.0, 5.0, 0.1, 9.0, 5.1, 9.2, 0.2], 3);
        assert!(found[0] == found[2] && found[2] == found[6] && found[1] == found[4] && found[3] == found[5]);
        assert!(found[0] != found[1] && found[1] != found[3] && found[0] != found[3]);
    }

    #[test]
    fn every_cluster_has_a_row_even_of_equal_ones() {
        let mut found = numbers(&[1.0; 4], 3);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [0, 1, 2]);
        assert_eq!(numbers(&[1.0, 2.0], 1), [0, 0]);
    }
}
