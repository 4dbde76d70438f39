//! Tables: limits of providers, and what is known of them after a restart.

use std::{sync::Arc, time::Duration};

use expect_test::expect;

use crate::domain::{
    model::{
        attempt::{AttemptRecord, Digests, Ending, Outcome, UsageLimit},
        id::GateName,
        time::Timestamp,
    },
    scheduler::{
        Scheduler,
        explain::Reason,
        history::Recorded,
        tests::{at, attempt, check, check_recovered, event, plan},
    },
};

#[test]
fn a_limit_of_a_provider_holds_all_of_its_tasks_until_it_is_lifted() {
    check(
        "a provider=p\nb provider=p\nc provider=q\nd provider=p",
        "0 pass\n1 limited a.1 p 600\n2 limited b.1 p 500\n3 exit c.1 0\n599 pass\n600 pass",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
                record-start b.1
                start b.1
            1 limited a.1 p 600
                record-end a.1 limited: the limit of p is reached: too much
                retry a.1 in 599s
                limit p until 600s
                record-start c.1
                start c.1
            2 limited b.1 p 500
                record-end b.1 limited: the limit of p is reached: too much
                retry b.1 in 498s
            3 exit c.1 0
                record-end c.1 succeeded: exit code 0
            599 pass
            600 pass
                record-start a.2
                start a.2
                record-start b.2
                start b.2
            a=running b=running c=done d=ready None
        "#]],
    );
    // Nothing is said of its end: a minute, two, four; a success starts the count again.
    check(
        "a provider=p attempts=1",
        "0 pass\n1 limited a.1 p -\n61 pass\n62 limited a.2 p -\n182 pass\n183 limited a.3 p 100",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 limited a.1 p -
                record-end a.1 limited: the limit of p is reached: too much
                retry a.1 in 60s
                limit p until 61s
            61 pass
                record-start a.2
                start a.2
            62 limited a.2 p -
                record-end a.2 limited: the limit of p is reached: too much
                retry a.2 in 120s
                limit p until 182s
            182 pass
                record-start a.3
                start a.3
            183 limited a.3 p 100
                record-end a.3 limited: the limit of p is reached: too much
                retry a.3 in 240s
                limit p until 423s
            a=backing-off None
        "#]],
    );
}

#[test]
fn a_person_who_says_that_a_limit_is_lifted_is_believed() {
    check(
        "a provider=p\nb provider=p needs=a",
        "0 pass\n1 limited a.1 p 600\n2 retry a 1\n3 exit a.2 0",
        expect![[r#"
            0 pass
                record-start a.1
                start a.1
            1 limited a.1 p 600
                record-end a.1 limited: the limit of p is reached: too much
                retry a.1 in 599s
                limit p until 600s
            2 retry a 1
                record-start a.2
                start a.2
            3 exit a.2 0
                record-end a.2 succeeded: exit code 0
                record-start b.1
                start b.1
            a=done b=running None
        "#]],
    );
}

/// Returns records after which attempt 1 of `a` ended like this at second 1.
fn ended(ending: Ending) -> Recorded {
    let record = AttemptRecord {
        attempt: attempt("a.1"),
        started: Timestamp(0),
        worker: "x".to_owned(),
        executor: "local".to_owned(),
        nonce: String::new(),
        log: String::new(),
        digests: Digests::default(),
        work: None,
        ending: Some(ending),
    };
    Recorded::default().with_attempts([record])
}

#[test]
fn what_a_task_waits_for_is_known_after_a_restart() {
    let limit = UsageLimit {
        provider: "p".to_owned(),
        resets: Some(Timestamp(600_000)),
        words: "too much".to_owned(),
    };
    let ending = Ending {
        limit: Some(limit),
        ..Ending::new(Timestamp(0), Outcome::Limited, "the limit of p is reached")
    };
    check_recovered(
        "a provider=p\nb provider=p\nc",
        ended(ending),
        "0 pass\n600 pass",
        &expect![[r#"
            0 pass
                record-start c.1
                start c.1
            600 pass
                record-start a.2
                start a.2
            a=running b=ready c=running None
        "#]],
    );
    let ending = Ending {
        waiting_for: Some(GateName("ci/build".to_owned())),
        ..Ending::new(Timestamp(0), Outcome::Blocked, "waits")
    };
    check_recovered(
        "a",
        ended(ending),
        "0 pass\n5 open ci/build a",
        &expect![[r#"
        0 pass
        5 open ci/build a
            record-start a.2
            start a.2
        a=running None
    "#]],
    );
}

#[test]
fn what_waits_says_why() {
    let explained = |text: &str, script: &str, who: &str| {
        let mut text = text.to_owned();
        let mut scheduler = Scheduler::recover(Arc::new(plan(&text)), Recorded::default(), at(0));
        for line in script.lines() {
            let (second, line) = line.split_once(' ').unwrap();
            scheduler.step(at(second.parse().unwrap()), event(line, &mut text));
        }
        let task = scheduler.plan().find(who).unwrap();
        scheduler.explain(task, &scheduler.states())
    };
    let limited = Reason::Limited { provider: "p".to_owned(), until: Timestamp(600_000) };
    let script = "0 pass\n1 limited a.1 p 600";
    assert_eq!(explained("a provider=p\nb provider=p needs=x", script, "a"), vec![limited.clone()]);
    let script = "0 pass\n1 limited a.1 p 600\n2 exit b.1 0";
    assert_eq!(explained("a provider=p\nb\nc provider=p", script, "c"), [limited]);
    let script = "0 pass\n1 killed a.1\n2 killed b.1\n3 pass";
    let breaker = Reason::Breaker { n_crashes: 2, remaining: Duration::from_secs(299) };
    assert_eq!(explained("@breaker 2 60 300\na\nb\nc\nd", script, "d"), [breaker]);
    let script = "0 pass\n1 used a.1 100\n2 killed a.1";
    let spent = explained(
        "@milestone m tokens=100\na milestone=m\nb milestone=m\nc milestone=m",
        script,
        "c",
    );
    let is_spent =
        |reason: &Reason| matches!(reason, Reason::OverBudget { milestone: Some(_), .. });
    assert!(spent.iter().any(is_spent), "{spent:?}");
}
