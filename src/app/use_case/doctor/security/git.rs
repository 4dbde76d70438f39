//! What in the git folder has git start programs. `orch` runs nothing of it, but your own git does.

use super::{Surroundings, some};
use crate::{app::view::doctor::Check, io::git::Ground};

const NAME: &str = "git";

/// Settings that name a program, or a file with more settings, by how they begin and end.
const PROGRAMS: [(&str, &str); 19] = [
    ("core.hookspath", ""),
    ("core.fsmonitor", ""),
    ("core.sshcommand", ""),
    ("core.gitproxy", ""),
    ("core.askpass", ""),
    ("core.pager", ""),
    ("core.editor", ""),
    ("sequence.editor", ""),
    ("diff.external", ""),
    ("diff.", ".command"),
    ("diff.", ".textconv"),
    ("filter.", ""),
    ("merge.", ".driver"),
    ("credential.", "helper"),
    ("gpg.", "program"),
    ("include.path", ""),
    ("includeif.", ".path"),
    ("uploadpack.", "hook"),
    ("remote.", "pack"),
];

/// Lists hooks and settings of the repository that git would follow.
pub(super) fn git(surroundings: &Surroundings<'_>) -> Vec<Check> {
    let Ok(Some(ground)) = Ground::find(surroundings.store.root()) else { return Vec::new() };
    let triggers = ground.triggers();
    let found: Vec<String> = triggers
        .told()
        .filter(|(name, value)| runs_something(name, value))
        .map(|(name, _)| name.to_owned())
        .collect();
    vec![judge(&found)]
}

/// Says whether git starts a program for this; `name` is a hook, or a setting in backticks.
fn runs_something(name: &str, value: &[u8]) -> bool {
    let Some((_, rest)) = name.split_once('`') else { return name.contains("/hooks/") };
    let key = rest.split('`').next().unwrap_or_default().to_lowercase();
    let value = value.trim_ascii();
    if key.starts_with("alias.") {
        return value.starts_with(b"!");
    }
    let is_off = value.is_empty() || value == b"false";
    !is_off && PROGRAMS.iter().any(|(start, end)| key.starts_with(start) && key.ends_with(end))
}

fn judge(found: &[String]) -> Check {
    match found {
        [] => Check::ok(NAME, "the repository has no hooks, and no settings that start programs"),
        found => Check::ok(
            NAME,
            format!(
                "orch runs no hook and no such setting; your own git does: {}",
                some(found.iter().map(String::as_str))
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::told, *};
    use expect_test::expect;

    #[test]
    fn settings_that_start_programs_are_told_from_others() {
        let table = [
            ("`core.hookspath` in .git/config", ".husky", true),
            ("`core.fsmonitor` in .git/config", "false", false),
            ("`core.fsmonitor` in .git/config", "./watch", true),
            ("`filter.lfs.clean` in .git/config", "git-lfs clean -- %f", true),
            ("`alias.co` in .git/config", "checkout", false),
            ("`alias.x` in .git/config", "!sh x", true),
            ("`diff.a.textconv` in .git/config", "x", true),
            ("`diff.algorithm` in .git/config", "patience", false),
            ("`credential.https://x.helper` in .git/config", "!x", true),
            ("`includeif.gitdir:~/x.path` in .git/config", "x", true),
            ("`remote.origin.url` in .git/config", "x", false),
            ("`core.bare` in .git/config", "true", false),
            (".git/hooks/post-commit", "#!/bin/sh", true),
            (".git/info/attributes", "* filter=x", false),
            (".git/worktrees/orch-a", "", false),
        ];
        for (name, value, expected) in table {
            assert_eq!(runs_something(name, value.as_bytes()), expected, "{name} {value}");
        }
        let found = [".git/hooks/pre-commit".to_owned(), "`alias.x` in .git/config".to_owned()];
        expect![[r#"
            ok git: the repository has no hooks, and no settings that start programs | -
            ok git: orch runs no hook and no such setting; your own git does: .git/hooks/pre-commit, `alias.x` in .git/config | -
        "#]].assert_eq(&told(&[judge(&[]), judge(&found)]));
    }
}
