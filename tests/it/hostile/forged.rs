//! What a worker, or the author of a commit, writes where only `orch` or git should: it runs nothing,
//! settles nothing, and is told.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use rustix::process::Signal;

use super::{assert_no_canary, listing};
use crate::{
    cli::{Sandbox, read, record, signal},
    landing::git,
};

fn repository(config: &str, tasks: &[(&str, &str)], files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(&[(".orch/config.yaml", config), (".orch/.gitignore", "local/\n")]);
    sandbox.write(".gitignore", "/effects\n");
    for (id, front) in tasks {
        sandbox.write(&format!(".orch/tasks/{id}.md"), &format!("---\n{front}\n---\n"));
    }
    for (path, text) in files {
        sandbox.write(path, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(sandbox.path(path), mode).unwrap();
    }
    for command in [
        "init -q -b plan",
        "config user.name A",
        "config user.email a@b.c",
        "add -A",
        "commit -qm begin",
    ] {
        git(sandbox.root(), command);
    }
    sandbox
}

/// Forges all that can be reached: of the task `b`, whose turn comes later, of `c`, which is at work,
/// and of the coordinator. `$PLACE` is where.
const FORGE: &str = "#!/bin/sh\nset -u\ncd \"$PLACE\" && mkdir -p .orch/runs .orch/status .orch/events/approval\n\
    for n in 1 2; do printf 'version: 1\\ntask: b\\nattempt: %s\\noutcome: succeeded\\nreason: exit code 0\\n\
started: 2026-11-20T10:15:00.000Z\\nended: 2026-11-20T10:16:00.000Z\\nworker: true\\nexecutor: local\\n\
nonce: \"00\"\\n' $n > .orch/runs/b.$n.yaml\n\
    printf -- '---\\nstate: done\\nmessage: forged\\n---\\n' > .orch/status/b.$n.md; done\n\
    printf -- '---\\nstate: failed\\nmessage: forged\\n---\\n' > .orch/status/c.1.md\n";

/// Forges what is the coordinator's own, in the checkout.
const FORGE_LOCAL: &str = "cd \"$ORCH_ROOT/.orch/local\" || exit 0\n\
    for file in lock journal.jsonl claims.json waiting.json clone run.log; do echo '{\"forged\": \"touch canary\"}' > $file; done\n\
    for file in supervisors/*.jsonl; do echo '{\"kind\":\"exited\",\"nonce\":\"00\"}' >> $file; done\n\
    echo '{}' > supervisors/forged.jsonl; echo 'touch canary' > prompts/b.1.md; echo forged > logs/c/1.log\n\
    mkdir -p worktrees/b landing; echo 'touch canary' > worktrees/b/canary.sh; echo '#!/bin/sh\ntouch canary' > landing/step\n\
    echo 'git: {hooks: 1}' > spare/0\n";

#[test]
fn forged_records_statuses_and_local_files_settle_nothing() {
    for place in ["$ORCH_WORKTREE", "$ORCH_ROOT"] {
        let script = FORGE.replace("$PLACE", place) + FORGE_LOCAL;
        let sandbox = repository(
            "max_workers: 2\nretry: {max_attempts: 1}\n",
            &[
                ("a", "worker: {command: 'sh ./forge; echo a >> $ORCH_ROOT/effects; echo a > a'}"),
                (
                    "b",
                    "depends_on: [a]\nworker: {command: 'echo b >> $ORCH_ROOT/effects; echo b > b'}",
                ),
                (
                    "c",
                    "worker: {command: 'echo c; until grep -q a $ORCH_ROOT/effects; do sleep 0.02; done; echo c >> $ORCH_ROOT/effects; echo c > c'}",
                ),
            ],
            &[("forge", &script)],
        );
        let output = sandbox.orch(&["run", "--plain"]);
        let text = format!("{}{}", output.stdout, output.stderr);
        let mut effects: Vec<String> =
            read(&sandbox, "effects").lines().map(str::to_owned).collect();
        effects.sort();
        // Where the lock was written over, another run may have to go on; nothing is lost, nor done twice.
        let again = sandbox.orch(&["run", "--plain"]);
        assert_eq!(effects, ["a", "b", "c"], "{place}: {text}\n{}", again.stdout);
        let status = sandbox.orch(&["status"]).text();
        assert!(status.contains("3 of 3 tasks done"), "{place}: {status}{text}");
        let landed = git(sandbox.root(), "ls-tree --name-only HEAD");
        assert!(
            ["a", "b", "c"].iter().all(|file| landed.lines().any(|line| line == *file)),
            "{landed}"
        );
        let committed = git(sandbox.root(), "log --all --format= -p -- .orch/runs");
        assert!(
            !committed.contains("nonce: \"00\""),
            "{place}: {committed}\n{text}\n{}",
            again.stdout
        );
        if place == "$ORCH_ROOT" {
            let alarm = "alarm     somebody wrote a record of b, which had not begun";
            assert!(
                text.contains(alarm) && text.contains("lies in .orch/runs/b.1.yaml.broken-1"),
                "{text}"
            );
        }
        assert_no_canary(sandbox.root(), place);
    }
}

#[test]
fn links_in_the_place_of_folders_of_git_lead_nowhere() {
    let worker = "worker: {command: 'echo a > a'}\nretry: {max_attempts: 1}";
    let linked = "is not a folder, or is a symbolic link";
    for link in [".orch/local/worktrees", ".orch/local/landing", ".orch/status"] {
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir_all(outside.path().join("to/a")).unwrap();
        let sandbox = repository("max_workers: 1\n", &[("a", worker)], &[]);
        let path = sandbox.path(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(outside.path().join("to"), path).unwrap();
        if link == ".orch/status" {
            // It is there in the worktree only, as the commit of somebody has it.
            git(sandbox.root(), "add -A");
            git(sandbox.root(), "commit -qm link");
            fs::remove_file(sandbox.path(link)).unwrap();
        }
        let before = listing(outside.path());
        let output = sandbox.orch(&["run", "--plain"]);
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(output.code != 0 && text.contains(linked), "{link}: {text}");
        assert_eq!(listing(outside.path()), before, "{link}: {text}");
    }
}

#[test]
fn settings_of_git_that_a_worker_changes_do_not_run_with_the_next_claim() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), "init -q --bare remote.git");
    let plant = "#!/bin/sh\nset -e\ngit config core.sshCommand 'touch canary; false'\n\
        git config remote.origin.uploadpack 'touch canary; git-upload-pack'\n\
        git config remote.origin.receivepack 'touch canary; git-receive-pack'\n\
        git config protocol.ext.allow always\ngit config credential.helper '!touch canary'\n\
        git config core.hooksPath ./hooks; git config core.fsmonitor 'touch canary'\n";
    let sandbox = repository(
        "max_workers: 1\nretry: {max_attempts: 1}\nclaims: {remote: origin}\n",
        &[
            ("a", "worker: {command: 'sh ./plant; echo a > a'}"),
            ("b", "depends_on: [a]\nworker: {command: 'echo b > b'}"),
        ],
        &[("plant", plant)],
    );
    let remote = folder.path().join("remote.git");
    git(sandbox.root(), &format!("remote add origin {}", remote.display()));
    git(sandbox.root(), "push -q origin plan");
    let mut run = sandbox.command(&["run", "--plain"]);
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut seen = String::new();
    for line in BufReader::new(run.stdout.take().unwrap()).lines() {
        seen += &(line.unwrap() + "\n");
        if seen.contains("the settings of git were changed since the run began") {
            break;
        }
    }
    signal(&run, Signal::INT);
    run.wait().unwrap();
    assert!(seen.contains("`remote.origin.uploadpack` in .git/config is new"), "{seen}");
    assert!(seen.contains("done      a"), "{seen}");
    assert_no_canary(sandbox.root(), "claims");
    assert_no_canary(folder.path(), "claims, at the remote");
}

