//! `orch logs`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use expect_test::expect;
use orch::{
    domain::model::time::Now,
    io::store::{Store, lock::Lock},
};

use super::Sandbox;

#[test]
fn the_log_of_the_last_attempt_is_printed_and_escaped() {
    let sandbox = Sandbox::with_plan();
    let logs = |args: &[&str]| sandbox.orch(&[&["logs", "build"], args].concat()).text();
    assert_eq!(logs(&[]), "one\n\\x1b[31mtwo\nthree\n");
    assert_eq!(logs(&["--raw"]), "one\r\n\u{1b}[31mtwo\nthree\n");
    assert_eq!(logs(&["-n", "1"]), "three\n");
    assert_eq!(logs(&["-n", "2"]), "\\x1b[31mtwo\nthree\n");
    assert_eq!(logs(&["-n", "9"]), logs(&[]));
    assert_eq!(logs(&["-n", "0"]), "");
    // The attempt has ended: there is nothing to wait for.
    assert_eq!(logs(&["--follow", "--attempt", "2"]), logs(&[]));
}

#[test]
fn a_last_line_without_an_end_is_a_line() {
    let sandbox = Sandbox::with_plan();
    sandbox.write(".orch/local/logs/build/2.log", "one\ntwo\n50%");
    assert_eq!(sandbox.orch(&["logs", "build", "-n", "1"]).text(), "50%");
    assert_eq!(sandbox.orch(&["logs", "build", "-n", "2"]).text(), "two\n50%");
}

#[test]
fn a_missing_log_is_wrong_usage_and_the_others_are_named() {
    let sandbox = Sandbox::with_plan();
    let error = |args: &[&str]| sandbox.orch(&[&["logs"], args].concat()).error(2);
    expect![[r#"
        error: attempt 1 of task `build` left no log
          = help: attempt 2 has a log: `orch logs build --attempt 2`
    "#]]
    .assert_eq(&error(&["build", "--attempt", "1"]));
    expect![[r#"
        error: task `build` has no attempt 7
          = help: attempt 2 has a log: `orch logs build --attempt 2`
    "#]]
    .assert_eq(&error(&["build", "-a", "7"]));
    expect![[r#"
        error: task `docs` has no attempt yet, so it has no log
          = help: `orch explain docs` says where it stands; logs are not in git
    "#]]
    .assert_eq(&error(&["docs"]));
    expect![[r#"
        error: no task has the id `dosc`
          = help: did you mean `docs`?
    "#]]
    .assert_eq(&error(&["dosc"]));
}

#[test]
fn a_log_is_followed_until_its_attempt_has_ended() {
    let sandbox = Sandbox::with_plan();
    let record = "version: 1\ntask: docs\nattempt: 1\nstarted: 2026-11-20T11:00:00.000Z\n\
                  worker: make\nexecutor: local\n";
    sandbox.write(".orch/runs/docs.1.yaml", record);
    sandbox.write(".orch/local/logs/docs/1.log", "one\n");
    let lock = Lock::take(&Store::at(sandbox.root()), Now::default()).unwrap();

    let mut child =
        sandbox.command(&["logs", "docs", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    let path = sandbox.path(".orch/local/logs/docs/1.log");
    let mut log = fs::OpenOptions::new().append(true).open(path).unwrap();
    log.write_all(b"two\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "two");
    log.write_all(b"last").unwrap();
    let ending = "outcome: succeeded\nended: 2026-11-20T11:01:00.000Z\nexit_code: 0\n";
    sandbox.write(".orch/runs/docs.1.yaml", &format!("{record}{ending}"));
    assert_eq!(lines.next().unwrap().unwrap(), "last");
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
    drop(lock);
}

#[test]
fn a_log_is_printed_as_json_line_by_line() {
    let sandbox = Sandbox::with_plan();
    let text = sandbox.orch(&["logs", "build", "--json", "-n", "2"]).text();
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["line"], "\u{1b}[31mtwo");
    assert_eq!(
        (objects[1]["line"].as_str(), objects[1]["attempt"].as_u64()),
        (Some("three"), Some(2))
    );
}
