//! The wall clock may jump wherever it likes: what is due is told by the clock that never jumps.

use std::{sync::Arc, time::Duration};

use super::{
    Scheduler,
    history::Recorded,
    tests::{event, plan, tell},
};
use crate::domain::model::time::{Now, Tick, Timestamp};

/// Timeouts, silence, back-off, a breaker and a shortage, all of them with times that count.
const SCRIPT: &str = "0 pass\n5 exit a.1 1\n10 pass\n20 pass\n29 pass\n61 pass\n70 killed b.1\n\
                      71 pass\n80 no-start a.2 passing\n80 pass\n81 pass\n90 pass\n95 started a.3\n\
                      99 pass\n100 killed a.3\n130 pass\n150 killed c.1\n160 pass\n500 pass";

/// Returns what the scheduler asks for where the wall clock shows `wall` at each second.
fn played(wall: impl Fn(u64) -> i64) -> Vec<String> {
    let mut plan_text = "@breaker 2 600 300\na\nb heartbeat=60\nc timeout=120".to_owned();
    let now = |second: u64| {
        let wall = Timestamp(wall(second).saturating_mul(1000));
        Now { tick: Tick(Duration::from_secs(second)), wall }
    };
    let mut scheduler = Scheduler::recover(Arc::new(plan(&plan_text)), Recorded::default(), now(0));
    let mut told = Vec::new();
    for line in SCRIPT.lines() {
        let (second, line) = line.split_once(' ').unwrap();
        let effects = scheduler.step(now(second.parse().unwrap()), event(line, &mut plan_text));
        let due = scheduler.next_deadline();
        told.push(format!("{second} {line}, due {due:?}"));
        told.extend(effects.iter().filter_map(tell));
    }
    told
}

#[test]
fn no_jump_of_the_wall_clock_makes_anything_due() {
    let today = 1_795_000_000;
    let steady = |second: u64| today + i64::try_from(second).unwrap();
    let expected = played(steady);
    let told = expected.join("\n");
    for what in ["silent b.1", "stop c.1", "short: ", "short no more", "breaker opened", "retry"] {
        assert!(told.contains(what), "{what} is not in it:\n{told}");
    }
    let after = |jump: i64| move |second| steady(second) + if second >= 10 { jump } else { 0 };
    for jump in [3600, -3600, 86_400, -86_400 * 365 * 60] {
        assert_eq!(played(after(jump)), expected, "a jump of {jump} s");
    }
    assert_eq!(played(|second| if second >= 10 { 0 } else { today }), expected, "to 1970");
    assert_eq!(played(|second| today - i64::try_from(second).unwrap() * 7), expected, "backwards");
}
