//! Tables: what waits for approval is not started, and everything else goes on.

use expect_test::expect;

use crate::domain::scheduler::tests::check;

#[test]
fn a_task_starts_once_it_is_approved_and_others_before() {
    check(
        "a\nb needs=a\nc",
        "0 unapproved a\n1 pass\n2 exit c.1 0\n3 unapproved",
        expect![[r#"
            0 unapproved a
                record-start c.1
                start c.1
            1 pass
            2 exit c.1 0
                record-end c.1 succeeded: exit code 0
            3 unapproved
                record-start a.1
                start a.1
            a=running b=waiting c=done None
        "#]],
    );
}

#[test]
fn a_run_ends_where_only_unapproved_tasks_are_left() {
    check(
        "a\nb needs=a\nc",
        "0 unapproved a\n2 exit c.1 0\n3 pass",
        expect![[r#"
        0 unapproved a
            record-start c.1
            start c.1
        2 exit c.1 0
            record-end c.1 succeeded: exit code 0
        3 pass
        a=blocked b=blocked c=done Some(Finished)
    "#]],
    );
}

#[test]
fn a_second_attempt_waits_when_the_task_changed_meanwhile() {
    check(
        "a attempts=2",
        "0 pass\n1 unapproved a\n2 exit a.1 1\n30 pass\n31 unapproved\n32 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 unapproved a
            2 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            30 pass
            31 unapproved
                record-start a.2
                start a.2
            32 exit a.2 0
                record-end a.2 succeeded: exit code 0
            a=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_gate_is_not_run_before_it_is_approved() {
    check(
        "a level=1\nb level=2",
        "0 unapproved 1\n1 exit a.1 0\n2 pass\n3 unapproved\n4 gate 1 1 0",
        expect![[r#"
            0 unapproved 1
                record-start a.1
                start a.1
            1 exit a.1 0
                record-end a.1 succeeded: exit code 0
            2 pass
            3 unapproved
                record-gate 1.1 ended=false passed=false
                gate 1.1
            4 gate 1 1 0
                record-gate 1.1 ended=true passed=true
                record-start b.1
                start b.1
            a=done b=running None
        "#]],
    );
}
