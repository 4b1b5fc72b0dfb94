//! Lines in columns. A sheet has a label, what, and why; a table has as many columns as its rows. Neither wraps: one
//! state has one text, whatever the terminal.

use super::style::{Style, Text};

/// The label column is at least and at most so wide.
const LABEL_WIDTH_MIN: usize = 21;
const LABEL_WIDTH_MAX: usize = 44;
/// The middle column, with the gap after it.
const WHAT_WIDTH: usize = 43;
const GAP: usize = 2;

/// Lines of a label, what, and why.
#[derive(Clone, Debug, Default)]
pub struct Sheet(Vec<Line>);

#[derive(Clone, Debug)]
enum Line {
    Columns(Text, Text, Text),
    Ends(Text, Text),
    Whole(Text),
}

impl Sheet {
    /// A line of three columns; what does not fit its column pushes the next one on.
    pub fn row(&mut self, label: impl Into<Text>, what: impl Into<Text>, why: impl Into<Text>) {
        self.0.push(Line::Columns(label.into(), what.into(), why.into()));
    }

    /// A line over the first two columns, and the third.
    pub fn ends(&mut self, left: impl Into<Text>, right: impl Into<Text>) {
        self.0.push(Line::Ends(left.into(), right.into()));
    }

    /// A line that no column holds.
    pub fn whole(&mut self, text: impl Into<Text>) {
        self.0.push(Line::Whole(text.into()));
    }

    /// An empty line, unless there is one already or nothing stands before.
    pub fn gap(&mut self) {
        match self.0.last() {
            None => {}
            Some(Line::Whole(text)) if text.is_empty() => {}
            Some(_) => self.whole(""),
        }
    }

    /// Written out, every line ended.
    pub fn paint(&self, style: Style) -> String {
        let widest = self.0.iter().map(|line| match line {
            Line::Columns(label, what, _) if !what.is_empty() => label.width(),
            _ => 0,
        });
        let label_width = widest.max().unwrap_or(0).clamp(LABEL_WIDTH_MIN, LABEL_WIDTH_MAX) + GAP;
        let mut out = String::new();
        for line in &self.0 {
            let text = match line {
                Line::Columns(label, what, why) => {
                    let left = padded(label, label_width).append(what.clone());
                    padded(&left, label_width + WHAT_WIDTH).append(why.clone())
                }
                Line::Ends(left, right) => padded(left, label_width + WHAT_WIDTH).append(right.clone()),
                Line::Whole(text) => text.clone(),
            };
            out.push_str(&text.paint(style));
            out.push('\n');
        }
        out
    }
}

/// The text and spaces up to `width`; at least the gap.
fn padded(text: &Text, width: usize) -> Text {
    let used = text.width();
    text.clone().space(width.saturating_sub(used).max(if used == 0 { width } else { GAP }))
}

/// Rows of equal columns, each as wide as its widest cell.
#[derive(Clone, Debug, Default)]
pub struct Table(Vec<TableLine>);

#[derive(Clone, Debug)]
enum TableLine {
    Cells(Vec<Text>),
    Whole(Text),
}

impl Table {
    /// One row.
    pub fn row(&mut self, cells: Vec<Text>) {
        self.0.push(TableLine::Cells(cells));
    }

    /// A line that no column holds.
    pub fn whole(&mut self, text: impl Into<Text>) {
        self.0.push(TableLine::Whole(text.into()));
    }

    /// Written out, every line ended.
    pub fn paint(&self, style: Style) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for line in &self.0 {
            if let TableLine::Cells(cells) = line {
                for (column, cell) in cells.iter().enumerate() {
                    match widths.get_mut(column) {
                        Some(width) => *width = cell.width().max(*width),
                        None => widths.push(cell.width()),
                    }
                }
            }
        }
        let mut out = String::new();
        for line in &self.0 {
            let text = match line {
                TableLine::Whole(text) => text.clone(),
                TableLine::Cells(cells) => cells.iter().zip(&widths).fold(Text::new(), |text, (cell, width)| {
                    text.append(cell.clone()).space(width - cell.width() + GAP)
                }),
            };
            out.push_str(&text.paint(style));
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_too_long_pushes_what_follows() {
        let mut sheet = Sheet::default();
        sheet.row("a", "b", "c");
        sheet.row("l".repeat(50), "b", "c");
        let text = sheet.paint(Style::PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].find('b'), Some(46));
        assert_eq!(lines[1].find('b'), Some(52));
        assert_eq!(lines[0].find('c'), lines[1].find('c'));
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let mut table = Table::default();
        table.row(vec!["a".into(), "b".into()]);
        table.row(vec!["long".into(), "c".into()]);
        assert_eq!(table.paint(Style::PLAIN), "a     b\nlong  c\n");
    }
}
