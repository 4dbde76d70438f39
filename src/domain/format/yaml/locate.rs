//! Looks up where the values of a parsed document stand in its text.
//!
//! The values come in the order of the text, so one pass suffices. A value that is not found as
//! it is (escapes, folded lines, aliases) gets the place that the search had reached.

use crate::domain::model::place::Span;

/// Most values that may stay unfound; what follows is not looked for.
const MISSES_MAX: u32 = 64;

/// Finds one value after the other.
pub(super) struct Locator {
    /// The text with its comments blanked out.
    text: String,
    /// Where the last value ended.
    cursor: usize,
    /// The line that holds `line_start`, counted in the file.
    line: u32,
    line_start: usize,
    n_misses: u32,
}

impl Locator {
    /// Starts at the first line of `text`, which is line `first_line` of its file.
    pub(super) fn new(text: &str, first_line: u32) -> Self {
        let text = without_comments(text);
        Self { text, cursor: 0, line: first_line, line_start: 0, n_misses: 0 }
    }

    /// Returns the place of the next key.
    pub(super) fn key(&mut self, text: &str) -> Span {
        self.find(text, true)
    }

    /// Returns the place of the next value; `is_quoted` tells an empty text from nothing.
    pub(super) fn value(&mut self, text: &str, is_quoted: bool) -> Span {
        if text.is_empty() && !is_quoted {
            let at = self.cursor + usize::from(self.byte(self.cursor) == Some(b':'));
            return self.span(at, at);
        }
        self.find(text, false)
    }

    /// Returns the place of the bracket or dash with which the next collection starts.
    pub(super) fn collection(&mut self) -> Option<Span> {
        let rest = self.text.get(self.cursor..)?;
        let at = self.cursor + rest.find(|c: char| !c.is_whitespace() && c != ':')?;
        let is_start = matches!(self.byte(at)?, b'[' | b'{' | b'-');
        is_start.then(|| self.span(at, at + 1))
    }

    /// Returns where the next value starts and ends, where it is quoted and on one line.
    fn quoted(&self) -> Option<(usize, usize)> {
        let rest = self.text.get(self.cursor..)?;
        let is_between =
            |c: char| c.is_whitespace() || matches!(c, ':' | '-' | ',' | '[' | '{' | ']' | '}');
        let from = self.cursor + rest.find(|c: char| !is_between(c))?;
        let quote = self.byte(from).filter(|b| matches!(b, b'"' | b'\''))?;
        let mut at = from + 1;
        loop {
            match self.byte(at)? {
                b'\n' => return None,
                b'\\' if quote == b'"' && self.byte(at + 1) != Some(b'\n') => at += 2,
                b'\'' if quote == b'\'' && self.byte(at + 1) == Some(b'\'') => at += 2,
                b if b == quote => return Some((from, at + 1)),
                _ => at += 1,
            }
        }
    }

    fn find(&mut self, text: &str, is_key: bool) -> Span {
        let needle = text.lines().next().unwrap_or_default().trim();
        let is_hopeless = needle.is_empty() || self.n_misses >= MISSES_MAX;
        let found = match self.quoted() {
            Some(found) => Some(found),
            None if is_hopeless => None,
            None => self.search(needle, is_key),
        };
        match found {
            Some((from, to)) => {
                let span = self.span(from, to);
                self.cursor = to;
                span
            }
            None => {
                self.n_misses += 1;
                self.span(self.cursor, self.cursor)
            }
        }
    }

    /// Searches `needle` as a whole word from the cursor on; takes quotes around it along.
    fn search(&self, needle: &str, is_key: bool) -> Option<(usize, usize)> {
        let mut from = self.cursor;
        loop {
            let at = from + self.text.get(from..)?.find(needle)?;
            let end = at + needle.len();
            let before = at.checked_sub(1).and_then(|at| self.byte(at));
            let after = self.byte(end);
            let is_start = before.is_none_or(|b| b" \n\t[{,:\"'".contains(&b));
            let is_end = after.is_none_or(|b| b" \n\r\t]},:\"'".contains(&b));
            let is_quoted = before == after && matches!(after, Some(b'"' | b'\''));
            let quote = usize::from(is_quoted);
            let follows = self.text.get(end + quote..)?.trim_start();
            if is_start && is_end && (!is_key || follows.starts_with(':')) {
                return Some((at - quote, end + quote));
            }
            from = at + self.text.get(at..)?.chars().next().map_or(1, char::len_utf8);
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Returns the place of the bytes `from..to`; `from` never goes back.
    fn span(&mut self, from: usize, to: usize) -> Span {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let passed = self.text.get(self.line_start..from).unwrap_or_default();
        if let Some(last) = passed.rfind('\n') {
            let n_lines = passed.bytes().filter(|b| *b == b'\n').count();
            self.line = self.line.saturating_add(number(n_lines));
            self.line_start += last + 1;
        }
        let chars = |from: usize, to: usize| {
            number(self.text.get(from..to).map_or(0, |text| text.chars().count()))
        };
        Span::new(self.line, chars(self.line_start, from).saturating_add(1), chars(from, to))
    }
}

/// Replaces comments by spaces, byte by byte.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (mut quote, mut before) = (None, ' ');
        let start = line.char_indices().find(|&(_, c)| {
            let is_comment = c == '#' && quote.is_none() && before.is_whitespace();
            match quote {
                None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => quote = Some(c),
                Some(open) if open == c => quote = None,
                _ => {}
            }
            before = c;
            is_comment
        });
        match start {
            None => out.push_str(line),
            Some((at, _)) => {
                let (kept, comment) = line.split_at(at);
                out.push_str(kept);
                out.extend(comment.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
            }
        }
    }
    out
}
