//! `orch retry`.

use std::fs;

use super::{Sandbox, record};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "retry: {max_attempts: 1}\n"),
        (".orch/tasks/fails.md", "---\r\ntitle: Fails # why?\r\nodd: [1]\r\n---\r\nbody"),
        (".orch/tasks/done.md", "---\n---\n"),
        (".orch/tasks/kept.md", "---\nstatus: cancelled # no\nx: 1\n---\nbody\n"),
        (".orch/tasks/todo.md", "---\ndepends_on: [fails]\n---\n"),
        (".orch/tasks/lines.md", "---\nstatus: |-\n  hold\n---\n"),
    ]);
    sandbox.write(".orch/runs/fails.1.yaml", &record("fails", 1, "failed"));
    sandbox.write(".orch/runs/fails.2.yaml", &record("fails", 2, "failed"));
    sandbox.write(".orch/runs/done.1.yaml", &record("done", 1, "succeeded"));
    sandbox
}

#[test]
fn a_failed_task_is_ready_again() {
    let sandbox = sandbox();
    let before = fs::read(sandbox.path(".orch/tasks/fails.md")).unwrap();
    let text = sandbox.orch(&["retry", "fails", "--note", "look at\nthe \"log\""]).text();
    let expected =
        "`fails` is ready: `orch run` tries it again\n  wrote .orch/events/retry/fails.2.yaml\n";
    assert_eq!(text, expected);
    let event = fs::read_to_string(sandbox.path(".orch/events/retry/fails.2.yaml")).unwrap();
    assert!(event.starts_with("kind: retry\ntask: fails\nafter: 2\n"), "{event}");
    assert!(
        event.contains("\nat: 20") && event.ends_with("note: \"look at\\nthe \\\"log\\\"\"\n"),
        "{event}"
    );
    assert_eq!(fs::read(sandbox.path(".orch/tasks/fails.md")).unwrap(), before);
}

#[test]
fn the_word_of_the_author_is_taken_back_and_nothing_else() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["retry", "kept"]).text();
    let expected =
        "`kept` is ready: `orch run` tries it again\n  set `status: todo` in .orch/tasks/kept.md\n";
    assert_eq!(text, expected);
    let file = fs::read_to_string(sandbox.path(".orch/tasks/kept.md")).unwrap();
    assert_eq!(file, "---\nstatus: todo # no\nx: 1\n---\nbody\n");
}

#[test]
fn what_is_done_needs_force() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["retry", "fails", "done"]).error(2);
    let expected = "error: task `done` is done by attempt 1\n  = help: to have it done once more, \
                    add `--force`\n";
    assert_eq!(text, expected);
    assert!(!sandbox.path(".orch/events").exists(), "one that is refused stops all");
    let json = sandbox.orch(&["retry", "done", "--force", "--json"]).json();
    let expected = serde_json::json!([{
        "task": "done", "after": 1, "event": ".orch/events/retry/done.1.yaml", "edited": null,
        "state": "ready", "is_live": false
    }]);
    assert_eq!(json, expected);
}

#[test]
fn what_cannot_be_tried_again_is_refused() {
    let sandbox = sandbox();
    let table = [
        ("todo", 2, "error: task `todo` was never tried: it is blocked\n  = help: `orch explain"),
        ("fials", 2, "error: no task has the id `fials`\n  = help: did you mean `fails`?\n"),
        ("lines", 3, "error: failed to edit .orch/tasks/lines.md: `status` is not a single value "),
    ];
    for (id, code, expected) in table {
        let text = sandbox.orch(&["retry", id]).error(code);
        assert!(text.starts_with(expected), "{text}");
    }
}
