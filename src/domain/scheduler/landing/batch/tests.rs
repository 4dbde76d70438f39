//! Tables: attempts whose work is verified together.

use std::{fmt::Write as _, sync::Arc};

use expect_test::{Expect, expect};

use crate::domain::scheduler::{
    Scheduler,
    history::Recorded,
    tests::{at, compare, plan, play},
};

/// Plays a script that begins with the tasks `a` to `d` verified and `a` landed, so that the others
/// are overtaken: only what follows is in `expected`.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the many calls")]
fn check(most: u32, script: &str, expected: Expect) {
    let mut plan_text =
        format!("@workers 4\n@batch {most}\na verify=x\nb verify=x\nc verify=x\nd verify=x");
    let mut begun = String::from("0 pass\n");
    for what in ["there T.1", "exit T.1 0", "merged T.1", "verified T.1 0"] {
        for task in ["a", "b", "c", "d"] {
            writeln!(begun, "1 {}", what.replace('T', task)).unwrap();
        }
    }
    begun.push_str("2 landed a.1 done\n");
    let recorded = Recorded { has_worktrees: true, ..Recorded::default() };
    let recovered = Arc::new(plan(&plan_text));
    let mut scheduler = Scheduler::recover(recovered, recorded, at(0));
    play(&mut scheduler, &mut plan_text, &begun);
    let log = play(&mut scheduler, &mut plan_text, script);
    compare(&scheduler, log, &expected);
}

#[test]
fn who_waits_is_verified_together_and_lands_as_one() {
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 batch-verified b.1 c.1 d.1 0\n\
         6 landed b.1 c.1 d.1 done",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 batch-verified b.1 c.1 d.1 0
                land b.1: exit code 0, verify command passed + land c.1: exit code 0, verify command passed + land d.1: exit code 0, verify command passed
            6 landed b.1 c.1 d.1 done
                record-end b.1 succeeded: exit code 0, verify command passed
                remove b.1
                record-end c.1 succeeded: exit code 0, verify command passed
                remove c.1
                record-end d.1 succeeded: exit code 0, verify command passed
                remove d.1
            a=done b=done c=done d=done Some(Finished)
        "#]],
    );
    // Not more than is set; alone where nothing else is.
    check(
        2,
        "3 landed b.1 moved\n4 combined b.1 c.1\n5 batch-verified b.1 c.1 0\n\
         6 landed b.1 c.1 done\n7 landed d.1 moved\n8 merged d.1",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1
            4 combined b.1 c.1
                verify-batch b.1 c.1
            5 batch-verified b.1 c.1 0
                land b.1: exit code 0, verify command passed + land c.1: exit code 0, verify command passed
            6 landed b.1 c.1 done
                record-end b.1 succeeded: exit code 0, verify command passed
                remove b.1
                record-end c.1 succeeded: exit code 0, verify command passed
                remove c.1
                land d.1: exit code 0, verify command passed
            7 landed d.1 moved
                merge d.1
            8 merged d.1
                verify d.1
            a=done b=done c=done d=verifying None
        "#]],
    );
    check(
        1,
        "3 landed b.1 moved\n4 merged b.1",
        expect![[r#"
        3 landed b.1 moved
            merge b.1
        4 merged b.1
            verify b.1
        a=done b=verifying c=landing d=landing None
    "#]],
    );
}

#[test]
fn what_does_not_hold_together_is_halved_down_to_the_one() {
    check(
        3,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 batch-verified b.1 c.1 d.1 1\n6 merged b.1\n\
         7 verified b.1 1\n8 landed c.1 moved\n9 merged c.1\n10 verified c.1 0\n11 landed c.1 done\n\
         12 landed d.1 moved",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 batch-verified b.1 c.1 d.1 1
                merge b.1
            6 merged b.1
                verify b.1
            7 verified b.1 1
                record-end b.1 failed: verify `check` failed: exit code 1
                retry b.1 in 10s
                land c.1: exit code 0, verify command passed
            8 landed c.1 moved
                merge c.1
            9 merged c.1
                verify c.1
            10 verified c.1 0
                land c.1: exit code 0, verify command passed
            11 landed c.1 done
                record-end c.1 succeeded: exit code 0, verify command passed
                remove c.1
                land d.1: exit code 0, verify command passed
            12 landed d.1 moved
                merge d.1
            a=done b=backing-off c=done d=verifying None
        "#]],
    );
}

#[test]
fn what_does_not_merge_with_the_others_waits_for_its_own_turn() {
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 d.1\n5 batch-verified b.1 d.1 0\n6 landed b.1 d.1 done\n\
         7 landed c.1 moved\n8 merged c.1 f",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 d.1
                verify-batch b.1 d.1
            5 batch-verified b.1 d.1 0
                land b.1: exit code 0, verify command passed + land d.1: exit code 0, verify command passed
            6 landed b.1 d.1 done
                record-end b.1 succeeded: exit code 0, verify command passed
                remove b.1
                record-end d.1 succeeded: exit code 0, verify command passed
                remove d.1
                land c.1: exit code 0, verify command passed
            7 landed c.1 moved
                merge c.1
            8 merged c.1 f
                record-end c.1 conflict: `f` changed on the branch meanwhile, and cannot be merged
                retry c.1 in 0s
                record-start c.2
                prepare c.2
            a=done b=done c=running d=done None
        "#]],
    );
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1\n5 merged b.1",
        expect![[r#"
        3 landed b.1 moved
            combine b.1 c.1 d.1
        4 combined b.1
            merge b.1
        5 merged b.1
            verify b.1
        a=done b=verifying c=landing d=landing None
    "#]],
    );
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 failed\n5 merged b.1",
        expect![[r#"
        3 landed b.1 moved
            combine b.1 c.1 d.1
        4 combined b.1 failed
            merge b.1
        5 merged b.1
            verify b.1
        a=done b=verifying c=landing d=landing None
    "#]],
    );
}

#[test]
fn what_somebody_takes_out_does_not_land_with_the_others() {
    // While it is combined.
    check(
        8,
        "3 landed b.1 moved\n4 edit c verify=x status=cancelled\n5 combined b.1 c.1 d.1",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 edit c verify=x status=cancelled
                record-end c.1 cancelled: the task was cancelled
            5 combined b.1 c.1 d.1
                combine b.1 d.1
            a=done b=verifying c=cancelled d=landing None
        "#]],
    );
    // While it is verified.
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 edit c verify=x status=cancelled\n\
         6 batch-verified b.1 c.1 d.1 0",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 edit c verify=x status=cancelled
                record-end c.1 cancelled: the task was cancelled
            6 batch-verified b.1 c.1 d.1 0
                combine b.1 d.1
            a=done b=verifying c=cancelled d=landing None
        "#]],
    );
    // While it lands.
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 batch-verified b.1 c.1 d.1 0\n\
         6 edit c verify=x status=cancelled\n7 landed b.1 c.1 d.1 given-up\n8 landed b.1 moved",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 batch-verified b.1 c.1 d.1 0
                land b.1: exit code 0, verify command passed + land c.1: exit code 0, verify command passed + land d.1: exit code 0, verify command passed
            6 edit c verify=x status=cancelled
                stop-landing c.1
            7 landed b.1 c.1 d.1 given-up
                record-end c.1 cancelled: the task was cancelled
                land b.1: exit code 0, verify command passed
            8 landed b.1 moved
                combine b.1 d.1
            a=done b=verifying c=cancelled d=landing None
        "#]],
    );
}

