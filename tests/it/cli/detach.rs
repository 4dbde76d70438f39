//! `orch run --detach`: a run that goes on without whoever started it.

use std::process::{Child, Stdio};

use super::run::{plan, read, wait_for};

#[test]
fn a_detached_run_goes_on_to_its_end() {
    let worker = "worker: {command: 'touch up; while test ! -e go; do sleep 0.01; done'}";
    let sandbox = plan(&[("a", worker), ("b", "depends_on: [a]\nworker: {command: 'true'}")]);
    let text = sandbox.orch(&["run", "--detach", "-j", "1"]).text();
    assert!(text.starts_with("the run goes on in the background, as process "), "{text}");
    wait_for("the worker", || sandbox.path("up").exists());
    let held = sandbox.orch(&["run", "--detach"]).error(3);
    assert!(held.contains("another coordinator is at work here"), "{held}");
    sandbox.write("go", "");
    let waited = sandbox.orch(&["wait", "--timeout", "1m"]).text();
    assert!(waited.contains("2 of 2 tasks done"), "{waited}");
    assert!(read(&sandbox, ".orch/runs/b.1.yaml").contains("outcome: succeeded"));
    assert!(read(&sandbox, ".orch/local/run.log").contains("done: 2 of 2 tasks done"));
}

#[test]
fn what_cannot_be_run_is_told_where_it_was_asked_for() {
    let sandbox = plan(&[("a", "depends_on: [b]")]);
    let output = sandbox.orch(&["run", "--detach"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("error[unknown-dependency]"), "{}", output.stderr);
    let sandbox = plan(&[("a", "worker: {command: 'true'}")]);
    let json = sandbox.orch(&["run", "--detach", "--json"]).json();
    assert!(json["pid"].as_u64().is_some(), "{json}");
    assert_eq!(json["output"], ".orch/local/run.log");
}

#[test]
fn of_several_detached_runs_one_is_at_work_and_the_others_say_so() {
    let worker = "worker: {command: 'while test ! -e go; do sleep 0.01; done'}";
    let sandbox = plan(&[("a", worker)]);
    let start = || sandbox.command(&["run", "--detach"]).stdout(Stdio::null()).spawn().unwrap();
    let runs: Vec<Child> = (0..5).map(|_| start()).collect();
    let codes = runs.into_iter().map(|mut run| run.wait().unwrap().code());
    let mut codes: Vec<Option<i32>> = codes.collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(3), Some(3), Some(3), Some(3)]);
    sandbox.write("go", "");
    assert_eq!(sandbox.orch(&["wait", "--timeout", "1m"]).code, 0);
}
