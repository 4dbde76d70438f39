//! A fast scanner for the plain subset of YAML that people write in front matter.
//!
//! It knows block mappings and lists, flow lists and mappings on one line, plain and quoted
//! scalars on one line, and comments. At anything else it gives up and the full parser in `yaml`
//! takes over; it never guesses, and it never reports a fault.

use std::borrow::Cow;

use super::node::{Entry, Kind, Node};
use crate::domain::model::{limits::YAML_DEPTH_MAX, place::Span};

/// Most keys of one mapping: duplicates are looked for one by one.
const KEYS_MAX: usize = 256;

/// Scans `text`, whose first line is line `first_line` of the file. `None` means: use the full
/// parser.
pub fn scan(text: &str, first_line: u32) -> Option<Node<'_>> {
    let mut scanner = Scanner { rest: text, number: first_line, current: None };
    scanner.advance()?;
    let Some(first) = scanner.current else {
        return Some(Node::scalar("", false, Span::new(first_line, 1, 0)));
    };
    let node = scanner.block(first.indent, 0)?;
    scanner.current.is_none().then_some(node)
}

/// A line that holds more than a comment.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// The line without its end and without spaces before that.
    text: &'a str,
    /// Where its content starts, in bytes.
    indent: usize,
    /// Its number in the file.
    number: u32,
    is_ascii: bool,
}

impl<'a> Line<'a> {
    fn from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> Option<&'a str> {
        self.text.get(from..to)
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let count = |from: usize, to: usize| {
            if self.is_ascii {
                to.saturating_sub(from)
            } else {
                self.slice(from, to).map_or(0, |s| s.chars().count())
            }
        };
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span::new(self.number, number(count(0, from) + 1), number(count(from, to)))
    }

    /// Returns the first place from `at` on that is no space.
    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    fn is_item(&self) -> bool {
        self.byte(self.indent) == Some(b'-')
            && matches!(self.byte(self.indent + 1), None | Some(b' '))
    }

    /// Says whether nothing but a comment follows `at`.
    fn is_over(&self, at: usize) -> bool {
        match self.byte(at) {
            None => true,
            Some(b' ') => matches!(self.byte(self.skip_spaces(at)), None | Some(b'#')),
            Some(_) => false,
        }
    }

    /// Returns where the plain key ends that starts at `at`: the place of its colon.
    fn key_end(&self, at: usize) -> Option<usize> {
        if !self.byte(at)?.is_ascii_alphanumeric() && self.byte(at) != Some(b'_') {
            return None;
        }
        let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let n_bytes = self.from(at).bytes().take_while(|b| is_key(*b)).count();
        let is_key = self.byte(at + n_bytes) == Some(b':')
            && matches!(self.byte(at + n_bytes + 1), None | Some(b' '));
        is_key.then_some(at + n_bytes)
    }
}

struct Scanner<'a> {
    rest: &'a str,
    number: u32,
    current: Option<Line<'a>>,
}

impl<'a> Scanner<'a> {
    /// Goes to the next line that holds something.
    fn advance(&mut self) -> Option<()> {
        self.current = None;
        while !self.rest.is_empty() {
            let (line, next) = match self.rest.find('\n') {
                Some(at) => (self.rest.get(..at)?, self.rest.get(at + 1..)?),
                None => (self.rest, ""),
            };
            let line = line.strip_suffix('\r').unwrap_or(line);
            let number = self.number;
            (self.rest, self.number) = (next, number.saturating_add(1));
            let (is_odd, is_ascii) = line.bytes().fold((false, true), |(odd, ascii), b| {
                (odd | (b < 0x20) | (b == 0x7f), ascii & (b < 0x80))
            });
            if is_odd || (!is_ascii && line.chars().any(is_special)) {
                return None;
            }
            let text = line.trim_end_matches(' ');
            let indent = text.bytes().take_while(|b| *b == b' ').count();
            if !matches!(text.as_bytes().get(indent), None | Some(b'#')) {
                self.current = Some(Line { text, indent, number, is_ascii });
                return Some(());
            }
        }
        Some(())
    }

