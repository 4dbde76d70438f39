//! `orch doctor`.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use super::{Output, Sandbox};

/// A repository in which nothing is wrong.
fn healthy() -> Sandbox {
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "worker: {command: sh work.sh}\n"),
        (".orch/tasks/a.md", "---\ntitle: A\n---\n"),
        (".orch/tasks/deep/b.md", "---\ntitle: B\ndepends_on: a\n---\n"),
        ("work.sh", "exit 0\n"),
    ]);
    orch::io::git::init(sandbox.root()).unwrap();
    sandbox
}

/// Returns the checks of this name as `verdict: message = help`.
fn checks(json: &Value, name: &str) -> Vec<String> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or("-").to_owned();
    let found = json["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    let told = |check: &Value| {
        format!("{}: {} = {}", text(check, "verdict"), text(check, "message"), text(check, "help"))
    };
    found.map(told).collect()
}

/// Runs `orch doctor --json`, which must end with `code`.
fn doctor(sandbox: &Sandbox, code: i32) -> Value {
    let Output { code: found, stdout, stderr } = sandbox.orch(&["doctor", "--json"]);
    assert_eq!((found, stderr.as_str()), (code, ""), "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// Returns everything below `.orch`, in order.
fn files(sandbox: &Sandbox) -> Vec<std::path::PathBuf> {
    let mut found = vec![sandbox.path(".orch")];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        at += 1;
        let entries = std::fs::read_dir(path).into_iter().flatten();
        found.extend(entries.map(|entry| entry.unwrap().path()));
    }
    found.sort();
    found
}

#[test]
fn a_healthy_repository_has_no_errors_and_stays_as_it_is() {
    let sandbox = healthy();
    let before = files(&sandbox);
    let json = doctor(&sandbox, 0);
    assert_eq!(files(&sandbox), before);
    assert_eq!(json["n_errors"], 0);
    // `.orch`, the git folder, tasks and the folder in it.
    assert_eq!(json["n_folders"], 4);
    assert_eq!((&json["n_tasks"], &json["coordinator"]), (&2.into(), &Value::Null));
    assert!(json["free_bytes"].as_u64().is_some(), "{json}");
    for (name, expected) in [
        ("lock", "ok: no coordinator is at work = -"),
        ("executor", "ok: `local` is there: `sh` is on PATH = -"),
        ("workers", "ok: 1 program found = -"),
        ("plan", "ok: 2 tasks, 0 errors, 0 warnings = -"),
        ("local", "ok: .orch/local is not there yet: the first run makes it = -"),
    ] {
        assert_eq!(checks(&json, name), [expected]);
    }
    let told = checks(&json, "leftovers").join("\n");
    let has_group = orch::io::process::cgroup::why_none().is_none();
    assert_eq!(told.ends_with("is found: by control group = -"), has_group, "{told}");
    let text = sandbox.orch(&["doctor"]).text();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("    ")).collect();
    assert_eq!(lines.len(), json["checks"].as_array().unwrap().len() + 2, "{text}");
    assert!(text.contains("\nok       plan          2 tasks, 0 errors, 0 warnings\n"), "{text}");
    assert!(lines.last().unwrap().starts_with("12 checks: 0 errors, "), "{text}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_system_tells_of_the_probe() {
    let json = doctor(&healthy(), 0);
    assert_eq!(json["has_notices"], true, "{json}");
    let told = checks(&json, "watching").join("\n");
    assert!(told.starts_with("ok: the system told of a changed file after "), "{told}");
}

#[test]
fn polling_is_told_where_the_settings_ask_for_it() {
    let sandbox = healthy();
    sandbox.write(".orch/config.yaml", "worker: {command: sh work.sh}\nwatch: {mode: poll}\n");
    let json = doctor(&sandbox, 0);
    assert_eq!(json["has_notices"], Value::Null);
    let expected = "ok: files are looked at every second or so: the settings ask for it \
                    (`watch: {mode: poll}`) = -";
    assert_eq!(checks(&json, "watching"), [expected]);
}

#[test]
fn where_nothing_can_be_written_the_probe_says_so() {
    let sandbox = healthy();
    sandbox.write(".orch/local", "in the way");
    let json = doctor(&sandbox, 0);
    assert_eq!(json["has_notices"], Value::Null);
    let told = checks(&json, "watching").join("\n");
    assert!(told.starts_with("warning: not known, as nothing can be written: "), "{told}");
    assert_eq!(std::fs::read_to_string(sandbox.path(".orch/local")).unwrap(), "in the way");
}

#[test]
fn a_held_index_and_a_rebase_are_told() {
    let sandbox = healthy();
    sandbox.write(".git/index.lock", "");
    sandbox.write(".git/rebase-merge/done", "");
    let json = doctor(&sandbox, 0);
    let told = checks(&json, "checkout");
    assert!(told[0].starts_with("ok: ") && told[0].contains("; a rebase is under way"), "{told:?}");
    assert!(told[1].starts_with("warning: index.lock is there for "), "{told:?}");
    assert!(told[1].contains(" = remove it if no git command runs: "), "{told:?}");
    assert!(json["index_locked_seconds"].as_u64().is_some_and(|age| age < 600), "{json}");
}

#[test]
fn without_git_the_folder_has_no_history() {
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "worker: {command: ./work}\n"),
        (".orch/tasks/a.md", "---\n---\n"),
    ]);
    let mut command = sandbox.command(&["doctor", "--json"]);
    let output = command.env("PATH", sandbox.path("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let git = checks(&json, "git");
    assert!(git[0].starts_with("warning: `git` cannot be started: "), "{git:?}");
    assert_eq!(json["git_version"], Value::Null);
    let executor = checks(&json, "executor");
    assert!(executor[0].starts_with("error: "), "{executor:?}");
    let checkout = checks(&json, "checkout");
    assert!(checkout[0].starts_with("warning: the folder lies in no git checkout"), "{checkout:?}");
}

#[test]
fn a_dead_lock_is_harmless() {
    let sandbox = healthy();
    let host = host_of(&sandbox);
    let lock = |host: &str| {
        format!(
            "{{\"pid\":999999,\"boot_id\":\"x\",\"started\":\"2026-11-20T10:00:00Z\",\"host\":\"{host}\"}}\n"
        )
    };
    sandbox.write(".orch/local/lock", &lock(&host));
    let told = checks(&doctor(&sandbox, 0), "lock");
    assert_eq!(
        told,
        [format!(
            "ok: nobody holds it; a dead coordinator left its name there (process 999999 on {host} \
             since 2026-11-20T10:00:00Z), which is harmless: the next coordinator takes it over = -"
        )]
    );
    sandbox.write(".orch/local/lock", &lock("elsewhere"));
    let told = checks(&doctor(&sandbox, 0), "lock");
    assert!(told[0].starts_with("warning: nobody on this machine holds it"), "{told:?}");
    // What is local and not kept out of git is told, too.
    let told = checks(&doctor(&sandbox, 0), "local");
    assert!(told[0].contains("has no .gitignore"), "{told:?}");
}

/// Returns the name of this machine as the lock knows it.
fn host_of(sandbox: &Sandbox) -> String {
    let store = orch::io::store::Store::at(sandbox.root());
    let lock = orch::io::store::Lock::take(&store, Default::default()).unwrap();
    let holder = orch::io::store::lock::holder(&store).unwrap().unwrap();
    drop(lock);
    holder.host
}

#[test]
fn missing_programs_are_told_with_those_who_want_them() {
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "max_workers: 1\n"),
        (".orch/roles/w.md", "---\nworker: {command: no-such-agent --fast}\n---\n"),
        (".orch/tasks/a.md", "---\nrole: w\n---\n"),
        (".orch/tasks/b.md", "---\nrole: w\n---\n"),
        (".orch/tasks/c.md", "---\n---\n"),
        (".orch/tasks/d.md", "---\nworker: {command: 'cd x && make'}\n---\n"),
        (".orch/tasks/e.md", "---\nworker: {command: [./tool, x]}\n---\n"),
        (".orch/tasks/f.md", "---\nstatus: done\n---\n"),
        ("tool", "#!/bin/sh\n"),
    ]);
    let json = doctor(&sandbox, 0);
    let help = "install it, put it on PATH, or change `worker: {command: …}`";
    assert_eq!(
        checks(&json, "workers"),
        [
            "ok: 0 programs found; 1 command for `sh -c`, not looked into = -".to_owned(),
            format!(
                "warning: `./tool` cannot be started: it is not executable; `chmod +x ./tool` \
                 makes it so (1 open task) = {help}"
            ),
            format!(
                "warning: `no-such-agent` cannot be started: no such program `no-such-agent` in \
                 PATH (1 role, 2 open tasks) = {help}"
            ),
            "warning: 1 open task without any command or agent = set `worker: {agent: …}` or \
             `worker: {command: …}` in \
             .orch/config.yaml, in a role or in the task"
                .to_owned(),
        ]
    );
}

