//! Why a task is not running, in words, and what to do about it.

mod pauses;

use std::collections::{BTreeMap, VecDeque};

use super::at_work;
use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::explain::{Cause, Explanation, Why},
    },
    domain::{
        format::layout,
        model::{
            attempt::Outcome,
            id::{AttemptId, GateName, TaskId},
            limits::NAMED_TASKS_MAX,
            outside::GateState,
            task::AuthorStatus,
        },
        plan::{Fault, TaskIndex},
        scheduler::{Scheduler, explain::Reason, phase::TaskState},
    },
};

/// Explains the state of the task `id`.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task.
pub fn explain(standing: &Standing, id: &str) -> Result<Explanation, AppError> {
    let task = standing.find(id)?;
    let (causes, n_more_causes) = causes(standing, task);
    Ok(Explanation {
        id: standing.plan().id(task).to_string(),
        title: standing.plan().spec(task).title.clone(),
        state: standing.state(task).as_str(),
        reasons: whys(standing, task),
        causes,
        n_more_causes,
        n_downstream: standing.scheduler.n_downstream(task),
        running: at_work::running(standing, task),
        has_coordinator: standing.snapshot.coordinator.is_some(),
    })
}

/// Returns every reason for the state of a task, in words.
pub(crate) fn whys(standing: &Standing, task: TaskIndex) -> Vec<Why> {
    let reasons = standing.scheduler.explain(task, &standing.states);
    reasons.iter().map(|reason| why(standing, task, reason)).collect()
}

/// Says a reason in words: what is so, to be read on from the id of `task`, and what to do about
/// it (empty where nothing needs to be done).
pub fn words(task: &TaskId, reason: &Reason) -> (String, String) {
    let (sentence, help) = match reason {
        Reason::Fault(fault) => {
            (fault_words(fault), format!("mend the file of `{task}`; `orch check` shows the place"))
        }
        Reason::Author(status) => author_words(task, *status),
        Reason::Runs { attempt, is_stopping } => {
            let what = if *is_stopping { "is being stopped" } else { "runs" };
            let help = format!("`orch logs {task} --follow` shows what its worker prints");
            (format!("{what} (attempt {})", attempt.number), help)
        }
        Reason::Settled { attempt, outcome: Outcome::Review, review, reason } => {
            pauses::review_words(task, attempt.number, *review, reason)
        }
        Reason::Settled { attempt, outcome, reason, .. } => {
            settled_words(task, attempt, *outcome, reason)
        }
        Reason::Dependency { id, state } => {
            (format!("waits for `{id}`, which {}", state_words(*state)), state_help(id, *state))
        }
        Reason::Level { level, open } => {
            (format!("waits for level {level} to end: {} not done", listed(open)), String::new())
        }
        Reason::LevelGate { level, has_failed: true } => (
            format!("waits for the gate after level {level}, which failed"),
            failed_gate_help(*level),
        ),
        Reason::LevelGate { level, has_failed: false } => {
            (format!("waits for the gate after level {level}"), "`orch run` runs it".to_owned())
        }
        Reason::Unapproved { gate, why } => pauses::unapproved_words(*gate, why),
        Reason::Gate { gate, has_failed, is_asked } => {
            let (sentence, help) = gate_words(task, gate, *has_failed);
            let asked = if *is_asked { ", says its worker" } else { "" };
            (format!("{sentence}{asked}"), help)
        }
        Reason::BackOff { .. } => pauses::back_off_words(task, reason),
        Reason::OverBudget { .. }
        | Reason::Limited { .. }
        | Reason::Breaker { .. }
        | Reason::Claimed { .. }
        | Reason::NoSandbox(_)
        | Reason::Short { .. } => pauses::pause_words(task, reason).unwrap_or_default(),
        Reason::NoCommand => (
            "is ready, but nobody says what to start for it".to_owned(),
            "set `worker: {agent: …}` or `worker: {command: …}` in the task, its role or \
             .orch/config.yaml"
                .to_owned(),
        ),
        Reason::AllWorkersBusy { .. }
        | Reason::RoleBusy { .. }
        | Reason::WorkstreamBusy { .. }
        | Reason::FilesBusy { .. }
        | Reason::Free => limit_words(reason),
    };
    (sentence, help)
}

