//! Event files: `.orch/events/**/*.yaml`, written by people, scripts and CI.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    choice::{EventState, EventWord},
    decode::{UnknownKeys, decode},
    document::{open_yaml, refusal},
    fault::{Fault, in_file},
    field::Field,
    layout::EVENTS_DIR,
    number::Count,
    render,
    value::{FromText as _, Word},
};
use crate::domain::model::{
    diagnostic::Diagnostic,
    id::{AttemptId, GateName, TaskId},
    outside::{EventKind, OutsideEvent},
    place::Span,
    time::Timestamp,
};

/// An event, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `gate`")]
#[schemars(title = "Event", description = "Outside fact (.orch/events/**/*.yaml)")]
pub struct RawEvent {
    /// What it is: `gate` (the default), `retry`, `accept` or `cancel`.
    pub kind: Field<EventWord>,
    /// The gate; default: the path below `.orch/events` without `.yaml`.
    pub gate: Field<GateName>,
    /// The task it is meant for; without one, every task that waits for the gate.
    pub task: Field<TaskId>,
    /// Whether the gate is open (`pass`, the default) or failed (`fail`).
    pub state: Field<EventState>,
    /// For a retry: attempts up to this one no longer count.
    pub after: Field<Count>,
    /// For an acceptance: the attempt in review that was looked at. For a cancellation: the attempt
    /// that shall be stopped.
    pub attempt: Field<Count>,
    /// Who wrote it.
    pub by: Field<Word>,
    /// When it was written.
    pub at: Field<Timestamp>,
    /// A few words; those of a retry go into the next prompt.
    pub note: Field<Word>,
}

/// Reads an event file; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Option<OutsideEvent>, Vec<Diagnostic>) {
    let (text, root) = match open_yaml(bytes) {
        Ok(opened) => opened,
        Err(fault) => return (None, refusal(fault, path, bytes)),
    };
    let mut faults = Vec::new();
    let raw: RawEvent = decode(&root, UnknownKeys::Ignore, &mut faults);
    let kind = kind(&raw, path, &mut faults);
    let event = kind.map(|kind| OutsideEvent {
        kind,
        by: raw.by.value.map(|word| word.0),
        at: raw.at.value,
        note: raw.note.value.map(|word| word.0),
    });
    (event, in_file(faults, path, text))
}

/// Returns what the event says; `None` where a part of it is faulty, so that no gate opens by
/// mistake.
fn kind(raw: &RawEvent, path: &str, faults: &mut Vec<Fault>) -> Option<EventKind> {
    let is_faulty = raw.kind.is_faulty()
        || raw.gate.is_faulty()
        || raw.task.is_faulty()
        || raw.state.is_faulty()
        || raw.after.is_faulty()
        || raw.attempt.is_faulty()
        || !faults.is_empty();
    if is_faulty {
        return None;
    }
    let task = raw.task.value.clone();
    match raw.kind.value.unwrap_or_default() {
        EventWord::Gate => {
            let gate = raw.gate.value.clone().or_else(|| gate_of(path, task.as_ref()));
            if gate.is_none() {
                faults.push(missing("gate"));
            }
            let is_open = raw.state.value.is_none_or(|state| state == EventState::Pass);
            Some(EventKind::Gate { gate: gate?, task, is_open })
        }
        EventWord::Retry => {
            let after = raw.after.value.and_then(|n| u32::try_from(n.0).ok());
            if task.is_none() || after.is_none() {
                faults.push(missing(if task.is_none() { "task" } else { "after" }));
            }
            Some(EventKind::Retry { task: task?, after: after? })
        }
        EventWord::Accept => {
            let AttemptId { task, number } = attempt(raw, faults)?;
            Some(EventKind::Accept { task, attempt: number })
        }
        EventWord::Cancel => attempt(raw, faults).map(EventKind::Cancel),
    }
}

/// Returns the attempt that `task` and `attempt` name.
fn attempt(raw: &RawEvent, faults: &mut Vec<Fault>) -> Option<AttemptId> {
    let task = raw.task.value.clone();
    let number = raw.attempt.value.and_then(|n| u32::try_from(n.0).ok());
    if task.is_none() || number.is_none() {
        faults.push(missing(if task.is_none() { "task" } else { "attempt" }));
    }
    Some(AttemptId::new(task?, number?))
}

fn missing(key: &str) -> Fault {
    let message = format!("the event does not say its `{key}`");
    Fault::error("missing-key", Span::new(1, 1, 0), message).with_help(format!("add `{key}: …`"))
}

/// Returns the gate that a path stands for: `ci/build.yaml`, or `approval/<task>.yaml` for one task.
fn gate_of(path: &str, task: Option<&TaskId>) -> Option<GateName> {
    let below = path.strip_prefix(EVENTS_DIR)?.strip_prefix('/')?.strip_suffix(".yaml")?;
    let of_task = task.and_then(|task| below.strip_suffix(task.as_str())?.strip_suffix('/'));
    GateName::from_text(of_task.unwrap_or(below)).ok()
}

