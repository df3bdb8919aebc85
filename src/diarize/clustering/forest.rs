//! Joins of a dendrogram to cluster numbers.

/// Observations and the clusters they were joined to.
pub struct Forest {
    observations: usize,
    /// Leads from a node to the join it took part in, from a root to itself. Node `observations + i` is the
    /// `i`-th join.
    parent: Vec<usize>,
}

impl Forest {
    /// Every observation on its own; up to `joins` joins can be made.
    pub fn new(observations: usize, joins: usize) -> Self {
        Self { observations, parent: (0..observations + joins).collect() }
    }

    /// Makes the join `number` of the nodes `one` and `two`.
    pub fn join(&mut self, number: usize, one: usize, two: usize) {
        self.parent[one] = self.observations + number;
        self.parent[two] = self.observations + number;
    }

    /// The cluster of each observation, numbered from 0 without gaps by the order of the first observation.
    pub fn numbers(&self) -> Vec<usize> {
        let mut root_of: Vec<usize> = (0..self.parent.len()).collect();
        // A join comes after what it joins: from the last node on, the root of a node's parent is known.
        for node in (0..root_of.len()).rev() {
            root_of[node] = root_of[self.parent[node]];
        }
        let mut numbers: Vec<Option<usize>> = vec![None; self.parent.len()];
        let mut next = 0;
        root_of[..self.observations]
            .iter()
            .map(|&root| {
                *numbers[root].get_or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_by_the_first_observation() {
        let mut forest = Forest::new(5, 4);
        assert_eq!(forest.numbers(), [0, 1, 2, 3, 4]);
        forest.join(0, 1, 3);
        forest.join(1, 0, 5);
        assert_eq!(forest.numbers(), [0, 0, 1, 0, 2]);
    }
}
