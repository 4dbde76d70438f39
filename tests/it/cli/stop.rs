//! `orch stop`, and what the other commands that write do while a coordinator is at work.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use super::Sandbox;

/// A plan whose first task ends only when it is told to.
fn sandbox() -> Sandbox {
    Sandbox::with(&[
        (".orch/config.yaml", "worker: {command: sleep 600, grace: 10m}\n"),
        (".orch/tasks/a.md", "---\n---\n"),
        (".orch/tasks/b.md", "---\ndepends_on: [a]\n---\n"),
    ])
}

/// A coordinator that does not outlive its test.
struct Coordinator(Child);

impl Drop for Coordinator {
    fn drop(&mut self) {
        // It may have ended, as it should.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts `orch run` and waits until it says that a worker was started.
fn start(sandbox: &Sandbox) -> Coordinator {
    let child = sandbox.command(&["run", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Coordinator(child);
    let lines = BufReader::new(child.0.stdout.as_mut().unwrap()).lines();
    let started = lines.map(Result::unwrap).find(|line| line.contains("\"event\":\"started\""));
    assert!(started.is_some(), "`orch run` started nothing");
    child
}

#[test]
fn without_a_coordinator_there_is_nothing_to_stop() {
    assert_eq!(sandbox().orch(&["stop"]).text(), "no coordinator is at work here\n");
    let json = sandbox().orch(&["stop", "--json"]).json();
    assert_eq!(json, serde_json::json!({ "coordinator": null, "attempts": [] }));
}

#[test]
fn the_coordinator_stops_politely_and_at_once() {
    for args in [&["stop"][..], &["stop", "--now"]] {
        let sandbox = sandbox();
        let mut child = start(&sandbox);
        let text = sandbox.orch(args).text();
        assert!(text.starts_with(&format!("the coordinator, process {}", child.0.id())), "{text}");
        assert_eq!(child.0.wait().unwrap().code(), Some(130));
        assert_eq!(sandbox.orch(&["stop"]).text(), "no coordinator is at work here\n");
    }
}

#[test]
fn a_running_task_is_cancelled_not_retried() {
    let sandbox = sandbox();
    let mut child = start(&sandbox);
    let text = sandbox.orch(&["retry", "a"]).error(2);
    let expected = "error: task `a` is running\n  = help: stop it first: `orch cancel a`\n";
    assert_eq!(text, expected);
    let text = sandbox.orch(&["cancel", "a"]).text();
    let expected = "`a` is cancelled; the running coordinator stops its worker\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("\nblocked by it: `b`;"), "{text}");
    // Nothing is left to be done: it ends by itself.
    assert_eq!(child.0.wait().unwrap().code(), Some(1));
}

#[test]
fn workers_that_a_coordinator_left_are_stopped_without_one() {
    for args in [&["stop"][..], &["stop", "--now"]] {
        let sandbox = sandbox();
        let mut child = start(&sandbox);
        super::signal(&child.0, rustix::process::Signal::TERM);
        assert_eq!(child.0.wait().unwrap().code(), Some(0));
        assert!(sandbox.orch(&["status"]).text().contains("1 running"));
        let text = sandbox.orch(args).text();
        assert!(text.ends_with("the workers that it left were stopped: a.1\n"), "{text}");
        let record = std::fs::read_to_string(sandbox.path(".orch/runs/a.1.yaml")).unwrap();
        assert!(record.contains("outcome: interrupted\n"), "{record}");
        assert_eq!(sandbox.orch(&["stop"]).text(), "no coordinator is at work here\n");
    }
}

#[test]
fn a_task_that_was_cancelled_while_nobody_was_there_is_stopped_by_the_next_run() {
    let sandbox = sandbox();
    let worker = "worker: {command: 'touch up; exec sleep 600', grace: 1s}\n";
    sandbox.write(".orch/config.yaml", worker);
    let mut child = start(&sandbox);
    super::wait_for("the worker", || sandbox.path("up").exists());
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    assert!(sandbox.orch(&["cancel", "a"]).text().starts_with("`a` is cancelled"));
    assert_eq!(sandbox.orch(&["run", "--plain"]).code, 1);
    let record = std::fs::read_to_string(sandbox.path(".orch/runs/a.1.yaml")).unwrap();
    assert!(record.contains("outcome: cancelled\n"), "{record}");
    assert!(!sandbox.path(".orch/runs/a.2.yaml").exists());
}