/// Renders an event file.
pub fn render(event: &OutsideEvent) -> String {
    let mut out = String::with_capacity(160);
    match &event.kind {
        EventKind::Gate { gate, task, is_open } => {
            render::bare(&mut out, "kind", "gate");
            render::key(&mut out, "gate", &gate.0);
            if let Some(task) = task {
                render::key(&mut out, "task", task.as_str());
            }
            render::bare(&mut out, "state", if *is_open { "pass" } else { "fail" });
        }
        EventKind::Retry { task, after } => {
            render::bare(&mut out, "kind", "retry");
            render::key(&mut out, "task", task.as_str());
            render::bare(&mut out, "after", after);
        }
        EventKind::Accept { task, attempt } => {
            render::bare(&mut out, "kind", "accept");
            render::key(&mut out, "task", task.as_str());
            render::bare(&mut out, "attempt", attempt);
        }
        EventKind::Cancel(attempt) => {
            render::bare(&mut out, "kind", "cancel");
            render::key(&mut out, "task", attempt.task.as_str());
            render::bare(&mut out, "attempt", attempt.number);
        }
    }
    if let Some(by) = &event.by {
        render::key(&mut out, "by", by);
    }
    if let Some(at) = event.at {
        render::bare(&mut out, "at", at);
    }
    if let Some(note) = &event.note {
        render::key(&mut out, "note", note);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> String {
        let (event, diagnostics) = parse(path, text.as_bytes());
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code).collect();
        match event.map(|event| event.kind) {
            None => format!("nothing {codes:?}"),
            Some(EventKind::Retry { task, after }) => format!("retry {task} {after} {codes:?}"),
            Some(EventKind::Accept { task, attempt }) => {
                format!("accept {task} {attempt} {codes:?}")
            }
            Some(EventKind::Cancel(attempt)) => format!("cancel {attempt} {codes:?}"),
            Some(EventKind::Gate { gate, task, is_open }) => {
                format!("{gate} {task:?} {is_open} {codes:?}")
            }
        }
    }

    #[test]
    fn events_say_what_opened() {
        let table = [
            ("ci/build", "", "ci/build None true []"),
            ("ci/build", "state: fail\nurl: x\n", "ci/build None false []"),
            ("approval/API-1", "task: API-1\n", "approval Some(API-1) true []"),
            ("x", "gate: approval\ntask: API-1\n", "approval Some(API-1) true []"),
            ("retry/a.2", "kind: retry\ntask: a\nafter: 2\n", "retry a 2 []"),
            ("retry/a.2", "kind: retry\ntask: a\n", r#"nothing ["missing-key"]"#),
            ("accept/a.2", "kind: accept\ntask: a\nattempt: 2\n", "accept a 2 []"),
            ("accept/a.2", "kind: accept\ntask: a\n", r#"nothing ["missing-key"]"#),
            ("accept/a.2", "kind: accept\nattempt: 2\n", r#"nothing ["missing-key"]"#),
            ("cancel/a.2", "kind: cancel\ntask: a\nattempt: 2\n", "cancel a.2 []"),
            ("cancel/a.2", "kind: cancel\ntask: a\n", r#"nothing ["missing-key"]"#),
            ("cancel/a.2", "kind: cancel\nattempt: 2\n", r#"nothing ["missing-key"]"#),
            ("ci", "state: passed\n", r#"nothing ["bad-word"]"#),
            ("ci", "- a\n", r#"nothing ["wrong-type"]"#),
            ("odd name", "", r#"nothing ["missing-key"]"#),
        ];
        for (name, text, expected) in table {
            assert_eq!(told(&format!("{EVENTS_DIR}/{name}.yaml"), text), expected, "{name} {text}");
        }
    }

    #[test]
    fn events_survive_the_round_trip() {
        let task = TaskId::parse("007").unwrap();
        let gate = GateName("ci/build".to_owned());
        let kinds = [
            EventKind::Gate { gate: gate.clone(), task: None, is_open: false },
            EventKind::Gate { gate, task: Some(task.clone()), is_open: true },
            EventKind::Retry { task: task.clone(), after: 3 },
            EventKind::Accept { task: task.clone(), attempt: 2 },
            EventKind::Cancel(AttemptId::new(task, 2)),
        ];
        for kind in kinds {
            let event = OutsideEvent {
                kind,
                by: Some("A. B. <a@b>".to_owned()),
                at: Timestamp::parse("2026-11-20T10:15:00Z"),
                note: Some("look: at\nthis".to_owned()),
            };
            let text = render(&event);
            let path = format!("{EVENTS_DIR}/x.yaml");
            assert_eq!(parse(&path, text.as_bytes()), (Some(event), Vec::new()), "{text}");
        }
    }
}
