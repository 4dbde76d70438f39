//! Where no sandbox can be made: who asks for one is not started, the others go on.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{Run, Yard, is_possible, printed};
use crate::cli::wait_for;

/// What programs a plan needs here.
const PROGRAMS: [&str; 8] = ["sh", "git", "true", "touch", "cat", "sleep", "rm", "env"];

const TASKS: [(&str, &str); 3] = [
    ("a", "worker: {command: touch a, isolation: sandbox}"),
    ("b", "depends_on: [a]\nworker: {command: touch b}"),
    ("c", "worker: {command: touch c}"),
];

/// Makes a folder of programs in which `bwrap` is what stands here; none where there is nothing.
fn programs(yard: &Yard, bwrap: Option<&str>) -> PathBuf {
    let folder = yard.outside.path().join("programs");
    fs::create_dir_all(&folder).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for name in PROGRAMS {
        let mut places = std::env::split_paths(&path).map(|place| place.join(name));
        let place = places.find(|place| place.exists()).unwrap();
        symlink(place, folder.join(name)).unwrap();
    }
    if let Some(text) = bwrap {
        yard.script("bwrap", &format!("#!/bin/sh\n{text}\n"));
        fs::rename(yard.sandbox.path("bwrap"), folder.join("bwrap")).unwrap();
    }
    folder
}

/// Runs a command of `orch` with no programs but those in a folder.
fn orch(yard: &Yard, programs: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = yard.command(arguments).env("PATH", programs).output().unwrap();
    (output.status.code(), printed(&output))
}

#[test]
fn who_asks_for_a_sandbox_is_not_started_and_the_others_go_on() {
    let refusals = [
        (None, "there is no sandbox here: no such program `bwrap` in PATH", "bubblewrap"),
        (
            Some("echo 'bwrap: No permissions to create new namespace' >&2; exit 1"),
            "no sandbox can be made here: bwrap: No permissions to create new namespace",
            "namespaces",
        ),
    ];
    for (bwrap, cause, help) in refusals {
        let yard = Yard::new("", &TASKS);
        yard.commit();
        let programs = programs(&yard, bwrap);
        let (code, text) = orch(&yard, &programs, &["run", "--plain"]);
        assert_eq!(code, Some(1), "{text}");
        for part in [cause, help, "finished: 1 of 3 tasks done"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(yard.sandbox.path("c").exists() && !yard.sandbox.path("a").exists());
        assert!(!yard.sandbox.path(".orch/runs/a.1.yaml").exists(), "an attempt was used up");
        let (_, told) = orch(&yard, &programs, &["explain", "a"]);
        assert!(told.contains(cause) && told.contains(help), "{told}");
        let (_, told) = orch(&yard, &programs, &["doctor"]);
        assert!(told.contains(cause) && told.contains(help), "{told}");
        let (code, told) = orch(&yard, &programs, &["check"]);
        assert!(code == Some(0) && told.contains(cause), "{told}");
    }
}

#[test]
fn it_goes_on_once_there_is_one() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &TASKS);
    yard.commit();
    let programs = programs(&yard, None);
    let mut command = yard.command(&["run", "--plain", "--wait"]);
    command.env("PATH", &programs);
    let run = Run::start(command);
    wait_for("the others", || yard.sandbox.path("c").exists());
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|place| place.join("bwrap"));
    symlink(places.find(|place| place.exists()).unwrap(), programs.join("bwrap")).unwrap();
    let text = run.end();
    assert!(text.contains("done: 3 of 3 tasks done · 3 attempts"), "{text}");
}

#[test]
fn without_a_git_repository_there_is_nothing_to_enclose() {
    let yard = Yard::new("", &TASKS);
    fs::remove_dir_all(yard.sandbox.path(".git")).unwrap();
    let output = yard.run();
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("task a asks for a worktree"), "{}", printed(&output));
    assert!(!yard.sandbox.path("a").exists());
}
