//! Joins of a dendrogram to cluster numbers.

use super::CLUSTERING;
use crate::error::Result;
use crate::memory;

/// Observations and the clusters they were joined to.
pub struct Forest {
    observations: usize,
    /// Leads from a node to the join it took part in, from a root to itself. Node
    /// `observations + i` is the `i`-th join.
    parent: Vec<usize>,
}

impl Forest {
    /// Every observation on its own; up to `joins` joins can be made.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn new(observations: usize, joins: usize) -> Result<Self> {
        Ok(Self { observations, parent: memory::collected(CLUSTERING, 0..observations + joins)? })
    }

    /// Makes the join `number` of the nodes `one` and `two`.
    pub fn join(&mut self, number: usize, one: usize, two: usize) {
        self.parent[one] = self.observations + number;
        self.parent[two] = self.observations + number;
    }

    /// The cluster of each observation, numbered from 0 without gaps by the order of the first
    /// observation.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn numbers(&self) -> Result<Vec<usize>> {
        let mut root_of = memory::collected(CLUSTERING, 0..self.parent.len())?;
        // A join comes after what it joins: from the last node on, the root of a node's parent is
        // known.
        for node in (0..root_of.len()).rev() {
            root_of[node] = root_of[self.parent[node]];
        }
        let mut numbers: Vec<Option<usize>> = memory::filled(CLUSTERING, self.parent.len(), None)?;
        let mut next = 0;
        let number = |&root: &usize| {
            *numbers[root].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        };
        memory::collected(CLUSTERING, root_of[..self.observations].iter().map(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_by_the_first_observation() {
        let mut forest = Forest::new(5, 4).unwrap();
        assert_eq!(forest.numbers().unwrap(), [0, 1, 2, 3, 4]);
        forest.join(0, 1, 3);
        forest.join(1, 0, 5);
        assert_eq!(forest.numbers().unwrap(), [0, 0, 1, 0, 2]);
    }
}
