//! `orch wait`.

use super::{
    Sandbox, record,
    run::{plan, read, signal, start, wait_for},
};

#[test]
fn it_waits_for_a_run_that_is_at_work() {
    let sandbox = plan(&[
        ("a", "worker: {command: 'touch begun; while [ ! -e go ]; do sleep 0.01; done'}"),
        ("b", "worker: {command: 'true'}"),
    ]);
    let run = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("begun").exists());
    let text = sandbox.orch(&["wait", "--task", "b"]).text();
    assert_eq!(text, "task `b` is done\n");
    let text = sandbox.orch(&["wait", "--timeout", "10ms"]).error(3);
    let expected = "error: the run has not ended after 10ms\n  = help: it goes on: `orch status` ";
    assert!(text.starts_with(expected), "{text}");
    let wait = start(&sandbox, &["wait", "--json"]);
    sandbox.write("go", "");
    let output = wait.wait_with_output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["n_done"]), (&"done".into(), &2.into()));
    assert!(output.status.success() && run.wait_with_output().unwrap().status.success());
    assert_eq!(sandbox.orch(&["wait"]).text(), "done: 2 of 2 tasks done\n");
}

#[test]
fn a_watch_that_stays_is_not_waited_for() {
    let sandbox = plan(&[
        ("a", "worker: {command: 'false'}"),
        ("b", "depends_on: [a]\nworker: {command: x}"),
    ]);
    let watch = start(&sandbox, &["watch", "--plain"]);
    wait_for("the end of `a`", || read(&sandbox, ".orch/runs/a.2.yaml").contains("outcome"));
    let output = sandbox.orch(&["wait"]);
    let expected =
        "finished: 0 of 2 tasks done · 2 failed, blocked or in review (`orch status` says which)\n";
    assert_eq!((output.code, output.stdout.as_str()), (1, expected));
    let output = sandbox.orch(&["wait", "--task", "b"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, "task `b` is blocked: `orch explain b` says why\n")
    );
    signal(&watch, rustix::process::Signal::INT);
    watch.wait_with_output().unwrap();
}

#[test]
fn where_nobody_is_at_work_there_is_nothing_to_wait_for() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\n---\n"),
        (".orch/tasks/b.md", "---\n---\n"),
        (".orch/runs/b.1.yaml", &record("b", 1, "succeeded")),
    ]);
    let output = sandbox.orch(&["wait"]);
    let expected =
        "finished: 1 of 2 tasks done · 1 left, and no coordinator is at work: `orch run` goes on\n";
    assert_eq!((output.code, output.stdout.as_str()), (1, expected));
    let output = sandbox.orch(&["wait", "--task", "a"]);
    let expected = "task `a` is ready, and no coordinator is at work: `orch run` starts one\n";
    assert_eq!((output.code, output.stdout.as_str()), (1, expected));
    let text = sandbox.orch(&["wait", "--task", "c"]).error(2);
    assert!(text.starts_with("error: no task has the id `c`\n"), "{text}");
    let text = sandbox.orch(&["wait", "--timeout", "soon"]).error(2);
    assert!(text.starts_with("error: invalid value 'soon' for '--timeout <TIME>'"), "{text}");
}
