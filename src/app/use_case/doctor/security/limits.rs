//! What bounds the use that workers make of the machine, and of money.

use super::{Surroundings, some};
use crate::{app::view::doctor::Check, domain::plan::Plan, io::process::cgroup};

const NAME: &str = "limits";

/// Looks for limits of the control group, and of the plan.
pub(super) fn limits(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let mut checks = vec![judge_machine(&cgroup::limits())];
    if let Ok(standing) = &surroundings.standing {
        checks.push(judge_plan(&Unlimited::of(standing.plan())));
    }
    checks
}

/// What has no limit in a plan.
#[derive(Debug, Default)]
struct Unlimited {
    /// Tasks without a timeout.
    timeout: Vec<String>,
    /// Whether neither the run nor the tasks have a budget.
    budget: bool,
}

impl Unlimited {
    fn of(plan: &Plan) -> Self {
        let timeless = plan.indices().filter(|task| plan.policy(*task).timeout.is_none());
        let config = plan.config();
        Self {
            timeout: timeless.map(|task| plan.id(task).to_string()).collect(),
            budget: config.run_budget.is_empty() && config.budget.is_empty(),
        }
    }
}

/// Judges limits by name, as in `memory.max`.
fn judge_machine(limits: &[(&str, String)]) -> Check {
    match limits {
        [] => Check::ok(
            NAME,
            "the control group sets none: a worker may use all memory and processes of this user; \
             `systemd-run --user --scope -p MemoryMax=8G -p TasksMax=2000 orch run` sets some",
        ),
        limits => {
            let told: Vec<String> =
                limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let told = some(told.iter().map(String::as_str));
            Check::ok(NAME, format!("of the control group: {told}"))
        }
    }
}

fn judge_plan(unlimited: &Unlimited) -> Check {
    let budget = match unlimited.budget {
        true => "no budget is set",
        false => "a budget is set",
    };
    match &unlimited.timeout[..] {
        [] => Check::ok(NAME, format!("every task has a timeout; {budget}")),
        names => Check::ok(
            NAME,
            format!(
                "without a timeout: {}; {budget} (`worker: {{timeout: 30m}}`, `run: {{budget: …}}`)",
                some(names.iter().map(String::as_str))
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn limits_are_told() {
        let checks = [
            judge_machine(&[]),
            judge_machine(&[("memory.max", "1024".to_owned()), ("pids.max", "64".to_owned())]),
            judge_plan(&Unlimited::default()),
            judge_plan(&Unlimited { timeout: vec!["a".to_owned()], budget: true }),
        ];
        expect![[r#"
            ok limits: the control group sets none: a worker may use all memory and processes of this user; `systemd-run --user --scope -p MemoryMax=8G -p TasksMax=2000 orch run` sets some | -
            ok limits: of the control group: memory.max 1024, pids.max 64 | -
            ok limits: every task has a timeout; a budget is set | -
            ok limits: without a timeout: a; no budget is set (`worker: {timeout: 30m}`, `run: {budget: …}`) | -
        "#]].assert_eq(&told(&checks));
    }
}
