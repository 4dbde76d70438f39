//! Status files: `.orch/status/<id>.<n>.md`, written by workers and by any program.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    decode::{UnknownKeys, decode},
    document::{open_markdown, refusal},
    fault::{Fault, in_file},
    field::Field,
    layout::{self, FileKind},
    number::{Count, Percent},
    parts::RawUsage,
    render,
    value::Word,
};
use crate::domain::model::{
    attempt::{ReportedState, StatusReport},
    diagnostic::Diagnostic,
    id::{AttemptId, GateName, TaskId},
    place::Span,
    time::Timestamp,
};

/// The front matter of a status file, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `state`")]
#[schemars(
    title = "Status",
    description = "Front matter of a status file (.orch/status/<id>.<n>.md)"
)]
pub struct RawStatus {
    /// The task; default: from the file name.
    pub task: Field<TaskId>,
    /// The attempt, from 1; default: from the file name.
    pub attempt: Field<Count>,
    /// How it goes.
    pub state: Field<ReportedState>,
    /// Percent that is done.
    pub progress: Field<Percent>,
    /// What the worker does now, on one line.
    pub message: Field<Word>,
    /// When this was written.
    pub updated: Field<Timestamp>,
    /// What it waits for, with state `blocked`.
    pub waiting_for: Field<GateName>,
    /// What kind of decision it asks for, with state `escalate`, as in `security`.
    pub category: Field<Word>,
    /// What it used so far.
    pub usage: Field<RawUsage>,
}

/// Reads a status file; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Option<StatusReport>, Vec<Diagnostic>) {
    let file = match open_markdown(bytes) {
        Ok(file) => file,
        Err(fault) => return (None, refusal(fault, path, bytes)),
    };
    let Some(head) = &file.head else {
        let fault =
            Fault::error("no-front-matter", Span::new(1, 1, 0), "the report has no front matter")
                .with_help("start it with `---`, `state: working` and `---`");
        return (None, in_file(vec![fault], path, file.text));
    };
    let mut faults = Vec::new();
    let raw: RawStatus = decode(head, UnknownKeys::Ignore, &mut faults);
    let attempt = attempt(path, raw.task.value, &raw.attempt);
    if attempt.is_none() && faults.is_empty() {
        let message = "the report does not say which attempt it is of";
        faults.push(
            Fault::error("missing-key", head.span, message).with_help("write `task` and `attempt`"),
        );
    }
    // A state that cannot be read must not pass for `working`.
    let report = attempt.filter(|_| !raw.state.is_faulty()).map(|attempt| StatusReport {
        attempt,
        state: raw.state.value.unwrap_or_default(),
        progress: raw.progress.value.map(|percent| percent.0),
        message: raw.message.value.map(|word| word.0).filter(|word| !word.is_empty()),
        updated: raw.updated.value,
        waiting_for: raw.waiting_for.value,
        category: raw.category.value.map(|word| word.0).filter(|word| !word.is_empty()),
        usage: raw.usage.value.map(|usage| usage.usage()).unwrap_or_default(),
        notes: file.body.trim().to_owned(),
    });
    (report, in_file(faults, path, file.text))
}

/// Returns the attempt: as written, or from the file name.
pub(super) fn attempt(
    path: &str,
    task: Option<TaskId>,
    number: &Field<Count>,
) -> Option<AttemptId> {
    let named = match layout::classify(path) {
        FileKind::Status(attempt) | FileKind::Run(attempt) => Some(attempt),
        FileKind::Task
        | FileKind::Role(_)
        | FileKind::Config
        | FileKind::Template
        | FileKind::Event
        | FileKind::GateRun { .. }
        | FileKind::Milestone
        | FileKind::Ignored => None,
    };
    let number = number.value.and_then(|n| u32::try_from(n.0).ok()).filter(|n| *n > 0);
    let number = number.or(named.as_ref().map(|named| named.number))?;
    Some(AttemptId::new(task.or(named.map(|named| named.task))?, number))
}

/// Renders a status file.
pub fn render(report: &StatusReport) -> String {
    let mut out = String::with_capacity(256 + report.notes.len());
    out.push_str("---\n");
    render::key(&mut out, "task", report.attempt.task.as_str());
    render::bare(&mut out, "attempt", report.attempt.number);
    render::bare(&mut out, "state", report.state.as_str());
    if let Some(progress) = report.progress {
        render::bare(&mut out, "progress", progress);
    }
    if let Some(message) = &report.message {
        render::key(&mut out, "message", message);
    }
    if let Some(updated) = report.updated {
        render::bare(&mut out, "updated", updated);
    }
    if let Some(gate) = &report.waiting_for {
        render::key(&mut out, "waiting_for", &gate.0);
    }
    if let Some(category) = &report.category {
        render::key(&mut out, "category", category);
    }
    render::usage(&mut out, &report.usage);
    out.push_str("---\n");
    if !report.notes.is_empty() {
        // Writing to a `String` cannot fail.
        writeln!(out, "{}", report.notes).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::attempt::Usage;

    const PATH: &str = ".orch/status/API-1.2.md";

    #[test]
    fn reports_survive_the_round_trip() {
        let small = StatusReport {
            attempt: AttemptId::new(TaskId::parse("API-1").unwrap(), 2),
            state: ReportedState::Working,
            progress: None,
            message: None,
            updated: None,
            waiting_for: None,
            category: None,
            usage: Usage::default(),
            notes: String::new(),
        };
        let large = StatusReport {
            state: ReportedState::Blocked,
            progress: Some(40),
            message: Some("wiring: \"the\" #1 ä\n".to_owned()),
            updated: Timestamp::parse("2026-11-20T10:15:00.250Z"),
            waiting_for: Some(GateName("ci/build".to_owned())),
            category: Some("security: keys".to_owned()),
            usage: Usage { input_tokens: 1200, cost_usd: 0.02, ..Usage::default() },
            notes: "Notes\n---\nfor `review`".to_owned(),
            ..small.clone()
        };
        for report in [small, large] {
            let text = render(&report);
            assert_eq!(parse(PATH, text.as_bytes()), (Some(report), Vec::new()), "{text}");
        }
    }

    #[test]
    fn the_reader_is_tolerant() {
        let codes = |text: &str| {
            let (report, diagnostics) = parse(PATH, text.as_bytes());
            let report = report.map(|r| format!("{} {}", r.attempt, r.state.as_str()));
            (report, diagnostics.iter().map(|d| d.code).collect::<Vec<_>>())
        };
        let working = Some("API-1.2 working".to_owned());
        assert_eq!(codes("---\nstate: working\nmood: good\n---\n"), (working.clone(), vec![]));
        assert_eq!(codes("---\n---\n"), (working.clone(), vec![]));
        assert_eq!(codes("---\nprogress: 140\n---\n"), (working, vec!["bad-number"]));
        assert_eq!(codes("---\nattempt: 3\nstate: done\n---\n").0.as_deref(), Some("API-1.3 done"));
        assert_eq!(codes("---\nstate: finished\n---\n"), (None, vec!["bad-status"]));
        assert_eq!(codes("done\n"), (None, vec!["no-front-matter"]));
        assert_eq!(codes("---\nstate: do"), (None, vec!["unclosed-front-matter"]));
    }
}
