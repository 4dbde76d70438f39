//! What is checked of a whole plan: one rule per file, each with its code, reason and example.
//!
//! To add a rule, add a file and a line in [`RULES`]. A rule looks at the plan as written, never at
//! files or clocks, and takes time about linear in the number of tasks and edges. Faults of a single
//! file (its YAML, its keys) are the concern of `format`.

pub mod dependency_cycle;
pub mod done_before_dependency;
pub mod duplicate_dependency;
pub mod duplicate_id;
pub mod id_case_clash;
pub mod later_level;
pub mod level_gate_without_level;
pub mod self_dependency;
pub mod unknown_dependency;
pub mod unknown_role;
pub mod unreachable_task;

#[cfg(test)]
pub(crate) mod testing;

use std::{collections::BTreeSet, fmt::Write as _};

use super::{Plan, TaskIndex};
use crate::domain::model::{
    diagnostic::{Diagnostic, Label, Severity},
    id::TaskId,
    limits::NAMED_TASKS_MAX,
    place::Span,
    task::{AuthorStatus, TaskSpec},
};

/// One rule about the whole plan.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable, kebab-case name.
    pub code: &'static str,
    /// How much a breach matters; at most this.
    pub severity: Severity,
    /// What it finds, on one line.
    pub summary: &'static str,
    /// Adds a diagnostic for each breach.
    pub check: fn(&Input<'_>, &mut Vec<Diagnostic>),
}

/// All rules, in the order of their codes.
pub const RULES: &[Rule] = &[
    Rule {
        code: dependency_cycle::CODE,
        severity: Severity::Error,
        summary: "tasks wait for each other in a circle",
        check: dependency_cycle::check,
    },
    Rule {
        code: done_before_dependency::CODE,
        severity: Severity::Warning,
        summary: "a task is done, but a task it depends on is not",
        check: done_before_dependency::check,
    },
    Rule {
        code: duplicate_dependency::CODE,
        severity: Severity::Warning,
        summary: "a task names the same dependency twice",
        check: duplicate_dependency::check,
    },
    Rule {
        code: duplicate_id::CODE,
        severity: Severity::Error,
        summary: "two task files have the same id",
        check: duplicate_id::check,
    },
    Rule {
        code: id_case_clash::CODE,
        severity: Severity::Error,
        summary: "two task ids differ only by case",
        check: id_case_clash::check,
    },
    Rule {
        code: later_level::CODE,
        severity: Severity::Error,
        summary: "a task depends on a task of a later level",
        check: later_level::check,
    },
    Rule {
        code: level_gate_without_level::CODE,
        severity: Severity::Warning,
        summary: "a gate is configured for a level that no task has",
        check: level_gate_without_level::check,
    },
    Rule {
        code: self_dependency::CODE,
        severity: Severity::Error,
        summary: "a task depends on itself",
        check: self_dependency::check,
    },
    Rule {
        code: unknown_dependency::CODE,
        severity: Severity::Error,
        summary: "a task depends on an id that no task has",
        check: unknown_dependency::check,
    },
    Rule {
        code: unknown_role::CODE,
        severity: Severity::Error,
        summary: "a task has a role that does not exist",
        check: unknown_role::check,
    },
    Rule {
        code: unreachable_task::CODE,
        severity: Severity::Warning,
        summary: "a task cannot start because of a task it depends on",
        check: unreachable_task::check,
    },
];

/// What the rules look at.
pub struct Input<'a> {
    /// The plan built from `specs`.
    pub plan: &'a Plan,
    /// Every task that could be read; of several with one id the plan holds only one.
    pub specs: &'a [TaskSpec],
    /// Files that gave no task or role: the path, and for a task the id that its name stands for.
    pub unreadable: &'a [(String, Option<TaskId>)],
    /// What the run records say of a task.
    pub recorded: &'a dyn Fn(TaskIndex) -> Progress,
}

/// How far a task has come, as far as the rules care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not ended, or never tried.
    Open,
    /// Done.
    Done,
    /// All attempts used up.
    Failed,
    /// Given up by a person.
    Cancelled,
}

impl Input<'_> {
    /// Returns how far `task` has come: the author's word first, then the records.
    pub fn progress(&self, task: TaskIndex) -> Progress {
        match self.plan.spec(task).status.value {
            AuthorStatus::Done => Progress::Done,
            AuthorStatus::Cancelled => Progress::Cancelled,
            AuthorStatus::Draft | AuthorStatus::Todo | AuthorStatus::Hold => (self.recorded)(task),
        }
    }

    /// Returns the dependencies of `task` that exist, each once, with the place of its first
    /// mention.
    fn edges(&self, task: TaskIndex) -> impl Iterator<Item = (Span, TaskIndex)> {
        let mut seen = BTreeSet::new();
        self.plan
            .spec(task)
            .depends_on
            .iter()
            .filter_map(|written| Some((written.span, self.plan.find(&written.value)?)))
            .filter(move |(_, dependency)| *dependency != task && seen.insert(*dependency))
    }

    /// Returns a label at the place where `task` names `dependency`.
    fn edge_label(&self, task: TaskIndex, dependency: TaskIndex, text: impl Into<String>) -> Label {
        let spec = self.plan.spec(task);
        let id = self.plan.id(dependency).as_str();
        let span =
            spec.depends_on.iter().find(|d| d.value == id).map_or(Span::default(), |d| d.span);
        Label::new(&*spec.path, span, text)
    }

    /// Tells a chain of tasks as `` `A → B → C` ``; the middle of a long one is left out.
    fn chain_text(&self, chain: &[TaskIndex]) -> String {
        let n_left_out = chain.len().saturating_sub(NAMED_TASKS_MAX);
        let n_before = NAMED_TASKS_MAX - 2;
        let mut parts: Vec<String> = Vec::new();
        for (position, &task) in chain.iter().enumerate() {
            if n_left_out > 0 && position == n_before {
                parts.push(format!("… {n_left_out} more …"));
            }
            if n_left_out == 0 || !(n_before..n_before + n_left_out).contains(&position) {
                parts.push(self.plan.id(task).to_string());
            }
        }
        format!("`{}`", parts.join(" → "))
    }
}

/// Runs all rules and returns what they found, in the order in which it is shown.
pub fn check_all(input: &Input<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in RULES {
        (rule.check)(input, &mut found);
    }
    found.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    found
}

/// Lists names as `` `A`, `B` and 3 more ``.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut n_more = 0;
    for (position, name) in names.enumerate() {
        if position >= NAMED_TASKS_MAX {
            n_more += 1;
            continue;
        }
        let separator = if position == 0 { "" } else { ", " };
        write!(text, "{separator}`{name}`").unwrap_or_default();
    }
    if n_more > 0 {
        write!(text, " and {n_more} more").unwrap_or_default();
    }
    text
}
