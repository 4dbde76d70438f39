//! Tables: starts that fail because the machine is short of something.

use expect_test::expect;

use super::wait_time;
use crate::domain::scheduler::tests::check;

#[test]
fn the_wait_doubles_up_to_a_minute() {
    let seconds: Vec<u64> = (1..=8).map(|n| wait_time(n).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(wait_time(u32::MAX).as_secs(), 60);
}

#[test]
fn one_task_at_a_time_is_tried_until_a_start_works() {
    check(
        "a attempts=1\nb\nc",
        "0 pass\n1 no-start a.1 passing\n1 no-start b.1 passing\n1 no-start c.1 passing\n2 pass\n\
         3 no-start a.2 passing\n4 pass\n5 pass\n6 started a.3\n7 exit a.3 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 no-start a.1 passing
                short: no such program `x`
                record-end a.1 not-started: no such program `x`
            1 no-start b.1 passing
                record-end b.1 not-started: no such program `x`
            1 no-start c.1 passing
            2 pass
                record-start a.2
                start a.2
            3 no-start a.2 passing
                record-end a.2 not-started: no such program `x`
            4 pass
            5 pass
                record-start a.3
                start a.3
            6 started a.3
                short no more
                record-start b.2
                start b.2
            7 exit a.3 0
                record-end a.3 succeeded: exit code 0
                record-start c.1
                start c.1
            a=done b=running c=running None
        "#]],
    );
}

#[test]
fn checks_that_cannot_be_started_hold_starts_too() {
    check(
        "a verify=check\nb\nc",
        "0 pass\n1 exit a.1 0\n2 short\n3 exit b.1 0\n4 pass\n5 verified a.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 exit a.1 0
                verify a.1
            2 short
                short: no room
            3 exit b.1 0
                record-end b.1 succeeded: exit code 0
                record-start c.1
                start c.1
            4 pass
            5 verified a.1 0
                short no more
                record-end a.1 succeeded: exit code 0, verify command passed
            a=done b=done c=running None
        "#]],
    );
}
