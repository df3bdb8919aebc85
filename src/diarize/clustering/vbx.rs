//! VBx: variational Bayes finds how many speakers explain the voices, and who is who. Landini et
//! al., "Bayesian HMM clustering of x-vector sequences (VBx) in speaker diarization: theory,
//! implementation and analysis on standard tasks", Computer Speech & Language 71, 2022; equation
//! numbers are theirs. As in pyannote.audio's community-1 the order of the voices does not count,
//! so that the hidden Markov model is a mixture.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::CLUSTERING;
use super::kmeans::k_means;
use super::options::Vbx;
use super::tree::{Linkage, Tree};
use super::voices::means;
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// How sure the start is of its clusters: responsibilities are the softmax of this and zeros
/// (community-1).
const INITIAL_SCORE: f64 = 7.0;

/// Most rounds (community-1).
const MAX_ROUNDS: usize = 20;

/// The rounds end when the lower bound of the evidence grows by less than this (VBx).
const LEAST_GAIN: f64 = 1e-4;

/// Added to the prior of a speaker before its logarithm, which is then finite (community-1).
const PRIOR_FLOOR: f64 = 1e-8;

/// Prior above which a speaker is one (community-1).
const LEAST_PRIOR: f64 = 1e-7;

/// Most clusters to start from; it bounds the matrix of responsibilities to 25 MB for 6,000 tracks.
pub const MAX_STARTS: usize = 512;

/// Tracks, and speakers, of which a round computes the scores between two looks at deadline and
/// cancellation: some milliseconds for as many speakers and tracks as there may be.
const TRACKS_AT_ONCE: usize = 128;
const SPEAKERS_AT_ONCE: usize = 16;

/// Speakers found.
pub struct Found {
    /// Mean voice of each speaker, of the embeddings as the model gave them: [speakers, dimension].
    pub centroids: Array2<f64>,
    /// Whether the number of speakers was forced into the range asked for.
    pub forced: bool,
}

/// Clusters of voices of unit length [tracks, dimension] by centroid linkage, cut at a Euclidean
/// distance.
///
/// # Errors
/// Those of [`Call::check`].
pub fn centroid_start(
    directions: ArrayView2<'_, f32>,
    threshold: f32,
    call: &Call<'_>,
) -> Result<Vec<usize>> {
    if directions.nrows() < 2 {
        return memory::filled(CLUSTERING, directions.nrows(), 0);
    }
    let tree = Tree::new(directions, Linkage::Centroid, call)?;
    let start = tree.cut(threshold)?;
    if start.iter().any(|&cluster| cluster >= MAX_STARTS) { tree.cut_to(MAX_STARTS) } else { Ok(start) }
}

/// Speakers of tracks, at least `min` of them and at most `max`, if there are as many tracks:
/// `embeddings` as the model gave them and `directions`, the same scaled to unit length,
/// [tracks, dimension]; `start` are the clusters to start from, at most [`MAX_STARTS`], numbered
/// from 0 without gaps.
///
/// A number outside of the range is forced by k-means on the directions, as in pyannote.audio. The
/// dendrogram is no substitute: centroid linkage leaves stray voices alone until the last joins, so
/// that cut to few clusters it separates strays from speakers.
pub fn speakers(
    embeddings: ArrayView2<'_, f32>,
    directions: ArrayView2<'_, f32>,
    options: &Vbx,
    start: &[usize],
    (min, max): (usize, usize),
    call: &Call<'_>,
) -> Result<Found> {
    let count = embeddings.nrows();
    if count < 2 {
        return Ok(Found { centroids: means(embeddings, &[0][..count], count)?, forced: false });
    }
    // The arithmetic below makes arrays as it goes: of each track no more than four at a time of
    // its features, and of its share in each speaker.
    let speakers = start.iter().max().map_or(0, |last| last + 1);
    memory::ask::<[f64; 4]>(CLUSTERING, count.saturating_mul(embeddings.ncols().max(speakers)))?;
    let features = options.plda().features(embeddings)?;
    let responsibilities = Mixture::new(&features, options).run(start, call)?;
    let found = responsibilities.ncols();
    let wanted = found.clamp(min.clamp(1, count), max.clamp(1, count));
    if found != wanted {
        let numbers = k_means(directions, wanted, call)?;
        return Ok(Found { centroids: means(embeddings, &numbers, wanted)?, forced: true });
    }
    let weights = responsibilities.sum_axis(Axis(0)).insert_axis(Axis(1));
    let centroids = responsibilities.t().dot(&embeddings.mapv(f64::from)) / weights;
    Ok(Found { centroids, forced: false })
}

