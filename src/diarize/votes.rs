//! For whom a local speaker's activity counts: for the person whom clustering found, or, where voices are alike, in
//! part for others.

use ndarray::{Array2, Axis};

use super::LocalWindow;
use super::clustering::Clustering;

/// The people that a local speaker's activity counts for, with shares that add up to 1; none where nobody talks.
pub type Votes = Vec<(usize, f32)>;

/// Shares below this are left out.
const LEAST_SHARE: f32 = 0.02;

/// Rounds in which the local speakers of a window make room for each other.
const ROUNDS: usize = 3;

/// All of each local speaker's activity for the person found. `labels` gives them for each window, as
/// [`Clustering::labels`] does.
pub fn firm(labels: &[Vec<Option<usize>>]) -> Vec<Vec<Votes>> {
    labels.iter().map(|labels| labels.iter().map(votes_of).collect()).collect()
}

/// All of a local speaker's activity for the person found.
pub fn votes_of(label: &Option<usize>) -> Votes {
    label.map(|speaker| (speaker, 1.0)).into_iter().collect()
}

/// Shares by how near each voice is to those of the people: the softmax of cosine distances over `scale`, in which
/// no person gets more than one local speaker of a window. Who has no voice is who they were found to be.
pub fn shared(windows: &[LocalWindow], clustering: &Clustering, scale: f32) -> Vec<Vec<Votes>> {
    let mut votes = firm(&clustering.labels);
    for (window, votes) in windows.iter().zip(&mut votes) {
        let voiced: Vec<usize> =
            (0..votes.len()).filter(|&local| !votes[local].is_empty() && window.has_voice(local)).collect();
        let mut shares = Array2::zeros((voiced.len(), clustering.speakers));
        for (mut row, &local) in shares.rows_mut().into_iter().zip(&voiced) {
            let voice = window.embedding.row(local);
            let length = voice.dot(&voice).sqrt();
            row.assign(&clustering.centroids.dot(&voice));
            let most = row.fold(f32::MIN, |most, &cosine| most.max(cosine));
            row.mapv_inplace(|cosine| ((cosine - most) / length / scale).exp());
        }
        make_room(&mut shares);
        for (row, local) in shares.rows().into_iter().zip(voiced) {
            votes[local] =
                row.iter().copied().enumerate().filter(|(_, share)| *share >= LEAST_SHARE).collect();
        }
    }
    votes
}

/// Scales the columns that add up to more than 1, and the rows to add up to 1, in turns.
fn make_room(shares: &mut Array2<f32>) {
    for round in 0..=ROUNDS {
        if round > 0 {
            for mut column in shares.axis_iter_mut(Axis(1)) {
                let sum = column.sum().max(1.0);
                column /= sum;
            }
        }
        for mut row in shares.axis_iter_mut(Axis(0)) {
            let sum = row.sum();
            row /= sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_voice_between_two_people_counts_for_both_unless_one_is_in_the_window() {
        let clustering = Clustering {
            speakers: 2,
            labels: vec![vec![Some(0), None], vec![Some(0), Some(1)]],
            centroids: array![[1.0, 0.0], [0.0, 1.0]],
        };
        let between = array![[0.8, 0.7], [0.0, 0.0]];
        let apart = array![[0.8, 0.7], [0.0, 2.0]];
        let window = |embedding: Array2<f32>| LocalWindow {
            start_frame: 0,
            activity: Array2::ones((4, 2)),
            embedding,
        };
        let votes = shared(&[window(between), window(apart)], &clustering, 0.1);
        assert!(votes[0][0][0].1 > 0.6 && votes[0][0][1].1 > 0.2, "{votes:?}");
        assert!(votes[0][1].is_empty());
        assert!(votes[1][0][0].1 > votes[0][0][0].1, "{votes:?}");
        assert_eq!(votes[1][1].last().map(|vote| vote.0), Some(1));
        assert_eq!(firm(&clustering.labels)[1], [vec![(0, 1.0)], vec![(1, 1.0)]]);
    }
}
