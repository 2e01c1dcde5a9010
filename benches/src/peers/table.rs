//! Lays out tables in Markdown that can be read as they stand.

use std::iter::once;

/// Writes a table: a head and rows of as many cells, in columns of equal width.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let width = |column: usize| {
        let cells = once(&head).chain(rows).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let lines: Vec<String> = [&head, &rule].into_iter().chain(rows).map(|row| line(row, &widths)).collect();
    lines.join("\n")
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["sk32".into(), "784 × 500".into()], vec!["harmonium".into(), "x".into()]];
        let expected = "| name      | size      |\n| --------- | --------- |\n| sk32      | 784 × 500 |\n| harmonium \
                        | x         |";
        assert_eq!(table(&["name", "size"], &rows), expected);
    }
}
