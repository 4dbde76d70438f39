//! Tables: silent workers.

use expect_test::expect;

use crate::domain::scheduler::tests::check;

#[test]
fn silence_is_told_once_and_then_ends_the_attempt() {
    check(
        "a heartbeat=60 attempts=1",
        "0 pass\n30 says a.1 working\n90 pass\n91 pass\n100 beat a.1\n160 pass\n280 pass\n290 pass\n291 killed a.1",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            30 says a.1 working
            90 pass
                silent a.1 for 60s, stopped in 120s
            91 pass
            100 beat a.1
            160 pass
                silent a.1 for 60s, stopped in 120s
            280 pass
                stop a.1 Ask
            290 pass
                stop a.1 Kill
            291 killed a.1
                record-end a.1 stalled: no sign of life for 3m 00s
                gave-up a after 1, 0 blocked
            a=failed Some(Finished)
        "#]],
    );
}

#[test]
fn who_did_not_listen_takes_nobody_for_silent() {
    // The first look comes an hour late, as after a suspend: the worker gets its whole time again.
    check(
        "a heartbeat=60 attempts=1",
        "0 pass\n3600 pass\n3660 pass\n3780 pass",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        3600 pass
        3660 pass
            silent a.1 for 60s, stopped in 120s
        3780 pass
            stop a.1 Ask
        a=running None
    "#]],
    );
}
