//! The choice of speakers of a least size from the tree of a linkage, as `AgglomerativeClustering`
//! of pyannote.audio 3.1 has it for centroid linkage (Bredin, "pyannote.audio 2.1 speaker
//! diarization pipeline", Interspeech 2023).

use ndarray::{ArrayView1, ArrayView2, Axis};

use super::CLUSTERING;
use super::dendrogram::{self, Distances, average_linkage, centroid_linkage};
use super::forest::Forest;
use super::voices::{cosine_distance, means, unit_rows};
use crate::call::Call;
use crate::error::Result;
use crate::memory;

/// How far two clusters are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// The Euclidean distance of their centroids.
    Centroid,
    /// The mean cosine distance of their tracks.
    Average,
}

impl Linkage {
    /// The distance of two vectors of unit length.
    fn distance(self, one: ArrayView1<'_, f32>, other: ArrayView1<'_, f32>) -> f32 {
        let cosine = cosine_distance(one, other);
        match self {
            // |a - b|² = 2 - 2 a·b for unit length.
            Linkage::Centroid => (2.0 * cosine).sqrt(),
            Linkage::Average => cosine,
        }
    }

    fn joins(self, distances: Distances, call: &Call<'_>) -> Result<Vec<dendrogram::Join>> {
        match self {
            Linkage::Centroid => centroid_linkage(distances, call),
            Linkage::Average => average_linkage(distances, call),
        }
    }
}

/// The joins of a linkage, in the order they were made. With centroid linkage their distances need
/// not grow: the centroid of two clusters may be nearer to a third than either was (an inversion).
pub struct Tree {
    observations: usize,
    joins: Vec<Join>,
}

struct Join {
    one: usize,
    two: usize,
    /// Distance of the two clusters.
    distance: f32,
    /// Greatest distance of this join and those below it.
    highest: f32,
    /// Observations in the cluster made.
    size: usize,
}

impl Tree {
    /// The tree of vectors of unit length, [observations, dimension].
    pub fn new(directions: ArrayView2<'_, f32>, linkage: Linkage, call: &Call<'_>) -> Result<Self> {
        let observations = directions.nrows();
        if observations < 2 {
            return Ok(Self { observations, joins: Vec::new() });
        }
        let distances = Distances::new(observations, call, |row, other| {
            linkage.distance(directions.row(row), directions.row(other))
        })?;
        let mut joins: Vec<Join> = memory::with_capacity(CLUSTERING, observations)?;
        for join in linkage.joins(distances, call)? {
            let below = |node: usize| node.checked_sub(observations).map_or(0.0, |join| joins[join].highest);
            let dendrogram::Join { one, two, distance, size } = join;
            let highest = distance.max(below(one)).max(below(two));
            joins.push(Join { one, two, distance, highest, size });
        }
        Ok(Self { observations, joins })
    }

    /// Clusters in which no join was of more than `threshold`, as SciPy's `fcluster` with the
    /// criterion `distance`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn cut(&self, threshold: f32) -> Result<Vec<usize>> {
        self.numbers(|_, join| join.highest <= threshold)
    }

    /// The clusters after the first joins, as many as leave `clusters`.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn cut_to(&self, clusters: usize) -> Result<Vec<usize>> {
        let made = self.observations.saturating_sub(clusters.max(1));
        self.numbers(|number, _| number < made)
    }

    fn numbers(&self, made: impl Fn(usize, &Join) -> bool) -> Result<Vec<usize>> {
        let mut forest = Forest::new(self.observations, self.joins.len())?;
        for (number, join) in self.joins.iter().enumerate().filter(|&(number, join)| made(number, join)) {
            forest.join(number, join.one, join.two);
        }
        forest.numbers()
    }

    /// The clusters after as many joins as leave `wanted` clusters of `least` observations or more,
    /// where there is such a number: the one whose last join is nearest to `threshold`.
    fn cut_to_large(&self, wanted: usize, least: usize, threshold: f32) -> Result<Option<Vec<usize>>> {
        let size_of =
            |node: usize| node.checked_sub(self.observations).map_or(1, |join| self.joins[join].size);
        let mut large = if least <= 1 { self.observations } else { 0 };
        let mut best: Option<(f32, usize)> = None;
        for (number, join) in self.joins.iter().enumerate() {
            let joined = [join.one, join.two].into_iter().filter(|&node| size_of(node) >= least).count();
            large = large + usize::from(join.size >= least) - joined;
            let gap = (join.distance - threshold).abs();
            let changed = join.size >= least;
            if changed && large == wanted && best.is_none_or(|(smallest, _)| gap < smallest) {
                best = Some((gap, number));
            }
        }
        best.map(|(_, last)| self.numbers(|number, _| number <= last)).transpose()
    }
}

/// Speakers of tracks, numbered from 0 without gaps, at least `min` of them and at most `max`, if
/// there are as many tracks. `directions` [tracks, dimension] are the voices scaled to unit length.
/// Clusters of fewer than `least` tracks join the nearest larger one.
///
/// Where no number of joins gives as many speakers of that size, smaller ones count too:
/// pyannote.audio gives fewer speakers there.
pub fn agglomerate(
    directions: ArrayView2<'_, f32>,
    linkage: Linkage,
    threshold: f32,
    least: usize,
    (min, max): (usize, usize),
    call: &Call<'_>,
) -> Result<Vec<usize>> {
    let count = directions.nrows();
    let (min, max) = (min.clamp(1, count.max(1)), max.clamp(1, count.max(1)));
    if max < 2 {
        return memory::filled(CLUSTERING, count, 0);
    }
    let least = least.max(1);
    let tree = Tree::new(directions, linkage, call)?;
    let numbers = tree.cut(threshold)?;
    let large = sizes(&numbers).into_iter().filter(|&size| size >= least).count();
    let wanted = large.clamp(min, max);
    if large == wanted {
        return join_small(directions, numbers, least);
    }
    for least in (1..=least).rev() {
        if let Some(numbers) = tree.cut_to_large(wanted, least, threshold)? {
            return join_small(directions, numbers, least);
        }
    }
    tree.cut_to(wanted)
}

