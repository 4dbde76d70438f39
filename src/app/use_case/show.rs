//! Everything about one task.

use super::{at_work, explain};
use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::{
            explain::UnreadableReport,
            show::{
                AttemptView, CheckView, Fields, GateView, LimitView, Neighbor, ReportView, Setting,
                TaskView,
            },
        },
    },
    domain::{
        format::task_file::{self, Reading},
        model::{
            attempt::Digests,
            attempt::{AttemptRecord, ReportedState, ReviewKind, StatusReport},
            config::{Policy, Role},
            id::TaskId,
            outside::GateState,
            task::{Estimate, RetrySpec, Size, TaskSpec, WorkerSpec},
            time::render_duration,
        },
        plan::TaskIndex,
    },
    io::git,
};

/// Tells everything about the task `id`. Its file is read again, body included.
///
/// # Errors
/// [`AppError::Usage`] where there is no such task.
pub fn show(standing: &Standing, id: &str) -> Result<TaskView, AppError> {
    let task = standing.find(id)?;
    let head = standing.plan().spec(task);
    // The file may be gone by now: then what was read before is told.
    let bytes = standing.repository.store().read_file(&head.path).unwrap_or_default();
    let whole = task_file::parse(&head.path, &bytes, Reading::Whole).spec;
    let spec = whole.filter(|whole| whole.id.value == head.id.value);
    let spec = spec.as_ref().unwrap_or(head);
    let own_id = &spec.id.value;
    let role = standing.plan().role(task).map(|role| role.digest.to_string());
    let now = Digests { task: Some(git::blob_id(&bytes)), role };
    let history = standing.scheduler.history(own_id);
    let after = standing.scheduler.retried_after(own_id);
    Ok(TaskView {
        id: own_id.to_string(),
        title: spec.title.clone(),
        state: standing.state(task).as_str(),
        reasons: explain::whys(standing, task),
        path: spec.path.to_string(),
        line: spec.id.span.line.max(1),
        fields: fields(standing, spec),
        policy: settings(standing, task, spec),
        depends_on: dependencies(standing, spec),
        dependents: standing
            .plan()
            .dependents(task)
            .iter()
            .map(|dependent| neighbor(standing, *dependent))
            .collect(),
        attempts: standing.snapshot.attempts_of(own_id).map(|r| attempt(standing, r)).collect(),
        report: standing.snapshot.last_report(own_id).map(report),
        unreadable_report: unreadable_report(standing, own_id),
        running: at_work::running(standing, task),
        n_failed: history.map_or(0, |history| history.n_failed(after)),
        n_crashed: history.map_or(0, |history| history.n_crashed(after)),
        is_stale: history.is_some_and(|history| history.is_stale(&now)),
        n_criteria: spec.criteria.total,
        n_criteria_checked: spec.criteria.checked,
        body: task_file::body(&String::from_utf8_lossy(&bytes)).to_owned(),
    })
}

fn unreadable_report(standing: &Standing, id: &TaskId) -> Option<UnreadableReport> {
    let last = standing.snapshot.attempts_of(id).next_back()?;
    standing.snapshot.unreadable_reports.get(&last.attempt).cloned()
}

fn fields(standing: &Standing, spec: &TaskSpec) -> Fields {
    let gates = spec.waits_for.iter().map(|gate| GateView {
        gate: gate.value.to_string(),
        state: match standing.scheduler.outside().gate(&gate.value, &spec.id.value) {
            GateState::Unknown => "closed",
            GateState::Open => "open",
            GateState::Failed => "failed",
        },
    });
    Fields {
        status: spec.status.value.as_str().to_owned(),
        priority: spec.priority.to_string(),
        role: spec.role.as_ref().map(|role| role.value.to_string()),
        estimate: spec.estimate.map(|estimate| match estimate {
            Estimate::Size(size) => {
                let name = Size::NAMED.iter().find(|(_, known)| *known == size);
                name.map_or("", |(name, _)| name).to_owned()
            }
            Estimate::Time(time) => render_duration(time),
        }),
        milestone: spec.milestone.clone(),
        phase: spec.phase.clone(),
        workstream: spec.workstream.clone(),
        level: spec.level.as_ref().map(|level| level.value),
        tags: spec.tags.clone(),
        files: spec.files.iter().map(|glob| glob.as_str().to_owned()).collect(),
        waits_for: gates.collect(),
        budget_tokens: spec.budget.tokens,
        budget_cost_usd: spec.budget.cost_usd,
        budget_seconds: spec.budget.time.map(|time| time.as_secs_f64()),
        budget_attempts: spec.budget.attempts,
    }
}

