//! What git leaves in a file that it could not merge.

use super::fault::Fault;
use crate::domain::model::place::Span;

/// Finds the first conflict in `text`: all three markers at the beginning of lines, in their order.
/// In front matter, which ends before byte `body`, it is an error: nobody knows what is meant. In
/// the body it may be somebody's example.
pub(super) fn find(text: &str, body: usize) -> Option<Fault> {
    if !text.contains("<<<<<<< ") {
        return None;
    }
    let mut first = None;
    let (mut is_parted, mut at, mut number) = (false, 0, 0_u32);
    for line in text.split_inclusive('\n') {
        number = number.saturating_add(1);
        let word = line.trim_end();
        match first {
            None if word.starts_with("<<<<<<< ") => first = Some((at, number)),
            Some(_) if word == "=======" => is_parted = true,
            Some((at, number)) if is_parted && word.starts_with(">>>>>>> ") => {
                let message = "the file holds a merge conflict";
                let span = Span::new(number, 1, 7);
                let fault = if at < body { Fault::error } else { Fault::warning };
                return Some(
                    fault("merge-conflict", span, message.to_owned())
                        .with_help("choose one side, and remove the markers"),
                );
            }
            None | Some(_) => {}
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::diagnostic::Severity;

    #[test]
    fn a_conflict_is_told_from_what_looks_like_one() {
        let conflict = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n";
        let head = format!("---\n{conflict}---\n");
        let table = [
            (head.clone(), Some((Severity::Error, 2))),
            (format!("---\n---\nText.\n{conflict}"), Some((Severity::Warning, 4))),
            (format!("{conflict}---\n---\n"), Some((Severity::Error, 1))),
            (head.replace('\n', "\r\n"), Some((Severity::Error, 2))),
            ("---\n---\n<<<<<<< a\n=======\n".to_owned(), None),
            ("---\n---\nTitle\n=======\n>>>>>>> quoted\n".to_owned(), None),
            (format!("---\n---\n  {}", conflict.replace('\n', "\n  ")), None),
        ];
        for (text, expected) in table {
            // As it is where a file has no front matter: all is looked at as such.
            let body = text.find("---\nText").map_or(text.len(), |at| at + 4);
            let body = if text.starts_with("---\n---\n") { body.min(8) } else { body };
            let found = find(&text, body).map(|fault| (fault.severity, fault.span.line));
            assert_eq!(found, expected, "{text}");
        }
    }
}