/// Tracks in a share of `count`, rounded to even, at least 1.
pub fn tracks_in(share: f64, count: usize) -> usize {
    ((share * count as f64).round_ties_even() as usize).max(1)
}

/// Number of tracks of each cluster.
fn sizes(numbers: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0; numbers.iter().max().map_or(0, |last| last + 1)];
    for &number in numbers {
        sizes[number] += 1;
    }
    sizes
}

/// Joins each cluster of fewer than `least` tracks to the large one whose mean is nearest by cosine
/// distance, and numbers the large ones anew. There is at least one.
fn join_small(directions: ArrayView2<'_, f32>, mut numbers: Vec<usize>, least: usize) -> Result<Vec<usize>> {
    let sizes = sizes(&numbers);
    let centroids = unit_rows(&means(directions, &numbers, sizes.len())?)?;
    let large: Vec<usize> = (0..sizes.len()).filter(|&cluster| sizes[cluster] >= least).collect();
    let places: Vec<usize> = centroids
        .axis_iter(Axis(0))
        .enumerate()
        .map(|(cluster, centroid)| {
            let own = large.iter().position(|&other| other == cluster);
            let distance = |&place: &usize| cosine_distance(centroid, centroids.row(large[place]));
            own.or_else(|| (0..large.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))).unwrap_or(0)
        })
        .collect();
    numbers.iter_mut().for_each(|number| *number = places[*number]);
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn directions(degrees: &[f32]) -> Array2<f32> {
        Array2::from_shape_fn((degrees.len(), 2), |(row, axis)| {
            let radians = degrees[row].to_radians();
            if axis == 0 { radians.cos() } else { radians.sin() }
        })
    }

    fn labels(degrees: &[f32], least: usize, min: usize, max: usize) -> Vec<usize> {
        let directions = directions(degrees);
        agglomerate(directions.view(), Linkage::Centroid, 0.5, least, (min, max), &Call::none()).unwrap()
    }

    #[test]
    fn equal_voices_are_one() {
        assert_eq!(labels(&[10.0; 6], 12, 1, 9), [0; 6]);
        assert_eq!(labels(&[10.0; 6], 12, 2, 2).iter().max(), Some(&1));
        assert_eq!(labels(&[], 12, 2, 2), Vec::<usize>::new());
        assert_eq!(labels(&[10.0], 12, 2, 2), [0]);
    }

    #[test]
    fn a_small_cluster_joins_the_nearest_large_one() {
        let mut degrees = [[0.0; 10], [90.0; 10]].concat();
        degrees.push(50.0);
        assert_eq!(labels(&degrees, 2, 1, 9), [[0; 10].as_slice(), &[1; 11]].concat());
        assert_eq!(labels(&degrees, 1, 1, 9)[20], 2);
    }

    #[test]
    fn a_share_of_the_tracks_is_rounded_to_even() {
        assert_eq!([0, 4, 15, 25, 35].map(|count| tracks_in(0.1, count)), [1, 1, 2, 2, 4]);
    }

    #[test]
    fn average_linkage_cuts_at_the_mean_distance() {
        // From the first pair to the last track: 1 - cos 80° and 1 - cos 90°, 0.91 on average.
        let directions = directions(&[0.0, 10.0, 90.0]);
        let numbers = |threshold| {
            agglomerate(directions.view(), Linkage::Average, threshold, 1, (1, 9), &Call::none()).unwrap()
        };
        assert_eq!(numbers(0.9), [0, 0, 1]);
        assert_eq!(numbers(0.92), [0, 0, 0]);
    }

    #[test]
    fn the_number_asked_for_is_honoured_with_clusters_smaller_than_the_least() {
        let mut degrees = vec![0.0; 38];
        degrees.extend([90.0, 180.0]);
        assert_eq!(labels(&degrees, 4, 1, 9), [0; 40]);
        for wanted in [2, 3, 20, 40] {
            assert_eq!(labels(&degrees, 4, wanted, 40).iter().max(), Some(&(wanted - 1)));
        }
        assert_eq!(labels(&[0.0, 90.0, 180.0], 1, 1, 2).iter().max(), Some(&1));
    }

    #[test]
    fn an_inversion_cuts_at_the_highest_join_below() {
        // A triangle: its centroid is nearer to the third corner than the corners are to each
        // other.
        let corners = Array2::from_shape_fn((3, 3), |(row, axis)| f32::from(u8::from(row == axis)));
        let tree = Tree::new(corners.view(), Linkage::Centroid, &Call::none()).unwrap();
        assert!(tree.joins[1].distance < tree.joins[0].distance);
        assert_eq!(tree.cut(1.3).unwrap(), [0, 1, 2]);
        assert_eq!(tree.cut(1.42).unwrap(), [0, 0, 0]);
    }
}