fn fault_words(fault: &Fault) -> String {
    match fault {
        Fault::UnknownDependency(id) => format!("depends on `{id}`, which does not exist"),
        Fault::Cycle(path) => {
            let named: Vec<String> =
                path.iter().take(NAMED_TASKS_MAX).map(|id| format!("`{id}`")).collect();
            let rest = if path.len() > NAMED_TASKS_MAX { " → …" } else { "" };
            format!("is part of a cycle: {}{rest}", named.join(" → "))
        }
        Fault::LaterLevel(id) => format!("depends on `{id}`, which is of a later level"),
        Fault::UnknownRole(role) => format!("names the role `{role}`, which does not exist"),
    }
}

fn author_words(task: &TaskId, status: AuthorStatus) -> (String, String) {
    let (sentence, help) = match status {
        AuthorStatus::Draft => ("is a draft", "when it can be worked on"),
        AuthorStatus::Hold => ("is on hold", "to let it start"),
        AuthorStatus::Cancelled => ("is cancelled", "to have it done after all"),
        AuthorStatus::Done => return ("is done, says its file".to_owned(), String::new()),
        AuthorStatus::Todo => return ("is to be done".to_owned(), String::new()),
    };
    (sentence.to_owned(), format!("set `status: todo` in the file of `{task}` {help}"))
}

fn settled_words(
    task: &TaskId,
    attempt: &AttemptId,
    outcome: Outcome,
    reason: &str,
) -> (String, String) {
    let n = attempt.number;
    match outcome {
        Outcome::Succeeded => (format!("is done since attempt {n}"), String::new()),
        Outcome::Failed | Outcome::Stalled => {
            (format!("failed in attempt {n}: {reason}"), failed_help(task))
        }
        Outcome::Crashed | Outcome::Lost => (
            format!("failed: its worker crashed too often, at last in attempt {n}: {reason}"),
            failed_help(task),
        ),
        Outcome::Unfinished => (
            format!(
                "failed: its checks did not hold after the last iteration, attempt {n}: {reason}"
            ),
            failed_help(task),
        ),
        Outcome::Cancelled => (
            format!("was cancelled in attempt {n}"),
            format!("`orch retry {task}` has it done after all"),
        ),
        Outcome::Review => pauses::review_words(task, n, None, reason),
        Outcome::Conflict => (
            format!("waits for a person to resolve a conflict: {reason} (attempt {n})"),
            format!(
                "its work is on the branch orch/{task}; `orch retry {task}` has it merged once \
                 more"
            ),
        ),
        Outcome::Interrupted
        | Outcome::NotStarted
        | Outcome::Limited
        | Outcome::Blocked
        | Outcome::Unlanded
        | Outcome::OverBudget => (
            format!("was interrupted in attempt {n}: {reason}"),
            "`orch run` starts it again".to_owned(),
        ),
    }
}

fn failed_help(task: &TaskId) -> String {
    format!("`orch logs {task}` shows what it printed, `orch retry {task}` tries it again")
}

/// Returns what to do about the failed gate of a level.
pub(super) fn failed_gate_help(level: u32) -> String {
    let folder = layout::gate_log_folder(level);
    format!("mend what the log in {folder} shows; `orch run` runs the gate again")
}

/// Says where a task is: reads on from its id.
fn state_words(state: TaskState) -> &'static str {
    match state {
        TaskState::Draft => "is a draft",
        TaskState::Hold => "is on hold",
        TaskState::Waiting => "waits itself",
        TaskState::Blocked => "is blocked itself",
        TaskState::Ready => "is ready",
        TaskState::BackingOff => "waits for its next attempt",
        TaskState::Running => "runs",
        TaskState::Verifying => "is being verified",
        TaskState::Landing => "is verified and lands",
        TaskState::Review => "waits for a person to approve it",
        TaskState::Done => "is done",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "is cancelled",
    }
}

/// Says what to do about a dependency in this state.
fn state_help(id: &TaskId, state: TaskState) -> String {
    match state {
        TaskState::Draft | TaskState::Hold => {
            format!("set `status: todo` in the file of `{id}`")
        }
        TaskState::Blocked => format!("`orch explain {id}` says why"),
        TaskState::Review => {
            format!("`orch approve {id}` accepts it, `orch retry {id}` has it done again")
        }
        TaskState::Failed => failed_help(id),
        TaskState::Cancelled => {
            format!("take `{id}` out of `depends_on`, or set its `status` to `todo`")
        }
        TaskState::Waiting
        | TaskState::Ready
        | TaskState::BackingOff
        | TaskState::Running
        | TaskState::Verifying
        | TaskState::Landing
        | TaskState::Done => String::new(),
    }
}

