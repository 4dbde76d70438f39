//! `unreachable-task`: a task cannot start because of a task it depends on.
//!
//! **What it does:** reports, as a warning, every dependency on a task that is cancelled or can
//! never start itself; as a note, every dependency of a `todo` task on one that is a draft or on
//! hold. The place is the edge where the chain breaks; tasks further down are listed with it.
//!
//! **Why:** the tasks would be blocked until somebody acts, and the run could not end well.
//!
//! **Example:** `depends_on: [API-1]`, where `API-1` has `status: cancelled`.

use std::collections::BTreeMap;

use super::{Input, Progress, list};
use crate::domain::{
    model::{
        diagnostic::{Diagnostic, Label},
        place::Span,
        task::AuthorStatus,
    },
    plan::{Fault, TaskIndex},
};

/// The name of the rule.
pub const CODE: &str = "unreachable-task";

/// Adds a diagnostic for each edge at which tasks are cut off.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let mut search = Search { input, cuts: BTreeMap::new(), breaks: Vec::new() };
    for &task in input.plan.topological_order() {
        search.visit(task);
    }
    let mut behind: BTreeMap<TaskIndex, Vec<&str>> = BTreeMap::new();
    for (task, cut) in &search.cuts {
        if cut.at != *task {
            behind.entry(cut.at).or_default().push(input.plan.id(*task).as_str());
        }
    }
    for found in search.breaks {
        // Several broken edges of one task share what is behind it; the first tells it.
        out.push(found.diagnostic(input, &behind.remove(&found.task).unwrap_or_default()));
    }
}

/// Where a task is cut off.
#[derive(Clone, Copy)]
struct Cut {
    /// The task with the broken edge.
    at: TaskIndex,
    /// Whether it is cut off for good.
    is_final: bool,
}

/// An edge to a task that does not get done.
struct Break {
    task: TaskIndex,
    dependency: TaskIndex,
    span: Span,
    cause: Cause,
}

/// Why a dependency does not get done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Cancelled,
    Faulty,
    Draft,
    Hold,
}

impl Cause {
    /// Returns why `task` does not get done, if it does not; its own dependencies aside.
    fn of(input: &Input<'_>, task: TaskIndex) -> Option<Self> {
        match (input.progress(task), input.plan.spec(task).status.value) {
            (Progress::Done, _) => None,
            (Progress::Cancelled, _) => Some(Self::Cancelled),
            _ if input.plan.fault(task).is_some() => Some(Self::Faulty),
            (_, AuthorStatus::Draft) => Some(Self::Draft),
            (_, AuthorStatus::Hold) => Some(Self::Hold),
            (_, AuthorStatus::Todo | AuthorStatus::Done | AuthorStatus::Cancelled) => None,
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Faulty)
    }
}

struct Search<'a, 'i> {
    input: &'a Input<'i>,
    /// The tasks that are cut off, themselves not at fault.
    cuts: BTreeMap<TaskIndex, Cut>,
    breaks: Vec<Break>,
}

impl Search<'_, '_> {
    /// Decides whether `task` is cut off; its dependencies were visited before.
    fn visit(&mut self, task: TaskIndex) {
        let own = Cause::of(self.input, task);
        let is_ended = self.input.progress(task) == Progress::Done;
        if is_ended || own.is_some_and(Cause::is_final) {
            return;
        }
        for is_final in [true, false] {
            // A task that its author holds back is known not to start for now.
            if !is_final && own.is_some() {
                return;
            }
            let n_before = self.breaks.len();
            for (span, dependency) in self.input.edges(task) {
                if let Some(cause) = Cause::of(self.input, dependency)
                    && cause.is_final() == is_final
                {
                    self.breaks.push(Break { task, dependency, span, cause });
                }
            }
            let at = if self.breaks.len() > n_before {
                Some(task)
            } else {
                let cuts = self.input.plan.dependencies(task).iter();
                let mut cuts = cuts.filter_map(|dependency| self.cuts.get(dependency));
                cuts.find(|cut| cut.is_final == is_final).map(|cut| cut.at)
            };
            if let Some(at) = at {
                self.cuts.insert(task, Cut { at, is_final });
                return;
            }
        }
    }
}