#[test]
fn whose_turn_it_is_may_be_taken_out_too() {
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 edit b verify=x status=cancelled\n\
         6 batch-verified b.1 c.1 d.1 1\n7 landed c.1 moved\n8 combined c.1 d.1",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 edit b verify=x status=cancelled
                stop-verify b.1 Ask
            6 batch-verified b.1 c.1 d.1 1
                record-end b.1 cancelled: the task was cancelled
                land c.1: exit code 0, verify command passed
            7 landed c.1 moved
                combine c.1 d.1
            8 combined c.1 d.1
                verify-batch c.1 d.1
            a=done b=cancelled c=verifying d=landing None
        "#]],
    );
}

#[test]
fn what_is_in_the_way_of_a_batch_lets_others_go_first() {
    check(
        2,
        "3 landed b.1 moved\n4 combined b.1 c.1\n5 batch-verified b.1 c.1 0\n6 landed b.1 c.1 waits\n\
         7 landed d.1 done\n8 landed b.1 c.1 moved\n9 landed b.1 moved\n10 combined b.1 c.1",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1
            4 combined b.1 c.1
                verify-batch b.1 c.1
            5 batch-verified b.1 c.1 0
                land b.1: exit code 0, verify command passed + land c.1: exit code 0, verify command passed
            6 landed b.1 c.1 waits
                land d.1: exit code 0, verify command passed
            7 landed d.1 done
                record-end d.1 succeeded: exit code 0, verify command passed
                remove d.1
            8 landed b.1 c.1 moved
                land b.1: exit code 0, verify command passed
            9 landed b.1 moved
                combine b.1 c.1
            10 combined b.1 c.1
                verify-batch b.1 c.1
            a=done b=verifying c=landing d=done None
        "#]],
    );
}

#[test]
fn what_cannot_land_together_is_tried_alone() {
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 batch-verified b.1 c.1 d.1 0\n\
         6 landed b.1 c.1 d.1 broken\n7 landed b.1 moved\n8 merged b.1",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 batch-verified b.1 c.1 d.1 0
                land b.1: exit code 0, verify command passed + land c.1: exit code 0, verify command passed + land d.1: exit code 0, verify command passed
            6 landed b.1 c.1 d.1 broken
                land b.1: exit code 0, verify command passed
            7 landed b.1 moved
                merge b.1
            8 merged b.1
                verify b.1
            a=done b=verifying c=landing d=landing None
        "#]],
    );
}

#[test]
fn a_run_that_is_stopped_leaves_all_of_a_batch_to_the_next_one() {
    check(
        8,
        "3 landed b.1 moved\n4 combined b.1 c.1 d.1\n5 stop\n6 batch-verified b.1 c.1 d.1 0",
        expect![[r#"
            3 landed b.1 moved
                combine b.1 c.1 d.1
            4 combined b.1 c.1 d.1
                verify-batch b.1 c.1 d.1
            5 stop
                stop-verify b.1 Ask
                record-end c.1 unlanded: the run was stopped before its work could land
                record-end d.1 unlanded: the run was stopped before its work could land
            6 batch-verified b.1 c.1 d.1 0
                record-end b.1 unlanded: the run was stopped before its work could land
            a=done b=ready c=ready d=ready Some(Stopped)
        "#]],
    );
}
