//! Agglomerative clustering with average linkage on cosine distance, and the cut of its tree. Average
//! linkage of voice embeddings as in Sell et al., "Diarization is Hard" (Interspeech 2018).

use kodama::{Dendrogram, Method};

use super::tracks::Track;
use crate::control::Control;
use crate::error::{Result, Stage};

/// Distance between two speakers of one window: they cannot be the same person. So far above the cosine
/// distances (0 to 2) that the average over any two clusters with such a pair stays above every threshold: two
/// clusters of 6,000 tracks have at most 9 million pairs.
const CANNOT_LINK: f32 = 1e8;

/// Cosine distance, 0 to 2, of two vectors of unit length.
pub fn cosine_distance(a: ndarray::ArrayView1<'_, f32>, b: ndarray::ArrayView1<'_, f32>) -> f32 {
    (1.0 - a.dot(&b)).clamp(0.0, 2.0)
}

/// Cluster numbers of `tracks`, from 0 without gaps, by the order of the first track. Clusters are joined
/// while they are nearer than `threshold`, but to no fewer than `min` and in any case to no more than `max`.
pub fn agglomerate(
    tracks: &[&Track<'_>],
    threshold: f32,
    min: usize,
    max: usize,
    control: &Control<'_>,
) -> Result<Vec<usize>> {
    let count = tracks.len();
    if count < 2 {
        return Ok(vec![0; count]);
    }
    let mut distances = Vec::with_capacity(count * (count - 1) / 2);
    for (row, a) in tracks.iter().enumerate() {
        control.check(Stage::Clustering, row as f32 / count as f32)?;
        distances.extend(tracks[row + 1..].iter().map(|b| {
            if a.window == b.window { CANNOT_LINK } else { cosine_distance(a.embedding, b.embedding) }
        }));
    }
    let tree = kodama::linkage(&mut distances, count, Method::Average);
    Ok(cut(&tree, threshold, min, max))
}

/// Follows the joins of the tree from the nearest pair on.
fn cut(tree: &Dendrogram<f32>, threshold: f32, min: usize, max: usize) -> Vec<usize> {
    let count = tree.observations();
    // Node `count + i` of the tree is the i-th join; `parent` leads from a node to the join it took part in.
    let mut parent: Vec<usize> = (0..count + tree.len()).collect();
    let mut clusters = count;
    for (join, step) in tree.steps().iter().enumerate() {
        let wanted = step.dissimilarity < threshold && clusters > min;
        if !(wanted || clusters > max) {
            break;
        }
        parent[step.cluster1] = count + join;
        parent[step.cluster2] = count + join;
        clusters -= 1;
    }
    let mut numbers: Vec<Option<usize>> = vec![None; parent.len()];
    let mut next = 0;
    (0..count)
        .map(|track| {
            let mut root = track;
            while parent[root] != root {
                root = parent[root];
            }
            *numbers[root].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    fn track(window: usize, embedding: &Array1<f32>) -> Track<'_> {
        Track { window, local: 0, solo_frames: 50, embedding: embedding.view() }
    }

    fn unit(degrees: f32) -> Array1<f32> {
        let radians = degrees.to_radians();
        ndarray::array![radians.cos(), radians.sin()]
    }

    fn labels(degrees: &[f32], windows: &[usize], threshold: f32, min: usize, max: usize) -> Vec<usize> {
        let embeddings: Vec<_> = degrees.iter().map(|&d| unit(d)).collect();
        let tracks: Vec<_> = windows.iter().zip(&embeddings).map(|(&w, e)| track(w, e)).collect();
        let refs: Vec<_> = tracks.iter().collect();
        agglomerate(&refs, threshold, min, max, &Control::none()).unwrap()
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
