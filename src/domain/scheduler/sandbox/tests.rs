//! Tables: tasks that are to run in a sandbox.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::domain::model::sandbox::Lack;
use crate::domain::scheduler::{
    Scheduler,
    explain::Reason,
    history::Recorded,
    tests::{at, check_recovered, compare, plan, play},
};

/// There is no sandbox, for this reason.
pub(in crate::domain::scheduler) fn missing(cause: &str) -> Lack {
    Lack { cause: cause.to_owned(), help: "mend it".to_owned() }
}

#[expect(clippy::needless_pass_by_value, reason = "reads better at the many calls")]
fn check(plan: &str, no_sandbox: Option<&str>, script: &str, expected: Expect) {
    let no_sandbox = no_sandbox.map(missing);
    let recorded = Recorded { has_worktrees: true, no_sandbox, ..Recorded::default() };
    check_recovered(plan, recorded, script, &expected);
}

#[test]
fn without_a_sandbox_only_the_others_run_and_nothing_is_used_up() {
    check(
        "a isolation=sandbox\nb needs=a\nc\nd isolation=none",
        Some("no bwrap"),
        "0 pass\n1 there c.1\n2 exit c.1 0\n3 merged c.1\n4 landed c.1 done\n5 exit d.1 0",
        expect![[r#"
            0 pass
                record-start c.1
                prepare c.1
                record-start d.1
                start d.1
            1 there c.1
                start c.1
            2 exit c.1 0
                merge c.1
            3 merged c.1
                land c.1: exit code 0
            4 landed c.1 done
                record-end c.1 succeeded: exit code 0
                remove c.1
            5 exit d.1 0
                record-end d.1 succeeded: exit code 0
            a=blocked b=blocked c=done d=done Some(Finished)
        "#]],
    );
}

#[test]
fn it_starts_as_soon_as_there_is_one() {
    check(
        "a isolation=sandbox",
        Some("no bwrap"),
        "0 pass\n1 sandbox\n2 there a.1\n3 no-sandbox\n4 exit a.1 1\n5 pass\n20 pass\n21 sandbox",
        expect![[r#"
            0 pass
            1 sandbox
                record-start a.1
                prepare a.1
            2 there a.1
                start a.1
            3 no-sandbox
            4 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            5 pass
            20 pass
            21 sandbox
                record-start a.2
                prepare a.2
            a=running None
        "#]],
    );
}

#[test]
fn a_task_that_asks_for_a_sandbox_later_waits_for_it_too() {
    check(
        "a needs=b\nb isolation=none",
        Some("no bwrap"),
        "0 pass\n1 edit a needs=b isolation=sandbox\n2 exit b.1 0",
        expect![[r#"
            0 pass
                record-start b.1
                start b.1
            1 edit a needs=b isolation=sandbox
            2 exit b.1 0
                record-end b.1 succeeded: exit code 0
            a=blocked b=done Some(Finished)
        "#]],
    );
}

#[test]
fn it_is_told_why_it_does_not_run() {
    let recorded = Recorded { no_sandbox: Some(missing("no bwrap")), ..Recorded::default() };
    let plan = std::sync::Arc::new(plan("a isolation=sandbox\nb"));
    let scheduler = Scheduler::recover(plan, recorded, at(0));
    let states = scheduler.states();
    let first = |name: &str| {
        let task = scheduler.plan().find(name).unwrap();
        scheduler.explain(task, &states).first().cloned()
    };
    assert_eq!(first("a"), Some(Reason::NoSandbox(missing("no bwrap"))));
    assert_eq!(first("b"), Some(Reason::Free));
}

#[test]
fn what_was_written_in_a_sandbox_is_verified_together_only_with_what_was_written_in_the_like() {
    let kinds = ["isolation=sandbox", "isolation=sandbox", "isolation=sandbox write=x", "", ""];
    let names = ["a", "b", "c", "d", "e"];
    let mut plan_text = String::from("@workers 5\n@batch 8\n");
    for (name, kind) in names.iter().zip(kinds) {
        writeln!(plan_text, "{name} verify=x {kind}").unwrap();
    }
    let mut begun = String::from("0 pass\n");
    for what in ["there T.1", "exit T.1 0", "merged T.1", "verified T.1 0"] {
        for task in names {
            writeln!(begun, "1 {}", what.replace('T', task)).unwrap();
        }
    }
    let recorded = Recorded { has_worktrees: true, ..Recorded::default() };
    let mut scheduler = Scheduler::recover(plan(&plan_text).into(), recorded, at(0));
    play(&mut scheduler, &mut plan_text, &begun);
    let script = "2 landed a.1 moved\n3 combined a.1 b.1\n4 batch-verified a.1 b.1 0\n\
                  5 landed a.1 b.1 done\n6 landed c.1 moved\n7 merged c.1\n8 verified c.1 0\n\
                  9 landed c.1 done\n10 landed d.1 moved";
    let log = play(&mut scheduler, &mut plan_text, script);
    compare(
        &scheduler,
        log,
        &expect![[r#"
        2 landed a.1 moved
            combine a.1 b.1
        3 combined a.1 b.1
            verify-batch a.1 b.1
        4 batch-verified a.1 b.1 0
            land a.1: exit code 0, verify command passed + land b.1: exit code 0, verify command passed
        5 landed a.1 b.1 done
            record-end a.1 succeeded: exit code 0, verify command passed
            remove a.1
            record-end b.1 succeeded: exit code 0, verify command passed
            remove b.1
            land c.1: exit code 0, verify command passed
        6 landed c.1 moved
            merge c.1
        7 merged c.1
            verify c.1
        8 verified c.1 0
            land c.1: exit code 0, verify command passed
        9 landed c.1 done
            record-end c.1 succeeded: exit code 0, verify command passed
            remove c.1
            land d.1: exit code 0, verify command passed
        10 landed d.1 moved
            combine d.1 e.1
        a=done b=done c=done d=verifying e=landing None
    "#]],
    );
}
