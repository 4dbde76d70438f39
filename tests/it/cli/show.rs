//! `orch show`.

use expect_test::expect;

use super::Sandbox;

#[test]
fn everything_about_a_task_is_shown() {
    expect![[r#"
        build  Build it
        .orch/tasks/build.md:1

        ✗ failed
          it failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
            = help: `orch logs build` shows what it printed, `orch retry build` tries it again
          stale: the task file changed since the last attempt

        status      todo
        priority    medium
        role        backend
        estimate    2h 00m
        milestone   beta
        criteria    1 of 2 ticked

        SETTING       VALUE       SAID BY
        command       make        config
        grace         10.0s       default
        max_attempts  2           role backend
        max_crashes   3           default
        backoff       5.0s        default
        verify        cargo test  task

        depends on
          base  ✓ done  Base

        waited for by
          test  ■ blocked  Test it

        attempts
          1  failed  2026-11-20 10:30:00 UTC, took 10m 00s
             exit code 3
          2  failed  2026-11-20 10:41:00 UTC, took 9m 30s
             verify `cargo test` failed: exit code 1
             worker: exit code 0
             ✗ `cargo test`: exit code 1 after 1m 30s

        last report
          attempt 2: done, 100%, built
          │ Mind the cache.

        text
        # Build

        ## Acceptance criteria
        - [x] a
        - [ ] b
    "#]]
    .assert_eq(&Sandbox::with_plan().orch(&["show", "build"]).text());
}

#[test]
fn json_tells_who_says_what() {
    let task = Sandbox::with_plan().orch(&["show", "build", "--json"]).json();
    let from = |name: &str| {
        let settings = task["policy"].as_array().unwrap();
        settings.iter().find(|setting| setting["name"] == name).unwrap()["from"].clone()
    };
    let names = ["command", "max_attempts", "verify", "grace"];
    assert_eq!(names.map(from), ["config", "role backend", "task", "default"]);
    assert_eq!(task["is_stale"], true);
    assert_eq!(task["dependents"][0]["id"], "test");
    assert_eq!(task["attempts"][1]["verify"][0]["ending"], "exit code 1");
}

#[test]
fn an_unknown_task_is_wrong_usage() {
    let error = Sandbox::with_plan().orch(&["show", "biuld"]).error(2);
    expect![[r#"
        error: no task has the id `biuld`
          = help: did you mean `build`?
    "#]]
    .assert_eq(&error);
}
