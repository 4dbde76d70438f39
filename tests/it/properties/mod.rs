//! What holds for every input of a reader, whatever its bytes: stated here, once for each reader.
//!
//! The package in `fuzz/` takes these in and tries bytes that nobody thought of; `corpus` tries the
//! named files and what comes of them by a few changes. Each panics where it does not hold.

mod edits;
mod files;
mod names;
mod plans;
mod shown;
mod yaml;

#[cfg(test)]
pub(crate) use edits::assert_only_value_changed;
pub(crate) use shown::assert_plain;

use orch::{
    domain::model::{diagnostic::Diagnostic, place::Span},
    ui::output::{Style, diagnostic},
};

/// Something that holds for all bytes.
pub(crate) type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target.
pub(crate) const ALL: [(&str, Property); 19] = [
    ("config", files::config),
    ("escaping", shown::escaping),
    ("event-file", files::event_file),
    ("front-matter", yaml::front_matter),
    ("gate-record", files::gate_record),
    ("globs", names::globs),
    ("ids", names::ids),
    ("milestone-record", files::milestone_record),
    ("new-task", edits::new_task),
    ("own-settings", files::own_settings),
    ("plan-diff", plans::plan_diff),
    ("role-file", files::role_file),
    ("run-record", files::run_record),
    ("set-key", edits::set_key),
    ("status-edit", edits::status_edit),
    ("status-file", files::status_file),
    ("task-body", files::task_body),
    ("task-file", files::task_file),
    ("yaml", yaml::scanner_and_parser),
];

/// Checks that every fault points into `bytes`, is told once, and can be shown.
fn assert_told_well(found: &[Diagnostic], bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split('\n').collect();
    for label in found.iter().flat_map(|told| [&told.primary].into_iter().chain(&told.related)) {
        let span = label.span;
        if !span.is_known() {
            continue;
        }
        let line = lines.get(span.line as usize - 1);
        let line = line.unwrap_or_else(|| panic!("{span:?} is below the text"));
        let n_columns = line.chars().count();
        let (from, to) = (span.column as usize, (span.column + span.length) as usize);
        assert!(from >= 1 && to <= n_columns + 1, "{span:?} is outside of {line:?}");
    }
    let keys: Vec<_> = found.iter().map(Diagnostic::sort_key).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    // Where no place is known exactly, two faults may look like one.
    let is_twice = |pair: &[(_, Span, _, _)]| pair[0] == pair[1] && pair[0].1.length > 0;
    assert!(!keys.windows(2).any(is_twice), "{found:?}");
    assert_plain(&diagnostic::render(found, Style::default()), &['\n']);
}

/// Says whether a task file, or what is left of it, is an error away from being used.
fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(|told| told.severity.is_error())
}

/// Cuts `bytes` after their first line, and returns that as text.
fn first_line(bytes: &[u8]) -> (String, &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at(at);
    (String::from_utf8_lossy(line).into_owned(), rest.get(1..).unwrap_or_default())
}