/// Says how a task is carried out, and who says so: task, role, config, or nobody.
fn settings(standing: &Standing, task: TaskIndex, spec: &TaskSpec) -> Vec<Setting> {
    let config = standing.plan().config();
    let role = standing.plan().role(task);
    let policy = Policy::of(spec, role, config);
    let from = Sources { role };
    let worker = |has: fn(&WorkerSpec) -> bool| {
        from.first([has(&spec.worker), role.is_some_and(|r| has(&r.worker)), has(&config.worker)])
    };
    let done = &spec.completion;
    let role_done = role.map(|role| &role.completion);
    let mut settings = Vec::new();
    let mut push = |name, value, from| settings.push(Setting { name, value, from });
    if let Some(command) = &policy.command {
        push("command", command.to_string(), worker(|w| w.command.is_some()));
    }
    if let Some(agent) = policy.agent {
        push("agent", agent.as_str().to_owned(), worker(|w| w.agent.is_some()));
    }
    if let Some(model) = &policy.model {
        push("model", model.clone(), worker(|w| w.model.is_some()));
    }
    if let Some(timeout) = policy.timeout {
        push("timeout", render_duration(timeout), worker(|w| w.timeout.is_some()));
    }
    push("grace", render_duration(policy.grace), worker(|w| w.grace.is_some()));
    if let Some(heartbeat) = policy.heartbeat {
        let every = render_duration(heartbeat.every);
        push("heartbeat", every, worker(|w| w.heartbeat.is_some()));
        let limit = render_duration(heartbeat.limit);
        push("heartbeat_limit", limit, worker(|w| w.heartbeat_limit.is_some()));
    }
    if let Some(provider) = &policy.provider {
        push("provider", provider.clone(), worker(|w| w.provider.is_some()));
    }
    let retry = |has: fn(&RetrySpec) -> bool| {
        from.first([has(&spec.retry), role.is_some_and(|r| has(&r.retry)), has(&config.retry)])
    };
    push("max_attempts", policy.max_attempts.to_string(), retry(|r| r.max_attempts.is_some()));
    push("max_crashes", policy.max_crashes.to_string(), retry(|r| r.max_crashes.is_some()));
    push("backoff", render_duration(policy.backoff), retry(|r| r.backoff.is_some()));
    if let Some(max) = policy.max_iterations {
        let value = format!("until verify, {max} iterations");
        push("loop", value, from.first([spec.repeat.is_some(), true, false]));
    }
    for command in &policy.completion.verify {
        let is_role = role_done.is_some_and(|role| !role.verify.is_empty());
        push("verify", command.to_string(), from.first([!done.verify.is_empty(), is_role, false]));
    }
    if let Some(signal) = &policy.completion.signal {
        let is_role = role_done.is_some_and(|role| role.signal.is_some());
        push("signal", signal.clone(), from.first([done.signal.is_some(), is_role, false]));
    }
    if policy.completion.review {
        push("review", "true".to_owned(), from.first([done.review, true, false]));
    }
    settings
}

/// Who can say how a task is carried out.
struct Sources<'a> {
    role: Option<&'a Role>,
}

impl Sources<'_> {
    /// Names the first of task, role and config that says so.
    fn first(&self, [is_task, is_role, is_config]: [bool; 3]) -> String {
        match (is_task, is_role.then_some(self.role).flatten(), is_config) {
            (true, _, _) => "task".to_owned(),
            (false, Some(role), _) => format!("role {}", role.name),
            (false, None, true) => "config".to_owned(),
            (false, None, false) => "default".to_owned(),
        }
    }
}

fn dependencies(standing: &Standing, spec: &TaskSpec) -> Vec<Neighbor> {
    let told = spec.depends_on.iter().map(|id| match standing.plan().find(&id.value) {
        Some(task) => neighbor(standing, task),
        None => Neighbor { id: id.value.clone(), title: String::new(), state: "missing" },
    });
    told.collect()
}

fn neighbor(standing: &Standing, task: TaskIndex) -> Neighbor {
    let spec = standing.plan().spec(task);
    Neighbor {
        id: spec.id.value.to_string(),
        title: spec.title.clone(),
        state: standing.state(task).as_str(),
    }
}

fn attempt(standing: &Standing, record: &AttemptRecord) -> AttemptView {
    let ending = record.ending.as_ref();
    let usage = match ending {
        Some(ending) => ending.usage,
        None => {
            let report = standing.snapshot.reports.get(&record.attempt);
            report.map(|report| report.usage).unwrap_or_default()
        }
    };
    let checks = ending.iter().flat_map(|ending| &ending.verify).map(|check| CheckView {
        command: check.command.clone(),
        is_passed: check.is_success(),
        ending: check.ending(),
        seconds: check.duration.as_secs_f64(),
    });
    AttemptView {
        number: record.attempt.number,
        started: record.started.to_string(),
        ended: ending.map(|ending| ending.ended.to_string()),
        seconds: ending.map(|ending| ending.ended.since(record.started).as_secs_f64()),
        outcome: match ending {
            Some(ending) => ending.outcome.as_str(),
            None if standing.snapshot.coordinator.is_some() => "running",
            None => "lost",
        },
        reason: ending.map(|ending| ending.reason.clone()).unwrap_or_default(),
        exit: ending.and_then(|ending| ending.exit).map(|exit| exit.to_string()),
        worker: record.worker.clone(),
        verify: checks.collect(),
        tokens: usage.tokens(),
        cost_usd: usage.cost_usd,
        log: record.log.clone(),
        contradicted: ending.and_then(|ending| ending.claimed).map(ReportedState::as_str),
        review: ending.and_then(|ending| ending.review).map(ReviewKind::as_str),
        waiting_for: ending.and_then(|e| e.waiting_for.as_ref()).map(ToString::to_string),
        category: ending.and_then(|ending| ending.category.clone()),
        limit: ending.and_then(|ending| ending.limit.as_ref()).map(|limit| LimitView {
            provider: limit.provider.clone(),
            resets: limit.resets.map(|resets| resets.to_string()),
            words: limit.words.clone(),
        }),
        iteration: ending.and_then(|ending| ending.iteration),
        n_leaked: ending.map_or(0, |ending| ending.n_leaked),
    }
}

fn report(report: &StatusReport) -> ReportView {
    ReportView {
        attempt: report.attempt.number,
        state: report.state.as_str(),
        progress: report.progress,
        message: report.message.clone(),
        updated: report.updated.map(|updated| updated.to_string()),
        waiting_for: report.waiting_for.as_ref().map(ToString::to_string),
        notes: report.notes.clone(),
    }
}
