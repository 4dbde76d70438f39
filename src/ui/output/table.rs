//! Text in columns, aligned by what it takes on the screen.

use anstyle::Style as Look;

use super::{
    Style,
    escape::clean_line,
    figures::{columns, cut},
};

/// Columns that a column keeps, however narrow the terminal is.
const COLUMNS_MIN: usize = 12;

/// One cell: foreign text may stand in it.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    look: Look,
}

impl Cell {
    /// Returns a cell with `text`, made safe to show.
    pub fn new(text: &str) -> Self {
        Self::painted(text, Look::new())
    }

    /// Returns a cell with `text`, made safe to show, in a color.
    pub fn painted(text: &str, look: Look) -> Self {
        Self { text: clean_line(text).into_owned(), look }
    }
}

/// What stands above a column, and whether it may be cut where the terminal is narrow.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What stands above it.
    pub head: &'static str,
    /// Whether it may be cut.
    pub may_be_cut: bool,
}

/// Renders rows in columns with two spaces between, heads above. Columns without any text are
/// left out. With a `width`, columns that may be cut are cut to fit.
pub fn render(table: &[Column], rows: &[Vec<Cell>], width: Option<usize>, style: Style) -> String {
    let mut widths: Vec<usize> = vec![0; table.len()];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(columns(&cell.text));
        }
    }
    for (widest, column) in widths.iter_mut().zip(table) {
        if *widest > 0 {
            *widest = (*widest).max(columns(column.head));
        }
    }
    if let Some(width) = width {
        fit(&mut widths, table, width);
    }
    let look = Look::new().bold();
    let heads: Vec<Cell> =
        table.iter().map(|column| Cell { text: column.head.to_owned(), look }).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        push_row(&mut text, row, &widths, style);
    }
    text
}

fn push_row(text: &mut String, row: &[Cell], widths: &[usize], style: Style) {
    let shown: Vec<_> = row.iter().zip(widths).filter(|(_, width)| **width > 0).collect();
    let last = shown.iter().rposition(|(cell, _)| !cell.text.is_empty());
    for (at, (cell, width)) in shown.iter().enumerate() {
        if last.is_none_or(|last| at > last) {
            break;
        }
        let cell_text = cut(&cell.text, **width);
        text.push_str(&style.paint(cell.look, &cell_text));
        if last != Some(at) {
            let n_missing = width.saturating_sub(columns(&cell_text));
            text.push_str(&" ".repeat(n_missing + 2));
        }
    }
    text.push('\n');
}

/// Narrows the widest of the columns that may be cut until all fit, or none can be cut further.
fn fit(widths: &mut [usize], table: &[Column], width: usize) {
    loop {
        let n_shown = widths.iter().filter(|width| **width > 0).count();
        let taken = widths.iter().sum::<usize>() + n_shown.saturating_sub(1) * 2;
        let Some(excess) = taken.checked_sub(width).filter(|excess| *excess > 0) else { return };
        let may_be_cut = |at: usize| table.get(at).is_some_and(|column| column.may_be_cut);
        let mut flexible: Vec<(usize, &mut usize)> =
            widths.iter_mut().enumerate().filter(|(at, _)| may_be_cut(*at)).collect();
        flexible.sort_by_key(|(_, width)| std::cmp::Reverse(**width));
        let second = flexible.get(1).map_or(0, |(_, width)| **width).max(COLUMNS_MIN);
        let Some((_, widest)) = flexible.first_mut() else { return };
        if **widest <= COLUMNS_MIN {
            return;
        }
        // Down to the second widest at once, and then both by one column at a time.
        let least = if **widest > second { second } else { second - 1 };
        **widest = (**widest).saturating_sub(excess).max(least).max(COLUMNS_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(width: Option<usize>, expected: &Expect) {
        let table = [
            Column { head: "ID", may_be_cut: false },
            Column { head: "EMPTY", may_be_cut: false },
            Column { head: "TITLE", may_be_cut: true },
            Column { head: "WHY", may_be_cut: true },
        ];
        let rows = [
            ["a", "", "漢字 in a title that is long", "waits for b (running)"],
            ["long-id", "", "x\u{1b}[31m", ""],
        ];
        let rows = rows.map(|row| row.map(Cell::new).to_vec());
        expected.assert_eq(&render(&table, &rows, width, Style::default()));
    }

    #[test]
    fn columns_are_aligned_and_cut_to_the_terminal() {
        check(
            None,
            &expect![[r"
                ID       TITLE                         WHY
                a        漢字 in a title that is long  waits for b (running)
                long-id  x\x1b[31m
            "]],
        );
        check(
            Some(40),
            &expect![[r#"
                ID       TITLE           WHY
                a        漢字 in a tit…  waits for b (r…
                long-id  x\x1b[31m
            "#]],
        );
        check(
            Some(1),
            &expect![[r#"
                ID       TITLE         WHY
                a        漢字 in a t…  waits for b…
                long-id  x\x1b[31m
            "#]],
        );
    }
}
