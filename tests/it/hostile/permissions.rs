//! What is local is closed to other users, whatever the umask; and root is told where it should be
//! somebody else.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::{Command, Stdio},
};

use super::{after, listing};
use crate::cli::{Sandbox, read, start, wait_for};

/// Somebody else.
const OTHER: &str = "65534";

/// What another user may try on a plan. `$PID` is the coordinator.
const TRIES: [&str; 22] = [
    "ls .orch/local",
    "cat .orch/local/lock",
    "cat .orch/local/logs/a/1.log",
    "cat .orch/local/prompts/a.1.md",
    "cat .orch/local/journal.jsonl",
    "cat .orch/local/supervisors/*.jsonl",
    "ls .orch/local/worktrees",
    "echo x > .orch/local/lock",
    "echo x >> .orch/local/logs/a/1.log",
    "echo x > .orch/local/new",
    "mkdir .orch/local/spare2",
    "rm -f .orch/local/lock && test ! -e .orch/local/lock && false",
    "mv .orch/local .orch/gone",
    "ln -s /tmp .orch/local/link",
    "ln -s /tmp .orch/tasks/link",
    "chmod 777 .orch/local",
    "flock -n .orch/local true",
    "echo 'state: pass' > .orch/events/approval.yaml",
    "echo 'outcome: succeeded' > .orch/runs/a.2.yaml",
    "echo > .orch/tasks/evil.md",
    "echo 'worker: {command: x}' > .orch/config.yaml",
    "kill -9 $PID",
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn plan(config: &str) -> Sandbox {
    Sandbox::with(&[
        (".orch/config.yaml", config),
        (
            ".orch/tasks/a.md",
            "---\nworker: {command: 'echo here; until test -e go; do sleep 0.02; done'}\n\
             completion: {verify: ['true']}\n---\nThe prompt.\n",
        ),
    ])
}

#[test]
fn what_is_local_is_closed_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let sandbox = plan("hooks: {done: echo hook}\n");
        // As an earlier version, or somebody else, may have left it.
        sandbox.write(".orch/local/lock", "");
        fs::set_permissions(sandbox.path(".orch/local"), fs::Permissions::from_mode(0o777))
            .unwrap();
        sandbox.write("go", "");
        for args in [&["run"][..], &["retry", "a"], &["run", "--detach"], &["wait"]] {
            after(&format!("umask {umask}"), &sandbox, args).output().unwrap();
        }
        assert_eq!(mode(&sandbox.path(".orch/local")), 0o700, "{umask}");
        for path in
            ["logs/a/1.log", "logs/@hooks.log", "run.log", "journal.jsonl", "prompts/a.1.md"]
        {
            let path = sandbox.path(".orch/local").join(path);
            if path.exists() {
                assert_eq!(mode(&path), 0o600, "{umask}: {}", path.display());
            }
        }
        assert!(sandbox.path(".orch/local/run.log").exists());
        assert!(sandbox.path(".orch/local/logs/@hooks.log").exists());
        for path in listing(&sandbox.path(".orch")).keys() {
            let about = fs::symlink_metadata(path).unwrap();
            assert!(!about.file_type().is_socket(), "{umask}: {}", path.display());
            let is_made_here = !path.starts_with(sandbox.path(".orch/tasks"));
            assert!(about.mode() & 0o002 == 0 || !is_made_here, "{umask}: {}", path.display());
        }
    }
}

#[test]
fn another_user_can_do_nothing_to_a_run() {
    let can_be = |user: &str| {
        let mut as_other = Command::new("setpriv");
        as_other.args(["--reuid", user, "--regid", user, "--clear-groups", "true"]);
        as_other.status().is_ok_and(|status| status.success())
    };
    if !rustix::process::geteuid().is_root() || !can_be(OTHER) {
        eprintln!("skipped: only root can be another user, and `setpriv` makes it one");
        return;
    }
    let sandbox = plan("max_workers: 1\n");
    fs::set_permissions(sandbox.root(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(sandbox.path(".orch/events")).unwrap();
    let run = start(&sandbox, &["run", "--plain"]);
    wait_for("the worker", || read(&sandbox, ".orch/local/logs/a/1.log").contains("here"));
    let files = || listing(&sandbox.path(".orch"));
    let before = files();
    for attempt in TRIES {
        let mut other = Command::new("setpriv");
        other.args(["--reuid", OTHER, "--regid", OTHER, "--clear-groups", "sh", "-c", attempt]);
        other.current_dir(sandbox.root()).env("PID", run.id().to_string()).stdin(Stdio::null());
        let output = other.output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{attempt}: {output:?}");
    }
    // What is not local can be looked at as far as the user lets others: `orch` works for them, too.
    let orch = sandbox.command(&["list"]);
    let mut other = Command::new("setpriv");
    other.args(["--reuid", OTHER, "--regid", OTHER, "--clear-groups"]).arg(orch.get_program());
    let seen = other.arg("list").current_dir(sandbox.root()).env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&[&seen.stdout[..], &seen.stderr].concat()).into_owned();
    assert_ne!(seen.status.code(), Some(101), "{said}");
    // Only what the run itself goes on writing is another.
    let own = |path: &Path| path.starts_with(sandbox.path(".orch/local"));
    let changed: Vec<_> = files()
        .into_iter()
        .filter(|(path, about)| before.get(path) != Some(about) && !own(path))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
    sandbox.write("go", "");
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn root_is_told_where_it_should_be_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: this is about root");
        return;
    }
    let told = |sandbox: &Sandbox, args: &[&str], caller: Option<&str>| {
        let mut command = sandbox.command(args);
        command.envs(caller.map(|uid| ("SUDO_UID", uid)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let warning = |user: &str| {
        format!(
            "warning: workers run as root here, and what they write will be root's; run this as \
             user {user}, who it is for\n"
        )
    };
    let sandbox = plan("");
    sandbox.write("go", "");
    let run = &["run", "--plain"][..];
    assert_eq!(told(&sandbox, run, None), "");
    assert_eq!(told(&sandbox, run, Some("0")), "");
    assert_eq!(told(&sandbox, run, Some("not a number")), "");
    assert_eq!(told(&sandbox, run, Some("1000")), warning("1000"));
    assert_eq!(told(&sandbox, &["run", "--json"], Some("1000")), warning("1000"));
    assert_eq!(told(&sandbox, &["list"], Some("1000")), "");
    std::os::unix::fs::chown(sandbox.root(), Some(65534), None).unwrap();
    assert_eq!(told(&sandbox, run, None), warning(OTHER));
    assert_eq!(told(&sandbox, &["status"], None), "");
}
