//! A person's word: opens a gate that a task waits for, or accepts what an attempt left.

use super::change::{Author, Standing, write_event};
use crate::{
    app::{error::AppError, repository::Repository, view::write::Approved},
    domain::{
        format::layout,
        model::{
            id::{AttemptId, GateName, TaskId},
            outside::{EventKind, GateState},
            suggest,
        },
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
};

/// What the person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Approve,
    /// Do not go on.
    Reject,
}

/// What a decision is about.
enum Subject {
    Gate(GateName),
    Attempt(AttemptId),
}

/// Writes down what a person decided about tasks.
///
/// # Errors
/// [`AppError::Usage`] where one of them waits for no such decision; then nothing was changed.
pub fn approve(
    repository: &Repository,
    ids: &[String],
    gate: Option<&str>,
    decision: Decision,
    author: Author<'_>,
) -> Result<Vec<Approved>, AppError> {
    let before = Standing::read(repository)?;
    let mut subjects = Vec::new();
    for task in before.find_all(ids)? {
        let id = before.spec(task).id.value.clone();
        subjects.push((id, subject(&before, task, gate, decision)?));
    }
    let mut events = Vec::new();
    for (id, subject) in &subjects {
        let (path, kind) = event(id, subject, decision);
        write_event(repository, &path, kind, author)?;
        events.push(path);
    }
    let after = Standing::read(repository)?;
    let told = subjects.into_iter().zip(events).map(|((id, subject), event)| {
        let (gate, attempt, is_open) = match subject {
            Subject::Gate(gate) => {
                let is_open = after.snapshot.outside.gate(&gate, &id) == GateState::Open;
                (Some(gate.0), None, is_open)
            }
            Subject::Attempt(attempt) => (None, Some(attempt.number), true),
        };
        let (state, is_live) = (after.state_of(&id), after.is_live());
        Approved { task: id.to_string(), gate, attempt, event, is_open, state, is_live }
    });
    Ok(told.collect())
}

/// Returns where a decision is written, and what is written.
fn event(id: &TaskId, subject: &Subject, decision: Decision) -> (String, EventKind) {
    let task = id.clone();
    match subject {
        Subject::Gate(gate) => {
            let is_open = decision == Decision::Approve;
            let kind = EventKind::Gate { gate: gate.clone(), task: Some(task), is_open };
            (layout::gate_event_path(gate, Some(id)), kind)
        }
        Subject::Attempt(attempt) => {
            let kind = EventKind::Accept { task, attempt: attempt.number };
            (layout::accept_path(attempt), kind)
        }
    }
}

/// Finds out what a decision about `task` can be about.
fn subject(
    before: &Standing,
    task: TaskIndex,
    gate: Option<&str>,
    decision: Decision,
) -> Result<Subject, AppError> {
    let spec = before.spec(task);
    let id = &spec.id.value;
    if let Some(name) = gate {
        return named_gate(before, task, name);
    }
    if before.state(task) == TaskState::Review {
        let last = before.last_attempt(id);
        if !before.is_held_for_review(id) {
            let message = format!("there is nothing to approve: task `{id}` is over its budget");
            let help = format!("`orch retry {id}` grants the budget once more");
            return Err(AppError::usage(message, help));
        }
        if decision == Decision::Reject {
            let message = format!("attempt {last} of `{id}` is in review, not behind a gate");
            let help = format!("have it done again: `orch retry {id} --note \"what is missing\"`");
            return Err(AppError::usage(message, help));
        }
        return Ok(Subject::Attempt(AttemptId::new(id.clone(), last)));
    }
    let approval = GateName(GateName::APPROVAL.to_owned());
    if before.scheduler.gates(task).any(|gate| *gate == approval) {
        return Ok(Subject::Gate(approval));
    }
    let state = before.state(task).as_str();
    let message = format!("there is nothing to approve: task `{id}` is {state}");
    Err(AppError::usage(message, waits_for(before, task)))
}

/// Returns the gate with this name, where the task waits for it.
fn named_gate(before: &Standing, task: TaskIndex, name: &str) -> Result<Subject, AppError> {
    let mut gates = before.scheduler.gates(task);
    if let Some(gate) = gates.clone().find(|gate| gate.0 == name) {
        return Ok(Subject::Gate(gate.clone()));
    }
    let message = format!("task `{}` does not wait for `{name}`", before.spec(task).id.value);
    let near = suggest::did_you_mean(name, gates.by_ref().map(|gate| gate.0.as_str()));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    Err(AppError::usage(message, help.unwrap_or_else(|| waits_for(before, task))))
}

/// Says what a task waits for, and how to open it.
fn waits_for(before: &Standing, task: TaskIndex) -> String {
    let id = &before.spec(task).id.value;
    let is_shut = |gate: &&GateName| before.snapshot.outside.gate(gate, id) != GateState::Open;
    let mut shut = before.scheduler.gates(task).filter(is_shut);
    match shut.next() {
        Some(gate) => {
            let names: Vec<String> =
                std::iter::once(gate).chain(shut).map(|gate| format!("`{gate}`")).collect();
            let names = names.join(", ");
            format!("it waits for {names}: `orch approve {id} --gate {gate}` opens it by hand")
        }
        None => format!("it waits for no gate; `orch explain {id}` says what is in its way"),
    }
}