    /// Scans the collection that starts on the current line.
    fn block(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        if depth >= YAML_DEPTH_MAX {
            return None;
        }
        if self.current?.is_item() {
            self.sequence(indent, depth)
        } else {
            self.mapping(indent, depth)
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(8);
        while let Some(line) = self.current {
            if line.indent < indent {
                break;
            }
            let colon = line.key_end(indent).filter(|_| line.indent == indent)?;
            let text = line.slice(indent, colon)?;
            let key = Node::scalar(text, false, line.span(indent, colon));
            if entries.len() >= KEYS_MAX || entries.iter().any(|e| e.key.as_text() == Some(text)) {
                return None;
            }
            let value = if line.is_over(colon + 1) {
                let empty = line.span(colon + 1, colon + 1);
                self.advance()?;
                match self.current {
                    Some(next) if next.indent > indent => self.block(next.indent, depth + 1)?,
                    Some(next) if next.indent == indent && next.is_item() => {
                        self.sequence(indent, depth + 1)?
                    }
                    _ => Node::scalar("", false, empty),
                }
            } else {
                self.value_on_line(line, line.skip_spaces(colon + 1), indent)?
            };
            entries.push(Entry { key, value });
        }
        let span = entries.first()?.key.span;
        Some(Node { kind: Kind::Mapping(entries), span })
    }

    fn sequence(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        let first = self.current?;
        let mut items = Vec::new();
        while let Some(line) = self.current {
            if line.indent < indent || (line.indent == indent && !line.is_item()) {
                break;
            }
            if line.indent > indent {
                return None;
            }
            let at = line.skip_spaces(indent + 1);
            let item = if line.is_over(indent + 1) {
                self.advance()?;
                match self.current {
                    Some(next) if next.indent > indent => self.block(next.indent, depth + 1)?,
                    _ => Node::scalar("", false, line.span(indent + 1, indent + 1)),
                }
            } else if line.key_end(at).is_some() && depth + 1 < YAML_DEPTH_MAX {
                self.current = Some(Line { indent: at, ..line });
                self.mapping(at, depth + 1)?
            } else {
                self.value_on_line(line, at, indent)?
            };
            items.push(item);
        }
        Some(Node { kind: Kind::Sequence(items), span: first.span(indent, indent + 1) })
    }

    /// Scans the value at `at`, which must end on its line.
    fn value_on_line(&mut self, line: Line<'a>, at: usize, indent: usize) -> Option<Node<'a>> {
        let (node, end) = match line.byte(at)? {
            b'"' => double_quoted(line, at)?,
            b'\'' => single_quoted(line, at)?,
            b'[' | b'{' => flow(line, at, 0)?,
            _ => plain(line, at)?,
        };
        if !line.is_over(end) {
            return None;
        }
        self.advance()?;
        // A deeper line would continue the value.
        let is_continued = self.current.is_some_and(|next| next.indent > indent);
        (!is_continued).then_some(node)
    }
}

/// Says whether YAML gives `c` a meaning of its own: a line end, a mark, a control character.
fn is_special(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// Says whether a plain scalar may start with `first`, followed by `next`.
fn starts_plain(first: u8, next: Option<u8>) -> bool {
    match first {
        b'-' => next.is_some_and(|b| b.is_ascii_alphanumeric()),
        b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'?' | b':' | b',' | b'['
        | b']' | b'{' | b'}' | b'#' | b'"' | b'\'' => false,
        _ => true,
    }
}

fn plain(line: Line<'_>, at: usize) -> Option<(Node<'_>, usize)> {
    let bytes = line.from(at).as_bytes();
    if !starts_plain(*bytes.first()?, bytes.get(1).copied()) {
        return None;
    }
    let mut end = bytes.len();
    let mut before = b'x';
    for (n, b) in bytes.iter().copied().enumerate() {
        if b == b'#' && before == b' ' {
            end = n;
            break;
        }
        if b == b':' && matches!(bytes.get(n + 1), None | Some(b' ')) {
            return None;
        }
        before = b;
    }
    let text = line.slice(at, at + end)?.trim_end_matches(' ');
    let end = at + text.len();
    Some((Node::scalar(text, false, line.span(at, end)), end))
}

fn single_quoted(line: Line<'_>, at: usize) -> Option<(Node<'_>, usize)> {
    let mut from = at + 1;
    loop {
        let end = from + line.from(from).find('\'')?;
        if line.byte(end + 1) == Some(b'\'') {
            from = end + 2;
            continue;
        }
        let raw = line.slice(at + 1, end)?;
        let text = match raw.contains('\'') {
            true => Cow::Owned(raw.replace("''", "'")),
            false => Cow::Borrowed(raw),
        };
        return Some((Node::scalar(text, true, line.span(at, end + 1)), end + 1));
    }
}

fn double_quoted(line: Line<'_>, at: usize) -> Option<(Node<'_>, usize)> {
    let mut rest = line.from(at + 1);
    let mut text = Cow::Borrowed("");
    loop {
        let stop = rest.find(['"', '\\'])?;
        let (good, tail) = (rest.get(..stop)?, rest.get(stop..)?);
        match &mut text {
            Cow::Owned(text) => text.push_str(good),
            Cow::Borrowed(_) if tail.starts_with('"') => text = Cow::Borrowed(good),
            Cow::Borrowed(_) => text = Cow::Owned(good.to_owned()),
        }
        if let Some(after) = tail.strip_prefix('"') {
            let end = line.text.len() - after.len();
            return Some((Node::scalar(text, true, line.span(at, end)), end));
        }
        let (c, after) = escape(tail)?;
        text.to_mut().push(c);
        rest = after;
    }
}

/// Reads the escape at the start of `text`; the rare ones are left to the full parser.
fn escape(text: &str) -> Option<(char, &str)> {
    let after = text.get(2..)?;
    let c = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'u' => {
            let digits = after.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            return Some((c, after.get(4..)?));
        }
        _ => return None,
    };
    Some((c, after))
}

/// Scans a flow list or mapping that starts at `at`.
fn flow(line: Line<'_>, at: usize, depth: usize) -> Option<(Node<'_>, usize)> {
    if depth >= YAML_DEPTH_MAX {
        return None;
    }
    let is_list = line.byte(at) == Some(b'[');
    let close = if is_list { b']' } else { b'}' };
    let mut items = Vec::new();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut next = line.skip_spaces(at + 1);
    while line.byte(next)? != close {
        let end = if is_list {
            let (item, end) = flow_value(line, next, depth)?;
            items.push(item);
            end
        } else {
            let (entry, end) = flow_entry(line, next, depth)?;
            let is_double = entries.iter().any(|e| e.key.kind == entry.key.kind);
            if is_double || entries.len() >= KEYS_MAX {
                return None;
            }
            entries.push(entry);
            end
        };
        next = line.skip_spaces(end);
        match line.byte(next)? {
            b',' => next = line.skip_spaces(next + 1),
            b if b == close => {}
            _ => return None,
        }
    }
    let kind = if is_list { Kind::Sequence(items) } else { Kind::Mapping(entries) };
    Some((Node { kind, span: line.span(at, next + 1) }, next + 1))
}

fn flow_entry(line: Line<'_>, at: usize, depth: usize) -> Option<(Entry<'_>, usize)> {
    let colon = line.key_end(at)?;
    let key = Node::scalar(line.slice(at, colon)?, false, line.span(at, colon));
    let value_at = line.skip_spaces(colon + 1);
    let (value, end) = match line.byte(value_at)? {
        b',' | b'}' => (Node::scalar("", false, line.span(colon + 1, colon + 1)), value_at),
        _ => flow_value(line, value_at, depth)?,
    };
    Some((Entry { key, value }, end))
}

fn flow_value(line: Line<'_>, at: usize, depth: usize) -> Option<(Node<'_>, usize)> {
    match line.byte(at)? {
        b'"' => return double_quoted(line, at),
        b'\'' => return single_quoted(line, at),
        b'[' | b'{' => return flow(line, at, depth + 1),
        first if !starts_plain(first, line.byte(at + 1)) => return None,
        _ => {}
    }
    let rest = line.from(at);
    let stop = rest.find([',', ']', '}', '[', '{', '#', '?', ':'])?;
    if !matches!(rest.as_bytes().get(stop)?, b',' | b']' | b'}') {
        return None;
    }
    let text = rest.get(..stop)?.trim_end_matches(' ');
    let end = at + text.len();
    Some((Node::scalar(text, false, line.span(at, end)), end))
}
