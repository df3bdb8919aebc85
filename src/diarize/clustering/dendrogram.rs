//! Hierarchical clustering by the algorithms of D. Müllner, "Modern hierarchical, agglomerative
//! clustering algorithms", arXiv:1109.2378, 2011, which look at deadline and cancellation as they
//! go: of thousands of observations they take seconds.

use std::cmp::Ordering;

use super::CLUSTERING;
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// Comparisons of one cluster with all others between two looks at deadline and cancellation; of
/// 6,000 clusters some milliseconds.
const CHECK_EVERY: usize = 256;

/// Two clusters joined. An observation is its own index, a cluster the number of observations plus
/// the index of its join.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    pub one: usize,
    pub two: usize,
    /// Their distance.
    pub distance: f32,
    /// Observations in the cluster made.
    pub size: usize,
}

/// The distances of `observations` observations: above the diagonal, row by row.
pub struct Distances {
    values: Vec<f32>,
    observations: usize,
}

impl Distances {
    /// The distances that `distance` gives for two observations of different index, the lower one
    /// first.
    ///
    /// # Errors
    /// Those of [`Call::check`].
    pub fn new(observations: usize, call: &Call<'_>, distance: impl Fn(usize, usize) -> f32) -> Result<Self> {
        let pairs = observations * observations.saturating_sub(1) / 2;
        let mut values = memory::with_capacity(CLUSTERING, pairs)?;
        for row in 0..observations {
            call.check(Stage::Clustering, row as f32 / observations as f32)?;
            values.extend((row + 1..observations).map(|other| distance(row, other)));
        }
        Ok(Self { values, observations })
    }

    fn index(&self, one: usize, two: usize) -> usize {
        let (row, column) = (one.min(two), one.max(two));
        (2 * self.observations - row - 3) * row / 2 + column - 1
    }

    fn get(&self, one: usize, two: usize) -> f32 {
        self.values[self.index(one, two)]
    }

    fn set(&mut self, one: usize, two: usize, distance: f32) {
        let index = self.index(one, two);
        self.values[index] = distance;
    }
}

/// The clusters while they are joined. A cluster has the place of its last observation.
struct Clusters {
    distances: Distances,
    /// Places of the clusters, ascending.
    places: Vec<usize>,
    sizes: Vec<usize>,
    joins: Vec<Join>,
    compared: usize,
}

impl Clusters {
    fn new(distances: Distances) -> Result<Self> {
        let count = distances.observations;
        Ok(Self {
            distances,
            places: memory::collected(CLUSTERING, 0..count)?,
            sizes: memory::filled(CLUSTERING, count, 1)?,
            joins: memory::with_capacity(CLUSTERING, count)?,
            compared: 0,
        })
    }

    /// Looks at deadline and cancellation from time to time. The distances before have reported all
    /// of the stage.
    fn check(&mut self, call: &Call<'_>) -> Result<()> {
        self.compared += 1;
        if self.compared.is_multiple_of(CHECK_EVERY) { call.check(Stage::Clustering, 1.0) } else { Ok(()) }
    }

    /// Joins the clusters at `one` and `two`, the lower place first.
    fn join(&mut self, one: usize, two: usize, distance: f32) {
        self.sizes[two] += self.sizes[one];
        self.places.retain(|&place| place != one);
        self.joins.push(Join { one, two, distance, size: self.sizes[two] });
    }

    /// The cluster nearest to the one at `place`, and its distance; `known` unless another is
    /// nearer.
    fn nearest(&self, place: usize, known: (usize, f32)) -> (usize, f32) {
        let others = self.places.iter().filter(|&&other| other != place);
        others.fold(known, |best, &other| {
            let distance = self.distances.get(place, other);
            if distance < best.1 { (other, distance) } else { best }
        })
    }

    /// The nearest of the clusters behind `place`, which is not the last, and its distance.
    fn nearest_behind(&self, place: usize) -> (usize, f32) {
        let start = self.places.partition_point(|&other| other <= place);
        let first = (self.places[start], f32::INFINITY);
        self.places[start..].iter().fold(first, |best, &other| {
            let distance = self.distances.get(place, other);
            if distance < best.1 { (other, distance) } else { best }
        })
    }

    /// The cluster with the lowest bound.
    fn least(&self, nearest: &[(usize, f32)]) -> usize {
        // The last has none behind it.
        let places = &self.places[..self.places.len() - 1];
        places.iter().fold(
            self.places[0],
            |best, &place| if nearest[place].1 < nearest[best].1 { place } else { best },
        )
    }

