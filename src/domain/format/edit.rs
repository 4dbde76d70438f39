//! Changes one key in a task file that people own, and not one byte more.

use thiserror::Error;

use super::{
    fault::Fault,
    front_matter::{self, Split},
    node::{Entry, Kind, Node},
    render, yaml,
};

/// Why a key was not set; the text is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EditFault {
    /// There is no front matter to hold the key.
    #[error("the file has no front matter")]
    NoFrontMatter,
    /// The front matter cannot be read.
    #[error("{}", .0.message)]
    Unreadable(Fault),
    /// What stands there is a list, a mapping or a text of several lines.
    #[error("`{0}` is not a single value on one line")]
    NotOneLine(String),
    /// The change would have changed something else, too.
    #[error("`{0}` cannot be set without changing other parts of the file")]
    Unsafe(String),
}

/// Sets the top-level `key` in the front matter of `text` to `value` and keeps all else as it is:
/// comments, order, line ends, byte order mark, unknown keys, body. A missing key is added at the
/// end of the front matter.
///
/// # Errors
/// The text is then left as it was; see [`EditFault`].
pub fn set_key(text: &str, key: &str, value: &str) -> Result<String, EditFault> {
    set_yaml(text, key, &render::text(value))
}

/// As [`set_key`], for a `value` that is YAML on one line: a number, or a list in brackets.
///
/// # Errors
/// The text is then left as it was; see [`EditFault`].
pub fn set_yaml(text: &str, key: &str, value: &str) -> Result<String, EditFault> {
    let before = head(text)?;
    let (from, to, new) = match before.node.entry(key) {
        Some(entry) => replacement(text, &before, entry, value)?,
        None => {
            let at = before.start + before.yaml.len();
            let indent = first_indent(&before.node);
            let (spaces, end) = (" ".repeat(indent), line_end(text));
            (at, at, format!("{spaces}{key}: {value}{end}"))
        }
    };
    let (Some(left), Some(right)) = (text.get(..from), text.get(to..)) else {
        return Err(EditFault::Unsafe(key.to_owned()));
    };
    let edited = [left, &new, right].concat();
    if is_only_change(&before.node, &edited, key, value) {
        Ok(edited)
    } else {
        Err(EditFault::Unsafe(key.to_owned()))
    }
}

/// The front matter of a text and where it starts, in bytes.
struct Head<'a> {
    yaml: &'a str,
    start: usize,
    node: Node<'a>,
}

fn head(text: &str) -> Result<Head<'_>, EditFault> {
    let unmarked = text.trim_start_matches('\u{feff}');
    let found = match front_matter::split(unmarked).map_err(EditFault::Unreadable)? {
        Split::Found(found) => found,
        Split::Absent { .. } => return Err(EditFault::NoFrontMatter),
    };
    let node = yaml::parse(found.yaml, found.yaml_line).map_err(EditFault::Unreadable)?;
    let fence = unmarked.find('\n').map_or(unmarked.len(), |at| at + 1);
    Ok(Head { yaml: found.yaml, start: text.len() - unmarked.len() + fence, node })
}

/// Returns the bytes from, to, and what stands there then.
fn replacement(
    text: &str,
    head: &Head<'_>,
    entry: &Entry<'_>,
    value: &str,
) -> Result<(usize, usize, String), EditFault> {
    let key = entry.key.as_text().unwrap_or_default();
    let not_one_line = || EditFault::NotOneLine(key.to_owned());
    let Kind::Scalar(scalar) = &entry.value.kind else { return Err(not_one_line()) };
    let (key_span, span) = (entry.key.span, entry.value.span);
    if scalar.text.contains('\n') && !scalar.is_quoted {
        return Err(not_one_line());
    }
    let (line, char_at, length) = if span.length > 0 {
        (span.line, span.column, span.length)
    } else {
        // Nothing was written: the value goes behind the colon.
        (key_span.line, key_span.column + key_span.length + 1, 0)
    };
    if line != key_span.line {
        return Err(not_one_line());
    }
    // The front matter starts on line 2, behind the fence.
    let place = line.checked_sub(2).and_then(|n| {
        let n = usize::try_from(n).ok()?;
        let before: usize = head.yaml.split_inclusive('\n').take(n).map(str::len).sum();
        let line = head.yaml.get(before..)?.lines().next()?;
        let from = byte_of(line, char_at.checked_sub(1)?)?;
        let to = byte_of(line, (char_at - 1).checked_add(length)?)?;
        Some((head.start + before + from, head.start + before + to))
    });
    let (from, to) = place.ok_or_else(|| EditFault::Unsafe(key.to_owned()))?;
    let space =
        if length == 0 && !text.get(..from).is_some_and(|t| t.ends_with(' ')) { " " } else { "" };
    Ok((from, to, format!("{space}{value}")))
}

