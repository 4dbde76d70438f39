//! `orch logs`.

use expect_test::expect;

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