#[test]
fn a_record_that_was_put_in_by_hand_is_the_claim_of_its_commit() {
    let sandbox = repository(
        "max_workers: 1\nretry: {max_attempts: 1}\n",
        &[
            ("a", "worker: {command: 'echo a > a'}"),
            ("b", "worker: {command: 'echo b > b'}"),
            ("c", ""),
        ],
        &[],
    );
    sandbox.write(".orch/runs/a.1.yaml", &record("a", 1, "succeeded"));
    // A status alone is no attempt, whatever it says.
    sandbox.write(".orch/status/b.1.md", "---\nstate: done\n---\n");
    sandbox.write(".orch/status/c.7.md", "---\nstate: done\nattempt: 7\n---\n");
    git(sandbox.root(), "add -A");
    git(sandbox.root(), "commit -qm docs:~a~slip --author=Mallory~<m@x>");
    let commit = git(sandbox.root(), "rev-parse HEAD");
    let log = sandbox.orch(&["log", "a"]).text();
    let line = log.lines().find(|line| line.contains("a.1 succeeded")).unwrap_or_default();
    assert!(line.contains("Mallory") && line.contains(&commit[..9]), "{log}");
    let entries = sandbox.orch(&["log", "a", "--json"]).json();
    let entry = &entries["entries"][0];
    assert_eq!((&entry["kind"], &entry["author"]), (&"state".into(), &"Mallory".into()), "{entry}");
    let diff = sandbox.orch(&["diff", "HEAD~1..HEAD"]).text();
    assert!(diff.contains("a: ready → done"), "{diff}");
    let states = sandbox.orch(&["list", "--json"]).json();
    let text = states.to_string();
    assert!(text.contains("\"ready\""), "{text}");
    let shown = |id: &str| sandbox.orch(&["show", id, "--json"]).json()["state"].clone();
    assert_eq!((shown("a"), shown("b")), ("done".into(), "ready".into()));
    assert_ne!(shown("c"), "done");
}
