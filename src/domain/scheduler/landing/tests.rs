//! Tables: attempts with worktrees of their own.

use expect_test::{Expect, expect};

use crate::domain::scheduler::{history::Recorded, tests::check_recovered};

#[expect(clippy::needless_pass_by_value, reason = "reads better at the many calls")]
fn check(plan: &str, script: &str, expected: Expect) {
    let recorded = Recorded { has_worktrees: true, ..Recorded::default() };
    check_recovered(plan, recorded, script, &expected);
}

#[test]
fn what_is_merged_and_verified_lands_and_then_dependents_start() {
    check(
        "a verify=x\nb needs=a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 verified a.1 0\n5 landed a.1 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                verify a.1
            4 verified a.1 0
                land a.1: exit code 0, verify command passed
            5 landed a.1 done
                record-end a.1 succeeded: exit code 0, verify command passed
                remove a.1
                record-start b.1
                prepare b.1
            a=done b=running None
        "#]],
    );
    // Without verify commands, what is merged lands.
    check(
        "a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 landed a.1 done",
        expect![[r#"
        0 pass
            record-start a.1
            prepare a.1
        1 there a.1
            start a.1
        2 exit a.1 0
            merge a.1
        3 merged a.1
            land a.1: exit code 0
        4 landed a.1 done
            record-end a.1 succeeded: exit code 0
            remove a.1
        a=done Some(Finished)
    "#]],
    );
}

#[test]
fn a_conflict_uses_up_attempts_and_then_asks_a_person() {
    check(
        "a attempts=2\nb needs=a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1 f g\n4 there a.2\n5 exit a.2 0\n6 merged a.2 f",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1 f g
                record-end a.1 conflict: `f` and `g` changed on the branch meanwhile, and cannot be merged
                retry a.1 in 0s
                record-start a.2
                prepare a.2
            4 there a.2
                start a.2
            5 exit a.2 0
                merge a.2
            6 merged a.2 f
                record-end a.2 conflict: `f` changed on the branch meanwhile, and cannot be merged
            a=review b=blocked Some(Finished)
        "#]],
    );
}

#[test]
fn one_at_a_time_lands_and_whoever_was_overtaken_keeps_its_turn() {
    check(
        "a verify=x\nb verify=x",
        "0 pass\n1 there a.1\n1 there b.1\n2 exit a.1 0\n2 exit b.1 0\n3 merged a.1\n3 merged b.1\n\
         4 verified a.1 0\n5 verified b.1 0\n6 landed a.1 done\n7 landed b.1 moved\n8 merged b.1\n\
         9 verified b.1 0\n10 landed b.1 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
                record-start b.1
                prepare b.1
            1 there a.1
                start a.1
            1 there b.1
                start b.1
            2 exit a.1 0
                merge a.1
            2 exit b.1 0
                merge b.1
            3 merged a.1
                verify a.1
            3 merged b.1
                verify b.1
            4 verified a.1 0
                land a.1: exit code 0, verify command passed
            5 verified b.1 0
            6 landed a.1 done
                record-end a.1 succeeded: exit code 0, verify command passed
                remove a.1
                land b.1: exit code 0, verify command passed
            7 landed b.1 moved
                merge b.1
            8 merged b.1
                verify b.1
            9 verified b.1 0
                land b.1: exit code 0, verify command passed
            10 landed b.1 done
                record-end b.1 succeeded: exit code 0, verify command passed
                remove b.1
            a=done b=done Some(Finished)
        "#]],
    );
}

#[test]
fn what_waits_for_a_file_of_the_user_lets_the_others_go_first() {
    check(
        "a\nb",
        "0 pass\n1 there a.1\n1 there b.1\n2 exit a.1 0\n2 exit b.1 0\n3 merged a.1\n3 merged b.1\n\
         4 landed a.1 waits\n5 landed b.1 done\n6 landed a.1 moved\n7 merged a.1\n8 landed a.1 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
                record-start b.1
                prepare b.1
            1 there a.1
                start a.1
            1 there b.1
                start b.1
            2 exit a.1 0
                merge a.1
            2 exit b.1 0
                merge b.1
            3 merged a.1
                land a.1: exit code 0
            3 merged b.1
            4 landed a.1 waits
                land b.1: exit code 0
            5 landed b.1 done
                record-end b.1 succeeded: exit code 0
                remove b.1
            6 landed a.1 moved
                merge a.1
            7 merged a.1
                land a.1: exit code 0
            8 landed a.1 done
                record-end a.1 succeeded: exit code 0
                remove a.1
            a=done b=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_run_that_is_stopped_leaves_work_that_the_next_one_lands_without_its_worker() {
    check(
        "a verify=x",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 stop\n4 merged a.1",
        expect![[r#"
        0 pass
            record-start a.1
            prepare a.1
        1 there a.1
            start a.1
        2 exit a.1 0
            merge a.1
        3 stop
        4 merged a.1
            record-end a.1 unlanded: the run was stopped before its work could land
        a=ready Some(Stopped)
    "#]],
    );
    check(
        "a verify=x",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 stop\n5 verified a.1 1",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                verify a.1
            4 stop
                stop-verify a.1 Ask
            5 verified a.1 1
                record-end a.1 unlanded: the run was stopped before its work could land
            a=ready Some(Stopped)
        "#]],
    );
}

#[test]
fn a_landing_that_is_to_stop_is_quick_enough_or_gives_up() {
    check(
        "a\nb",
        "0 pass\n1 there a.1\n1 there b.1\n2 exit a.1 0\n2 exit b.1 0\n3 merged a.1\n3 merged b.1\n\
         4 stop\n5 landed a.1 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
                record-start b.1
                prepare b.1
            1 there a.1
                start a.1
            1 there b.1
                start b.1
            2 exit a.1 0
                merge a.1
            2 exit b.1 0
                merge b.1
            3 merged a.1
                land a.1: exit code 0
            3 merged b.1
            4 stop
                stop-landing a.1
                record-end b.1 unlanded: the run was stopped before its work could land
            5 landed a.1 done
                record-end a.1 succeeded: exit code 0
                remove a.1
            a=done b=ready Some(Stopped)
        "#]],
    );
    check(
        "a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 landed a.1 waits\n5 stop\n6 landed a.1 given-up",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                land a.1: exit code 0
            4 landed a.1 waits
            5 stop
                stop-landing a.1
            6 landed a.1 given-up
                record-end a.1 unlanded: the run was stopped before its work could land
            a=ready Some(Stopped)
        "#]],
    );
    // Stopped before its worker was there.
    check(
        "a",
        "0 pass\n1 stop\n2 there a.1",
        expect![[r#"
        0 pass
            record-start a.1
            prepare a.1
        1 stop
        2 there a.1
            record-end a.1 interrupted: the run was stopped
        a=ready Some(Stopped)
    "#]],
    );
}

#[test]
fn what_a_person_approves_lands_without_its_worker() {
    check(
        "a verify=x review=yes",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 verified a.1 0\n5 accept a.1\n6 there a.2\n\
         7 merged a.2\n8 verified a.2 0\n9 landed a.2 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                verify a.1
            4 verified a.1 0
                record-end a.1 review: exit code 0, verify command passed; a person must approve it
            5 accept a.1
                record-start a.2
                prepare a.2
            6 there a.2
                merge a.2
            7 merged a.2
                verify a.2
            8 verified a.2 0
                land a.2: exit code 0, verify command passed
            9 landed a.2 done
                record-end a.2 succeeded: exit code 0, verify command passed
                remove a.2
            a=done Some(Finished)
        "#]],
    );
    // Its worker is asked again only where it cannot be merged.
    check(
        "a review=yes",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 accept a.1\n5 there a.2\n6 merged a.2 f\n\
         7 there a.3",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                record-end a.1 review: exit code 0; a person must approve it
            4 accept a.1
                record-start a.2
                prepare a.2
            5 there a.2
                merge a.2
            6 merged a.2 f
                record-end a.2 conflict: `f` changed on the branch meanwhile, and cannot be merged
                retry a.2 in 0s
                record-start a.3
                prepare a.3
            7 there a.3
                start a.3
            a=running None
        "#]],
    );
}

#[test]
fn where_the_branch_is_gone_work_stays_and_no_attempt_is_used_up() {
    check(
        "a attempts=1",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1 no-branch\n4 there a.2\n5 merged a.2\n\
         6 landed a.2 no-branch",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1 no-branch
                record-end a.1 unlanded: the branch that its work was to land on is gone
                retry a.1 in 0s
                record-start a.2
                prepare a.2
            4 there a.2
                merge a.2
            5 merged a.2
                land a.2: exit code 0
            6 landed a.2 no-branch
                record-end a.2 unlanded: the branch that its work was to land on is gone
                retry a.2 in 0s
                record-start a.3
                prepare a.3
            a=running None
        "#]],
    );
}

#[test]
fn what_cannot_land_asks_a_person() {
    check(
        "a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 landed a.1 gone\n5 accept a.1\n6 there a.2\n\
         7 merged a.2\n8 landed a.2 done",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                land a.1: exit code 0
            4 landed a.1 gone
                record-end a.1 review: its work is verified, but cannot land: gone
            5 accept a.1
                record-start a.2
                prepare a.2
            6 there a.2
                merge a.2
            7 merged a.2
                land a.2: exit code 0
            8 landed a.2 done
                record-end a.2 succeeded: exit code 0
                remove a.2
            a=done Some(Finished)
        "#]],
    );
}

#[test]
fn a_worktree_that_cannot_be_made_is_a_failed_start() {
    check(
        "a attempts=2",
        "0 pass\n1 no-start a.1 lasting\n20 pass\n21 no-start a.2 passing",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 no-start a.1 lasting
                record-end a.1 failed: no such program `x`
                retry a.1 in 10s
            20 pass
                record-start a.2
                prepare a.2
            21 no-start a.2 passing
                short: no such program `x`
                record-end a.2 not-started: no such program `x`
            a=ready None
        "#]],
    );
}

#[test]
fn cancelling_reaches_an_attempt_wherever_it_is() {
    check(
        "a",
        "0 pass\n1 cancel a.1\n2 there a.1",
        expect![[r#"
        0 pass
            record-start a.1
            prepare a.1
        1 cancel a.1
        2 there a.1
            record-end a.1 cancelled: the task was cancelled
        a=cancelled Some(Finished)
    "#]],
    );
    check(
        "a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 cancel a.1\n4 merged a.1",
        expect![[r#"
        0 pass
            record-start a.1
            prepare a.1
        1 there a.1
            start a.1
        2 exit a.1 0
            merge a.1
        3 cancel a.1
        4 merged a.1
            record-end a.1 cancelled: the task was cancelled
        a=cancelled Some(Finished)
    "#]],
    );
    check(
        "a",
        "0 pass\n1 there a.1\n2 exit a.1 0\n3 merged a.1\n4 cancel a.1\n5 landed a.1 given-up",
        expect![[r#"
            0 pass
                record-start a.1
                prepare a.1
            1 there a.1
                start a.1
            2 exit a.1 0
                merge a.1
            3 merged a.1
                land a.1: exit code 0
            4 cancel a.1
                stop-landing a.1
            5 landed a.1 given-up
                record-end a.1 cancelled: the task was cancelled
            a=cancelled Some(Finished)
        "#]],
    );
}

#[test]
fn nothing_that_would_land_is_started_while_another_branch_is_checked_out() {
    check(
        "a\nb needs=a",
        "0 away\n1 back\n2 away\n3 there a.1\n4 exit a.1 0\n5 merged a.1\n6 landed a.1 done",
        expect![[r#"
            0 away
            1 back
                record-start a.1
                prepare a.1
            2 away
            3 there a.1
                start a.1
            4 exit a.1 0
                merge a.1
            5 merged a.1
                land a.1: exit code 0
            6 landed a.1 done
                record-end a.1 succeeded: exit code 0
                remove a.1
            a=done b=ready None
        "#]],
    );
}