/// Returns the byte at which character `n` of `line` starts.
fn byte_of(line: &str, n: u32) -> Option<usize> {
    let n = usize::try_from(n).ok()?;
    line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(n)
}

fn first_indent(node: &Node<'_>) -> usize {
    match &node.kind {
        Kind::Mapping(entries) => entries
            .first()
            .and_then(|entry| usize::try_from(entry.key.span.column).ok())
            .map_or(0, |column| column.saturating_sub(1)),
        Kind::Scalar(_) | Kind::Sequence(_) => 0,
    }
}

/// Returns the line end of the first line.
fn line_end(text: &str) -> &'static str {
    match text.find('\n').and_then(|at| text.get(..at)) {
        Some(line) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Says whether `edited` differs from `before` in `key`, which has the rendered `value`, and in
/// nothing else.
fn is_only_change(before: &Node<'_>, edited: &str, key: &str, value: &str) -> bool {
    let Ok(after) = head(edited) else { return false };
    let line = format!("{key}: {value}");
    let wanted = yaml::parse(&line, 1);
    let is_set = match (&wanted, after.node.entry(key)) {
        (Ok(wanted), Some(entry)) => {
            wanted.entry(key).is_some_and(|wanted| wanted.value.is_same(&entry.value))
        }
        _ => false,
    };
    let (old, new) = (others(before, key), others(&after.node, key));
    let (Some(old), Some(new)) = (old, new) else { return false };
    let is_kept = old.len() == new.len()
        && old.iter().zip(&new).all(|(a, b)| a.key.is_same(&b.key) && a.value.is_same(&b.value));
    is_set && is_kept
}

/// Returns the entries of a mapping but that of `key`; `None` where `node` is no mapping.
fn others<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<Vec<&'n Entry<'a>>> {
    match &node.kind {
        Kind::Mapping(entries) => {
            Some(entries.iter().filter(|e| e.key.as_text() != Some(key)).collect())
        }
        Kind::Scalar(_) if node.is_null() => Some(Vec::new()),
        Kind::Scalar(_) | Kind::Sequence(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_changes_and_nothing_else() {
        let table = [
            (
                "---\nid: a\nstatus: todo # now\nx: [1]\n---\nbody\n",
                Ok("---\nid: a\nstatus: done # now\nx: [1]\n---\nbody\n"),
            ),
            ("---\nid: a\n---\n", Ok("---\nid: a\nstatus: done\n---\n")),
            (
                "---\r\nid: ä\r\nodd: 1\r\n---\r\nbody\r\n",
                Ok("---\r\nid: ä\r\nodd: 1\r\nstatus: done\r\n---\r\nbody\r\n"),
            ),
            ("\u{feff}---\nstatus:\nid: a\n---", Ok("\u{feff}---\nstatus: done\nid: a\n---")),
            ("---\nstatus: # soon\n---\n", Ok("---\nstatus: done # soon\n---\n")),
            ("---\nstatus: \"a \\\" b\"\n---\n", Ok("---\nstatus: done\n---\n")),
            (
                "---\ntext: |\n  status: x\nstatus: 'y'\n---\n",
                Ok("---\ntext: |\n  status: x\nstatus: done\n---\n"),
            ),
            ("---\n---\n", Ok("---\nstatus: done\n---\n")),
            ("---\n  id: a\n---\n", Ok("---\n  id: a\n  status: done\n---\n")),
            (
                "---\nworker: {status: x}\n---\n",
                Ok("---\nworker: {status: x}\nstatus: done\n---\n"),
            ),
            ("---\nstatus: [a]\n---\n", Err("`status` is not a single value on one line")),
            ("---\nstatus: |\n  a\n---\n", Err("`status` is not a single value on one line")),
            (
                "---\nstatus: a\n  b\n---\n",
                Err("`status` cannot be set without changing other parts of the file"),
            ),
            (
                "---\n{id: a}\n---\n",
                Err("`status` cannot be set without changing other parts of the file"),
            ),
            ("# none\n", Err("the file has no front matter")),
            ("---\nstatus: a\n", Err("the front matter is not closed")),
        ];
        for (text, expected) in table {
            let got = set_key(text, "status", "done").map_err(|fault| fault.to_string());
            assert_eq!(got.as_deref().map_err(|f| &**f), expected, "{text:?}");
        }
        let got = set_key("---\ntitle: a\n---\n", "title", "a: \"b\"\n#").unwrap();
        assert_eq!(got, "---\ntitle: \"a: \\\"b\\\"\\n#\"\n---\n");
    }
}
