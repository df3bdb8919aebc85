//! The assignment problem: the cheapest one-to-one pairing of rows with columns.

/// The column of each row in the assignment of least total cost. As many pairs are made as there
/// are rows or columns, whichever are fewer: `None` for the rows left over. `cost` is finite.
pub fn assign(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<Option<usize>> {
    if rows <= columns {
        return assign_rows(rows, columns, cost).into_iter().map(Some).collect();
    }
    let mut column_of = vec![None; rows];
    let row_of = assign_rows(columns, rows, |column, row| cost(row, column));
    for (column, row) in row_of.into_iter().enumerate() {
        column_of[row] = Some(column);
    }
    column_of
}

/// No row or column.
const NONE: usize = usize::MAX;

/// The column of each row in the assignment of least total cost; `rows` is at most `columns`.
///
/// Shortest augmenting paths: D. F. Crouse, "On implementing 2D rectangular assignment algorithms",
/// IEEE Transactions on Aerospace and Electronic Systems 52(4), 2016. Columns are searched from the
/// last to the first and a free column wins a tie, so that equal costs give the identity, as in
/// SciPy.
fn assign_rows(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<usize> {
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

    fn assign_matrix<const R: usize, const C: usize>(costs: [[f64; C]; R]) -> Vec<Option<usize>> {
        assign(R, C, |row, column| costs[row][column])
    }

    #[test]
    fn least_cost() {
        let square = [[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]];
        assert_eq!(assign_matrix(square), [Some(1), Some(0), Some(2)]);
        assert_eq!(assign_matrix([[0.0, -2.0, -1.0], [0.0, -3.0, 0.0]]), [Some(2), Some(1)]);
        assert_eq!(assign(0, 3, |_, _| 0.0), []);
    }

    #[test]
    fn of_more_rows_than_columns_the_dear_ones_are_left_over() {
        assert_eq!(assign_matrix([[2.0, 3.0], [1.0, 1.5], [5.0, 2.0]]), [None, Some(0), Some(1)]);
        assert_eq!(assign(2, 0, |_, _| 0.0), [None, None]);
    }

    #[test]
    fn equal_costs_give_the_identity() {
        assert_eq!(assign_matrix([[-1.0; 5]; 4]), [Some(0), Some(1), Some(2), Some(3)]);
    }
}
