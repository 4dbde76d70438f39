//! What of the environment workers get.

use std::collections::BTreeSet;

use super::{Surroundings, some};
use crate::{
    app::view::doctor::Check,
    domain::{agent, model::agent::Agent},
    io::environment,
};

const NAME: &str = "environment";

/// Ends of names of variables that hold a key, mostly.
const SECRETS: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS"];

/// Names what workers get, and what of that is kept out of logs.
pub(super) fn environment(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let plan = standing.plan();
    let config = plan.config();
    let agents: BTreeSet<Agent> =
        plan.indices().filter_map(|task| plan.policy(task).agent).collect();
    let of_agents = agents.into_iter().flat_map(Agent::variables);
    let of_agents = environment::named(&of_agents.collect::<Vec<_>>());
    let of_agents: BTreeSet<String> =
        of_agents.into_iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    let secret = config.env_secret.iter().cloned();
    let keys = of_agents.iter().filter(|name| agent::is_key(name)).cloned();
    let secret = secret.chain(keys).collect();
    let passed = config.env_pass.iter().cloned().chain(of_agents).collect();
    judge(&passed, &secret)
}

fn judge(passed: &BTreeSet<String>, secret: &BTreeSet<String>) -> Vec<Check> {
    let named = |names: &BTreeSet<String>| some(names.iter().map(String::as_str));
    let message = match (passed.is_empty(), secret.is_empty()) {
        (true, _) => "workers get the built-in variables only".to_owned(),
        (false, true) => format!("workers get {}, too", named(passed)),
        (false, false) => format!(
            "workers get {}, too; kept out of logs: {}",
            named(passed),
            named(&secret.intersection(passed).cloned().collect())
        ),
    };
    let mut checks = vec![Check::ok(NAME, message)];
    let is_like_one = |name: &&String| SECRETS.iter().any(|end| name.ends_with(end));
    let open: BTreeSet<String> = passed.difference(secret).filter(is_like_one).cloned().collect();
    if !open.is_empty() {
        let message = format!("by their names these are secret: {}", named(&open));
        let help = "name them in `env: {secret: […]}`: their values then stay out of logs";
        checks.push(Check::warning(NAME, message, help));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn what_looks_like_a_key_is_to_be_kept_secret() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let table = [
            judge(&set(&[]), &set(&["A_KEY"])),
            judge(&set(&["CARGO_HOME"]), &set(&[])),
            judge(&set(&["A_KEY", "B_TOKEN", "C"]), &set(&["A_KEY"])),
        ];
        expect![[r#"
            ok environment: workers get the built-in variables only | -
            ok environment: workers get CARGO_HOME, too | -
            ok environment: workers get A_KEY, B_TOKEN, C, too; kept out of logs: A_KEY | -
            warning environment: by their names these are secret: B_TOKEN | name them in `env: {secret: […]}`: their values then stay out of logs
        "#]].assert_eq(&told(&table.concat()));
    }
}
