//! `orch run` where the world fails under its feet.

use std::{
    fs,
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::supervisor;

use super::run::{PATIENCE, plan, read, signal, start, wait_for};

/// Waits until a run that must end has ended, and returns its exit code.
fn exit_code(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("the run never ended");
}

#[test]
fn a_run_ends_where_the_endings_of_two_workers_cannot_be_written() {
    let worker =
        "worker: {command: 'echo $$ > pid.$ORCH_TASK_ID; while test ! -e go; do sleep 0.01; done'}";
    let sandbox = plan(&[("a", worker), ("b", worker)]);
    let child = start(&sandbox, &["run"]);
    let pids = || ["a", "b"].map(|id| read(&sandbox, &format!("pid.{id}")).trim().to_owned());
    wait_for("both workers", || pids().iter().all(|pid| !pid.is_empty()));
    // Both endings come in one turn: the loop sleeps until both workers are dead.
    signal(&child, Signal::STOP);
    fs::remove_dir_all(sandbox.path(".orch/runs")).unwrap();
    sandbox.write(".orch/runs", "");
    sandbox.write("go", "");
    let is_gone = |pid: &String| {
        let ps = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
        ps.unwrap().stdout.is_empty()
    };
    wait_for("the end of both workers", || pids().iter().all(is_gone));
    signal(&child, Signal::CONT);
    assert_eq!(exit_code(child), Some(3));
}

#[test]
fn a_run_whose_folder_was_removed_can_be_stopped() {
    for gone in [".orch", ".orch/local"] {
        let sandbox = plan(&[("a", "worker: {command: 'touch up; sleep 600'}")]);
        let child = start(&sandbox, &["run"]);
        wait_for("the worker", || sandbox.path("up").exists());
        fs::remove_dir_all(sandbox.path(gone)).unwrap();
        signal(&child, Signal::INT);
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{gone}: {text}");
        assert!(text.contains("stopped while `.orch` was not in its place"), "{gone}: {text}");
    }
}

#[test]
fn a_run_that_still_stops_what_another_left_can_be_stopped() {
    let worker = "worker: {command: 'trap \"\" TERM; touch up; while test ! -e go; do sleep 0.05; done; touch down'}";
    let sandbox = plan(&[("a", worker)]);
    sandbox.write(".orch/config.yaml", "worker: {grace: 10m}\n");
    let mut first = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(supervisor::signal_all(sandbox.root(), Signal::KILL), 1);
    let second = start(&sandbox, &["run"]);
    wait_for("the lock", || read(&sandbox, ".orch/local/lock").contains(&second.id().to_string()));
    signal(&second, Signal::INT);
    assert_eq!(exit_code(second), Some(130));
    sandbox.write("go", "");
    wait_for("the end of the worker", || sandbox.path("down").exists());
    assert!(!sandbox.path(".orch/runs/a.2.yaml").exists());
}
