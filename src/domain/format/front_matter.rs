//! Finds the front matter of a markdown file and says on which line it starts.
//!
//! `gray_matter` decides what counts as front matter. It trims, rewrites line ends and takes
//! a byte order mark or an open fence for "no front matter", so all of that is looked at here
//! first, and the text that is handed on is cut from the original.

use gray_matter::{Matter, ParsedEntity, Pod, engine::Engine};

use super::fault::Fault;
use crate::domain::model::{limits::FRONT_MATTER_BYTES_MAX, place::Span};

/// The line that opens and closes front matter.
const FENCE: &str = "---";

/// The parts of a markdown file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split<'a> {
    /// There is front matter.
    Found(FrontMatter<'a>),
    /// There is none; the whole text is body.
    Absent {
        /// The whole text, without byte order mark.
        body: &'a str,
    },
}

/// Front matter and what follows it, as slices of the original text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontMatter<'a> {
    /// What stands between the fences, with the line end before the closing fence.
    pub yaml: &'a str,
    /// The file line on which `yaml` starts.
    pub yaml_line: u32,
    /// What follows the closing fence.
    pub body: &'a str,
}

/// Checks that `bytes` are text and takes off a byte order mark.
///
/// # Errors
/// `not-utf8` at the first byte that is not UTF-8, `nul-byte` at the first NUL.
pub fn text(bytes: &[u8]) -> Result<&str, Fault> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (good, _) = bytes.split_at(error.valid_up_to());
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let span = end_of(&String::from_utf8_lossy(good));
            return Err(Fault::error("not-utf8", span, format!("byte 0x{byte:02x} is not UTF-8"))
                .with_help("save the file as UTF-8"));
        }
    };
    if bytes.contains(&0) {
        let before = text.split('\0').next().unwrap_or_default();
        return Err(Fault::error("nul-byte", end_of(before), "the file holds a NUL byte")
            .with_help("remove it: this is not a text file"));
    }
    // A program that adds a mark may meet one that is there.
    Ok(text.trim_start_matches('\u{feff}'))
}

/// Returns the place that follows `before`, which starts a file.
fn end_of(before: &str) -> Span {
    let before = before.trim_start_matches('\u{feff}');
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(number(line), number(column), 1)
}

/// Splits `text` (without byte order mark) into front matter and body.
///
/// # Errors
/// `unclosed-front-matter` where the closing fence is missing, `front-matter-too-large` above
/// [`FRONT_MATTER_BYTES_MAX`].
pub fn split(text: &str) -> Result<Split<'_>, Fault> {
    let (first, rest) = first_line(text);
    if first.trim_end() != FENCE {
        return Ok(Split::Absent { body: text });
    }
    let mut after = rest;
    let yaml_bytes = loop {
        if after.is_empty() {
            return Err(Fault::error(
                "unclosed-front-matter",
                Span::new(1, 1, 3),
                "the front matter is not closed",
            )
            .with_label("opened here")
            .with_help("add a line `---` after the last key"));
        }
        let before = rest.len() - after.len();
        let (line, next) = first_line(after);
        after = next;
        if line.starts_with(FENCE) && line.trim_end() == FENCE {
            break before;
        }
    };
    if yaml_bytes > FRONT_MATTER_BYTES_MAX {
        let message =
            format!("the front matter has {yaml_bytes} bytes, more than {FRONT_MATTER_BYTES_MAX}");
        return Err(Fault::error("front-matter-too-large", Span::new(1, 1, 3), message)
            .with_help("move the long text into the body"));
    }
    let head = text.get(..text.len() - after.len()).unwrap_or(text);
    let yaml = rest.get(..yaml_bytes).unwrap_or_default();
    let yaml = if holds_matter(head) { yaml } else { yaml.get(..0).unwrap_or_default() };
    Ok(Split::Found(FrontMatter { yaml, yaml_line: 2, body: after }))
}

/// Cuts `text` after its first line.
fn first_line(text: &str) -> (&str, &str) {
    match text.find('\n') {
        Some(at) => text.split_at(at + 1),
        None => (text, ""),
    }
}

/// Parses nothing: places and duplicate keys would be lost in the tree of `gray_matter`.
struct Fences;

impl Engine for Fences {
    fn parse(_: &str) -> gray_matter::Result<Pod> {
        Ok(Pod::Null)
    }
}

/// Says whether `gray_matter` sees something between the fences of `head`.
fn holds_matter(head: &str) -> bool {
    let found: gray_matter::Result<ParsedEntity<()>> = Matter::<Fences>::new().parse(head);
    found.is_ok_and(|found| !found.matter.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(bytes: &[u8]) -> String {
        match text(bytes).and_then(split) {
            Ok(Split::Found(found)) => format!("{:?} + {:?}", found.yaml, found.body),
            Ok(Split::Absent { body }) => format!("none + {body:?}"),
            Err(f) => {
                format!("{} {}:{} {}", f.code, f.span.line, f.span.column, f.message)
            }
        }
    }

    #[test]
    fn fences_are_found() {
        let table: &[(&[u8], &str)] = &[
            (b"", r#"none + """#),
            (b"---", "unclosed-front-matter 1:1 the front matter is not closed"),
            (b"---\n", "unclosed-front-matter 1:1 the front matter is not closed"),
            (b"---\na: 1\n", "unclosed-front-matter 1:1 the front matter is not closed"),
            (b"---\n---", r#""" + """#),
            (b"---\n\n---\nx", r#""" + "x""#),
            (b"---\na: 1\n---", r#""a: 1\n" + """#),
            (b"---\n\n  a: 1\n  b: 2\n---\nx\n", r#""\n  a: 1\n  b: 2\n" + "x\n""#),
            (b"\xef\xbb\xbf---\r\na: 1\r\n---\r\nx", r#""a: 1\r\n" + "x""#),
            (b"--- \na: 1\n--- \n---\nx", r#""a: 1\n" + "---\nx""#),
            (b"---\na: x --- y\n ---\n---\n", r#""a: x --- y\n ---\n" + """#),
            (b"----\na: 1\n---\n", r#"none + "----\na: 1\n---\n""#),
            (b"# Title\n\n---\n", r##"none + "# Title\n\n---\n""##),
            (b"---\na: \xff\n---", "not-utf8 2:4 byte 0xff is not UTF-8"),
            ("---\nä: \0\n---".as_bytes(), "nul-byte 2:4 the file holds a NUL byte"),
        ];
        for (bytes, expected) in table {
            assert_eq!(shape(bytes), *expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn large_front_matter_is_refused() {
        let large = format!("---\na: {}\n---\n", "x".repeat(FRONT_MATTER_BYTES_MAX));
        assert!(shape(large.as_bytes()).starts_with("front-matter-too-large 1:1"));
        let body = format!("---\na: 1\n---\n{}", "x".repeat(FRONT_MATTER_BYTES_MAX));
        assert!(shape(body.as_bytes()).starts_with(r#""a: 1\n""#));
    }
}