/// The voices, and what stays the same over the rounds.
struct Mixture<'a> {
    /// Variance between speakers in each feature.
    phi: ArrayView1<'a, f64>,
    /// Features times the square root of `phi`, (18): [tracks, features].
    scaled: Array2<f64>,
    /// The part of a track's log-likelihood that no speaker changes, in (23): [tracks, 1].
    constant: Array2<f64>,
    fa: f64,
    fb: f64,
}

impl<'a> Mixture<'a> {
    fn new(features: &Array2<f64>, options: &'a Vbx) -> Self {
        let phi = options.plda().phi();
        let scaled = features * &phi.mapv(f64::sqrt);
        let dimensions = features.ncols() as f64;
        let constant = features.mapv(|value| value * value).sum_axis(Axis(1)).insert_axis(Axis(1));
        let constant = (constant + dimensions * std::f64::consts::TAU.ln()) * -0.5;
        Self { phi, scaled, constant, fa: options.fa(), fb: options.fb() }
    }

    /// How far each speaker who remains is responsible for each track, from the clusters of
    /// `start`, numbered from 0 without gaps: [tracks, speakers]. The most likely speaker always
    /// remains.
    fn run(&self, start: &[usize], call: &Call<'_>) -> Result<Array2<f64>> {
        let speakers = start.iter().max().map_or(0, |last| last + 1);
        let (own, other) = (INITIAL_SCORE.exp(), 1.0);
        let total = own + other * (speakers as f64 - 1.0);
        let mut responsibilities = Array2::from_shape_fn((start.len(), speakers), |(track, speaker)| {
            if start[track] == speaker { own / total } else { other / total }
        });
        let mut priors = Array1::from_elem(speakers, 1.0 / speakers as f64);
        let mut last_bound = f64::NEG_INFINITY;
        for _ in 0..MAX_ROUNDS {
            let bound = self.round(&mut responsibilities, &mut priors, call)?;
            if bound - last_bound < LEAST_GAIN {
                break;
            }
            last_bound = bound;
        }
        let likeliest = (0..speakers).max_by(|&a, &b| priors[a].total_cmp(&priors[b]));
        let remain = |speaker: &usize| priors[*speaker] > LEAST_PRIOR || Some(*speaker) == likeliest;
        let remaining: Vec<usize> = (0..speakers).filter(remain).collect();
        Ok(responsibilities.select(Axis(1), &remaining))
    }

