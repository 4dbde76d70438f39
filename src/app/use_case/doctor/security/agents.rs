//! Agents and commands that were told not to ask before they act.

use std::collections::BTreeSet;

use super::{Surroundings, some};
use crate::{
    app::view::doctor::Check,
    domain::{agent, model::command::argv},
};

const NAME: &str = "agents";

/// What has an agent do everything without asking.
const UNASKED: [&str; 8] = [
    "--dangerously-skip-permissions",
    "--dangerously-bypass-approvals-and-sandbox",
    "--dangerously-allow-all",
    "--allow-all-tools",
    "--yolo",
    "bypassPermissions",
    "danger-full-access",
    "--force",
];

/// Looks for such words in what is started without a sandbox.
pub(super) fn agents(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let Ok(standing) = &surroundings.standing else { return Vec::new() };
    let plan = standing.plan();
    let mut found = BTreeSet::new();
    for task in plan.indices().filter(|task| !plan.is_sandboxed(*task)) {
        let policy = plan.policy(task);
        let started = match &policy.command {
            Some(command) => Some(argv(command)),
            None => agent::started(&policy, ""),
        };
        found.extend(started.iter().flatten().filter_map(|word| unasked_in(word)));
    }
    vec![judge(&found)]
}

/// Finds such a word in an argument, or in a text for a shell.
fn unasked_in(argument: &str) -> Option<&'static str> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | '\'' | '"' | ';' | '&' | '|');
    let words = argument.split(is_end);
    // Other programs are forced, too.
    let is_agent = argument.contains("cursor-agent") || !argument.contains("--force");
    let mut words = words.filter(|word| is_agent || *word != "--force");
    words.find_map(|word| UNASKED.into_iter().find(|known| *known == word))
}

fn judge(found: &BTreeSet<&str>) -> Check {
    match found.is_empty() {
        true => Check::ok(NAME, "no agent outside of a sandbox is told to act without asking"),
        false => Check::warning(
            NAME,
            format!("outside of a sandbox, agents act unasked: {}", some(found.iter().copied())),
            "leave that out, or set `isolation: sandbox`: what the agent reads may tell it what to do",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn words_are_found_in_arguments_and_in_texts_for_a_shell() {
        let table = [
            ("--yolo", Some("--yolo")),
            ("cat p | claude -p --dangerously-skip-permissions", Some(UNASKED[0])),
            ("codex exec --sandbox=danger-full-access", Some("danger-full-access")),
            ("cursor-agent -p --force", Some("--force")),
            ("git push --force", None),
            ("./work.sh --yolo-mode", None),
            ("", None),
        ];
        for (argument, expected) in table {
            assert_eq!(unasked_in(argument), expected, "{argument}");
        }
        let found = BTreeSet::from(["--yolo", "bypassPermissions"]);
        expect![[r#"
            warning agents: outside of a sandbox, agents act unasked: --yolo, bypassPermissions | leave that out, or set `isolation: sandbox`: what the agent reads may tell it what to do
            ok agents: no agent outside of a sandbox is told to act without asking | -
        "#]].assert_eq(&told(&[judge(&found), judge(&BTreeSet::new())]));
    }
}
