//! Tables: what workers say against how they end.

use std::sync::Arc;

use expect_test::expect;

use crate::domain::{
    model::attempt::Exit,
    scheduler::{
        Scheduler,
        effect::Effect,
        event::Event,
        history::Recorded,
        tests::{at, attempt, check, event, plan},
    },
};

#[test]
fn a_blocked_worker_frees_its_slot_until_its_gate_opens() {
    check(
        "a attempts=1\nb needs=a",
        "0 pass\n1 says a.1 blocked ci/build\n2 exit a.1 3\n3 pass\n4 open ci/build a",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 says a.1 blocked ci/build
            2 exit a.1 3
                record-end a.1 blocked: the worker waits for the gate `ci/build`
            3 pass
            4 open ci/build a
                record-start a.2
                start a.2
            a=running b=waiting None
        "#]],
    );
    // Without a gate, only a person can help.
    check(
        "a",
        "0 pass\n1 says a.1 blocked\n2 exit a.1 0",
        expect![[r#"
        0 pass
            record-start a.1
            start a.1
        1 says a.1 blocked
        2 exit a.1 0
            record-end a.1 review: the worker is blocked
        a=review Some(Finished)
    "#]],
    );
    // Whoever waits for what is open already is not started over and over.
    check(
        "a",
        "0 pass\n1 says a.1 blocked ci/build\n2 exit a.1 0\n3 open ci/build a\n4 says a.2 blocked ci/build\n5 exit a.2 0\n6 open ci/build a\n7 pass\n18 pass",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 says a.1 blocked ci/build
            2 exit a.1 0
                record-end a.1 blocked: the worker waits for the gate `ci/build`
            3 open ci/build a
                record-start a.2
                start a.2
            4 says a.2 blocked ci/build
            5 exit a.2 0
                record-end a.2 blocked: the worker waits for the gate `ci/build`
                retry a.2 in 10s
            6 open ci/build a
            7 pass
            18 pass
                record-start a.3
                start a.3
            a=running None
        "#]],
    );
}

#[test]
fn exit_and_report_together_decide() {
    let exits = [Exit::Code(0), Exit::Code(1), Exit::Signal(9)];
    let states = ["-", "working", "done", "failed", "blocked", "blocked ci", "review", "escalate"];
    let mut told = Vec::new();
    for (exit, state) in exits.iter().flat_map(|exit| states.map(|state| (*exit, state))) {
        let plan = Arc::new(plan("a attempts=1"));
        let mut scheduler = Scheduler::recover(plan, Recorded::default(), at(0));
        scheduler.step(at(0), Event::TimePassed);
        if state != "-" {
            scheduler.step(at(1), event(&format!("says a.1 {state}"), &mut String::new()));
        }
        let effects = scheduler.step(at(2), Event::exited(attempt("a.1"), exit));
        let [Effect::RecordEnd { ending, .. }, ..] = &*effects else { panic!("{effects:?}") };
        let review = ending.review.map_or("", |kind| kind.as_str());
        let claimed = ending.claimed.map_or("", |state| state.as_str());
        let line = format!("{exit} + {state}: {} {review}", ending.outcome.as_str());
        let flag = if claimed.is_empty() { "" } else { " CONTRADICTION" };
        told.push(format!("{}{flag} | {}\n", line.trim_end(), ending.reason));
    }
    expect![[r#"
        exit code 0 + -: succeeded | exit code 0
        exit code 0 + working: succeeded | exit code 0
        exit code 0 + done: succeeded | exit code 0
        exit code 0 + failed: failed CONTRADICTION | the worker ended with exit code 0, although it reported `failed`
        exit code 0 + blocked: review review | the worker is blocked
        exit code 0 + blocked ci: blocked | the worker waits for the gate `ci`
        exit code 0 + review: review review | the worker asks for a review
        exit code 0 + escalate: review escalate | the worker asks for a decision
        exit code 1 + -: failed | the worker ended with exit code 1
        exit code 1 + working: failed | the worker ended with exit code 1
        exit code 1 + done: failed CONTRADICTION | the worker ended with exit code 1, although it reported `done`
        exit code 1 + failed: failed | the worker ended with exit code 1
        exit code 1 + blocked: failed | the worker ended with exit code 1
        exit code 1 + blocked ci: blocked | the worker waits for the gate `ci`
        exit code 1 + review: failed | the worker ended with exit code 1
        exit code 1 + escalate: review escalate | the worker asks for a decision
        signal 9 (SIGKILL) + -: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + working: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + done: crashed CONTRADICTION | the worker ended with signal 9 (SIGKILL), although it reported `done`
        signal 9 (SIGKILL) + failed: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + blocked: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + blocked ci: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + review: crashed | the worker ended with signal 9 (SIGKILL)
        signal 9 (SIGKILL) + escalate: crashed | the worker ended with signal 9 (SIGKILL)
    "#]].assert_eq(&told.concat());
}
