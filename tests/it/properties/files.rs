//! Readers of files: faults have a place, and what was read is read again from what is rendered.

use orch::domain::{
    format::{
        config_file, event_file, milestone, own_file, role_file, run_record, status_file,
        task_body,
        task_file::{self, Reading},
    },
    model::limits::FRONT_MATTER_BYTES_MAX,
};

use super::{assert_told_well, has_errors};

/// A task is the same whether its body is looked at or not.
pub(super) fn task_file(bytes: &[u8]) {
    const PATH: &str = ".orch/tasks/a.md";
    let whole = task_file::parse(PATH, bytes, Reading::Whole);
    let head = task_file::parse(PATH, bytes, Reading::Head);
    assert_told_well(&whole.diagnostics, bytes);
    assert!(head.diagnostics.is_empty() || head.diagnostics == whole.diagnostics);
    assert_eq!(head.spec.is_some(), whole.spec.is_some());
    let (Some(mut head), Some(whole)) = (head.spec, whole.spec) else { return };
    assert!(whole.completion.verify.len() >= head.completion.verify.len());
    assert!(!whole.title.contains(['\n', '\r']) || !whole.title.trim().is_empty());
    let (body, criteria) = (whole.body.clone(), whole.criteria);
    (head.body, head.criteria, head.completion) = (body, criteria, whole.completion.clone());
    assert_eq!(head, whole);
}

/// Whoever looks for the title alone finds the same one.
pub(super) fn task_body(bytes: &[u8]) {
    let body = String::from_utf8_lossy(bytes);
    let found = task_body::parse(&body);
    assert_eq!(task_body::title(&body), found.title);
    assert!(found.criteria.checked <= found.criteria.total);
    let title = found.title.unwrap_or("-".to_owned());
    assert!(!title.is_empty() && title.split_whitespace().collect::<Vec<_>>().join(" ") == title);
    let script = found.verification.map(|script| script.to_string());
    assert!(script.is_none_or(|script| !script.trim().is_empty()));
}

/// A role that is read has the name of its file.
pub(super) fn role_file(bytes: &[u8]) {
    let (role, told) = role_file::parse(".orch/roles/a.md", bytes);
    assert_told_well(&told, bytes);
    assert!(role.is_some() || has_errors(&told));
    assert!(role.is_none_or(|role| role.name.0 == "a" && bytes.len() >= role.persona.len()));
}

/// Settings are always there, and the same every time.
pub(super) fn config(bytes: &[u8]) {
    let (config, told) = config_file::parse(".orch/config.yaml", bytes);
    assert_told_well(&told, bytes);
    assert_eq!(config_file::parse(".orch/config.yaml", bytes), (config, told));
}

/// The user's own settings are always there, and what they allow lowers settings once and for all.
pub(super) fn own_settings(bytes: &[u8]) {
    let (own, told) = own_file::parse("config.yaml", bytes);
    assert_told_well(&told, bytes);
    let (settings, _) = config_file::parse(".orch/config.yaml", bytes);
    let (lowered, _) = own.ceiling.lowered(settings.clone());
    assert_eq!(*lowered.as_written(), settings);
    assert!(lowered.max_workers <= settings.max_workers);
    assert!(lowered.log_bytes_max <= settings.log_bytes_max);
    assert!(lowered.env_pass.iter().all(|name| settings.env_pass.contains(name)));
}

/// A report that is rendered says what was read.
pub(super) fn status_file(bytes: &[u8]) {
    const PATH: &str = ".orch/status/a.1.md";
    let (report, told) = status_file::parse(PATH, bytes);
    assert_told_well(&told, bytes);
    let Some(report) = report else { return assert!(has_errors(&told)) };
    let text = status_file::render(&report);
    if text.len() - report.notes.len() < FRONT_MATTER_BYTES_MAX {
        assert_eq!(status_file::parse(PATH, text.as_bytes()), (Some(report), Vec::new()), "{text}");
    }
}

/// A record that is rendered says what was read.
pub(super) fn run_record(bytes: &[u8]) {
    const PATH: &str = ".orch/runs/a.1.yaml";
    let (record, told) = run_record::parse(PATH, bytes);
    assert_told_well(&told, bytes);
    let Some(record) = record else { return assert!(has_errors(&told)) };
    let text = run_record::render(&record);
    assert_eq!(run_record::parse(PATH, text.as_bytes()), (Some(record), Vec::new()), "{text}");
}

/// As for the record of an attempt; whether a gate that has not ended passed is not written.
pub(super) fn gate_record(bytes: &[u8]) {
    const PATH: &str = ".orch/runs/@level-1.1.yaml";
    let (record, told) = run_record::parse_gate(PATH, bytes);
    assert_told_well(&told, bytes);
    let Some(mut record) = record else { return assert!(has_errors(&told)) };
    record.is_passed &= record.ended.is_some();
    let text = run_record::render_gate(&record);
    let again = run_record::parse_gate(PATH, text.as_bytes());
    assert_eq!(again, (Some(record), Vec::new()), "{text}");
}

/// As for the record of an attempt.
pub(super) fn milestone_record(bytes: &[u8]) {
    const PATH: &str = ".orch/runs/@milestone-a.yaml";
    let (record, told) = milestone::parse(PATH, bytes);
    assert_told_well(&told, bytes);
    let Some(record) = record else { return };
    let text = milestone::render(&record);
    assert_eq!(milestone::parse(PATH, text.as_bytes()), (Some(record), Vec::new()), "{text}");
}

/// An event that is rendered says what was read; a faulty one says nothing.
pub(super) fn event_file(bytes: &[u8]) {
    const PATH: &str = ".orch/events/ci/build.yaml";
    let (event, told) = event_file::parse(PATH, bytes);
    assert_told_well(&told, bytes);
    let Some(event) = event else { return assert!(has_errors(&told)) };
    let text = event_file::render(&event);
    assert_eq!(event_file::parse(PATH, text.as_bytes()), (Some(event), Vec::new()), "{text}");
}
