//! Text tables: columns aligned by what they hold.

use unicode_width::UnicodeWidthStr;

/// Which side of a column its cells keep to.
#[derive(Clone, Copy, PartialEq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading.
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let columns = columns.iter().map(|&(title, align)| (title.to_owned(), align)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row; control characters, which file names may hold, become `?`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| cell.replace(char::is_control, "?")).collect());
    }

    /// The table with two spaces between columns, none at the end of a line.
    pub fn render(&self) -> String {
        let titles: Vec<String> = self.columns.iter().map(|(title, _)| title.clone()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&titles).chain(&self.rows).collect();
        let width_of = |column: usize| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width_of).collect();
        let mut text = String::new();
        for line in &lines {
            let mut out = String::new();
            for ((cell, (_, align)), &width) in line.iter().zip(&self.columns).zip(&widths) {
                if !out.is_empty() {
                    out.push_str("  ");
                }
                let padding = " ".repeat(width.saturating_sub(cell.width()));
                let (before, after) = if *align == Align::Right { (&*padding, "") } else { ("", &*padding) };
                out.extend([before, cell, after]);
            }
            text.push_str(out.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_aligned_by_their_width_on_screen() {
        let mut table = Table::new(&[("name", Align::Left), ("s", Align::Right)]);
        table.row(["会議".into(), "1.00".into()]);
        table.row(["a\nb".into(), "12.50".into()]);
        assert_eq!(table.render(), "name      s\n会議   1.00\na?b   12.50\n");
    }
}
