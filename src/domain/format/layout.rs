//! Which path below the repository root means what, and where things are written.

use crate::domain::model::id::{AttemptId, GateName, RoleName, TaskId};

/// The folder that holds everything of `orch`.
pub const ORCH_DIR: &str = ".orch";
/// Tasks, written by people; sub-folders are free grouping.
pub const TASKS_DIR: &str = ".orch/tasks";
/// Roles, written by people.
pub const ROLES_DIR: &str = ".orch/roles";
/// Templates for new tasks, written by people.
pub const TEMPLATES_DIR: &str = ".orch/templates";
/// Outside facts, written by people and CI.
pub const EVENTS_DIR: &str = ".orch/events";
/// Status reports, written by workers.
pub const STATUS_DIR: &str = ".orch/status";
/// Run records, written by the coordinator.
pub const RUNS_DIR: &str = ".orch/runs";
/// What is not in git.
pub const LOCAL_DIR: &str = ".orch/local";
/// Output of the attempts.
pub const LOGS_DIR: &str = ".orch/local/logs";
/// Prompts as they were given to workers.
pub const PROMPTS_DIR: &str = ".orch/local/prompts";
/// What a run in the background prints.
pub const RUN_LOG_PATH: &str = ".orch/local/run.log";
/// Ledgers: what the supervisors of workers wrote down.
pub const SUPERVISORS_DIR: &str = ".orch/local/supervisors";
/// Whose tasks are, as the coordinator knows it, for those who only look.
pub const CLAIMS_PATH: &str = ".orch/local/claims.json";
/// What is in the way of landings, as the coordinator knows it, for those who only look.
pub const WAITING_PATH: &str = ".orch/local/waiting.json";
/// What this clone is called in claims.
pub const CLONE_PATH: &str = ".orch/local/clone";
/// Worktrees of running tasks.
pub const WORKTREES_DIR: &str = ".orch/local/worktrees";
/// The worktree in which the work of several tasks is verified together.
pub const BATCH_DIR: &str = ".orch/local/worktrees/@batch";
/// Files that wait to be put into the checkout.
pub const LANDING_DIR: &str = ".orch/local/landing";
/// The settings.
pub const CONFIG_PATH: &str = ".orch/config.yaml";

/// What the records of milestones begin with.
const MILESTONE_PREFIX: &str = "@milestone-";

/// Longest part of the name of a milestone that is in the name of its record.
const MILESTONE_BYTES_MAX: usize = 180;

/// What a path below the repository root means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A task.
    Task,
    /// A role.
    Role(RoleName),
    /// The settings.
    Config,
    /// A template for new tasks.
    Template,
    /// An outside fact.
    Event,
    /// The status report of an attempt.
    Status(AttemptId),
    /// The record of an attempt.
    Run(AttemptId),
    /// The record of one run of a level's gate.
    GateRun {
        /// The level.
        level: u32,
        /// Which run of this gate, from 1.
        number: u32,
    },
    /// The record of a milestone that was reached.
    Milestone,
    /// Not ours.
    Ignored,
}

/// Says what `path` means; it is relative to the repository root, with `/`.
pub fn classify(path: &str) -> FileKind {
    let Some(below) = path.strip_prefix(".orch/") else { return FileKind::Ignored };
    if below.split('/').any(is_passed_over) {
        return FileKind::Ignored;
    }
    if below == "config.yaml" {
        return FileKind::Config;
    }
    let Some((room, rest)) = below.split_once('/') else { return FileKind::Ignored };
    let markdown = rest.strip_suffix(".md");
    let yaml = rest.strip_suffix(".yaml");
    let found = match room {
        "tasks" => markdown.map(|_| FileKind::Task),
        "roles" => markdown
            .filter(|name| TaskId::parse(name).is_ok())
            .map(|name| FileKind::Role(RoleName(name.to_owned()))),
        "templates" => markdown.map(|_| FileKind::Template),
        "events" => yaml.map(|_| FileKind::Event),
        "status" => markdown.and_then(attempt_of).map(FileKind::Status),
        "runs" => yaml.and_then(|stem| match stem.strip_prefix("@level-") {
            Some(gate) => gate_of(gate),
            None if stem.starts_with(MILESTONE_PREFIX) => Some(FileKind::Milestone),
            None => attempt_of(stem).map(FileKind::Run),
        }),
        _ => None,
    };
    found.unwrap_or(FileKind::Ignored)
}

/// Says whether a part of a path is a dotfile, or what an editor or an unfinished write leaves:
/// then it is never read.
pub fn is_passed_over(part: &str) -> bool {
    part.is_empty()
        || part.starts_with('.')
        || part.ends_with('~')
        || (part.len() > 1 && part.starts_with('#') && part.ends_with('#'))
        || [".swp", ".swo", ".tmp"].iter().any(|end| part.ends_with(end))
}

