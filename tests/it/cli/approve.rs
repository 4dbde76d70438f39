//! `orch approve`.

use std::fs;

use super::{Sandbox, record};

fn sandbox() -> Sandbox {
    Sandbox::with(&[
        (".orch/tasks/gated.md", "---\nwaits_for: [approval, ci/build]\n---\n"),
        (".orch/tasks/plain.md", "---\n---\n"),
        (".orch/tasks/built.md", "---\nwaits_for: [ci/build]\n---\n"),
        (".orch/tasks/looked.md", "---\nwaits_for: [approval]\n---\n"),
        (".orch/events/approval/looked.yaml", "task: looked\n"),
        (".orch/runs/looked.1.yaml", &record("looked", 1, "review")),
        (".orch/tasks/after.md", "---\ndepends_on: [looked]\n---\n"),
    ])
}

#[test]
fn gates_open_one_by_one() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["approve", "gated", "--note", "fine"]).text();
    let expected = "gate `approval` of `gated` is open; the task is blocked\n  wrote \
                    .orch/events/approval/gated.yaml\n";
    assert_eq!(text, expected);
    let event = fs::read_to_string(sandbox.path(".orch/events/approval/gated.yaml")).unwrap();
    let expected = "kind: gate\ngate: approval\ntask: gated\nstate: pass\n";
    assert!(event.starts_with(expected) && event.ends_with("note: fine\n"), "{event}");
    let text = sandbox.orch(&["approve", "gated", "--gate", "ci/build"]).text();
    let expected = "gate `ci/build` of `gated` is open; the task is ready; `orch run` starts it\n";
    assert!(text.starts_with(expected), "{text}");
    let text = sandbox.orch(&["approve", "gated", "--reject"]).text();
    let expected = "gate `approval` of `gated` has failed; the task is blocked\n";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_failure_told_elsewhere_keeps_a_gate_shut() {
    let sandbox = sandbox();
    sandbox.write(".orch/events/ci.yaml", "gate: ci/build\ntask: built\nstate: fail\n");
    let json = sandbox.orch(&["approve", "built", "--gate", "ci/build", "--json"]).json();
    assert_eq!((&json[0]["is_open"], &json[0]["state"]), (&false.into(), &"blocked".into()));
}

#[test]
fn what_is_in_review_is_accepted() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["approve", "looked", "--reject"]).error(2);
    let expected = "error: attempt 1 of `looked` is in review, not behind a gate\n  = help: have \
                    it done again: `orch retry looked ";
    assert!(text.starts_with(expected), "{text}");
    let text = sandbox.orch(&["approve", "looked"]).text();
    let expected = "attempt 1 of `looked` is accepted; the task is done\n  wrote \
                    .orch/events/accept/looked.1.yaml\n";
    assert_eq!(text, expected);
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 5 tasks\n");
}

#[test]
fn nothing_to_approve_is_wrong_usage() {
    let sandbox = sandbox();
    let table: &[(&[&str], &str)] = &[
        (
            &["plain"],
            "error: there is nothing to approve: task `plain` is ready\n  = help: it waits for no \
             gate; `orch explain plain` says what is in its way\n",
        ),
        (
            &["built"],
            "error: there is nothing to approve: task `built` is blocked\n  = help: it waits for \
             `ci/build`: `orch approve built --gate ci/build` opens it by hand\n",
        ),
        (
            &["gated", "--gate", "ci/biuld"],
            "error: task `gated` does not wait for `ci/biuld`\n  = help: did you mean `ci/build`?\n",
        ),
        (&["gated", "plain"], "error: there is nothing to approve: task `plain`"),
    ];
    for (args, expected) in table {
        let text = sandbox.orch(&[&["approve"], *args].concat()).error(2);
        assert!(text.starts_with(expected), "{text}");
    }
    assert!(!sandbox.path(".orch/events/approval/gated.yaml").exists());
}
