//! A repository that belongs to another user: nothing of it is used before somebody trusts it.

use std::process::Command;

use super::{Repo, told};

/// Somebody else.
const OTHER: &str = "65534";

/// Returns a repository of somebody else; `None`, and why, where that cannot be had.
fn foreign() -> Option<Repo> {
    let words = ["config", "--system", "--get-all", "safe.directory"];
    let system = Command::new("git").args(words).output().unwrap();
    if !system.stdout.is_empty() {
        eprintln!("skipped: the settings of this machine trust repositories of others");
        return None;
    }
    let task = ("T", "worker: {command: 'echo work > new'}");
    let repo = Repo::new("max_workers: 1\n", &[task], &[]);
    let root = repo.root().to_str().unwrap();
    let given = Command::new("chown").args(["-R", OTHER, root]).output().unwrap();
    if !rustix::process::geteuid().is_root() || !given.status.success() {
        eprintln!("skipped: only root can give files to others");
        return None;
    }
    Some(repo)
}

#[test]
fn a_repository_of_another_user_is_refused_as_git_does() {
    let Some(repo) = foreign() else { return };
    let root = repo.root().display().to_string();
    let expected = format!(
        "error: the git repository in {root} belongs to another user\n  = help: if you trust whoever \
         that is: `git config --global --add safe.directory {root}`\n"
    );
    let refused: [&[&str]; 8] = [
        &["run", "--plain"],
        &["run", "--plain", "--branch=new"],
        &["watch", "--plain"],
        &["diff"],
        &["diff", "HEAD..HEAD"],
        &["log"],
        &["clean"],
        &["conflicts"],
    ];
    for words in refused {
        assert_eq!(repo.sandbox.orch(words).error(3), expected, "{words:?}");
    }
    assert!(!repo.path(".orch/local/worktrees").exists() && !repo.path("new").exists());

    // What reads files alone needs no git.
    for words in ["status", "list", "check", "plan", "graph", "show T", "explain T"] {
        repo.sandbox.orch(&words.split(' ').collect::<Vec<_>>()).text();
    }
    let doctor = repo.sandbox.orch(&["doctor"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    let line =
        "error    checkout      the git repository belongs to another user: nothing of it is used";
    assert!(doctor.stdout.contains(line), "{}", doctor.stdout);

    // And with what the help says it is a repository like any other.
    let trust = ["config", "--global", "--add", "safe.directory", &root];
    let trusted = Command::new("git").args(trust).env("HOME", repo.root()).output().unwrap();
    assert!(trusted.status.success(), "{}", told(&trusted));
    let output = repo.run();
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("land      T on plan as "), "{}", told(&output));
    repo.sandbox.orch(&["diff", "HEAD^..HEAD"]).text();
}
