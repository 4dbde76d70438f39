//! Facts from outside: opens or fails a gate, and tells how all gates stand.

use std::collections::BTreeMap;

use super::change::{Author, Standing, write_event};
use crate::{
    app::{
        error::AppError,
        repository::Repository,
        standing,
        view::event::{GateTask, GateView, SentEvent},
    },
    domain::{
        format::{
            event_file,
            layout::{self, FileKind},
        },
        model::{
            attempt::{ReportedState, StatusReport},
            id::{GateName, TaskId},
            outside::{EventKind, GateState, OutsideEvent},
            suggest,
        },
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// What is said of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is open.
    Pass,
    /// It has failed.
    Fail,
}

/// Writes down what is so of `gate`: for the tasks `ids`, or for all where none is named. What
/// stands there already is not written again.
///
/// # Errors
/// [`AppError::Usage`] for a task that does not exist, and where the file of the event speaks of
/// something else; then nothing was changed.
pub fn send(
    repository: &Repository,
    gate: &GateName,
    ids: &[String],
    word: Word,
    author: Author<'_>,
) -> Result<Vec<SentEvent>, AppError> {
    let before = Standing::read(repository)?;
    let named = before.find_all(ids)?;
    let tasks: Vec<Option<TaskId>> = match named.is_empty() {
        true => vec![None],
        false => named.iter().map(|task| Some(before.spec(*task).id.value.clone())).collect(),
    };
    let mut due = Vec::new();
    for task in tasks {
        let path = layout::gate_event_path(gate, task.as_ref());
        let is_open = word == Word::Pass;
        let kind = EventKind::Gate { gate: gate.clone(), task: task.clone(), is_open };
        let is_new = is_news(repository, &path, &kind, author.note)?;
        due.push((task, path, kind, is_new));
    }
    for (_, path, kind, is_new) in &due {
        if *is_new {
            write_event(repository, path, kind.clone(), author)?;
        }
    }
    let after = Standing::read(repository)?;
    let plan = &after.snapshot.plan;
    let near = suggest::did_you_mean(
        &gate.0,
        plan.specs().flat_map(|spec| &spec.waits_for).map(|gate| gate.value.0.as_str()),
    );
    let sent = due.into_iter().map(|(task, event, _, is_new)| {
        let is_meant = |index: &TaskIndex| task.as_ref().is_none_or(|id| plan.id(*index) == id);
        let waiting = plan.indices().filter(is_meant).filter(|index| {
            let report = after.snapshot.last_report(plan.id(*index));
            waits(after.spec(*index).waits_for.iter().map(|gate| &gate.value), report, gate)
        });
        let waiting = waiting.map(|index| {
            let id = plan.id(index);
            let gate = gate_word(after.snapshot.outside.gate(gate, id));
            GateTask { task: id.to_string(), gate, state: after.state(index).as_str() }
        });
        SentEvent {
            gate: gate.0.clone(),
            task: task.as_ref().map(ToString::to_string),
            word: if word == Word::Pass { "pass" } else { "fail" },
            event,
            is_new,
            tasks: waiting.collect(),
            near: near.map(str::to_owned).filter(|near| *near != gate.0),
            is_live: after.is_live(),
        }
    });
    Ok(sent.collect())
}

/// Says whether an event is not on disk yet, and refuses one whose file speaks of something else.
fn is_news(
    repository: &Repository,
    path: &str,
    kind: &EventKind,
    note: Option<&str>,
) -> Result<bool, AppError> {
    let rename = "choose another name for the gate";
    if layout::classify(path) != FileKind::Event {
        let message = format!("`{path}` would not be read as an event");
        return Err(AppError::usage(message, rename));
    }
    // Events of these folders are named after attempts.
    let kept = ["retry", "accept", "cancel"];
    let below = path.strip_prefix(layout::EVENTS_DIR).and_then(|below| below.strip_prefix('/'));
    let first = below.and_then(|below| below.split_once('/')).map(|(first, _)| first);
    if let Some(first) = first.filter(|first| kept.contains(first)) {
        let message = format!("`{first}/…` is kept for what `orch {first}` and `orch approve` say");
        return Err(AppError::usage(message, rename));
    }
    let bytes = repository.store().read_file(path).ok();
    let old = bytes.and_then(|bytes| event_file::parse(path, &bytes).0);
    let Some(OutsideEvent { kind: old, note: old_note, .. }) = old else { return Ok(true) };
    match (&old, kind) {
        (
            EventKind::Gate { gate: old_gate, task: old_task, is_open: was_open },
            EventKind::Gate { gate, task, is_open },
        ) if old_gate == gate && old_task == task => {
            let has_other_note = note.is_some_and(|note| old_note.as_deref() != Some(note.trim()));
            Ok(was_open != is_open || has_other_note)
        }
        _ => {
            let message = format!("`{path}` speaks of something else already");
            Err(AppError::usage(message, format!("look at it, then remove it, or {rename}")))
        }
    }
}

/// Tells how every gate stands that a task waits for, or that an event speaks of, by name.
pub fn list(standing: &standing::Standing) -> Vec<GateView> {
    let plan = standing.plan();
    let outside = &standing.snapshot.outside;
    let mut gates: BTreeMap<GateName, Vec<TaskIndex>> = BTreeMap::new();
    for (gate, _, _) in outside.gates() {
        gates.entry(gate.clone()).or_default();
    }
    for task in plan.indices() {
        let named = plan.spec(task).waits_for.iter().map(|gate| gate.value.clone());
        let report = standing.snapshot.last_report(plan.id(task)).and_then(waited_for);
        let reported = report.filter(|_| is_open(standing.state(task)));
        for gate in named.chain(reported.cloned()) {
            let waiting = gates.entry(gate).or_default();
            if waiting.last() != Some(&task) {
                waiting.push(task);
            }
        }
    }
    let view = |(gate, waiting): (GateName, Vec<TaskIndex>)| {
        let for_all = outside.gates().find(|(name, task, _)| **name == gate && task.is_none());
        let tasks = waiting.into_iter().map(|task| {
            let id = plan.id(task);
            let state = standing.state(task).as_str();
            GateTask { task: id.to_string(), gate: gate_word(outside.gate(&gate, id)), state }
        });
        let state = match for_all {
            None => GateState::Unknown,
            Some((_, _, true)) => GateState::Open,
            Some((_, _, false)) => GateState::Failed,
        };
        GateView { tasks: tasks.collect(), state: gate_word(state), gate: gate.0 }
    };
    gates.into_iter().map(view).collect()
}

/// Says whether a task waits for `gate`: by its file, or because its worker says so.
fn waits<'a>(
    mut named: impl Iterator<Item = &'a GateName>,
    report: Option<&StatusReport>,
    gate: &GateName,
) -> bool {
    named.any(|named| named == gate) || report.and_then(waited_for) == Some(gate)
}

/// Returns the gate that the worker of a task waits for.
fn waited_for(report: &StatusReport) -> Option<&GateName> {
    report.waiting_for.as_ref().filter(|_| report.state == ReportedState::Blocked)
}

fn is_open(state: TaskState) -> bool {
    !matches!(state, TaskState::Done | TaskState::Cancelled)
}

fn gate_word(state: GateState) -> &'static str {
    match state {
        GateState::Unknown => "shut",
        GateState::Open => "open",
        GateState::Failed => "failed",
    }
}