    /// Gives `two` the distances that it has to all others once `one` has joined it.
    fn update(&mut self, one: usize, two: usize, joined: impl Fn(f32, f32) -> f32) {
        for index in 0..self.places.len() {
            let other = self.places[index];
            if other != one && other != two {
                let distance = joined(self.distances.get(one, other), self.distances.get(two, other));
                self.distances.set(two, other, distance);
            }
        }
    }

    /// The joins with the clusters by the joins that made them, in place of where they are.
    fn finish(mut self) -> Result<Vec<Join>> {
        let observations = self.distances.observations;
        let mut parent = memory::collected(CLUSTERING, 0..observations + self.joins.len())?;
        for index in 0..self.joins.len() {
            let Join { one, two, .. } = self.joins[index];
            let (one, two) = (root(&mut parent, one), root(&mut parent, two));
            let node = observations + index;
            (parent[one], parent[two]) = (node, node);
            let size = |node: usize| node.checked_sub(observations).map_or(1, |join| self.joins[join].size);
            let size = size(one) + size(two);
            let join = &mut self.joins[index];
            (join.one, join.two, join.size) = (one.min(two), one.max(two), size);
        }
        Ok(self.joins)
    }
}

/// The node that leads to no other; the way to it is shortened.
fn root(parent: &mut [usize], node: usize) -> usize {
    let mut root = node;
    while parent[root] != root {
        root = parent[root];
    }
    let mut node = node;
    while parent[node] != root {
        (parent[node], node) = (root, parent[node]);
    }
    root
}

/// The joins of average linkage by ascending distance: a chain of nearest neighbours.
///
/// # Errors
/// Those of [`Call::check`].
pub fn average_linkage(distances: Distances, call: &Call<'_>) -> Result<Vec<Join>> {
    let mut clusters = Clusters::new(distances)?;
    let mut chain = memory::with_capacity(CLUSTERING, clusters.places.len() + 2)?;
    while clusters.places.len() > 1 {
        let (mut one, mut two, mut least);
        if chain.len() < 4 {
            one = clusters.places[0];
            (two, least) = clusters.nearest(one, (clusters.places[1], f32::INFINITY));
            chain.clear();
            chain.push(one);
        } else {
            // What the chain was before the last join is a chain still.
            two = chain[chain.len() - 3];
            chain.truncate(chain.len() - 3);
            one = chain[chain.len() - 1];
            least = clusters.distances.get(one, two);
        }
        loop {
            clusters.check(call)?;
            chain.push(two);
            (one, least) = clusters.nearest(two, (one, least));
            (one, two) = (two, one);
            if two == chain[chain.len() - 2] {
                break;
            }
        }
        let (one, two) = (one.min(two), one.max(two));
        let (size_one, size_two) = (clusters.sizes[one] as f32, clusters.sizes[two] as f32);
        clusters.update(one, two, |a, b| (size_one * a + size_two * b) / (size_one + size_two));
        clusters.join(one, two, least);
    }
    clusters.joins.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    clusters.finish()
}

