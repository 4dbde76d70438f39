//! `orch list`.

use expect_test::{Expect, expect};

use super::Sandbox;

fn check(args: &[&str], expected: &Expect) {
    let args = [&["list"], args].concat();
    expected.assert_eq(&Sandbox::with_plan().orch(&args).text());
}

#[test]
fn tasks_are_listed_by_state_with_the_reason() {
    check(
        &[],
        &expect![[r#"
            STATE    ID     TITLE     ROLE     PRIORITY  WHY / PROGRESS
            ready    lint   Lint               high
            ready    docs   Write              medium
            blocked  test   Test it            medium    waits for build (failed)
            blocked  ship   Ship it            medium    waits for test (blocked), docs (ready)
            failed   build  Build it  backend  medium    failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
            hold     later  Later              medium    is on hold
            done     base   Base               medium
        "#]],
    );
}

#[test]
fn ready_tasks_stand_in_the_order_in_which_they_start() {
    check(
        &["--ready"],
        &expect![[r#"
        STATE  ID    TITLE  PRIORITY
        ready  lint  Lint   high
        ready  docs  Write  medium
    "#]],
    );
    check(
        &["--ready", "--ids"],
        &expect![[r#"
        lint
        docs
    "#]],
    );
}

#[test]
fn filters_let_through_what_they_name() {
    check(
        &["--ids", "--state", "failed,hold"],
        &expect![[r#"
        build
        later
    "#]],
    );
    check(
        &["--ids", "--milestone", "beta", "--sort", "id"],
        &expect![[r#"
        build
        test
    "#]],
    );
    check(
        &["--ids", "--tag", "words"],
        &expect![[r#"
        docs
    "#]],
    );
    check(
        &["--ids", "--role", "backend"],
        &expect![[r#"
        build
    "#]],
    );
}

#[test]
fn json_holds_what_the_table_shows_and_more() {
    let rows = Sandbox::with_plan().orch(&["list", "--json", "--state", "blocked"]).json();
    let row = &rows[1];
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!((row["id"].as_str(), row["state"].as_str()), (Some("ship"), Some("blocked")));
    assert_eq!(row["why"], "waits for test (blocked), docs (ready)");
}

#[test]
fn a_filter_that_no_task_has_is_wrong_usage() {
    let sandbox = Sandbox::with_plan();
    let error = |args: &[&str]| sandbox.orch(&[&["list"], args].concat()).error(2);
    expect![[r#"
        error: `redy` is not a state
          = help: did you mean `ready`?
    "#]]
    .assert_eq(&error(&["--state", "redy"]));
    expect![[r#"
        error: no task has the milestone `betta`
          = help: did you mean `beta`?
    "#]]
    .assert_eq(&error(&["--milestone", "betta"]));
    expect![[r#"
        error: no task has the level `3`
          = help: no task of this plan has a level
    "#]]
    .assert_eq(&error(&["--level", "3"]));
    expect![[r#"
        error: no task has the role `x`
          = help: there is `backend`
    "#]]
    .assert_eq(&error(&["--role", "x"]));
}

#[test]
fn a_plan_with_errors_is_listed_with_a_warning() {
    let sandbox = Sandbox::with_plan();
    sandbox.write(".orch/tasks/bad.md", "---\ndepends_on: [nobody]\n---\n");
    let output = sandbox.orch(&["list", "--ids", "--state", "blocked", "--sort", "id"]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stdout, "bad\nship\ntest\n");
    assert_eq!(output.stderr, "warning: the plan has 1 error; `orch check` shows it\n");
}

#[test]
fn text_of_tasks_cannot_reach_the_terminal_unescaped() {
    let sandbox = Sandbox::with(&[(".orch/tasks/a.md", "---\ntitle: \"x\\e[31m\\u202E\"\n---\n")]);
    let text = sandbox.orch(&["list"]).text();
    assert!(text.contains(r"x\x1b[31m\u{202e}"), "{text}");
}

#[test]
fn a_folder_that_is_not_there_is_called_so() {
    let sandbox = Sandbox::with_plan();
    let error = sandbox.orch(&["-C", "nowhere", "list"]).error(2);
    let path = sandbox.root().join("nowhere");
    assert_eq!(error, format!("error: {} is not a folder, or is not there\n", path.display()));
}