#[test]
fn a_broken_plan_is_an_error() {
    let sandbox = healthy();
    sandbox.write(".orch/tasks/c.md", "---\ndepends_on: nothing\n---\n");
    let json = doctor(&sandbox, 1);
    assert_eq!((&json["n_errors"], &json["n_plan_errors"]), (&1.into(), &1.into()));
    assert_eq!(
        checks(&json, "plan"),
        ["error: 3 tasks, 1 error, 0 warnings = `orch check` shows each with its place"]
    );
    let output = sandbox.orch(&["doctor"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("\n    = help: `orch check` shows each"), "{}", output.stdout);
}

/// A coordinator that does not outlive its test.
struct Coordinator(Child);

impl Drop for Coordinator {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_coordinator_at_work_is_named_and_not_disturbed() {
    let sandbox = healthy();
    sandbox.write("work.sh", "exec sleep 600\n");
    let child = sandbox.command(&["run", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Coordinator(child);
    let lines = BufReader::new(child.0.stdout.as_mut().unwrap()).lines();
    let started = lines.map(Result::unwrap).find(|line| line.contains("\"event\":\"started\""));
    assert!(started.is_some(), "`orch run` started nothing");
    let json = doctor(&sandbox, 0);
    assert_eq!(json["coordinator"]["pid"], child.0.id());
    let told = checks(&json, "lock").join("\n");
    let expected = format!("ok: a coordinator is at work: process {} on ", child.0.id());
    assert!(told.starts_with(&expected), "{told}");
    assert!(checks(&json, "local")[0].ends_with("and is kept out of git = -"), "{json}");
    assert!(sandbox.orch(&["stop"]).text().contains("is told to stop"));
    assert_eq!(child.0.wait().unwrap().code(), Some(130));
}

#[test]
fn without_an_orch_folder_it_is_wrong_usage() {
    let error = Sandbox::new().orch(&["doctor"]).error(2);
    assert!(error.contains("`orch init` makes one"), "{error}");
}

#[test]
fn each_protection_is_told_with_what_to_do() {
    let sandbox = healthy();
    sandbox.write(
        ".orch/config.yaml",
        "env: {pass: [MY_TOKEN]}\nworker: {command: claude --dangerously-skip-permissions}\n",
    );
    sandbox.write(".orch/tasks/c.md", "---\nworker: {isolation: none}\n---\n");
    sandbox.write(".git/hooks/post-commit", "#!/bin/sh\n");
    sandbox.write(".orch/local/x", "");
    let told = sandbox.orch(&["doctor", "--security"]);
    let json = sandbox.orch(&["doctor", "--security", "--json"]);
    let view: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, told.code), (0, 0), "{}", told.stdout);
    let verdicts = |name: &str| {
        let all = checks(&view, name);
        all.iter().map(|check| check.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let expected = [
        ("owner", "ok"),
        ("isolation", "warning"),
        ("sandbox", "ok"),
        ("agents", "warning"),
        ("environment", "ok warning"),
        ("git", "ok"),
        ("local", "warning ok"),
        ("leftovers", "ok"),
        ("limits", "ok ok"),
    ];
    for (name, expected) in expected {
        assert_eq!(verdicts(name).join(" "), expected, "{name}: {}", told.stdout);
    }
    for part in ["--dangerously-skip-permissions", "MY_TOKEN", "with neither: c", "post-commit"] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    assert_eq!(view["n_errors"], 0);
}
