//! `orch cancel`.

use std::fs;

use super::{Sandbox, record};

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
