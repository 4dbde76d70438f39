//! `orch event`.

use std::fs;

use super::{Sandbox, record};

fn sandbox() -> Sandbox {
    Sandbox::with(&[
        (".orch/tasks/a.md", "---\nwaits_for: [ci/build]\n---\n"),
        (".orch/tasks/b.md", "---\nwaits_for: [ci/build, approval]\n---\n"),
        (".orch/tasks/c.md", "---\n---\n"),
        (".orch/runs/c.1.yaml", &record("c", 1, "review")),
        (".orch/status/c.1.md", "---\nstate: blocked\nwaiting_for: review/legal\n---\n"),
    ])
}

#[test]
fn a_gate_opens_and_fails_for_all_and_for_one() {
    let sandbox = sandbox();
    let text = sandbox.orch(&["event", "ci/build", "--note", "run 7"]).text();
    let path = ".orch/events/ci/build.yaml";
    let expected = format!(
        "gate `ci/build` is open: `a` is ready, `b` is blocked; `orch run` starts what is ready\n  \
         wrote {path}\n"
    );
    assert_eq!(text, expected);
    let event = fs::read_to_string(sandbox.path(path)).unwrap();
    assert!(event.starts_with("kind: gate\ngate: ci/build\nstate: pass\n"), "{event}");
    let text = sandbox.orch(&["event", "ci/build", "--pass"]).text();
    assert!(text.starts_with("gate `ci/build` is open already: `a` is ready"), "{text}");
    assert!(text.ends_with(&format!("  kept {path}\n")), "{text}");
    assert_eq!(fs::read_to_string(sandbox.path(path)).unwrap(), event);
    let text = sandbox.orch(&["event", "ci/build", "--fail", "--task", "a"]).text();
    let expected =
        "gate `ci/build` of `a` has failed: `a` is blocked\n  wrote .orch/events/ci/build/a.yaml\n";
    assert_eq!(text, expected);
    let json = sandbox.orch(&["event", "ci/build", "--fail", "--json"]).json();
    assert_eq!((&json[0]["word"], &json[0]["is_new"]), (&"fail".into(), &true.into()));
    assert_eq!(json[0]["tasks"][1]["gate"], "failed");
    assert_eq!(sandbox.orch(&["check"]).text(), "no faults in 3 tasks\n");
}

#[test]
fn all_gates_are_listed() {
    let sandbox = sandbox();
    sandbox.orch(&["event", "ci/build", "--task", "a"]).text();
    sandbox.orch(&["event", "ci/build", "--fail", "--task", "b"]).text();
    let text = sandbox.orch(&["event", "--list"]).text();
    let expected = "GATE          STATE  OPEN FOR   FAILED FOR   WAITED FOR BY\n\
                    approval      shut                           b (blocked)\n\
                    ci/build      shut   a (ready)  b (blocked)\n\
                    review/legal  shut                           c (review)\n";
    assert_eq!(text, expected);
    let json = sandbox.orch(&["event", "--list", "--json"]).json();
    assert_eq!(
        (&json[1]["gate"], &json[1]["tasks"][0]["gate"]),
        (&"ci/build".into(), &"open".into())
    );
    let bare = Sandbox::with(&[(".orch/tasks/a.md", "---\n---\n")]);
    assert_eq!(bare.orch(&["event", "--list"]).text(), "no task waits for a gate\n");
}

#[test]
fn what_nobody_waits_for_is_written_with_a_warning() {
    let sandbox = sandbox();
    let output = sandbox.orch(&["event", "ci/biuld"]);
    let expected = "warning: no task waits for `ci/biuld`\n  = help: did you mean `ci/build`?\n";
    assert_eq!((output.code, output.stderr.as_str()), (0, expected));
    assert_eq!(output.stdout, "gate `ci/biuld` is open\n  wrote .orch/events/ci/biuld.yaml\n");
    let output = sandbox.orch(&["event", "ci/build", "--task", "c"]);
    assert_eq!(output.stderr, "warning: task `c` does not wait for `ci/build`\n");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let sandbox = sandbox();
    sandbox.write(".orch/events/x/a.yaml", "gate: other\n");
    let table: &[(&[&str], &str)] = &[
        (
            &["ci/build", "--task", "d"],
            "error: no task has the id `d`\n  = help: `orch list` shows all tasks\n",
        ),
        (
            &["../x"],
            "error: invalid value '../x' for '[NAME]': write it as `approval` or `ci/build`",
        ),
        (&["ci", "--pass", "--fail"], "error: the argument '--pass' cannot be used with '--fail'"),
        (&[], "error: the following required arguments were not provided"),
        (&["--list", "ci"], "error: the argument '--list' cannot be used with '[NAME]'"),
        (
            &["retry/x"],
            "error: `retry/…` is kept for what `orch retry` and `orch approve` say\n  = help: choose ",
        ),
        (
            &["x", "--task", "a"],
            "error: `.orch/events/x/a.yaml` speaks of something else already\n  = help: look at it",
        ),
        (
            &["x.tmp", "--task", "a"],
            "error: `.orch/events/x.tmp/a.yaml` would not be read as an event",
        ),
    ];
    for (args, expected) in table {
        let text = sandbox.orch(&[&["event"], *args].concat()).error(2);
        assert!(text.starts_with(expected), "{text}");
    }
}
