//! `later-level`: a task depends on a task of a later level.
//!
//! **What it does:** reports tasks of a level that wait, directly or through any chain of tasks,
//! for a task of a higher level. Of a chain with several such tasks only the last one is reported.
//!
//! **Why:** no task of a level starts before all lower levels ended. The task waits for the later
//! level, and the later level waits for the task, so neither ever starts.
//!
//! **Example:** `API-1` with `level: 1` depends on `API-2` with `level: 2`.

use super::Input;
use crate::domain::{
    model::diagnostic::{Diagnostic, Label},
    plan::{
        Fault, TaskIndex,
        levels::{Before, Levels},
    },
};

/// The name of the rule.
pub const CODE: &str = "later-level";

/// Adds a diagnostic for each task that waits for a later level.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let levels = Levels::of(&input.plan.tasks, &input.plan.graph);
    for task in input.plan.indices() {
        // Around a cycle the levels are not known; the cycle is the fault to mend first.
        if matches!(input.plan.fault(task), Some(Fault::Cycle(_))) {
            continue;
        }
        let (Some(own), Some(before)) = (&input.plan.spec(task).level, levels.before(task)) else {
            continue;
        };
        if before.level > own.value && !before.is_through_lower {
            out.push(diagnostic(input, &levels, task, before));
        }
    }
}

fn diagnostic(input: &Input<'_>, levels: &Levels, task: TaskIndex, before: Before) -> Diagnostic {
    let plan = input.plan;
    let Before { level: later, origin: last, via: next, n_edges, .. } = before;
    let own = plan.spec(task).level.as_ref().map_or(0, |level| level.value);
    let (id, last_id) = (plan.id(task), plan.id(last));
    let mut message = format!(
        "task `{id}` of level {own} depends on `{last_id}` of level {later}, which starts later"
    );
    if n_edges > 1 {
        let chain = input.chain_text(levels.chain(task), n_edges + 1, last);
        message = format!("{message}: {chain}");
    }
    let text = format!("`{id}` depends on `{}`", plan.id(next));
    let mut diagnostic = Diagnostic::error(CODE, message, input.edge_label(task, next, text));
    for (task, level) in [(task, own), (last, later)] {
        let spec = plan.spec(task);
        let span = spec.level.as_ref().map(|level| level.span).unwrap_or_default();
        let text = format!("`{}` has level {level}", plan.id(task));
        diagnostic = diagnostic.with_related(Label::new(&*spec.path, span, text));
    }
    diagnostic.with_help(format!(
        "give `{id}` a level of at least {later}, or `{last_id}` one of at most {own}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn the_last_task_before_the_later_level_is_reported() {
        check(
            &[
                task("a").level(1).needs("b"),
                task("b").level(1).needs("c"),
                task("c").needs("d"),
                task("d").level(3),
                task("e").level(2).needs("d"),
                task("f").level(3).needs("d").needs("a"),
            ],
            &expect![[r#"
                later-level error .orch/tasks/b.md:4:5+1: task `b` of level 1 depends on `d` of level 3, which starts later: `b → c → d` (`b` depends on `c`)
                  .orch/tasks/b.md:3:8+1: `b` has level 1
                  .orch/tasks/d.md:3:8+1: `d` has level 3
                  help: give `b` a level of at least 3, or `d` one of at most 1
                later-level error .orch/tasks/e.md:4:5+1: task `e` of level 2 depends on `d` of level 3, which starts later (`e` depends on `d`)
                  .orch/tasks/e.md:3:8+1: `e` has level 2
                  .orch/tasks/d.md:3:8+1: `d` has level 3
                  help: give `e` a level of at least 3, or `d` one of at most 2
                unreachable-task warning .orch/tasks/f.md:5:5+1: task `f` can never start: it depends on `a`, which can never start itself (it depends on `d` of a later level)
                  help: correct `a` first
            "#]],
        );
    }
}