/// Parses `<id>.<n>`.
fn attempt_of(stem: &str) -> Option<AttemptId> {
    let (task, number) = stem.rsplit_once('.')?;
    Some(AttemptId::new(TaskId::parse(task).ok()?, ordinal(number)?))
}

/// Parses `<level>.<n>.<mark>`, or without the mark.
fn gate_of(text: &str) -> Option<FileKind> {
    let (level, rest) = text.split_once('.')?;
    let (number, mark) = rest.split_once('.').unwrap_or((rest, "0"));
    if mark.is_empty() || !mark.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let level = if level == "0" { 0 } else { ordinal(level)? };
    Some(FileKind::GateRun { level, number: ordinal(number)? })
}

/// Parses a number from 1 that is written in the one way in which we write it.
fn ordinal(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

/// Returns the folder of the logs of a level's gate.
pub fn gate_log_folder(level: u32) -> String {
    format!("{LOGS_DIR}/@level-{level}")
}

/// Returns the log of a run of a level's gate.
pub fn gate_log_path(level: u32, number: u32) -> String {
    format!("{}/{number}.log", gate_log_folder(level))
}

/// Returns where a new task is written.
pub fn task_path(id: &TaskId) -> String {
    format!("{TASKS_DIR}/{id}.md")
}

/// Returns the top folder of the worktree of a task.
pub fn worktree_path(task: &TaskId) -> String {
    format!("{WORKTREES_DIR}/{task}")
}

/// Returns where a role is written.
pub fn role_path(name: &RoleName) -> String {
    format!("{ROLES_DIR}/{name}.md")
}

/// Returns where the record of an attempt is written.
pub fn run_path(attempt: &AttemptId) -> String {
    format!("{RUNS_DIR}/{attempt}.yaml")
}

/// Returns where the worker of an attempt writes its status.
pub fn status_path(attempt: &AttemptId) -> String {
    format!("{STATUS_DIR}/{attempt}.md")
}

/// Returns where the output of an attempt goes.
pub fn log_path(attempt: &AttemptId) -> String {
    format!("{LOGS_DIR}/{}/{}.log", attempt.task, attempt.number)
}

/// Returns where the prompt of an attempt is written.
pub fn prompt_path(attempt: &AttemptId) -> String {
    format!("{PROMPTS_DIR}/{attempt}.md")
}

/// Returns where the supervisor called `name` writes down what it does.
pub fn ledger_path(name: &str) -> String {
    format!("{SUPERVISORS_DIR}/{name}.jsonl")
}

/// Returns the name of the supervisor whose ledger has this file name.
pub fn ledger_name(file_name: &str) -> Option<&str> {
    file_name.strip_suffix(".jsonl")
}

/// Returns where the record of run `number` of the gate after `level` is written. The `mark` is that
/// of the run of the plan: the same gate may run on two branches that meet later.
pub fn gate_run_path(level: u32, number: u32, mark: &str) -> String {
    format!("{RUNS_DIR}/@level-{level}.{number}.{mark}.yaml")
}

/// Returns what the paths of all records of a milestone begin with; those of another one whose name
/// looks alike may, too.
pub fn milestone_prefix(name: &str) -> String {
    let mut safe = String::new();
    for byte in name.bytes().take(MILESTONE_BYTES_MAX) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => safe.push(char::from(byte)),
            b' ' => safe.push('-'),
            _ => safe.push('_'),
        }
    }
    format!("{RUNS_DIR}/{MILESTONE_PREFIX}{safe}.")
}

/// Returns where the record of a milestone is written. Any name gives a path; where two names give
/// the same one, the later takes the next `number`, from 1. The `mark` is that of the run of the
/// plan: the same milestone may be reached on two branches that meet later.
pub fn milestone_path(name: &str, mark: &str, number: u32) -> String {
    let prefix = milestone_prefix(name);
    match number {
        0 | 1 => format!("{prefix}{mark}.yaml"),
        number => format!("{prefix}{mark}.{number}.yaml"),
    }
}

/// Returns where the output of hooks goes.
pub fn hooks_log_path() -> String {
    format!("{LOGS_DIR}/@hooks.log")
}

/// Returns where the approval of a task is written.
pub fn approval_path(task: &TaskId) -> String {
    format!("{EVENTS_DIR}/{}/{task}.yaml", GateName::APPROVAL)
}

/// Returns where the state of a gate is written, for one task or for all.
pub fn gate_event_path(gate: &GateName, task: Option<&TaskId>) -> String {
    match task {
        Some(task) => format!("{EVENTS_DIR}/{gate}/{task}.yaml"),
        None => format!("{EVENTS_DIR}/{gate}.yaml"),
    }
}

/// Returns where the wish to try a task again is written; `after` is its last known attempt.
pub fn retry_path(task: &TaskId, after: u32) -> String {
    format!("{EVENTS_DIR}/retry/{task}.{after}.yaml")
}

