//! Tables: loops.

use std::sync::Arc;

use expect_test::expect;

use crate::domain::{
    model::attempt::{CheckResult, Exit, Outcome},
    scheduler::{
        Scheduler,
        effect::Effect,
        event::Event,
        history::Recorded,
        tests::{at, attempt, check, plan, result},
    },
};

#[test]
fn a_loop_goes_on_until_its_checks_hold() {
    check(
        "a loop=3 verify=x attempts=2 signal=OK",
        "0 pass\n1 exit a.1 0\n2 verified a.1 1\n3 exit-unsigned a.2\n4 exit a.3 0\n5 verified a.3 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 0
                verify a.1
            2 verified a.1 1
                record-end a.1 unfinished: verify `check` failed: exit code 1
                retry a.1 in 0s
                record-start a.2
                start a.2
            3 exit-unsigned a.2
                record-end a.2 unfinished: exit code 0, but the signal `OK` is not in the output
                retry a.2 in 0s
                record-start a.3
                start a.3
            4 exit a.3 0
                verify a.3
            5 verified a.3 0
                record-end a.3 succeeded: exit code 0, verify command passed
            a=done Some(Finished)
        "#]],
    );
    check(
        "a loop=2 verify=x attempts=2\nb needs=a",
        "0 pass\n1 exit a.1 0\n2 verified a.1 1\n3 exit a.2 7\n30 pass\n31 exit a.3 0\n32 verified a.3 1\n33 retry a 3",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 0
                verify a.1
            2 verified a.1 1
                record-end a.1 unfinished: verify `check` failed: exit code 1
                retry a.1 in 0s
                record-start a.2
                start a.2
            3 exit a.2 7
                record-end a.2 failed: the worker ended with exit code 7
                retry a.2 in 10s
            30 pass
                record-start a.3
                start a.3
            31 exit a.3 0
                verify a.3
            32 verified a.3 1
                record-end a.3 unfinished: verify `check` failed: exit code 1
                gave-up a after 2 iterations, 1 blocked
            33 retry a 3
                record-start a.4
                start a.4
            a=running b=waiting None
        "#]],
    );
}

#[test]
fn each_iteration_is_told_what_failed_before() {
    let plan = Arc::new(plan("a loop=3 verify=check"));
    let mut scheduler = Scheduler::recover(plan, Recorded::default(), at(0));
    scheduler.step(at(0), Event::TimePassed);
    scheduler.step(at(1), Event::exited(attempt("a.1"), Exit::Code(0)));
    let failed = CheckResult { output_tail: "2 of 9 failed".to_owned(), ..result("check", 1) };
    let results = vec![failed];
    let effects = scheduler.step(at(2), Event::VerifyFinished { attempt: attempt("a.1"), results });
    let [Effect::RecordEnd { ending, .. }, ..] = &*effects else { panic!("{effects:?}") };
    let previous = scheduler.running().next().unwrap().assignment.previous.clone().unwrap();
    assert_eq!(ending.iteration, Some(1));
    assert_eq!(previous.outcome, Outcome::Unfinished);
    assert_eq!(previous.reason, "verify `check` failed: exit code 1");
    assert_eq!(previous.check_tail, "2 of 9 failed");
}
