//! Who `orch` and its workers are.

use super::Surroundings;
use crate::{app::view::doctor::Check, io::system};

const NAME: &str = "user";

/// Looks who runs this.
pub(super) fn user(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let has_open_tasks = surroundings.standing.as_ref().is_ok_and(|standing| {
        standing.plan().indices().any(|task| !standing.plan().is_sandboxed(task))
    });
    vec![judge(system::user(), has_open_tasks)]
}

fn judge(uid: u32, has_open_tasks: bool) -> Check {
    match (uid, has_open_tasks) {
        (0, true) => Check::warning(
            NAME,
            "you are root: a worker without a sandbox may change the whole machine",
            "start orch as a user of its own, or set `isolation: sandbox`",
        ),
        (0, false) => Check::ok(NAME, "you are root; workers are without its privileges"),
        _ => Check::ok(NAME, format!("you are the user {uid}, not root")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, judge};
    use expect_test::expect;

    #[test]
    fn root_is_warned_where_workers_are_root_too() {
        expect![[r#"
            warning user: you are root: a worker without a sandbox may change the whole machine | start orch as a user of its own, or set `isolation: sandbox`
            ok user: you are root; workers are without its privileges | -
            ok user: you are the user 1000, not root | -
        "#]].assert_eq(&told(&[judge(0, true), judge(0, false), judge(1000, true)]));
    }
}
