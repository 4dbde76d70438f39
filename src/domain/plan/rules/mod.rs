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
pub mod loop_without_verify;
pub mod milestone_without_task;
pub mod model_without_agent;
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
        code: loop_without_verify::CODE,
        severity: Severity::Warning,
        summary: "a task is repeated until something holds that nobody named",
        check: loop_without_verify::check,
    },
    Rule {
        code: milestone_without_task::CODE,
        severity: Severity::Warning,
        summary: "a milestone is configured that no task names",
        check: milestone_without_task::check,
    },
    Rule {
        code: model_without_agent::CODE,
        severity: Severity::Warning,
        summary: "a model is named, but no agent",
        check: model_without_agent::check,
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
    /// The plan built from everything that could be read.
    pub plan: &'a Plan,
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
    /// Returns every task that could be read, also those whose id another one has.
    fn specs(&self) -> impl Iterator<Item = &TaskSpec> {
        self.plan.specs().chain(self.plan.duplicates().iter().map(|spec| &**spec))
    }

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

    /// Tells a chain of `n_tasks` that ends with `last` as `` `A → B → C` ``; of a long one, what
    /// comes before the end is left out.
    fn chain_text(
        &self,
        chain: impl Iterator<Item = TaskIndex>,
        n_tasks: usize,
        last: TaskIndex,
    ) -> String {
        let n_told = n_tasks.min(NAMED_TASKS_MAX).saturating_sub(1);
        let id = |task| self.plan.id(task).to_string();
        let mut parts: Vec<String> = chain.take(n_told).map(id).collect();
        if n_tasks > NAMED_TASKS_MAX {
            parts.push(format!("… {} more …", n_tasks - NAMED_TASKS_MAX));
        }
        parts.push(id(last));
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

#[cfg(test)]
mod tests {
    use super::{
        RULES,
        testing::{Case, Draft, task},
    };
    use crate::domain::model::task::AuthorStatus;

    #[test]
    fn rules_stand_in_the_order_of_their_codes() {
        assert!(RULES.is_sorted_by_key(|rule| rule.code));
    }

    /// Each of these would take minutes if a rule took more than about linear time.
    #[test]
    fn large_plans_are_checked_in_one_go() {
        let n = 10_000_usize;
        let id = |i: usize| format!("t{i:05}");
        let chain = |i: usize| if i == 0 { task(&id(0)) } else { task(&id(i)).needs(&id(i - 1)) };
        let cases: [(&str, Vec<Draft>, usize); 7] =
            [
                ("a chain", (0..n).map(chain).collect(), 0),
                ("a ring", (0..n).map(|i| task(&id(i)).needs(&id((i + 1) % n))).collect(), 1),
                (
                    "a fan",
                    (0..n).map(|i| task(&id(i)).needs(&id(0))).skip(1).chain([chain(0)]).collect(),
                    0,
                ),
                ("unknown", (0..n).map(|i| chain(i).needs(&format!("u{i:05}"))).collect(), n),
                (
                    "cancelled",
                    (0..n)
                        .map(|i| {
                            if i == 0 { chain(i).status(AuthorStatus::Cancelled) } else { chain(i) }
                        })
                        .collect(),
                    1,
                ),
                (
                    "levels",
                    (0..n)
                        .map(|i| match i {
                            0 => chain(0).level(2),
                            _ if i > n / 2 => task(&id(i)).level(1).needs(&id(n / 2)),
                            _ => chain(i),
                        })
                        .collect(),
                    n / 2 - 1,
                ),
                ("one id", (0..n).map(|i| task("x").at(&id(i))).collect(), n - 1),
            ];
        for (name, drafts, n_found) in cases {
            assert_eq!(Case::of(&drafts).found().len(), n_found, "{name}");
        }
    }
}