    /// Estimates the speakers anew from the responsibilities, then these and the priors from the
    /// speakers. Returns the lower bound of the evidence.
    fn round(
        &self,
        responsibilities: &mut Array2<f64>,
        priors: &mut Array1<f64>,
        call: &Call<'_>,
    ) -> Result<f64> {
        let ratio = self.fa / self.fb;
        let weights = responsibilities.sum_axis(Axis(0)).insert_axis(Axis(1));
        // (17) and (16): variance and mean of each speaker's voice, [speakers, features].
        let variances = (weights * self.phi * ratio + 1.0).mapv(f64::recip);
        let mut voices = Array2::zeros(variances.raw_dim());
        for (mut voices, own) in voices
            .axis_chunks_iter_mut(Axis(0), SPEAKERS_AT_ONCE)
            .zip(responsibilities.axis_chunks_iter(Axis(1), SPEAKERS_AT_ONCE))
        {
            // The linkage before has reported all of the stage.
            call.check(Stage::Clustering, 1.0)?;
            voices.assign(&own.t().dot(&self.scaled));
        }
        voices = voices * &variances * ratio;
        // (23): log-likelihood of each track for each speaker, with the logarithm of the prior.
        let uncertain = (&variances + &voices.mapv(|value| value * value)).dot(&self.phi);
        let uncertain = uncertain * 0.5;
        let log_priors = priors.mapv(|prior| (prior + PRIOR_FLOOR).ln());
        let mut evidence = 0.0;
        let tracks = self.scaled.axis_chunks_iter(Axis(0), TRACKS_AT_ONCE);
        let constants = self.constant.axis_chunks_iter(Axis(0), TRACKS_AT_ONCE);
        let scores = responsibilities.axis_chunks_iter_mut(Axis(0), TRACKS_AT_ONCE);
        for ((scaled, constant), mut scores) in tracks.zip(constants).zip(scores) {
            call.check(Stage::Clustering, 1.0)?;
            scores.assign(&(scaled.dot(&voices.t()) - &uncertain + constant));
            scores *= self.fa;
            scores += &log_priors;
            for mut row in scores.rows_mut() {
                let total = log_sum_exp(row.view());
                evidence += total;
                row.mapv_inplace(|score| (score - total).exp());
            }
        }
        *priors = responsibilities.sum_axis(Axis(0));
        *priors /= priors.sum();
        // (25)
        let prior_gap =
            (variances.mapv(f64::ln) - &variances - voices.mapv(|value| value * value) + 1.0).sum();
        Ok(evidence + self.fb * 0.5 * prior_gap)
    }
}

/// Logarithm of the sum of the exponentials.
fn log_sum_exp(values: ArrayView1<'_, f64>) -> f64 {
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.iter().map(|value| (value - highest).exp()).sum::<f64>().ln() + highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diarize::clustering::{Plda, PldaArrays};
    use ndarray::array;
    use std::sync::Arc;

    fn options() -> Vbx {
        let (zeros, eye) = (Array1::zeros(2), Array2::eye(2));
        let arrays = PldaArrays {
            mean1: zeros.clone(),
            mean2: zeros.clone(),
            lda: eye.clone(),
            mu: zeros,
            tr: eye * 2.0,
            psi: array![9.0, 9.0],
        };
        Vbx::new(Arc::new(Plda::new(arrays).unwrap())).with_factors(0.5, 15.0).unwrap()
    }

    fn found(degrees: &[f32], length: f32, range: (usize, usize)) -> Found {
        let directions = Array2::from_shape_fn((degrees.len(), 2), |(row, axis)| {
            let radians = degrees[row].to_radians();
            if axis == 0 { radians.cos() } else { radians.sin() }
        });
        let embeddings = &directions * length;
        let call = Call::none();
        let start = centroid_start(directions.view(), 0.1, &call).unwrap();
        speakers(embeddings.view(), directions.view(), &options(), &start, range, &call).unwrap()
    }

    #[test]
    fn clusters_of_one_voice_are_joined_and_centroids_keep_the_length() {
        let degrees = [0.0, 0.5, 1.0, 8.0, 180.0, 180.5, 181.0, 172.0].repeat(9);
        let result = found(&degrees, 5.0, (1, 100));
        assert_eq!((result.centroids.nrows(), result.forced), (2, false));
        for row in result.centroids.rows() {
            assert!((row.dot(&row).sqrt() - 5.0).abs() < 0.1);
        }
    }

    #[test]
    fn the_number_asked_for_is_forced() {
        let degrees = [0.0, 4.0, 90.0, 94.0, 180.0, 184.0].repeat(3);
        for wanted in 1..=6 {
            assert_eq!(found(&degrees, 1.0, (wanted, wanted)).centroids.nrows(), wanted);
        }
        assert_eq!(found(&[0.0, 90.0], 1.0, (5, 9)).centroids.nrows(), 2);
        assert_eq!(found(&[0.0], 1.0, (2, 2)).centroids.nrows(), 1);
        assert_eq!(found(&[], 1.0, (1, 2)).centroids.nrows(), 0);
    }
}