fn gate_words(task: &TaskId, gate: &GateName, has_failed: bool) -> (String, String) {
    let failed = if has_failed { ", which failed" } else { "" };
    let help = if gate.0 == GateName::APPROVAL {
        format!("`orch approve {task}` opens it")
    } else {
        let path = layout::gate_event_path(gate, None);
        format!("`orch approve {task} --gate {gate}` opens it, or `state: pass` in {path}")
    };
    (format!("waits for the gate `{gate}`{failed}"), help)
}

fn limit_words(reason: &Reason) -> (String, String) {
    match reason {
        Reason::AllWorkersBusy { max_workers } => (
            format!("waits for a free worker: all {max_workers} are busy"),
            "raise `max_workers` in .orch/config.yaml to run more at once".to_owned(),
        ),
        Reason::RoleBusy { role, max_workers } => (
            format!("waits for a free worker of the role `{role}`: all {max_workers} are busy"),
            format!("raise `max_workers` in .orch/roles/{role}.md to run more at once"),
        ),
        Reason::WorkstreamBusy { workstream, id } => (
            format!("waits for `{id}`, which runs in the same workstream `{workstream}`"),
            String::new(),
        ),
        Reason::FilesBusy { id } => {
            (format!("waits for `{id}`, which may touch the same files"), String::new())
        }
        _ => ("is ready".to_owned(), "`orch run` starts it".to_owned()),
    }
}

/// Names tasks: "`A`, `B` and 3 more are".
fn listed(tasks: &[(TaskId, TaskState)]) -> String {
    let named: Vec<String> =
        tasks.iter().take(NAMED_TASKS_MAX).map(|(id, _)| format!("`{id}`")).collect();
    let verb = if tasks.len() == 1 { "is" } else { "are" };
    match tasks.len().saturating_sub(named.len()) {
        0 => format!("{} {verb}", named.join(", ")),
        more => format!("{} and {more} more {verb}", named.join(", ")),
    }
}

/// As [`told`], by what is on disk.
pub(crate) fn why(standing: &Standing, task: TaskIndex, reason: &Reason) -> Why {
    let waits = match reason {
        Reason::Runs { attempt, .. } => standing.snapshot.landings.get(attempt).zip(Some(attempt)),
        _ => None,
    };
    match waits {
        Some((wait, attempt)) => pauses::landing_words(attempt.number, wait),
        None => told(&standing.scheduler, task, reason),
    }
}

/// As [`words`], with what the histories tell of a failed task.
pub(crate) fn told(scheduler: &Scheduler, task: TaskIndex, reason: &Reason) -> Why {
    let plan = scheduler.plan();
    let id = plan.id(task);
    let (mut sentence, help) = words(id, reason);
    if let Reason::Settled { outcome: Outcome::Failed | Outcome::Stalled, reason, .. } = reason
        && let Some(history) = scheduler.history(id)
    {
        let n_failed = history.n_failed(scheduler.retried_after(id));
        let max = plan.policy(task).max_attempts;
        sentence = format!("failed {n_failed} of {max} attempts: {reason}");
    }
    let other = match reason {
        Reason::Dependency { id, .. }
        | Reason::WorkstreamBusy { id, .. }
        | Reason::FilesBusy { id } => Some(id.to_string()),
        _ => None,
    };
    Why { sentence, help, task: other }
}