impl Break {
    fn diagnostic(&self, input: &Input<'_>, behind: &[&str]) -> Diagnostic {
        let plan = input.plan;
        let (spec, its) = (plan.spec(self.task), plan.spec(self.dependency));
        let (id, its_id) = (&spec.id.value, &its.id.value);
        let (is, label, help) = match self.cause {
            Cause::Cancelled => (
                "is cancelled",
                "this task is cancelled".to_owned(),
                format!(
                    "remove `{its_id}` from `depends_on`, cancel `{id}` too, or revive `{its_id}`"
                ),
            ),
            Cause::Faulty => (
                "can never start itself",
                plan.fault(self.dependency).map(fault_text).unwrap_or_default(),
                format!("correct `{its_id}` first"),
            ),
            Cause::Draft => (
                "is a draft",
                "this task is a draft".to_owned(),
                format!("write `status: todo` in `{}` when it is ready", its.path),
            ),
            Cause::Hold => (
                "is on hold",
                "this task is on hold".to_owned(),
                format!("write `status: todo` in `{}` to let it start", its.path),
            ),
        };
        let primary = Label::new(&*spec.path, self.span, label);
        let mut diagnostic = if self.cause.is_final() {
            let message =
                format!("task `{id}` can never start: it depends on `{its_id}`, which {is}");
            Diagnostic::warning(CODE, message, primary)
        } else {
            let message = format!("task `{id}` waits: it depends on `{its_id}`, which {is}");
            Diagnostic::note(CODE, message, primary)
        };
        if self.cause != Cause::Faulty && its.status.span.is_known() {
            let text = format!("`{its_id}` {is}");
            diagnostic = diagnostic.with_related(Label::new(&*its.path, its.status.span, text));
        }
        if behind.is_empty() {
            return diagnostic.with_help(help);
        }
        let wait = if behind.len() == 1 { "waits" } else { "wait" };
        diagnostic.with_help(format!("{help}; {} {wait} behind it", list(behind.iter().copied())))
    }
}

/// Says in a few words what is wrong with a dependency.
fn fault_text(fault: &Fault) -> String {
    match fault {
        Fault::UnknownDependency(id) => format!("it depends on `{id}`, which does not exist"),
        Fault::Cycle(_) => "it waits for itself in a circle".to_owned(),
        Fault::LaterLevel(id) => format!("it depends on `{id}` of a later level"),
        Fault::UnknownRole(role) => format!("it has the role `{role}`, which does not exist"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Progress,
        testing::{Case, check, task},
    };
    use crate::domain::model::task::AuthorStatus::{Cancelled, Done, Draft, Hold};
    use expect_test::expect;

    #[test]
    fn the_edge_where_the_chain_breaks_is_reported_with_all_behind_it() {
        check(
            &[
                task("a").status(Cancelled),
                task("b").needs("a"),
                task("c").needs("b"),
                task("d").needs("c").needs("e"),
                task("e"),
                task("f").needs("e"),
            ],
            &expect![[r#"
                unreachable-task warning .orch/tasks/b.md:3:5+1: task `b` can never start: it depends on `a`, which is cancelled (this task is cancelled)
                  .orch/tasks/a.md:3:9+9: `a` is cancelled
                  help: remove `a` from `depends_on`, cancel `b` too, or revive `a`; `c`, `d` wait behind it
            "#]],
        );
    }

    #[test]
    fn held_tasks_are_notes_and_only_for_tasks_to_be_done() {
        check(
            &[
                task("a").status(Hold),
                task("b").status(Draft).needs("a"),
                task("c").needs("b"),
                task("d").needs("c").needs("x"),
                task("e").status(Done).needs("x"),
                task("x").status(Cancelled),
            ],
            &expect![[r#"
                unreachable-task note .orch/tasks/c.md:3:5+1: task `c` waits: it depends on `b`, which is a draft (this task is a draft)
                  .orch/tasks/b.md:3:9+5: `b` is a draft
                  help: write `status: todo` in `.orch/tasks/b.md` when it is ready
                unreachable-task warning .orch/tasks/d.md:4:5+1: task `d` can never start: it depends on `x`, which is cancelled (this task is cancelled)
                  .orch/tasks/x.md:3:9+9: `x` is cancelled
                  help: remove `x` from `depends_on`, cancel `d` too, or revive `x`
            "#]],
        );
    }

    #[test]
    fn faulty_dependencies_break_a_chain_and_ended_ones_do_not() {
        Case::of(&[
            task("a").needs("nowhere-to-be-found"),
            task("b").needs("a"),
            task("c").needs("d"),
            task("d").status(Hold),
            task("e").needs("f"),
            task("f"),
        ])
        .recorded("d", Progress::Done)
        .recorded("f", Progress::Cancelled)
        .check(&expect![[r#"
            unknown-dependency error .orch/tasks/a.md:3:5+19: task `a` depends on `nowhere-to-be-found`, which does not exist (no task has this id)
            unreachable-task warning .orch/tasks/b.md:3:5+1: task `b` can never start: it depends on `a`, which can never start itself (it depends on `nowhere-to-be-found`, which does not exist)
              help: correct `a` first
            unreachable-task warning .orch/tasks/e.md:3:5+1: task `e` can never start: it depends on `f`, which is cancelled (this task is cancelled)
              help: remove `f` from `depends_on`, cancel `e` too, or revive `f`
        "#]]);
    }
}
