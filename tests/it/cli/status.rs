//! `orch status`.

use expect_test::expect;
use orch::{
    domain::model::time::{Now, Timestamp},
    io::store::{Store, lock::Lock},
};

use super::Sandbox;

#[test]
fn the_plan_is_told_on_one_screen() {
    expect![[r#"
        ████░░░░░░░░░░░░░░░░░░░░░░░░░░ 14%  1 of 7 tasks done
        2 ready · 2 blocked · 1 failed · 1 hold · 1 done
        no coordinator is at work

        needs a person
          ✗ build failed 2 of 2 attempts: verify `cargo test` failed: exit code 1
            2 tasks wait for it: `orch logs build` shows what it printed, `orch retry build` tries it again

        MILESTONE  PROGRESS      DONE  STUCK  TOKENS  COST
        alpha      ████████████  1/1          1.2k    $0.50
        beta       ░░░░░░░░░░░░  0/2   2      0       $0.00

        ROLE     PROGRESS      DONE  STUCK
        backend  ░░░░░░░░░░░░  0/1   1

        spent: 3 attempts, 49m 30s of work, 1.2k tokens, $0.50
        forecast: 2 more tasks in 2h 00m with 2 workers (`orch plan` shows when)
    "#]].assert_eq(&Sandbox::with_plan().orch(&["status"]).text());
}

#[test]
fn what_runs_is_told_while_a_coordinator_is_at_work() {
    let sandbox = Sandbox::with_plan();
    sandbox.write(
        ".orch/runs/docs.1.yaml",
        "version: 1\ntask: docs\nattempt: 1\nstarted: 2026-11-20T11:00:00.000Z\nworker: make\n\
         executor: local\nlog: .orch/local/logs/docs/1.log\n",
    );
    sandbox.write(
        ".orch/status/docs.1.md",
        "---\nstate: working\nprogress: 40\nmessage: \"chapter \\e[1m2\"\nusage: {input_tokens: 300}\n---\n",
    );
    let wall = Timestamp::parse("2026-11-20T10:59:00Z").unwrap();
    let lock = Lock::take(&Store::at(sandbox.root()), Now { wall, ..Now::default() }).unwrap();
    let status = sandbox.orch(&["status", "--json"]).json();
    assert_eq!(status["coordinator"]["pid"], std::process::id());
    assert_eq!(status["running"][0]["id"], "docs");
    assert_eq!(status["running"][0]["progress"], 40);
    assert_eq!(status["tokens"], 1500);
    let text = sandbox.orch(&["status"]).text();
    assert!(text.contains("running  docs  Write  "), "{text}");
    assert!(text.contains(r"40%   chapter \x1b[1m2"), "{text}");
    let told = sandbox.orch(&["explain", "docs"]).text();
    assert!(told.contains("(since 2026-11-20 11:00:00 UTC)"), "{told}");
    drop(lock);
    let status = sandbox.orch(&["status", "--json"]).json();
    assert_eq!(
        (&status["coordinator"], &status["running"]),
        (&serde_json::Value::Null, &serde_json::json!([]))
    );
}

#[test]
fn what_needs_a_person_is_told_with_the_command_to_type() {
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "levels:\n  1:\n    gate: [make test]\n"),
        (".orch/tasks/a.md", "---\nlevel: 1\nstatus: done\n---\n"),
        (".orch/tasks/b.md", "---\nlevel: 2\nwaits_for: ci/build\n---\n"),
        (".orch/tasks/c.md", "---\nstatus: hold\n---\n"),
        (".orch/tasks/d.md", "---\ndepends_on: c\nwaits_for: approval\n---\n"),
        (".orch/tasks/e.md", "---\nwaits_for: ci/build\n---\n"),
        (".orch/tasks/r.md", "---\ncompletion: {review: true}\n---\n"),
        (
            ".orch/runs/r.1.yaml",
            "version: 1\ntask: r\nattempt: 1\noutcome: review\nreason: it asks for a person\n\
             started: 2026-11-20T10:00:00.000Z\nended: 2026-11-20T10:30:00.000Z\n",
        ),
        (
            ".orch/runs/@level-1.1.yaml",
            "version: 1\nlevel: 1\nrun: 1\npassed: false\nstarted: 2026-11-20T10:00:00.000Z\n\
             ended: 2026-11-20T10:30:00.000Z\nchecks:\n  - command: make test\n    exit_code: 2\n    \
             duration: 1s\njudged: abc\n",
        ),
        (".orch/events/ci/build/e.yaml", "gate: ci/build\ntask: e\nstate: fail\n"),
    ]);
    expect![[r#"
        █████░░░░░░░░░░░░░░░░░░░░░░░░░ 16%  1 of 6 tasks done
        1 review · 3 blocked · 1 hold · 1 done
        no coordinator is at work

        needs a person
          ✗ gate after level 1 failed: `make test`: exit code 2
            mend what the log in .orch/local/logs/@level-1 shows; `orch run` runs the gate again
          ■ b waits for the gate `ci/build`
            `orch approve b --gate ci/build` opens it, or `state: pass` in .orch/events/ci/build.yaml
          ‖ c is on hold
            1 task waits for it: set `status: todo` in the file of `c` to let it start
          ■ e waits for the gate `ci/build`, which failed
            `orch approve e --gate ci/build` opens it, or `state: pass` in .orch/events/ci/build.yaml
          ? r waits for a person to look at attempt 1: it asks for a person
            `orch approve r` accepts it, `orch retry r` has it done again

        LEVEL  PROGRESS      DONE  GATE
        1      ████████████  1/1   failed
        2      ░░░░░░░░░░░░  0/1

        spent: 1 attempt, 30m 00s of work
        nothing can start by itself now
    "#]]
    .assert_eq(&sandbox.orch(&["status"]).text());
}

#[test]
fn an_unknown_option_is_wrong_usage() {
    let error = Sandbox::with_plan().orch(&["status", "--jsn"]).error(2);
    assert!(error.contains("--json"), "{error}");
}
