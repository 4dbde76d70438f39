//! A checkout that nobody approved shows everything and starts nothing.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use super::{Guarded, output};

/// All reading commands.
const READERS: [&[&str]; 16] = [
    &["check"],
    &["list"],
    &["list", "--json"],
    &["show", "t7"],
    &["graph"],
    &["plan"],
    &["status"],
    &["status", "--json"],
    &["explain", "t7"],
    &["conflicts"],
    &["diff", "HEAD"],
    &["log"],
    &["doctor"],
    &["trust", "--json"],
    &["trust", "--all", "--json"],
    &["trust", "--print"],
];

/// A plan of which every part leaves a canary when it is executed.
fn hostile() -> Guarded {
    let guarded = Guarded::bare(&[]);
    let canaries = guarded.canaries();
    fs::create_dir_all(&canaries).unwrap();
    let touch = |name: &str| format!("touch '{}/{name}'", canaries.display());
    let config = format!(
        "worker: {{command: \"{}\"}}\n\
         hooks: {{started: \"{}\", blocked: \"{}\", plan_finished: \"{}\"}}\n\
         milestones: {{m: {{trigger: all, run: \"{}\"}}}}\n\
         levels: {{1: {{gate: [\"{}\"]}}}}\n",
        touch("worker"),
        touch("started"),
        touch("blocked"),
        touch("finished"),
        touch("milestone"),
        touch("gate")
    );
    guarded.write(".orch/config.yaml", &config);
    guarded.write(".orch/.gitignore", "local/\n");
    guarded.write(
        ".orch/roles/r.md",
        &format!("---\nworker: {{command: \"{}\"}}\n---\n", touch("role")),
    );
    // Done at once, so that gate and milestone would be next.
    guarded.write(".orch/tasks/first.md", "---\nlevel: 1\nmilestone: m\nstatus: done\n---\n");
    for n in 0..50 {
        let text = match n % 5 {
            0 => format!("worker: {{command: \"{}\"}}", touch(&format!("own{n}"))),
            1 => format!("completion: {{verify: [\"{}\"]}}", touch(&format!("verify{n}"))),
            2 => "role: r".to_owned(),
            3 => "worker: {agent: claude, env: {PATH: bin}}".to_owned(),
            _ => "worker: {isolation: none}".to_owned(),
        };
        guarded.write(&format!(".orch/tasks/t{n}.md"), &format!("---\n{text}\n---\n"));
    }
    // The program of the agent, for a user whose PATH leads into checkouts.
    let canary = canaries.join("agent");
    guarded.write("bin/claude", &format!("#!/bin/sh\n: > '{}'\n", canary.display()));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(guarded.root().join("bin/claude"), mode).unwrap();
    guarded.git("init -q -b plan");
    guarded.commit("begin");
    guarded
}

fn canaries(guarded: &Guarded) -> Vec<String> {
    let found = fs::read_dir(guarded.canaries()).unwrap();
    found.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_unapproved_checkout_shows_everything_and_starts_nothing() {
    let guarded = hostile();
    let path = format!("bin:{}", std::env::var("PATH").unwrap());
    for args in READERS {
        let shown = output(guarded.command(args).env("PATH", &path));
        assert!([0, 1].contains(&shown.code), "{args:?}: {shown:?}");
        assert!(!shown.stdout.is_empty() || args[0] == "diff", "{args:?}: {shown:?}");
    }
    let told = guarded.orch(&["status"]).text();
    assert!(told.contains("nothing of this plan is started before you approve it"), "{told}");
    for args in [
        &["run", "--plain"][..],
        &["run", "--json", "--here"],
        &["run", "--plain", "--worker", "true"],
        &["run", "--detach"],
        &["trust"],
    ] {
        let refused = guarded.orch(args);
        assert_eq!(refused.code, 3, "{args:?}: {refused:?}");
        assert!(refused.stderr.contains("--trust-hash"), "{args:?}: {refused:?}");
        // Somebody who says yes to everything is no terminal.
        let mut yes = guarded.command(args);
        let mut child =
            yes.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        drop(std::io::Write::write_all(&mut child.stdin.take().unwrap(), &b"y\n".repeat(10_000)));
        assert_eq!(child.wait().unwrap().code(), Some(3), "{args:?}");
    }
    // No variable stands for yes.
    for name in ["ORCH_TRUST", "ORCH_YES", "CI", "GITHUB_ACTIONS", "ORCH_TRUST_ALL", "YES"] {
        let mut run = guarded.command(&["run", "--plain"]);
        assert_eq!(output(run.env(name, "1")).code, 3, "{name}");
    }
    assert_eq!(canaries(&guarded), Vec::<String>::new());
    assert_eq!(guarded.read(".orch/runs"), "");
    assert!(!guarded.root().join(".orch/runs").exists());
}

#[test]
fn a_watch_of_it_follows_the_files_and_starts_nothing() {
    let guarded = hostile();
    let mut watch = guarded.command(&["watch", "--json"]);
    let mut child = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut wait_for = |what: &str| {
        while !lines.next().unwrap_or_else(|| panic!("never came: {what}")).unwrap().contains(what)
        {
        }
    };
    wait_for("\"n_tasks\":51");
    for round in 0..3 {
        guarded.write(".orch/tasks/t0.md", &format!("---\ntitle: Round {round}\n---\n"));
        wait_for(&format!("Round {round}"));
    }
    crate::cli::signal(&child, rustix::process::Signal::INT);
    child.wait().unwrap();
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
    assert!(told.contains("so this only looks") && told.contains("orch trust"), "{told}");
    assert_eq!(canaries(&guarded), Vec::<String>::new());
}

#[test]
fn what_is_planted_where_a_coordinator_writes_is_not_believed() {
    let guarded = hostile();
    for (path, text) in [
        (".orch/local/lock", "{}"),
        (
            ".orch/local/journal.jsonl",
            "{\"record\":{\"path\":\".orch/config.yaml\",\"text\":\"x\"}}\n",
        ),
        (".orch/local/supervisors/x.jsonl", "{}\n"),
    ] {
        guarded.write(path, text);
    }
    let before = guarded.git("status --porcelain");
    assert_eq!(guarded.orch(&["run", "--plain"]).code, 3);
    assert_eq!(guarded.git("status --porcelain"), before);
    assert!(guarded.read(".orch/config.yaml").contains("worker:"));
    assert_eq!(canaries(&guarded), Vec::<String>::new());
}
