//! The best one-to-one mapping of speakers.

use super::span::Span;
use super::tracks::Tracks;

/// For each speaker of `from`, the speaker of `to` mapped to it: the one-to-one mapping with the most shared
/// time. Speakers who share no time are never mapped to each other.
///
/// Where several mappings are equally good, the one that `pyannote.metrics` would take: time is added up in
/// its order, and the assignment breaks ties as `scipy.optimize.linear_sum_assignment` does.
pub(super) fn best_mapping(from: &Tracks, to: &Tracks) -> Vec<Option<usize>> {
    let shared = cooccurrence(from, to);
    let rows = from.speakers;
    let mut mapping = vec![None; rows];
    let costs = |row: usize, column: usize| -shared[row * to.speakers + column];
    let pairs: Vec<(usize, usize)> = if rows <= to.speakers {
        assign(rows, to.speakers, costs).into_iter().enumerate().collect()
    } else {
        let assigned = assign(to.speakers, rows, |row, column| costs(column, row));
        assigned.into_iter().enumerate().map(|(column, row)| (row, column)).collect()
    };
    for (row, column) in pairs {
        if costs(row, column) < 0.0 {
            mapping[row] = Some(column);
        }
    }
    mapping
}

/// Seconds in which a speaker of `from` (row) and one of `to` (column) talk together, row by row. Each pair
/// of turns counts.
fn cooccurrence(from: &Tracks, to: &Tracks) -> Vec<f64> {
    let mut shared = vec![0.0; from.speakers * to.speakers];
    // Turns before this one end before any later turn of `from` begins.
    let mut first = 0;
    for one in &from.tracks {
        while to.tracks.get(first).is_some_and(|track| track.span.end <= one.span.start) {
            first += 1;
        }
        let others = to.tracks.iter().skip(first).take_while(|other| other.span.start < one.span.end);
        for other in others {
            let span: Span = one.span.intersection(other.span);
            shared[one.speaker * to.speakers + other.speaker] += span.duration();
        }
    }
    shared
}

/// No row or column.
const NONE: usize = usize::MAX;

/// The column of each row in the assignment of least total cost; `rows` is at most `columns`.
///
/// Shortest augmenting paths: D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE
/// Transactions on Aerospace and Electronic Systems 52(4), 2016. Columns are searched from the last to the
/// first and a free column wins a tie, so that equal costs give the identity, as in SciPy.
fn assign(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut row_price = vec![0.0; rows];
    let mut column_price = vec![0.0; columns];
    let mut column_of = vec![NONE; rows];
    let mut row_of = vec![NONE; columns];
    for start in 0..rows {
        let mut parent = vec![NONE; columns];
        let mut distance = vec![f64::INFINITY; columns];
        let mut remaining: Vec<usize> = (0..columns).rev().collect();
        let mut seen_rows = Vec::new();
        let mut seen_columns = Vec::new();
        let mut row = start;
        let mut reached = 0.0;
        let sink = loop {
            seen_rows.push(row);
            let (mut nearest, mut lowest) = (0, f64::INFINITY);
            for (position, &column) in remaining.iter().enumerate() {
                let through = reached + cost(row, column) - row_price[row] - column_price[column];
                if through < distance[column] {
                    parent[column] = row;
                    distance[column] = through;
                }
                let tie = distance[column] == lowest && row_of[column] == NONE;
                if distance[column] < lowest || tie {
                    (nearest, lowest) = (position, distance[column]);
                }
            }
            reached = lowest;
            let column = remaining.swap_remove(nearest);
            seen_columns.push(column);
            if row_of[column] == NONE {
                break column;
            }
            row = row_of[column];
        };
        for row in seen_rows {
            row_price[row] += if row == start { reached } else { reached - distance[column_of[row]] };
        }
        for column in seen_columns {
            column_price[column] -= reached - distance[column];
        }
        let mut column = sink;
        loop {
            let row = parent[column];
            row_of[column] = row;
            std::mem::swap(&mut column_of[row], &mut column);
            if row == start {
                break;
            }
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assign_matrix<const R: usize, const C: usize>(costs: [[f64; C]; R]) -> Vec<usize> {
        assign(R, C, |row, column| costs[row][column])
    }

    #[test]
    fn least_cost() {
        assert_eq!(assign_matrix([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]]), [1, 0, 2]);
        assert_eq!(assign_matrix([[0.0, -2.0, -1.0], [0.0, -3.0, 0.0]]), [2, 1]);
        assert_eq!(assign(0, 3, |_, _| 0.0), Vec::<usize>::new());
    }

    #[test]
    fn equal_costs_give_the_identity() {
        assert_eq!(assign_matrix([[-1.0; 5]; 4]), [0, 1, 2, 3]);
    }
}