/// Finds the tasks upstream that are not done for a reason of their own, nearest first, and how
/// many more there are than are told.
fn causes(standing: &Standing, task: TaskIndex) -> (Vec<Cause>, usize) {
    let mut from: BTreeMap<TaskIndex, TaskIndex> = BTreeMap::from([(task, task)]);
    let mut queue = VecDeque::from([task]);
    let mut followed_level = None;
    let (mut found, mut n_more) = (Vec::new(), 0);
    while let Some(next) = queue.pop_front() {
        let mut upstream = Vec::new();
        if matches!(standing.state(next), TaskState::Waiting | TaskState::Blocked) {
            let dependencies = standing.plan().dependencies(next).iter().copied();
            upstream.extend(dependencies.filter(|id| standing.state(*id) != TaskState::Done));
            if followed_level.is_none()
                && let Some((level, open)) = open_level(standing, next)
            {
                followed_level = Some(level);
                upstream.extend(open);
            }
        }
        let level = standing.plan().spec(next).level.as_ref().map(|level| level.value);
        let is_behind_level = level > followed_level && followed_level.is_some();
        let is_cause = (upstream.is_empty() && !is_behind_level) || has_own_reason(standing, next);
        if next != task && is_cause {
            if found.len() < NAMED_TASKS_MAX {
                found.push(cause(standing, next, &from));
            } else {
                n_more += 1;
            }
        }
        for dependency in upstream {
            from.entry(dependency).or_insert_with(|| {
                queue.push_back(dependency);
                next
            });
        }
    }
    (found, n_more)
}

/// Returns the lower level that `task` waits for, with its tasks that are not done.
fn open_level(standing: &Standing, task: TaskIndex) -> Option<(u32, Vec<TaskIndex>)> {
    let plan = standing.plan();
    plan.spec(task).level.as_ref()?;
    let reasons = standing.scheduler.explain(task, &standing.states);
    reasons.into_iter().find_map(|reason| match reason {
        Reason::Level { level, open } => {
            let open = open.iter().filter_map(|(id, _)| plan.find(id.as_str()));
            Some((level, open.collect()))
        }
        _ => None,
    })
}

/// Says whether a task could not start even if all that it depends on were done.
fn has_own_reason(standing: &Standing, task: TaskIndex) -> bool {
    let spec = standing.plan().spec(task);
    let outside = standing.scheduler.outside();
    let mut gates = standing.scheduler.gates(task);
    standing.plan().fault(task).is_some()
        || (standing.state(task) != TaskState::Done
            && gates.any(|gate| outside.gate(gate, &spec.id.value) != GateState::Open))
}

