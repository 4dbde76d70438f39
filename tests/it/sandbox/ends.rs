//! How workers in sandboxes end: by themselves, asked or killed, and what is left of them: nothing.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use super::{Run, Yard, is_possible};
use crate::{
    cli::{signal, wait_for},
    supervisor,
};

const CONFIG: &str = "worker: {grace: 500ms, isolation: sandbox}\nretry: {max_attempts: 1}\n";

/// Returns a time to sleep for that nobody else on this machine sleeps for.
fn own_time() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("1000.{}{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Makes a plan of one task whose worker is this script.
fn yard(script: &str, keys: &str) -> Yard {
    let yard = Yard::new(CONFIG, &[("a", &format!("worker: {{command: ./work.sh}}\n{keys}"))]);
    yard.script("work.sh", &format!("#!/bin/sh\n{script}\n"));
    yard.commit();
    yard
}

/// A worker that hears nothing, with a child that got rid of everything that tells whose it is.
fn stubborn(time: &str) -> String {
    format!(
        "trap '' TERM INT HUP\nenv -i setsid sh -c \"trap '' TERM; touch up; exec sleep {time}\" &\n\
         wait; sleep {time}"
    )
}

fn wait_until_up(yard: &Yard) {
    let up = yard.sandbox.path(".orch/local/worktrees/a/up");
    wait_for("the worker", || up.exists());
}

fn assert_nothing_is_left(time: &str) {
    wait_for("the end of all processes", || Yard::with_argument(time).is_empty());
}

#[test]
fn who_is_cancelled_leaves_nothing() {
    if !is_possible() {
        return;
    }
    let time = own_time();
    let yard = yard(&stubborn(&time), "");
    let run = Run::start(yard.command(&["run", "--plain"]));
    wait_until_up(&yard);
    let cancelled = yard.command(&["cancel", "a"]).output().unwrap();
    assert!(cancelled.status.success());
    let text = run.end();
    assert!(yard.ending("a.1").starts_with("cancelled: "), "{text}");
    assert_nothing_is_left(&time);
}

#[test]
fn whose_time_is_over_leaves_nothing() {
    if !is_possible() {
        return;
    }
    let time = own_time();
    let yard = yard(&stubborn(&time), "");
    let task = "---\nworker: {command: ./work.sh, timeout: 500ms}\n---\n";
    yard.sandbox.write(".orch/tasks/a.md", task);
    let text = Run::start(yard.command(&["run", "--plain"])).end();
    assert_eq!(yard.ending("a.1"), "failed: timed out after 500ms", "{text}");
    assert_nothing_is_left(&time);
}

#[test]
fn who_ends_leaves_nothing_and_its_work_lands() {
    if !is_possible() {
        return;
    }
    let time = own_time();
    let script = format!(
        "env -i setsid sh -c \"touch up; exec sleep {time}\" &\n\
         while test ! -e up; do sleep 0.01; done; rm up; echo done > work"
    );
    let yard = yard(&script, "");
    let text = Run::start(yard.command(&["run", "--plain"])).end();
    assert_eq!(yard.ending("a.1"), "succeeded: exit code 0", "{text}");
    assert_eq!(yard.read("work"), "done\n");
    assert_nothing_is_left(&time);
}

#[test]
fn a_check_whose_time_is_over_leaves_nothing() {
    if !is_possible() {
        return;
    }
    let time = own_time();
    let check = format!("trap '' TERM; setsid sleep {time} & sleep {time}");
    let keys = format!("completion: {{verify: [\"{check}\"], timeout: 500ms}}");
    let yard = yard("echo done > work", &keys);
    let text = Run::start(yard.command(&["run", "--plain"])).end();
    assert!(yard.ending("a.1").ends_with(" failed: timed out after 500ms"), "{text}");
    assert_nothing_is_left(&time);
}

#[test]
fn who_is_asked_to_stop_may_tidy_up_first() {
    if !is_possible() {
        return;
    }
    let script = "trap 'echo tidied; exit 3' TERM\ntouch up; while :; do sleep 0.02; done";
    let yard = yard(script, "worker: {command: ./work.sh, grace: 60s}");
    let task = "---\nworker: {command: ./work.sh, grace: 60s}\n---\n";
    yard.sandbox.write(".orch/tasks/a.md", task);
    let mut run = Run::start(yard.command(&["run", "--plain"]));
    wait_until_up(&yard);
    signal(run.child(), Signal::INT);
    let text = run.end();
    assert!(yard.ending("a.1").starts_with("interrupted: "), "{text}");
    let log = yard.read(".orch/local/logs/a/1.log");
    assert!(log.ends_with("tidied\n"), "{log}");
}

#[test]
fn the_next_coordinator_takes_up_what_runs_in_a_sandbox() {
    if !is_possible() {
        return;
    }
    let script = "touch up; while test ! -e go; do sleep 0.02; done; rm up go; echo done > work";
    // Nobody outside could write there.
    let yard = yard(script, "completion: {verify: ['! touch /etc/orch-escape']}");
    let mut run = Run::start(yard.command(&["run", "--plain"]));
    wait_until_up(&yard);
    signal(run.child(), Signal::KILL);
    run.end();
    let next = Run::start(yard.command(&["run", "--plain"]));
    wait_for("the next coordinator", || {
        yard.command(&["status", "--json"]).output().is_ok_and(|output| {
            let view: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            !view["coordinator"].is_null()
        })
    });
    yard.sandbox.write(".orch/local/worktrees/a/go", "");
    let text = next.end();
    assert_eq!(yard.ending("a.1"), "succeeded: exit code 0, verify command passed", "{text}");
    assert_eq!(yard.read("work"), "done\n");
    assert!(!yard.sandbox.path(".orch/runs/a.2.yaml").exists());
}

#[test]
fn a_sandbox_ends_with_its_supervisor() {
    if !is_possible() {
        return;
    }
    let time = own_time();
    let yard = yard(&stubborn(&time), "");
    let run = Run::start(yard.command(&["run", "--plain"]));
    wait_until_up(&yard);
    assert_eq!(supervisor::signal_all(yard.root(), Signal::KILL), 1);
    assert_nothing_is_left(&time);
    drop(run);
}
