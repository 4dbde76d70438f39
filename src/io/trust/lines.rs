//! Approvals as they are stored: a JSON object a line, later ones going before earlier ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::trust::{Fingerprint, Line, Why};

/// Versions of a part that stay approved when old ones are dropped to keep the file small.
const VERSIONS_KEPT: usize = 8;

/// Reads a line; `None` where it says nothing about the place `at`.
pub(super) fn parse(line: &[u8], at: &str) -> Option<Line> {
    let object: Map<String, Value> = serde_json::from_slice(line).ok()?;
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let is_here = || text("at") == Some(at);
    if let Some(part) = text("approved") {
        let lines = object.get("lines").and_then(Value::as_array).into_iter().flatten();
        let lines = lines.filter_map(Value::as_str).map(str::to_owned).collect();
        let fingerprint = Fingerprint::parse(text("sha256")?)?;
        return Some(Line::Approved { part: part.to_owned(), fingerprint, lines });
    }
    if let Some(part) = text("waits").filter(|_| is_here()) {
        let why = text("why").and_then(|word| Why::NAMED.iter().find(|(name, _)| *name == word));
        return Some(Line::Waits { part: part.to_owned(), why: why.map(|(_, why)| *why) });
    }
    if let Some(head) = text("head").filter(|_| is_here()) {
        return Some(Line::Head(head.to_owned()));
    }
    object.contains_key("revoked").then_some(Line::Revoked)
}

/// Returns a line with its end.
pub(super) fn render(line: &Line, at: &str) -> String {
    let object = match line {
        Line::Approved { part, fingerprint, lines } => {
            json!({ "approved": part, "sha256": fingerprint.to_string(), "lines": lines })
        }
        Line::Waits { part, why } => {
            json!({ "waits": part, "why": why.map(Why::as_str), "at": at })
        }
        Line::Head(head) => json!({ "head": head, "at": at }),
        Line::Revoked => json!({ "revoked": true }),
    };
    format!("{object}\n")
}

/// Returns the lines of a file that still count, but for versions of parts that are long gone.
pub(super) fn newest(file: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
    for line in file.split(|byte| *byte == b'\n').rev() {
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(line) else { continue };
        if object.contains_key("revoked") {
            break;
        }
        let most = if object.contains_key("approved") { VERSIONS_KEPT } else { 1 };
        let of = |key: &str| object.get(key).map(ToString::to_string).unwrap_or_default();
        let is_head = object.contains_key("head");
        let key = format!("{}\n{}\n{}\n{is_head}", of("approved"), of("waits"), of("at"));
        let n = n_of.entry(key).or_default();
        *n += 1;
        if *n <= most {
            kept.push(line);
        }
    }
    kept.reverse();
    let mut text = kept.join(&b'\n');
    if !text.is_empty() {
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trust::Book;

    fn print(digit: char) -> Fingerprint {
        Fingerprint::parse(&digit.to_string().repeat(64)).unwrap()
    }

    fn all() -> Vec<Line> {
        let approved = |part: &str, digit| Line::Approved {
            part: part.to_owned(),
            fingerprint: print(digit),
            lines: vec!["run: \"x\"\n\u{1b}".to_owned()],
        };
        let waits = |why| Line::Waits { part: "task a".to_owned(), why };
        vec![
            approved("task a", '1'),
            waits(Some(Why::Commit)),
            Line::Head("0123".to_owned()),
            waits(None),
            Line::Revoked,
            approved("task a", '2'),
            waits(Some(Why::Worker)),
            Line::Head("4567".to_owned()),
        ]
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        for line in all() {
            let text = render(&line, "/here");
            assert_eq!(text.lines().count(), 1, "{text}");
            assert_eq!(parse(text.trim_end().as_bytes(), "/here"), Some(line.clone()));
            let elsewhere = parse(text.trim_end().as_bytes(), "/there");
            let is_of_all = matches!(line, Line::Approved { .. } | Line::Revoked);
            assert_eq!(elsewhere.is_some(), is_of_all, "{text}");
        }
        for torn in ["", "{", "[]", "{\"approved\": 3}", "{\"approved\": \"x\", \"sha256\": \"1\"}"]
        {
            assert_eq!(parse(torn.as_bytes(), "/here"), None, "{torn}");
        }
    }

    #[test]
    fn what_is_dropped_to_keep_the_file_small_says_nothing() {
        let mut file: String = all().iter().map(|line| render(line, "/here")).collect();
        for _ in 0..100 {
            file += &render(&Line::Head("89ab".to_owned()), "/here");
        }
        let read = |bytes: &[u8]| {
            let mut book = Book::default();
            let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| parse(line, "/here"));
            lines.for_each(|line| book.note(line));
            book
        };
        let small = newest(file.as_bytes());
        assert_eq!(read(&small), read(file.as_bytes()));
        assert_eq!(small.iter().filter(|byte| **byte == b'\n').count(), 3);
    }
}
