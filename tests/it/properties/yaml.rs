//! Front matter and YAML: what is cut out of a text is all of it, and both parsers agree.

use orch::domain::format::{
    document::refusal,
    front_matter::{self, Split},
    node::{Kind, Node},
    scan, yaml,
};

/// The parts of a markdown file are slices of it, and nothing lies between them but the fences.
pub(super) fn front_matter(bytes: &[u8]) {
    let text = match front_matter::text(bytes) {
        Ok(text) => text,
        Err(fault) => return super::assert_told_well(&refusal(fault, "a.md", bytes), bytes),
    };
    assert!(bytes.ends_with(text.as_bytes()) && !text.starts_with('\u{feff}'));
    match front_matter::split(text) {
        Ok(Split::Absent { body }) => assert_eq!(body, text),
        Ok(Split::Found(found)) => {
            assert!(text.starts_with("---") && text.ends_with(found.body));
            let head = text.strip_suffix(found.body).unwrap();
            let lines: Vec<&str> = head.split_inclusive('\n').collect();
            let (first, last) = (lines[0], lines[lines.len() - 1]);
            assert_eq!((first.trim_end(), last.trim_end()), ("---", "---"));
            let between = lines[1..lines.len() - 1].concat();
            assert!(found.yaml == between || found.yaml.is_empty(), "{between:?}");
            // Nothing but blanks is lost where it is taken to be empty.
            assert!(!found.yaml.is_empty() || between.trim().is_empty(), "{between:?}");
            assert_eq!(found.yaml_line, 2);
        }
        Err(fault) => super::assert_told_well(&refusal(fault, "a.md", bytes), bytes),
    }
}

/// What the scanner reads is what the full parser reads; what neither reads is told with a place.
pub(super) fn scanner_and_parser(bytes: &[u8]) {
    let Ok(text) = front_matter::text(bytes) else { return };
    // A text without a value is nobody's to parse.
    let scanned = scan::scan(text, 1).filter(|node| !node.is_null());
    match (&scanned, yaml::parse_fully(text, 1)) {
        (Some(scanned), Ok(parsed)) => {
            assert!(scanned.is_same(&parsed), "{text:?}\n{scanned:?}\n{parsed:?}");
        }
        // The full parser looks at the size first, for which brackets in a text count, too.
        (Some(_), Err(fault)) if ["yaml-too-deep", "yaml-aliases"].contains(&fault.code) => {}
        (Some(scanned), Err(fault)) => panic!("{text:?}\n{scanned:?}\n{fault:?}"),
        (None, Ok(parsed)) => assert_places(&parsed, text),
        (None, Err(fault)) => super::assert_told_well(&[fault.in_file("a.yaml", text)], bytes),
    }
    if let Some(scanned) = scanned {
        assert_places(&scanned, text);
    }
}

/// Checks that every node stands somewhere in `text`.
fn assert_places(node: &Node<'_>, text: &str) {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let span = node.span;
        if span.is_known() {
            let line = lines.get(span.line as usize - 1);
            let n_columns = line.unwrap_or_else(|| panic!("{span:?} {text:?}")).chars().count();
            let to = (span.column + span.length) as usize;
            assert!(span.column >= 1 && to <= n_columns + 1, "{span:?} {text:?}");
        }
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::Sequence(items) => open.extend(items),
            Kind::Mapping(entries) => open.extend(entries.iter().flat_map(|e| [&e.key, &e.value])),
        }
    }
}
