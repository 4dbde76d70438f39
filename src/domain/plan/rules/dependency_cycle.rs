//! `dependency-cycle`: tasks wait for each other in a circle.
//!
//! **What it does:** reports cycles of `depends_on`, each once, with the place of every edge. Of a
//! group of tasks with many cycles it reports short ones that together visit its members.
//!
//! **Why:** each task of the cycle would wait for another one of it, so none could ever start.
//!
//! **Example:** `API-1` depends on `API-2`, and `API-2` on `API-1`.

use super::Input;
use crate::domain::{
    model::{diagnostic::Diagnostic, limits::CYCLE_EDGES_MAX},
    plan::TaskIndex,
};

/// The name of the rule.
pub const CODE: &str = "dependency-cycle";

/// Adds a diagnostic for each cycle.
pub fn check(input: &Input<'_>, out: &mut Vec<Diagnostic>) {
    let graph = &input.plan.graph;
    for knot in graph.knots() {
        out.extend(graph.cycles_in(knot).iter().map(|cycle| diagnostic(input, cycle)));
    }
}

fn diagnostic(input: &Input<'_>, cycle: &[TaskIndex]) -> Diagnostic {
    let Some(&first) = cycle.first() else { unreachable!("a cycle has a task") };
    let next = cycle.iter().skip(1).chain([&first]);
    let mut labels = cycle.iter().zip(next).map(|(&task, &dependency)| {
        let (id, its) = (input.plan.id(task), input.plan.id(dependency));
        input.edge_label(task, dependency, format!("`{id}` depends on `{its}`"))
    });
    let Some(primary) = labels.next() else { unreachable!("a cycle has an edge") };
    let path = input.chain_text(cycle.iter().copied(), cycle.len() + 1, first);
    let mut diagnostic =
        Diagnostic::error(CODE, format!("tasks wait for each other in a circle: {path}"), primary);
    diagnostic.related = labels.take(CYCLE_EDGES_MAX).collect();
    diagnostic.with_help("remove one of these dependencies")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, task};
    use expect_test::expect;

    #[test]
    fn each_cycle_is_told_once_with_all_its_edges() {
        check(
            &[
                task("a").needs("x").needs("b"),
                task("b").needs("c"),
                task("c").needs("a"),
                task("d").needs("e"),
                task("e").needs("d"),
                task("x"),
            ],
            &expect![[r#"
                dependency-cycle error .orch/tasks/a.md:4:5+1: tasks wait for each other in a circle: `a → b → c → a` (`a` depends on `b`)
                  .orch/tasks/b.md:3:5+1: `b` depends on `c`
                  .orch/tasks/c.md:3:5+1: `c` depends on `a`
                  help: remove one of these dependencies
                dependency-cycle error .orch/tasks/d.md:3:5+1: tasks wait for each other in a circle: `d → e → d` (`d` depends on `e`)
                  .orch/tasks/e.md:3:5+1: `e` depends on `d`
                  help: remove one of these dependencies
            "#]],
        );
    }

    #[test]
    fn a_long_cycle_is_cut_in_the_middle() {
        let ids: Vec<String> = (10..99).map(|n| format!("t{n}")).collect();
        let drafts: Vec<_> = ids
            .iter()
            .zip(ids.iter().cycle().skip(1))
            .map(|(id, next)| task(id).needs(next))
            .collect();
        let found = super::super::testing::Case::of(&drafts).found();
        assert_eq!(found.len(), 1);
        expect!["tasks wait for each other in a circle: `t10 → t11 → t12 → t13 → t14 → t15 → t16 → … 82 more … → t10`"]
            .assert_eq(&found[0].message);
        assert_eq!(found[0].related.len(), super::CYCLE_EDGES_MAX);
    }
}