fn cause(standing: &Standing, task: TaskIndex, from: &BTreeMap<TaskIndex, TaskIndex>) -> Cause {
    let next = |task: &TaskIndex| from.get(task).copied().filter(|next| next != task);
    let path: Vec<TaskIndex> = std::iter::successors(next(&task), next).take(from.len()).collect();
    let through = path.iter().rev().skip(1).map(|task| standing.plan().id(*task).to_string());
    let is_own = |reason: &&Reason| !matches!(reason, Reason::Dependency { .. });
    let reasons = standing.scheduler.explain(task, &standing.states);
    let reason = reasons.iter().find(is_own).or_else(|| reasons.first());
    Cause {
        id: standing.plan().id(task).to_string(),
        state: standing.state(task).as_str(),
        through: through.collect(),
        why: reason.map_or_else(
            || Why {
                sentence: state_words(standing.state(task)).to_owned(),
                help: String::new(),
                task: None,
            },
            |reason| why(standing, task, reason),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::*;
    use crate::domain::{
        model::{attempt::ReviewKind, id::RoleName, time::Timestamp},
        scheduler::budget::Scope,
    };

    fn id(text: &str) -> TaskId {
        TaskId::parse(text).unwrap()
    }

    fn gate(name: &str, has_failed: bool) -> Reason {
        Reason::Gate { gate: GateName(name.to_owned()), has_failed, is_asked: false }
    }

    fn over_budget(scope: Scope) -> Reason {
        let milestone = (scope == Scope::Milestone).then(|| "beta".to_owned());
        Reason::OverBudget { scope, milestone, words: "210000 of 200000 tokens".to_owned() }
    }

    fn spoken(reasons: &[Reason]) -> String {
        let lines = reasons.iter().map(|reason| {
            let (sentence, help) = words(&id("X"), reason);
            format!("X {sentence}\n  {help}\n")
        });
        lines.collect::<String>().replace("  \n", "")
    }

    #[test]
    fn every_reason_reads_on_from_the_id() {
        let reasons = [
            Reason::Fault(Fault::UnknownDependency("Y".to_owned())),
            Reason::Fault(Fault::Cycle([id("X"), id("A"), id("X")].into())),
            Reason::Fault(Fault::LaterLevel(id("A"))),
            Reason::Fault(Fault::UnknownRole(RoleName("cook".to_owned()))),
            Reason::Runs { attempt: AttemptId::new(id("X"), 2), is_stopping: false },
            Reason::Runs { attempt: AttemptId::new(id("X"), 2), is_stopping: true },
            Reason::Level { level: 1, open: vec![(id("A"), TaskState::Failed)] },
            Reason::Level { level: 1, open: vec![(id("A"), TaskState::Failed); 10] },
            Reason::LevelGate { level: 1, has_failed: false },
            Reason::LevelGate { level: 1, has_failed: true },
            gate("approval", false),
            gate("ci/build", true),
            Reason::BackOff {
                remaining: Duration::from_secs(90),
                n_failed: 1,
                max_attempts: 3,
                outcome: Outcome::Failed,
                reason: "exit code 3".to_owned(),
            },
            Reason::NoCommand,
            Reason::AllWorkersBusy { max_workers: 4 },
            Reason::RoleBusy { role: RoleName("cook".to_owned()), max_workers: 1 },
            Reason::WorkstreamBusy { workstream: "w".to_owned(), id: id("A") },
            Reason::FilesBusy { id: id("A") },
            Reason::Free,
        ];
        expect![[r#"
            X depends on `Y`, which does not exist
              mend the file of `X`; `orch check` shows the place
            X is part of a cycle: `X` → `A` → `X`
              mend the file of `X`; `orch check` shows the place
            X depends on `A`, which is of a later level
              mend the file of `X`; `orch check` shows the place
            X names the role `cook`, which does not exist
              mend the file of `X`; `orch check` shows the place
            X runs (attempt 2)
              `orch logs X --follow` shows what its worker prints
            X is being stopped (attempt 2)
              `orch logs X --follow` shows what its worker prints
            X waits for level 1 to end: `A` is not done
            X waits for level 1 to end: `A`, `A`, `A`, `A`, `A`, `A`, `A`, `A` and 2 more are not done
            X waits for the gate after level 1
              `orch run` runs it
            X waits for the gate after level 1, which failed
              mend what the log in .orch/local/logs/@level-1 shows; `orch run` runs the gate again
            X waits for the gate `approval`
              `orch approve X` opens it
            X waits for the gate `ci/build`, which failed
              `orch approve X --gate ci/build` opens it, or `state: pass` in .orch/events/ci/build.yaml
            X waits 1m 30s for its next attempt: 1 of 3 attempts failed, the last one: exit code 3
              `orch logs X` shows what it printed
            X is ready, but nobody says what to start for it
              set `worker: {agent: …}` or `worker: {command: …}` in the task, its role or .orch/config.yaml
            X waits for a free worker: all 4 are busy
              raise `max_workers` in .orch/config.yaml to run more at once
            X waits for a free worker of the role `cook`: all 1 are busy
              raise `max_workers` in .orch/roles/cook.md to run more at once
            X waits for `A`, which runs in the same workstream `w`
            X waits for `A`, which may touch the same files
            X is ready
              `orch run` starts it
        "#]].assert_eq(&spoken(&reasons));
    }

    #[test]
    fn what_passes_by_itself_and_what_is_spent_reads_on_too() {
        let asked = Reason::Gate {
            gate: GateName("ci/build".to_owned()),
            has_failed: false,
            is_asked: true,
        };
        let reasons = [
            asked,
            Reason::BackOff {
                remaining: Duration::from_secs(90),
                n_failed: 2,
                max_attempts: 3,
                outcome: Outcome::Crashed,
                reason: "signal 9 (SIGKILL)".to_owned(),
            },
            over_budget(Scope::Task),
            over_budget(Scope::Milestone),
            over_budget(Scope::Run),
            Reason::Limited {
                provider: "anthropic".to_owned(),
                until: Timestamp::parse("2026-11-20T15:00:00Z").unwrap(),
            },
            Reason::Breaker { n_crashes: 5, remaining: Duration::from_secs(250) },
            Reason::Claimed { by: "build-7 (clone 0f3a) since 10:15".to_owned() },
            Reason::Short {
                cause: "failed to start `make` for now: Too many open files".to_owned(),
                remaining: Duration::from_secs(8),
            },
            Reason::Settled {
                attempt: AttemptId::new(id("X"), 2),
                outcome: Outcome::Review,
                review: Some(ReviewKind::Escalate),
                reason: "the worker asks for a decision: which port?".to_owned(),
            },
        ];
        expect![[r#"
            X waits for the gate `ci/build`, says its worker
              `orch approve X --gate ci/build` opens it, or `state: pass` in .orch/events/ci/build.yaml
            X waits 1m 30s for its next attempt: its worker crashed 2 times, 3 times are allowed; the last time: signal 9 (SIGKILL)
              `orch logs X` shows what it printed
            X is over its budget: 210000 of 200000 tokens used
              `orch retry X` grants it once more; or raise `budget` in its file
            X waits: the budget of milestone `beta` is spent, 210000 of 200000 tokens used
              raise `milestones: {beta: {budget: …}}` in .orch/config.yaml
            X waits: the budget of the run is spent, 210000 of 200000 tokens used
              start `orch run` again, or raise `run: {budget: …}` in .orch/config.yaml
            X waits for anthropic, whose limit is reached until 2026-11-20 15:00 UTC
              it goes on by itself; `orch retry X` tries it now
            X waits 4m 10s: 5 workers died at once, so nothing is started for a while
              it goes on by itself; resuming the run starts tasks at once
            X is claimed by build-7 (clone 0f3a) since 10:15
              its record comes with `git pull`; where that coordinator is gone for good, delete its ref below `refs/orch/claims/` at the remote
            X waits 8.0s for the next try: failed to start `make` for now: Too many open files
              it goes on by itself, and nothing is used up; `orch doctor` shows what is short
            X asks for a decision: which port? (attempt 2)
              `orch retry X --note "…"` goes on with your decision, `orch approve X` accepts what is there
        "#]].assert_eq(&spoken(&reasons));
    }

    #[test]
    fn what_the_author_attempts_and_dependencies_say_reads_on_too() {
        let authors = AuthorStatus::NAMED.map(|(_, status)| Reason::Author(status));
        let settled = Outcome::NAMED.map(|(_, outcome)| Reason::Settled {
            attempt: AttemptId::new(id("X"), 2),
            outcome,
            review: None,
            reason: "exit code 3".to_owned(),
        });
        let waits = TaskState::ALL.map(|state| Reason::Dependency { id: id("A"), state });
        let reasons: Vec<Reason> = authors.into_iter().chain(settled).chain(waits).collect();
        expect![[r#"
            X is a draft
              set `status: todo` in the file of `X` when it can be worked on
            X is to be done
            X is on hold
              set `status: todo` in the file of `X` to let it start
            X is done, says its file
            X is cancelled
              set `status: todo` in the file of `X` to have it done after all
            X is done since attempt 2
            X waits for a person to look at attempt 2: exit code 3
              `orch approve X` accepts it, `orch retry X` has it done again
            X failed in attempt 2: exit code 3
              `orch logs X` shows what it printed, `orch retry X` tries it again
            X was cancelled in attempt 2
              `orch retry X` has it done after all
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X failed: its worker crashed too often, at last in attempt 2: exit code 3
              `orch logs X` shows what it printed, `orch retry X` tries it again
            X failed: its worker crashed too often, at last in attempt 2: exit code 3
              `orch logs X` shows what it printed, `orch retry X` tries it again
            X failed in attempt 2: exit code 3
              `orch logs X` shows what it printed, `orch retry X` tries it again
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X failed: its checks did not hold after the last iteration, attempt 2: exit code 3
              `orch logs X` shows what it printed, `orch retry X` tries it again
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X waits for a person to resolve a conflict: exit code 3 (attempt 2)
              its work is on the branch orch/X; `orch retry X` has it merged once more
            X was interrupted in attempt 2: exit code 3
              `orch run` starts it again
            X waits for `A`, which runs
            X waits for `A`, which is being verified
            X waits for `A`, which is verified and lands
            X waits for `A`, which is ready
            X waits for `A`, which waits for its next attempt
            X waits for `A`, which waits itself
            X waits for `A`, which waits for a person to approve it
              `orch approve A` accepts it, `orch retry A` has it done again
            X waits for `A`, which is blocked itself
              `orch explain A` says why
            X waits for `A`, which failed
              `orch logs A` shows what it printed, `orch retry A` tries it again
            X waits for `A`, which is on hold
              set `status: todo` in the file of `A`
            X waits for `A`, which is a draft
              set `status: todo` in the file of `A`
            X waits for `A`, which is done
            X waits for `A`, which is cancelled
              take `A` out of `depends_on`, or set its `status` to `todo`
        "#]]
        .assert_eq(&spoken(&reasons));
    }
}