/// The joins of centroid linkage in the order they are made, of Euclidean distances: the nearest
/// two clusters each time, with a lower bound of the distance of each cluster to those behind it.
///
/// # Errors
/// Those of [`Call::check`].
pub fn centroid_linkage(mut distances: Distances, call: &Call<'_>) -> Result<Vec<Join>> {
    distances.values.iter_mut().for_each(|distance| *distance *= *distance);
    let mut clusters = Clusters::new(distances)?;
    let count = clusters.places.len();
    // The nearest cluster behind each, and a bound that its distance is not under.
    let mut nearest = memory::filled(CLUSTERING, count, (0, f32::INFINITY))?;
    for (place, nearest) in nearest.iter_mut().enumerate().take(count.saturating_sub(1)) {
        clusters.check(call)?;
        *nearest = clusters.nearest_behind(place);
    }
    while clusters.places.len() > 1 {
        let (one, two) = loop {
            clusters.check(call)?;
            let place = clusters.least(&nearest);
            let (other, bound) = nearest[place];
            // Not greater rather than equal: what is no number must not go round for ever.
            if clusters.distances.get(place, other).partial_cmp(&bound) != Some(Ordering::Greater) {
                break (place, other);
            }
            nearest[place] = clusters.nearest_behind(place);
        };
        let distance = clusters.distances.get(one, two);
        let (size_one, size_two) = (clusters.sizes[one] as f32, clusters.sizes[two] as f32);
        let size = size_one + size_two;
        clusters.update(one, two, |a, b| {
            (size_one * a + size_two * b) / size - size_one * size_two * distance / (size * size)
        });
        for index in 0..clusters.places.len() {
            let other = clusters.places[index];
            if other == one || other == two {
                continue;
            }
            let changed = clusters.distances.get(two, other);
            let (place, behind) = (other.min(two), other.max(two));
            if changed < nearest[place].1 {
                nearest[place] = (behind, changed);
            } else if other < one && nearest[other].0 == one {
                nearest[other].0 = two;
            }
        }
        clusters.join(one, two, distance);
    }
    // Rounding leaves equal centroids a square under zero.
    clusters.joins.iter_mut().for_each(|join| join.distance = join.distance.max(0.0).sqrt());
    clusters.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points that look random, and some that are equal.
    fn points(count: usize) -> Vec<[f32; 3]> {
        let mut state = 7_u64;
        let mut number = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 60) as f32) / 4.0
        };
        (0..count).map(|_| [number(), number(), number()]).collect()
    }

    fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    }

    type Point = [f32; 3];

    fn linked(points: &[Point], linkage: fn(Distances, &Call<'_>) -> Result<Vec<Join>>) -> Vec<Join> {
        let between = |one: usize, two: usize| distance(points[one], points[two]);
        let distances = Distances::new(points.len(), &Call::none(), between).unwrap();
        linkage(distances, &Call::none()).unwrap()
    }

    /// The distance of each join, from the definition: of all pairs of clusters the nearest.
    fn by_definition(points: &[Point], between: fn(&[Point], &[Point]) -> f32) -> Vec<f32> {
        let mut clusters: Vec<Vec<[f32; 3]>> = points.iter().map(|&point| vec![point]).collect();
        let mut distances = Vec::new();
        while clusters.len() > 1 {
            let pairs = (0..clusters.len()).flat_map(|one| (0..one).map(move |two| (one, two)));
            let nearest = pairs
                .map(|(one, two)| (between(&clusters[one], &clusters[two]), one, two))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            let (distance, one, two) = nearest.unwrap();
            distances.push(distance);
            let joined = clusters.remove(one);
            clusters[two].extend(joined);
        }
        distances
    }

    fn mean_distance(one: &[[f32; 3]], two: &[[f32; 3]]) -> f32 {
        let all = one.iter().flat_map(|&a| two.iter().map(move |&b| distance(a, b)));
        all.sum::<f32>() / (one.len() * two.len()) as f32
    }

    fn centroid_distance(one: &[[f32; 3]], two: &[[f32; 3]]) -> f32 {
        let mean = |points: &[[f32; 3]]| -> [f32; 3] {
            std::array::from_fn(|axis| {
                points.iter().map(|point| point[axis]).sum::<f32>() / points.len() as f32
            })
        };
        distance(mean(one), mean(two))
    }

    #[test]
    fn the_distances_are_those_of_the_definitions() {
        // Without equal distances there is one order of joins.
        let points: Vec<[f32; 3]> = points(60)
            .into_iter()
            .enumerate()
            .map(|(index, [x, y, z])| [x + 0.013 * (index as f32).sin(), y + 0.017 * (index as f32).cos(), z])
            .collect();
        for (joins, expected) in [
            (linked(&points, average_linkage), by_definition(&points, mean_distance)),
            (linked(&points, centroid_linkage), by_definition(&points, centroid_distance)),
        ] {
            assert_eq!(joins.len(), 59);
            for (join, expected) in joins.iter().zip(expected) {
                assert!((join.distance - expected).abs() < 1e-3, "{join:?}: {expected}");
            }
            assert_eq!(joins[58].size, 60);
        }
    }

    #[test]
    fn equal_points_are_joined_once_each() {
        for linkage in [average_linkage, centroid_linkage] {
            let joins = linked(&points(40), linkage);
            let mut nodes: Vec<usize> = joins.iter().flat_map(|join| [join.one, join.two]).collect();
            nodes.sort_unstable();
            assert_eq!(nodes, (0..78).collect::<Vec<_>>());
            assert!(joins.iter().enumerate().all(|(index, join)| join.two < 40 + index));
        }
        assert!(linked(&points(1), average_linkage).is_empty() && linked(&[], centroid_linkage).is_empty());
    }

    #[test]
    fn a_passed_deadline_ends_it() {
        let call = Call::none().with_deadline(Some(std::time::Duration::ZERO));
        let distances = Distances::new(600, &Call::none(), |one, two| (one + two) as f32).unwrap();
        assert!(average_linkage(distances, &call).is_err());
        assert!(Distances::new(2, &call, |_, _| 0.0).is_err());
    }
}
