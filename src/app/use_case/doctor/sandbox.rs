//! Whether workers can run in sandboxes.

use super::{Surroundings, counted};
use crate::{
    app::view::doctor::{Check, Figures},
    domain::{
        model::sandbox::Lack,
        sandbox::{Bwrap, Strength},
    },
    io::process::bwrap,
};

const NAME: &str = "sandbox";

/// Looks whether sandboxes can be made, where a task asks for one.
pub(super) fn sandbox(surroundings: &Surroundings<'_>, _: &mut Figures) -> Vec<Check> {
    match n_sandboxed(surroundings) {
        0 => Vec::new(),
        n => vec![look(surroundings, n)],
    }
}

/// Looks whether sandboxes can be made, whoever asks for one.
pub(super) fn any_sandbox(surroundings: &Surroundings<'_>) -> Vec<Check> {
    vec![look(surroundings, n_sandboxed(surroundings))]
}

fn look(surroundings: &Surroundings<'_>, n_tasks: u64) -> Check {
    let found = bwrap::find(surroundings.store.root());
    let version = found.as_ref().ok().and_then(bwrap::version);
    judge(found, version.as_deref().unwrap_or("bwrap"), n_tasks)
}

/// Counts the tasks that ask for a sandbox.
fn n_sandboxed(surroundings: &Surroundings<'_>) -> u64 {
    let Ok(standing) = &surroundings.standing else { return 0 };
    let plan = standing.plan();
    plan.indices().filter(|task| plan.is_sandboxed(*task)).count() as u64
}

fn judge(found: Result<Bwrap, Lack>, version: &str, n_tasks: u64) -> Check {
    match found {
        Ok(bwrap) => {
            let strength = match bwrap.strength {
                Strength::NoNesting => "with users of its own and none below",
                Strength::OwnUsers => "with users of its own",
                Strength::SharedUsers => "with the users of the machine",
            };
            Check::ok(NAME, format!("{version} makes sandboxes {strength}"))
        }
        Err(Lack { cause, help }) if n_tasks > 0 => {
            let message = format!("{} not started: {cause}", counted(n_tasks, "task"));
            Check::warning(NAME, message, help)
        }
        Err(Lack { cause, .. }) => Check::ok(NAME, format!("{cause}; no task asks for one")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_warning_only_where_a_task_asks_for_it() {
        let there = |strength| Ok(Bwrap { program: "/usr/bin/bwrap".to_owned(), strength });
        let lack = || Err(Lack { cause: "there is none".to_owned(), help: "mend it".to_owned() });
        let table = [
            (
                there(Strength::NoNesting),
                0,
                "ok: bubblewrap 1 makes sandboxes with users of its own and none below",
            ),
            (
                there(Strength::SharedUsers),
                2,
                "ok: bubblewrap 1 makes sandboxes with the users of the machine",
            ),
            (lack(), 0, "ok: there is none; no task asks for one"),
            (lack(), 2, "warning: 2 tasks not started: there is none"),
        ];
        for (found, n_tasks, expected) in table {
            let check = judge(found, "bubblewrap 1", n_tasks);
            assert_eq!(format!("{}: {}", check.verdict.as_str(), check.message), expected);
        }
    }
}
