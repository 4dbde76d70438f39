//! `done-before-dependency`: a task is done, but a task it depends on is not.
//!
//! **What it does:** reports each dependency of a done task that is neither done nor cancelled.
//! A task is done where its author says so or where its record does.
//!
//! **Why:** either the dependency is done as well and nobody said so, or the edge is not needed, or
//! the task was marked too early. The plan can be run all the same.
//!
//! **Example:** `status: done` in a task that depends on one with `status: todo`.

use super::{Input, Progress};
use crate::domain::model::{
    diagnostic::{Diagnostic, Label},
    task::AuthorStatus,
};

/// The name of the rule.
pub const CODE: &str = "done-before-dependency";

/// Adds a diagnostic for each open dependency of a done task.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let plan = input.plan;
    for task in plan.indices().filter(|task| input.progress(*task) == Progress::Done) {
        let spec = plan.spec(task);
        for (span, dependency) in input.edges(task) {
            let state = match input.progress(dependency) {
                Progress::Done | Progress::Cancelled => continue,
                Progress::Open => "not done",
                Progress::Failed => "failed",
            };
            let its = plan.spec(dependency);
            let (id, its_id) = (&spec.id.value, &its.id.value);
            let message = format!("task `{id}` is done, but depends on `{its_id}`, which is not");
            let primary = Label::new(&*spec.path, span, state);
            let mut diagnostic = Diagnostic::warning(CODE, message, primary);
            if spec.status.value == AuthorStatus::Done && spec.status.span.is_known() {
                let text = format!("`{id}` is said to be done here");
                diagnostic =
                    diagnostic.with_related(Label::new(&*spec.path, spec.status.span, text));
            }
            out.push(diagnostic.with_help(format!(
                "if `{its_id}` is done, write `status: done` in `{}`; if it is not needed, remove it from `depends_on`",
                its.path
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Progress,
        testing::{Case, check, task},
    };
    use crate::domain::model::task::AuthorStatus::{Cancelled, Done};
    use expect_test::expect;

    #[test]
    fn open_dependencies_of_a_done_task_are_reported() {
        check(
            &[
                task("a").status(Done).needs("b").needs("c").needs("d").needs("b"),
                task("b"),
                task("c").status(Done),
                task("d").status(Cancelled),
            ],
            &expect![[r#"
                done-before-dependency warning .orch/tasks/a.md:4:5+1: task `a` is done, but depends on `b`, which is not (not done)
                  .orch/tasks/a.md:3:9+4: `a` is said to be done here
                  help: if `b` is done, write `status: done` in `.orch/tasks/b.md`; if it is not needed, remove it from `depends_on`
                duplicate-dependency warning .orch/tasks/a.md:7:5+1: task `a` names its dependency `b` twice (named again here)
                  .orch/tasks/a.md:4:5+1: first named here
                  help: remove one of them
            "#]],
        );
    }

    #[test]
    fn records_count_as_the_author_does() {
        Case::of(&[task("a").needs("b").needs("c"), task("b"), task("c")])
            .recorded("a", Progress::Done)
            .recorded("b", Progress::Done)
            .recorded("c", Progress::Failed)
            .check(&expect![[r#"
                done-before-dependency warning .orch/tasks/a.md:4:5+1: task `a` is done, but depends on `c`, which is not (failed)
                  help: if `c` is done, write `status: done` in `.orch/tasks/c.md`; if it is not needed, remove it from `depends_on`
            "#]]);
    }
}
