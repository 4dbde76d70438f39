//! What goes to a remote: claims, and nothing else, whatever the settings of git say of pushes.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::assert_no_canary;
use crate::{cli::Sandbox, landing::git};

/// Settings by which a push takes more with it, or does more.
const SETTINGS: [&str; 8] = [
    "push.default matching",
    "push.followTags true",
    "push.gpgSign if-asked",
    "push.autoSetupRemote true",
    "remote.origin.push +refs/*:refs/*",
    "remote.pushDefault origin",
    "branch.plan.remote origin",
    "fetch.prune true",
];

#[test]
fn claims_push_nothing_but_claims_and_force_nothing() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), "init -q --bare remote.git");
    let remote = folder.path().join("remote.git");
    let sandbox = Sandbox::with(&[
        (
            ".orch/config.yaml",
            "max_workers: 2\nretry: {max_attempts: 1}\nclaims: {remote: origin}\n",
        ),
        (".orch/.gitignore", "local/\n"),
        (".orch/tasks/a.md", "---\nworker: {command: 'echo a > a'}\n---\n"),
        (
            ".orch/tasks/b.md",
            "---\ndepends_on: a\nworker: {command: 'git tag -am b of-b; exit 1'}\n---\n",
        ),
        (".orch/tasks/c.md", "---\ndepends_on: b\nworker: {command: 'true'}\n---\n"),
    ]);
    for command in [
        "init -q -b plan",
        "config user.name A",
        "config user.email a@b.c",
        "add -A",
        "commit -qm begin",
        "tag -am v1 v1",
        "branch other",
    ] {
        git(sandbox.root(), command);
    }
    git(sandbox.root(), &format!("remote add origin {}", remote.display()));
    git(sandbox.root(), "push -q origin plan:plan plan:main");
    for setting in SETTINGS {
        git(sandbox.root(), &format!("config {setting}"));
    }
    // The remote writes down every ref that anybody asks it to change: name, old and new.
    let hook = remote.join("hooks/update");
    fs::write(&hook, format!("#!/bin/sh\necho \"$@\" >> {}/updates\n", folder.path().display()))
        .unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let before = git(&remote, "for-each-ref refs/heads refs/tags");
    let output = sandbox.orch(&["run", "--plain"]);
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    sandbox.orch(&["retry", "b"]);
    sandbox.orch(&["run", "--plain", "--worker=true"]);
    assert_eq!(git(&remote, "for-each-ref refs/heads refs/tags"), before);
    let updates = fs::read_to_string(folder.path().join("updates")).unwrap();
    assert!(updates.lines().count() >= 3, "{updates}");
    let nothing = "0".repeat(40);
    for update in updates.lines() {
        let [name, old, new] = update.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{update}")
        };
        assert!(name.starts_with("refs/orch/claims/"), "{update}");
        // Made where nothing was, or taken back: nothing is ever moved.
        assert!(old == nothing || new == nothing, "{update}");
    }
    assert_no_canary(folder.path(), "pushes");
}
