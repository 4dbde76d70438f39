//! A milestone that is reached opens a request by its hook.

use std::fs;

use super::Site;

#[test]
fn a_milestone_that_is_reached_pushes_and_opens_a_request() {
    let config = "max_workers: 1\nenv: {pass: [GIT_SSH_COMMAND, GH_TOKEN]}\n\
                  hooks:\n  milestone: {run: 'orch pr --milestone=\"$ORCH_MILESTONE\"', timeout: 5m}\n";
    let site = Site::with(
        "gh",
        &[
            (".orch/config.yaml", config),
            (
                ".orch/tasks/a.md",
                "---\nmilestone: beta 1\npriority: high\nworker: {command: touch made}\n---\n",
            ),
            (
                ".orch/tasks/b.md",
                "---\nworker: {command: 'while [ ! -e ../../../../hook-is-done ]; do sleep 0.02; done', timeout: 2m}\n---\n",
            ),
        ],
    );
    // What another test leaves open is done here: it is no attempt of this plan.
    site.git("rm -q .orch/runs/a.1.yaml");
    site.commit("again");
    // The other task holds the run, and its lock, until the request is open.
    let stand_in = super::STAND_IN
        .replace("    echo \"Creating request\" >&2\n", "    touch \"$HOME/hook-is-done\"\n");
    assert_ne!(stand_in, super::STAND_IN);
    site.script("bin/gh", &stand_in);
    let output = site.orch(&["run", "--plain"]);
    let log =
        fs::read_to_string(site.sandbox.path(".orch/local/logs/@hooks.log")).unwrap_or_default();
    assert_eq!(output.code, 0, "{}{}{log}", output.stdout, output.stderr);
    assert!(log.contains("created the pull request #12"), "{log}");
    let calls = site.calls();
    let what: Vec<&str> = calls.iter().map(|call| call.argv[2].as_str()).collect();
    assert_eq!(what, ["list", "create"], "{log}");
    let title = "--title=Milestone beta 1: 1 of 1 task done".to_owned();
    assert!(calls[1].argv.contains(&title), "{:?}", calls[1].argv);
    let body = &calls[1].stdin;
    assert!(body.starts_with("**Milestone** `beta 1`: 1 of 1 task done\n"), "{body}");
    assert!(body.contains("- `a`: ready → done"), "{body}");
    // The work of the milestone is at the remote, with its record.
    let there = super::git(&site.beside("remote.git"), "ls-tree -r --name-only plan");
    for path in ["made", ".orch/runs/a.1.yaml"] {
        assert!(there.lines().any(|line| line == path), "{path}: {there}");
    }
}
