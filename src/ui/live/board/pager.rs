//! A text that is longer than the screen: wrapped, scrolled, and perhaps growing.

use unicode_width::UnicodeWidthChar as _;

/// Lines of a growing text that are kept; the oldest go first.
const LINES_MAX: usize = 5_000;

/// Columns between two tab stops.
const TAB: usize = 8;

/// A text and the part of it that is seen. The text is safe to show: whoever makes it cleaned it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pager {
    text: Vec<String>,
    /// The text, cut to the width.
    lines: Vec<String>,
    width: usize,
    height: usize,
    top: usize,
    /// Whether the end stays in sight when the text grows.
    follows: bool,
}

impl Pager {
    /// Shows `text` from its first line on.
    pub(super) fn new(text: &str, (width, height): (usize, usize)) -> Self {
        let mut pager = Self { width, height, ..Self::default() };
        pager.replace(text);
        pager
    }

    /// Shows the end of `text`, and of what is added to it.
    pub(super) fn following(text: &str, size: (usize, usize)) -> Self {
        let mut pager = Self::new(text, size);
        pager.go_last();
        pager
    }

    /// Takes another text and stays where it is.
    pub(super) fn replace(&mut self, text: &str) {
        self.text = text.split('\n').map(str::to_owned).collect();
        self.wrap();
    }

    /// Adds to the end of the text.
    pub(super) fn push(&mut self, text: &str) {
        let mut pieces = text.split('\n');
        if let (Some(last), Some(rest)) = (self.text.last_mut(), pieces.next()) {
            last.push_str(rest);
        }
        self.text.extend(pieces.map(str::to_owned));
        let n_more = self.text.len().saturating_sub(LINES_MAX);
        self.text.drain(..n_more);
        self.wrap();
    }

    /// Takes another size.
    pub(super) fn resize(&mut self, (width, height): (usize, usize)) {
        let is_wrapped = self.width == width;
        (self.width, self.height) = (width, height);
        if is_wrapped { self.settle() } else { self.wrap() }
    }

    /// Goes down by so many lines; up where it is negative.
    pub(super) fn move_by(&mut self, n_lines: isize) {
        self.top = self.top.saturating_add_signed(n_lines).min(self.last_top());
        self.follows = self.follows && n_lines >= 0;
    }

    /// Goes down by so many screens.
    pub(super) fn page_by(&mut self, n_pages: isize) {
        let page = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        self.move_by(page.saturating_mul(n_pages));
    }

    pub(super) fn go_first(&mut self) {
        (self.top, self.follows) = (0, false);
    }

    /// Goes to the end and stays there.
    pub(super) fn go_last(&mut self) {
        (self.top, self.follows) = (self.last_top(), true);
    }

    /// Returns the lines that are seen.
    pub(super) fn seen(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().skip(self.top).take(self.height).map(String::as_str)
    }

    /// Says which lines are seen: `1-20 of 300`; nothing where all are.
    pub(super) fn place(&self) -> Option<String> {
        let last = (self.top + self.height).min(self.lines.len());
        (self.height < self.lines.len())
            .then(|| format!("{}-{last} of {}", self.top + 1, self.lines.len()))
    }

    fn wrap(&mut self) {
        self.lines = self.text.iter().flat_map(|line| wrapped(line, self.width)).collect();
        // What ends with a line feed has no empty line after it.
        if self.lines.len() > 1 && self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.top = if self.follows { self.last_top() } else { self.top.min(self.last_top()) };
    }

    fn last_top(&self) -> usize {
        self.lines.len().saturating_sub(self.height)
    }
}

/// Cuts a line into pieces of at most `width` columns, at spaces where that is possible. Further
/// pieces are as far from the edge as the first.
pub(super) fn wrapped(line: &str, width: usize) -> Vec<String> {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let indent = if indent * 2 < width { " ".repeat(indent) } else { String::new() };
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut used = 0;
    for c in line.chars() {
        let (shown, columns) = match c {
            '\t' => (' ', TAB - used % TAB),
            c => (c, c.width().unwrap_or(0)),
        };
        if used + columns > width && used > indent.len() {
            let is_space = shown == ' ';
            // A space that does not fit ends the line, and is not seen.
            let rest = if is_space { String::new() } else { rest_of(&mut piece, indent.len()) };
            pieces.push(std::mem::replace(&mut piece, format!("{indent}{rest}")));
            used = piece.chars().map(|c| c.width().unwrap_or(0)).sum();
            if is_space {
                continue;
            }
        }
        let n_times = if c == '\t' { columns } else { 1 };
        piece.extend(std::iter::repeat_n(shown, n_times));
        used += columns;
    }
    pieces.push(piece);
    pieces
}

/// Takes the last word off a piece that is full, where it has others; returns that word.
fn rest_of(piece: &mut String, n_indent: usize) -> String {
    let at = piece.rfind(' ').filter(|at| *at > n_indent && at + 1 < piece.len());
    let Some(at) = at else {
        piece.truncate(piece.trim_end().len());
        return String::new();
    };
    let rest = piece.split_off(at + 1);
    piece.truncate(piece.trim_end().len());
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_spaces() {
        let table = [
            ("", vec![""]),
            ("short", vec!["short"]),
            ("one two three", vec!["one two", "three"]),
            ("onetwothreefour", vec!["onetwoth", "reefour"]),
            ("  one two", vec!["  one", "  two"]),
            ("漢字漢字漢字", vec!["漢字漢字", "漢字"]),
            ("a\tb", vec!["a", "b"]),
            ("exactly8 x", vec!["exactly8", "x"]),
        ];
        for (line, expected) in table {
            assert_eq!(wrapped(line, 8), expected, "{line}");
        }
    }

    #[test]
    fn the_end_is_followed_until_one_scrolls_up() {
        let seen = |pager: &Pager| pager.seen().collect::<Vec<_>>().join("|");
        let mut pager = Pager::following("1\n2\n3\n", (10, 2));
        assert_eq!(seen(&pager), "2|3");
        pager.push("4\nfi");
        pager.push("ve\n");
        assert_eq!(seen(&pager), "4|five");
        pager.move_by(-1);
        pager.push("6\n");
        assert_eq!(seen(&pager), "3|4");
        assert_eq!(pager.place().as_deref(), Some("3-4 of 6"));
        pager.go_last();
        pager.resize((10, 3));
        assert_eq!(seen(&pager), "4|five|6");
        pager.page_by(-9);
        assert_eq!(seen(&pager), "1|2|3");
    }
}
