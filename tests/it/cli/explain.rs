//! `orch explain`.

use expect_test::{Expect, expect};

use super::Sandbox;

fn check(id: &str, expected: &Expect) {
    expected.assert_eq(&Sandbox::with_plan().orch(&["explain", id]).text());
}

#[test]
fn the_chain_is_followed_to_its_bottom() {
    check(
        "ship",
        &expect![[r#"
        ship  Ship it
        ■ blocked

        `ship` waits for the gate `approval`
          = help: `orch approve ship` opens it

        At the bottom of it:
          `ship` waits for `docs`, which is ready
            = help: `orch run` starts it
          `ship` waits for `test`, which waits for `build`, which failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
            = help: `orch logs build` shows what it printed, `orch retry build` tries it again

        no coordinator is at work: nothing starts before `orch run`
    "#]],
    );
    check(
        "test",
        &expect![[r#"
        test  Test it
        ■ blocked

        At the bottom of it:
          `test` waits for `build`, which failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
            = help: `orch logs build` shows what it printed, `orch retry build` tries it again

        1 task waits for `test`
        no coordinator is at work: nothing starts before `orch run`
    "#]],
    );
}

#[test]
fn every_state_is_told_with_what_to_do() {
    check(
        "build",
        &expect![[r#"
        build  Build it
        ✗ failed

        `build` failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
          = help: `orch logs build` shows what it printed, `orch retry build` tries it again

        2 tasks wait for `build`
        no coordinator is at work: nothing starts before `orch run`
    "#]],
    );
    check(
        "docs",
        &expect![[r#"
        docs  Write
        ○ ready

        `docs` is ready
          = help: `orch run` starts it

        1 task waits for `docs`
        no coordinator is at work: nothing starts before `orch run`
    "#]],
    );
    check(
        "later",
        &expect![[r#"
        later  Later
        ‖ hold

        `later` is on hold
          = help: set `status: todo` in the file of `later` to let it start

        no coordinator is at work: nothing starts before `orch run`
    "#]],
    );
    check(
        "base",
        &expect![[r#"
        base  Base
        ✓ done

        `base` is done since attempt 1
    "#]],
    );
}

#[test]
fn a_lower_level_is_followed_too() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\nlevel: 1\nstatus: draft\n---\n"),
        (".orch/tasks/b.md", "---\nlevel: 2\n---\n"),
        (".orch/tasks/c.md", "---\ndepends_on: b\nlevel: 2\n---\n"),
    ]);
    expect![[r#"
        c  c
        ■ blocked

        `c` waits for `b`, which is blocked itself
          = help: `orch explain b` says why

        `c` waits for level 1 to end: `a` is not done

        At the bottom of it:
          `c` waits for `a`, which is a draft
            = help: set `status: todo` in the file of `a` when it can be worked on

        no coordinator is at work: nothing starts before `orch run`
    "#]]
    .assert_eq(&sandbox.orch(&["explain", "c"]).text());
    expect![[r#"
        b  b
        ■ blocked

        `b` waits for level 1 to end: `a` is not done

        At the bottom of it:
          `b` waits for `a`, which is a draft
            = help: set `status: todo` in the file of `a` when it can be worked on

        1 task waits for `b`
        no coordinator is at work: nothing starts before `orch run`
    "#]]
    .assert_eq(&sandbox.orch(&["explain", "b"]).text());
}

#[test]
fn json_has_the_same_words() {
    let told = Sandbox::with_plan().orch(&["explain", "ship", "--json"]).json();
    let cause = &told["causes"][1];
    assert_eq!((cause["id"].as_str(), &cause["through"][0]), (Some("build"), &"test".into()));
    let sentence = "failed 2 of 2 attempts: verify `cargo test` failed: exit code 1";
    assert_eq!(cause["why"]["sentence"], sentence);
}

#[test]
fn an_unknown_task_is_wrong_usage() {
    let error = Sandbox::with_plan().orch(&["explain", "SHIP"]).error(2);
    expect![[r#"
        error: no task has the id `SHIP`
          = help: did you mean `ship`?
    "#]]
    .assert_eq(&error);
}