/// Returns where the acceptance of an attempt in review is written.
pub fn accept_path(attempt: &AttemptId) -> String {
    format!("{EVENTS_DIR}/accept/{attempt}.yaml")
}

/// Returns where the wish to stop an attempt is written whose task has no file any more.
pub fn cancel_path(attempt: &AttemptId) -> String {
    format!("{EVENTS_DIR}/cancel/{attempt}.yaml")
}

/// Returns the file name of `path` without its last extension.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, _)) => stem,
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(task: &str, number: u32) -> AttemptId {
        AttemptId::new(TaskId::parse(task).unwrap(), number)
    }

    #[test]
    fn paths_have_one_meaning() {
        let table = [
            (".orch/tasks/a.md", FileKind::Task),
            (".orch/tasks/phase-1/b/a.md", FileKind::Task),
            (".orch/tasks/a.txt", FileKind::Ignored),
            (".orch/tasks/.a.md", FileKind::Ignored),
            (".orch/tasks/.git/a.md", FileKind::Ignored),
            (".orch/tasks/#a.md#", FileKind::Ignored),
            (".orch/tasks/a.md~", FileKind::Ignored),
            (".orch/tasks/.a.md.swp", FileKind::Ignored),
            (".orch/tasks/.a.md.tmp-12", FileKind::Ignored),
            (".orch/roles/backend.md", FileKind::Role(RoleName("backend".to_owned()))),
            (".orch/roles/a/b.md", FileKind::Ignored),
            (".orch/config.yaml", FileKind::Config),
            (".orch/templates/task.md", FileKind::Template),
            (".orch/events/ci/build.yaml", FileKind::Event),
            (".orch/status/API-1.2.md", FileKind::Status(attempt("API-1", 2))),
            (".orch/status/a.b.10.md", FileKind::Status(attempt("a.b", 10))),
            (".orch/status/a.02.md", FileKind::Ignored),
            (".orch/status/a.md", FileKind::Ignored),
            (".orch/runs/a.1.yaml", FileKind::Run(attempt("a", 1))),
            (".orch/runs/a.0.yaml", FileKind::Ignored),
            (".orch/runs/@level-0.3.yaml", FileKind::GateRun { level: 0, number: 3 }),
            (".orch/runs/@level-0.3.5e1f09aa.yaml", FileKind::GateRun { level: 0, number: 3 }),
            (".orch/runs/@level-0.3..yaml", FileKind::Ignored),
            (".orch/runs/@level-0.3.a.b.yaml", FileKind::Ignored),
            (".orch/runs/@level-x.3.yaml", FileKind::Ignored),
            (".orch/runs/@milestone-beta.yaml", FileKind::Milestone),
            (".orch/runs/@milestone-beta.5e1f09aa.yaml", FileKind::Milestone),
            (".orch/local/logs/a/1.log", FileKind::Ignored),
            ("src/main.rs", FileKind::Ignored),
        ];
        for (path, kind) in table {
            assert_eq!(classify(path), kind, "{path}");
        }
    }

    #[test]
    fn what_is_written_is_recognised() {
        let a = attempt("API-1.x", 7);
        assert_eq!(classify(&run_path(&a)), FileKind::Run(a.clone()));
        assert_eq!(classify(&status_path(&a)), FileKind::Status(a.clone()));
        assert_eq!(classify(&task_path(&a.task)), FileKind::Task);
        assert_eq!(
            classify(&gate_run_path(2, 1, "5e1f")),
            FileKind::GateRun { level: 2, number: 1 }
        );
        assert_eq!(classify(&approval_path(&a.task)), FileKind::Event);
        assert_eq!(classify(&retry_path(&a.task, 0)), FileKind::Event);
        assert_eq!(classify(&accept_path(&a)), FileKind::Event);
        assert_eq!(classify(&cancel_path(&a)), FileKind::Event);
        assert_eq!(log_path(&a), ".orch/local/logs/API-1.x/7.log");
        assert_eq!(prompt_path(&a), ".orch/local/prompts/API-1.x.7.md");
    }

    #[test]
    fn the_record_of_any_milestone_has_a_path() {
        let names = ["beta", "", "a/../b\u{1b}ä", "x.tmp", &"long ".repeat(100)];
        for path in names.map(|name| milestone_path(name, "5e1f", 1)) {
            assert_eq!(classify(&path), FileKind::Milestone, "{path}");
            assert!(path.len() < 250 && path.matches('/').count() == 2, "{path}");
        }
        let path = milestone_path("Beta 2", "5e1f", 3);
        assert_eq!(path, ".orch/runs/@milestone-Beta-2.5e1f.3.yaml");
        assert!(path.starts_with(&milestone_prefix("Beta 2")));
    }
}
