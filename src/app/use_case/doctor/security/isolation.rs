//! What keeps tasks apart from each other and from the machine.

use super::{Surroundings, some};
use crate::{
    app::view::doctor::Check,
    domain::{model::task::Isolation, plan::Plan},
};

const NAME: &str = "isolation";

/// Counts tasks by how they are kept apart.
pub(super) fn isolation(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let is_apart = surroundings.checkout.is_some();
    let plan = standing.plan();
    vec![judge(&Levels::of(plan, is_apart))]
}

/// Tasks by how they are kept apart.
#[derive(Debug, Default)]
struct Levels {
    none: Vec<String>,
    n_worktree: usize,
    n_sandbox: usize,
    /// What workers in sandboxes may write beside their worktrees.
    write: Vec<String>,
}

impl Levels {
    fn of(plan: &Plan, is_apart: bool) -> Self {
        let mut levels = Self::default();
        for task in plan.indices() {
            let policy = plan.policy(task);
            match policy.isolation {
                Some(Isolation::Sandbox) => {
                    levels.n_sandbox += 1;
                    levels.write.extend(policy.sandbox.write);
                }
                Some(Isolation::Worktree) | None if is_apart => levels.n_worktree += 1,
                Some(Isolation::Worktree | Isolation::None) | None => {
                    levels.none.push(plan.id(task).to_string());
                }
            }
        }
        levels.write.sort();
        levels.write.dedup();
        levels
    }
}

fn judge(levels: &Levels) -> Check {
    let Levels { none, n_worktree, n_sandbox, write } = levels;
    let mut message = format!(
        "{n_sandbox} in a sandbox, {n_worktree} in a worktree, {} with neither",
        none.len()
    );
    if !write.is_empty() {
        let write = some(write.iter().map(String::as_str));
        message = format!("{message}; sandboxes may write {write}");
    }
    if !none.is_empty() {
        let named = some(none.iter().map(String::as_str));
        return Check::warning(
            NAME,
            format!("{message}: {named}"),
            "a worker with neither works in this folder itself: set `isolation: worktree` or `sandbox`",
        );
    }
    if *n_worktree > 0 {
        message.push_str("; a worktree keeps work apart, but a worker in it can do what you can");
    }
    Check::ok(NAME, message)
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn tasks_that_nothing_keeps_apart_are_named() {
        let names = |n: usize| (1..=n).map(|n| format!("t{n}")).collect::<Vec<_>>();
        let table = [
            Levels { n_sandbox: 3, ..Levels::default() },
            Levels { n_sandbox: 1, n_worktree: 2, write: names(1), ..Levels::default() },
            Levels { none: names(2), ..Levels::default() },
            Levels { none: names(7), ..Levels::default() },
        ];
        expect![[r#"
            ok isolation: 3 in a sandbox, 0 in a worktree, 0 with neither | -
            ok isolation: 1 in a sandbox, 2 in a worktree, 0 with neither; sandboxes may write t1; a worktree keeps work apart, but a worker in it can do what you can | -
            warning isolation: 0 in a sandbox, 0 in a worktree, 2 with neither: t1, t2 | a worker with neither works in this folder itself: set `isolation: worktree` or `sandbox`
            warning isolation: 0 in a sandbox, 0 in a worktree, 7 with neither: t1, t2, t3, t4, t5 and 2 more | a worker with neither works in this folder itself: set `isolation: worktree` or `sandbox`
        "#]].assert_eq(&told(&table.iter().map(judge).collect::<Vec<_>>()));
    }
}
