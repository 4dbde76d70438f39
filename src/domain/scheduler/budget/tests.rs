//! Tables: spent budgets.

use expect_test::expect;

use crate::domain::scheduler::tests::check;

#[test]
fn a_spent_budget_of_a_task_stops_it_until_a_person_grants_more() {
    // Two accounts of the same work are not added up.
    check(
        "a tokens=100\nb needs=a",
        "0 pass\n1 used a.1 60\n2 seen a.1 99\n3 used a.1 100\n4 killed a.1\n5 pass\n6 retry a 1\n7 used a.2 99\n8 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 used a.1 60
            2 seen a.1 99
            3 used a.1 100
                stop a.1 Ask
            4 killed a.1
                record-end a.1 over-budget: the budget of its task is spent: 100 of 100 tokens
                budget a spent: 100 of 100 tokens
            5 pass
            6 retry a 1
                record-start a.2
                start a.2
            7 used a.2 99
            8 exit a.2 0
                record-end a.2 succeeded: exit code 0
                record-start b.1
                start b.1
            a=done b=running None
        "#]],
    );
}

#[test]
fn what_all_attempts_used_counts_and_a_larger_budget_lets_it_go_on() {
    check(
        "a tokens=100 attempts=9",
        "0 pass\n1 used a.1 60\n2 exit a.1 1\n20 pass\n21 used a.2 40\n22 killed a.2\n23 edit a tokens=200 attempts=9",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 used a.1 60
            2 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            20 pass
                record-start a.2
                start a.2
            21 used a.2 40
                stop a.2 Ask
            22 killed a.2
                record-end a.2 over-budget: the budget of its task is spent: 100 of 100 tokens
                budget a spent: 100 of 100 tokens
            23 edit a tokens=200 attempts=9
                record-start a.3
                start a.3
            a=running None
        "#]],
    );
    check(
        "a time=30",
        "0 pass\n29 pass\n30 pass\n31 killed a.1",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            29 pass
            30 pass
                stop a.1 Ask
            31 killed a.1
                record-end a.1 over-budget: the budget of its task is spent: 30.0s of 30.0s
                budget a spent: 31.0s of 30.0s
            a=review Some(Finished)
        "#]],
    );
    check(
        "a tries=2 attempts=9",
        "0 pass\n1 exit a.1 1\n20 pass\n21 exit a.2 1\n99 pass",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 1
                record-end a.1 failed: the worker ended with exit code 1
                retry a.1 in 10s
            20 pass
                record-start a.2
                start a.2
            21 exit a.2 1
                record-end a.2 failed: the worker ended with exit code 1
                budget a spent: 2 of 2 attempts
            99 pass
            a=review Some(Finished)
        "#]],
    );
}

#[test]
fn a_spent_budget_of_a_milestone_holds_its_tasks_alone() {
    check(
        "@milestone m tokens=100\na milestone=m\nb milestone=m\nc milestone=m\nd",
        "0 pass\n1 used a.1 60\n2 used b.1 40\n3 killed a.1\n4 killed b.1\n5 exit d.1 0\n6 release\n7 used a.2 99\n8 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 used a.1 60
            2 used b.1 40
                stop a.1 Ask
                stop b.1 Ask
                budget m spent: 100 of 100 tokens
            3 killed a.1
                record-end a.1 over-budget: the budget of its milestone is spent: 100 of 100 tokens
                record-start d.1
                start d.1
            4 killed b.1
                record-end b.1 over-budget: the budget of its milestone is spent: 100 of 100 tokens
            5 exit d.1 0
                record-end d.1 succeeded: exit code 0
            6 release
                record-start a.2
                start a.2
                record-start b.2
                start b.2
            7 used a.2 99
            8 exit a.2 0
                record-end a.2 succeeded: exit code 0
                record-start c.1
                start c.1
            a=done b=running c=running d=done None
        "#]],
    );
    // Attempts: the last one that may start goes on to its end.
    check(
        "@milestone m tries=1\na milestone=m\nb milestone=m",
        "0 pass\n1 exit a.1 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 exit a.1 0
                record-end a.1 succeeded: exit code 0
                budget m spent: 1 of 1 attempts
            a=done b=blocked Some(Finished)
        "#]],
    );
}

#[test]
fn a_spent_budget_of_the_run_ends_it() {
    check(
        "@run tokens=100\na\nb\nc",
        "0 pass\n1 used a.1 60\n2 used b.1 50\n3 killed a.1\n4 exit b.1 0\n5 release\n6 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 used a.1 60
            2 used b.1 50
                stop a.1 Ask
                stop b.1 Ask
                budget of the run spent: 110 of 100 tokens
            3 killed a.1
                record-end a.1 over-budget: the budget of the run is spent: 110 of 100 tokens
            4 exit b.1 0
                record-end b.1 over-budget: the budget of the run is spent: 110 of 100 tokens
            5 release
                record-start a.2
                start a.2
                record-start b.2
                start b.2
            6 exit a.2 0
                record-end a.2 succeeded: exit code 0
                record-start c.1
                start c.1
            a=done b=running c=running None
        "#]],
    );
    check(
        "@run time=60\na\nb needs=a",
        "0 pass\n60 pass\n61 killed a.1",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        60 pass
            stop a.1 Ask
            budget of the run spent: 1m 00s of 1m 00s
        61 killed a.1
            record-end a.1 over-budget: the budget of the run is spent: 1m 00s of 1m 00s
        a=blocked b=blocked Some(Finished)
    "#]],
    );
    // It was enough, exactly.
    check(
        "@run tries=2\na\nb",
        "0 pass\n1 exit a.1 0\n2 exit b.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
            record-start b.1
            start b.1
        1 exit a.1 0
            record-end a.1 succeeded: exit code 0
        2 exit b.1 0
            record-end b.1 succeeded: exit code 0
        a=done b=done Some(Finished)
    "#]],
    );
}
