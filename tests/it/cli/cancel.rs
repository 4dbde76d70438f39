//! `orch cancel`.

use std::fs;

use super::{
    Sandbox, record,
    run::{plan, read, start, wait_for},
};

#[test]
fn dependents_of_a_cancelled_task_are_named() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\n# mine\npriority: high\n---\nbody"),
        (".orch/tasks/b.md", "---\ndepends_on: [a]\n---\n"),
        (".orch/tasks/c.md", "---\ndepends_on: [b]\n---\n"),
        (".orch/tasks/d.md", "---\n---\n"),
    ]);
    let expected = "\
`a` is cancelled
  set `status: cancelled` in .orch/tasks/a.md
blocked by it: `b`, `c`; take it out of their `depends_on`
";
    assert_eq!(sandbox.orch(&["cancel", "a", "a"]).text(), expected);
    let file = fs::read_to_string(sandbox.path(".orch/tasks/a.md")).unwrap();
    assert_eq!(file, "---\n# mine\npriority: high\nstatus: cancelled\n---\nbody");
    let json = sandbox.orch(&["cancel", "a", "--json"]).json();
    let task = serde_json::json!({"task": "a", "edited": null, "is_running": false});
    assert_eq!(json, serde_json::json!({"tasks": [task], "blocked": []}));
}

#[test]
fn a_done_task_is_not_cancelled() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\n---\n"),
        (".orch/tasks/b.md", "---\n---\n"),
        (".orch/runs/b.1.yaml", &record("b", 1, "succeeded")),
    ]);
    let text = sandbox.orch(&["cancel", "a", "b"]).error(2);
    assert!(text.starts_with("error: task `b` is done\n"), "{text}");
    assert_eq!(fs::read_to_string(sandbox.path(".orch/tasks/a.md")).unwrap(), "---\n---\n");
}

#[test]
fn what_runs_for_a_removed_task_is_stopped_and_not_started_again() {
    // Without `a`, the second plan has errors and is not taken over.
    for keys in ["", "depends_on: [a]"] {
        let sandbox = plan(&[("a", "worker: {command: touch up; sleep 60}"), ("b", keys)]);
        sandbox.write(".orch/config.yaml", "max_workers: 1\nworker: {command: sleep 60}\n");
        let mut child = start(&sandbox, &["run"]);
        wait_for("the worker", || sandbox.path("up").exists());
        fs::remove_file(sandbox.path(".orch/tasks/a.md")).unwrap();
        let text = sandbox.orch(&["cancel", "b", "c"]).error(2);
        assert!(text.starts_with("error: no task has the id `c`\n"), "{text}");
        let text = sandbox.orch(&["cancel", "a", "b", "a"]).text();
        let expected = "\
attempt 1 of `a` is being stopped (its file is gone)
  wrote .orch/events/cancel/a.1.yaml
`b` is cancelled
  set `status: cancelled` in .orch/tasks/b.md
";
        assert_eq!(text, expected, "{keys}");
        child.wait().unwrap();
        let record = read(&sandbox, ".orch/runs/a.1.yaml");
        assert!(record.contains("outcome: cancelled\n"), "{record}");
        assert!(!sandbox.path(".orch/runs/a.2.yaml").exists(), "{keys}");
        let text = sandbox.orch(&["cancel", "a"]).error(2);
        assert!(text.starts_with("error: no task has the id `a`\n"), "{text}");
    }
}

#[test]
fn without_a_coordinator_nothing_of_a_removed_task_is_left_to_stop() {
    let record = record("a", 1, "lost");
    let lines = record.lines().filter(|line| {
        !["outcome", "reason", "ended"].iter().any(|key| line.starts_with(&format!("{key}:")))
    });
    let unended = lines.collect::<Vec<_>>().join("\n");
    let sandbox =
        Sandbox::with(&[(".orch/tasks/b.md", "---\n---\n"), (".orch/runs/a.1.yaml", &unended)]);
    let text = sandbox.orch(&["cancel", "a"]).error(2);
    assert!(text.starts_with("error: no task has the id `a`\n"), "{text}");
    assert!(!sandbox.path(".orch/events").exists());
}
