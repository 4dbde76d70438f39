//! Tables: tasks that several coordinators share.

use expect_test::expect;

use crate::domain::scheduler::tests::check;

#[test]
fn a_task_is_claimed_before_it_starts_and_only_once() {
    check(
        "@claims origin\na\nb\nc attempts=2",
        "0 pass\n1 own a\n2 own b\n3 exit a.1 0\n4 own c\n5 exit c.1 1\n20 pass",
        expect![[r#"
            0 pass
                claim a
                claim b
            1 own a
                record-start a.1
                start a.1
            2 own b
                record-start b.1
                start b.1
            3 exit a.1 0
                record-end a.1 succeeded: exit code 0
                claim c
            4 own c
                record-start c.1
                start c.1
            5 exit c.1 1
                record-end c.1 failed: the worker ended with exit code 1
                retry c.1 in 12s
            20 pass
                record-start c.2
                start c.2
            a=done b=running c=running None
        "#]],
    );
}

#[test]
fn what_others_have_is_left_to_them_until_they_give_it_back() {
    check(
        "@claims origin\na\nb needs=a\nc",
        "0 pass\n1 other a them\n2 own c\n3 exit c.1 0\n4 others a\n5 others\n6 own a",
        expect![[r#"
            0 pass
                claim a
                claim c
            1 other a them
            2 own c
                record-start c.1
                start c.1
            3 exit c.1 0
                record-end c.1 succeeded: exit code 0
            4 others a
            5 others
                claim a
            6 own a
                record-start a.1
                start a.1
            a=running b=waiting c=done None
        "#]],
    );
}

#[test]
fn where_nobody_answers_it_is_tried_again_and_nothing_is_used_up() {
    check(
        "@claims origin\na\nb",
        "0 pass\n1 no-answer\n2 pass\n3 no-answer\n4 pass\n5 pass\n6 own a\n6 started a.1\n7 own b",
        expect![[r#"
            0 pass
                claim a
                claim b
            1 no-answer
                short: no network
            2 pass
                claim a
                claim b
            3 no-answer
            4 pass
            5 pass
                claim a
                claim b
            6 own a
                record-start a.1
                start a.1
            6 started a.1
                short no more
            7 own b
                record-start b.1
                start b.1
            a=running b=running None
        "#]],
    );
}

#[test]
fn a_run_that_is_stopped_starts_nothing_that_was_asked_for() {
    check(
        "@claims origin\na",
        "0 pass\n1 stop\n2 own a",
        expect![[r#"
        0 pass
            claim a
        1 stop
        2 own a
        a=ready Some(Stopped)
    "#]],
    );
}

#[test]
fn a_run_does_not_wait_for_what_others_have() {
    check(
        "@claims origin\na\nb needs=a",
        "0 pass\n1 other a them",
        expect![[r#"
        0 pass
            claim a
        1 other a them
        a=ready b=waiting Some(Finished)
    "#]],
    );
}
