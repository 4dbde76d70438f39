//! Tables: crashes, and many of them at once.

use std::sync::Arc;

use expect_test::expect;

use crate::domain::{
    model::{
        attempt::{AttemptRecord, Digests, Ending, Outcome},
        time::Timestamp,
    },
    scheduler::{
        Scheduler,
        history::Recorded,
        tests::{at, attempt, check, plan},
    },
};

#[test]
fn a_crash_uses_up_no_attempt_and_has_a_limit_of_its_own() {
    check(
        "a attempts=1 crashes=2",
        "0 pass\n1 killed a.1\n20 pass\n21 exit a.2 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 killed a.1
            record-end a.1 crashed: the worker ended with signal 15 (SIGTERM)
            retry a.1 in 10s
        20 pass
            record-start a.2
            start a.2
        21 exit a.2 0
            record-end a.2 succeeded: exit code 0
        a=done Some(Finished)
    "#]],
    );
    check(
        "a attempts=1 crashes=2\nb needs=a",
        "0 pass\n1 killed a.1\n20 pass\n21 lost a.2\n22 retry a 2\n23 killed a.3",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 killed a.1
                record-end a.1 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.1 in 10s
            20 pass
                record-start a.2
                start a.2
            21 lost a.2
                record-end a.2 lost: nobody knows
                gave-up a after 2 crashes, 1 blocked
            22 retry a 2
                record-start a.3
                start a.3
            23 killed a.3
                record-end a.3 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.3 in 11s
            a=backing-off b=waiting None
        "#]],
    );
}

#[test]
fn many_crashes_at_once_hold_all_starts_for_a_while() {
    check(
        "@breaker 2 60 300\na\nb\nc",
        "0 pass\n1 killed a.1\n2 lost b.1\n3 exit c.1 0\n100 pass\n302 pass",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 killed a.1
                record-end a.1 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.1 in 10s
                record-start c.1
                start c.1
            2 lost b.1
                record-end b.1 lost: nobody knows
                retry b.1 in 0s
                breaker opened after 2 for 300s
            3 exit c.1 0
                record-end c.1 succeeded: exit code 0
            100 pass
            302 pass
                breaker closed
                record-start a.2
                start a.2
                record-start b.2
                start b.2
            a=running b=running c=done None
        "#]],
    );
}

#[test]
fn a_person_ends_the_pause_and_a_success_starts_the_count_again() {
    check(
        "@breaker 2 60 300\na\nb\nc",
        "0 pass\n1 killed a.1\n2 exit b.1 0\n3 killed c.1\n50 pass\n51 killed a.2\n52 release",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 killed a.1
                record-end a.1 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.1 in 10s
                record-start c.1
                start c.1
            2 exit b.1 0
                record-end b.1 succeeded: exit code 0
            3 killed c.1
                record-end c.1 crashed: the worker ended with signal 15 (SIGTERM)
                retry c.1 in 12s
            50 pass
                record-start a.2
                start a.2
                record-start c.2
                start c.2
            51 killed a.2
                record-end a.2 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.2 in 21s
                breaker opened after 2 for 300s
            52 release
                breaker closed
            a=backing-off b=done c=running None
        "#]],
    );
}

#[test]
fn crashes_that_are_far_from_each_other_hold_nothing() {
    check(
        "@breaker 2 60 300\na crashes=9",
        "0 pass\n1 killed a.1\n90 pass\n91 killed a.2",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 killed a.1
                record-end a.1 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.1 in 10s
            90 pass
                record-start a.2
                start a.2
            91 killed a.2
                record-end a.2 crashed: the worker ended with signal 15 (SIGTERM)
                retry a.2 in 21s
            a=backing-off None
        "#]],
    );
}

#[test]
fn a_reader_knows_by_the_records_that_it_is_open() {
    let record = |who: &str, second: i64, outcome: Option<Outcome>| AttemptRecord {
        attempt: attempt(who),
        started: Timestamp(second * 1000 - 1),
        worker: "x".to_owned(),
        executor: "local".to_owned(),
        nonce: String::new(),
        log: String::new(),
        digests: Digests::default(),
        work: None,
        ending: outcome.map(|outcome| Ending::new(Timestamp(second * 1000), outcome, "x")),
    };
    let (crashed, done) = (Some(Outcome::Crashed), Some(Outcome::Succeeded));
    let table = [
        // Attempts with the second of their end, and until when nothing is started.
        (vec![("a.1", 10, crashed), ("b.1", 20, crashed)], Some(320)),
        (vec![("a.1", 10, crashed), ("b.1", 20, done)], None),
        (vec![("a.1", 10, crashed), ("b.1", 15, done), ("c.1", 20, crashed)], None),
        (vec![("a.1", 10, crashed), ("b.1", 80, crashed)], None),
        // Something was started since.
        (vec![("a.1", 10, crashed), ("b.1", 20, crashed), ("c.1", 30, None)], None),
    ];
    for (attempts, until) in table {
        let records = attempts.iter().map(|(who, second, outcome)| record(who, *second, *outcome));
        let recorded = Recorded { is_live: true, ..Recorded::default() }.with_attempts(records);
        let plan = Arc::new(plan("@breaker 2 60 300\na\nb\nc"));
        let scheduler = Scheduler::recover(plan, recorded, at(100));
        let open = scheduler.open_breaker().map(|open| open.until.0.as_secs());
        assert_eq!(open, until, "{attempts:?}");
    }
}
