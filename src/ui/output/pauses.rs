//! Words for what makes a run wait: workers that are silent or stand still, limits of providers,
//! crashes, spent budgets.

use super::run::{Tone, name, seconds};
use crate::app::view::run::Happened;

/// Returns what happened in words; `None` where it is something else.
pub(super) fn words(happened: &Happened) -> Option<(Tone, String)> {
    Some(match happened {
        Happened::Silent { task, attempt, seconds: silent_for, stopped_in } => {
            let (name, silent_for) = (name(task, *attempt), seconds(*silent_for));
            let left = seconds(*stopped_in);
            let text = format!("silent    {name}: no sign of life for {silent_for}");
            (Tone::Uneasy, format!("{text}; it is stopped in {left}"))
        }
        Happened::Claimed { task, by } => {
            (Tone::Neutral, format!("leave     {task}: claimed by {by}"))
        }
        Happened::StandsStill { task, attempt, how, pid } => {
            let why = match *how {
                "stopped" => format!("somebody stopped it; `kill -CONT {pid}` sets it going"),
                "traced" => "a debugger holds it; it goes on when that lets it go".to_owned(),
                _ => "it waits inside of the system, for a disk or a network file system, where \
                      no signal reaches it"
                    .to_owned(),
            };
            let text = format!("{how:<9} {}: process {pid} stands still", name(task, *attempt));
            (Tone::Bad, format!("{text}: {why} · it keeps its slot"))
        }
        Happened::MovesAgain { task, attempt } => {
            (Tone::Neutral, format!("resume    {} goes on", name(task, *attempt)))
        }
        Happened::LimitReached { provider, until, words } => {
            let text = format!("limit     the limit of {provider} is reached: {words}");
            (Tone::Uneasy, format!("{text} · its tasks go on by themselves at {until}"))
        }
        Happened::BreakerOpened { n_crashes, within, pause } => {
            let text = format!("pause     {n_crashes} workers died within {}", seconds(*within));
            let help = "look at what they have in common; resuming the run starts tasks at once";
            (Tone::Bad, format!("{text}: nothing is started for {} · {help}", seconds(*pause)))
        }
        Happened::BreakerClosed => {
            (Tone::Neutral, "resume    the pause after many crashes is over".to_owned())
        }
        Happened::BudgetSpent { task: Some(task), words, .. } => {
            let text = format!("budget    that of {task} is spent, {words} used");
            (Tone::Bad, format!("{text} · `orch retry {task}` grants it once more"))
        }
        Happened::BudgetSpent { milestone: Some(name), words, .. } => {
            let text = format!("budget    that of milestone `{name}` is spent, {words} used");
            let help =
                format!("raise `milestones: {{{name}: {{budget: …}}}}` in .orch/config.yaml");
            (Tone::Bad, format!("{text}: none of its tasks is started · {help}"))
        }
        Happened::BudgetSpent { milestone: None, words, .. } => {
            let text = format!("budget    that of the run is spent, {words} used");
            let help = "raise `run: {budget: …}` in .orch/config.yaml";
            (Tone::Bad, format!("{text}: nothing is started · {help}"))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn whoever_looks_on_learns_why_it_waits_and_what_to_do() {
        let spent = |task: Option<&str>, milestone: Option<&str>| Happened::BudgetSpent {
            task: task.map(str::to_owned),
            milestone: milestone.map(str::to_owned),
            words: "$5.02 of $5.00".to_owned(),
        };
        let stands =
            |how| Happened::StandsStill { task: "A-1".to_owned(), attempt: 2, how, pid: 77 };
        let happened = [
            Happened::Silent {
                task: "A-1".to_owned(),
                attempt: 2,
                seconds: 60.0,
                stopped_in: 120.0,
            },
            Happened::Claimed { task: "A-1".to_owned(), by: "build-7 (clone 0f)".to_owned() },
            stands("stopped"),
            stands("traced"),
            stands("unkillable"),
            Happened::MovesAgain { task: "A-1".to_owned(), attempt: 1 },
            Happened::LimitReached {
                provider: "anthropic".to_owned(),
                until: "2026-11-20T15:00:00.000Z".to_owned(),
                words: "5-hour limit reached".to_owned(),
            },
            Happened::BreakerOpened { n_crashes: 5, within: 60.0, pause: 300.0 },
            Happened::BreakerClosed,
            spent(Some("A-1"), None),
            spent(None, Some("beta")),
            spent(None, None),
        ];
        let told = happened.iter().filter_map(words);
        let told: String = told.map(|(tone, text)| format!("{tone:?}: {text}\n")).collect();
        expect![[r#"
            Uneasy: silent    A-1 #2: no sign of life for 1m 00s; it is stopped in 2m 00s
            Neutral: leave     A-1: claimed by build-7 (clone 0f)
            Bad: stopped   A-1 #2: process 77 stands still: somebody stopped it; `kill -CONT 77` sets it going · it keeps its slot
            Bad: traced    A-1 #2: process 77 stands still: a debugger holds it; it goes on when that lets it go · it keeps its slot
            Bad: unkillable A-1 #2: process 77 stands still: it waits inside of the system, for a disk or a network file system, where no signal reaches it · it keeps its slot
            Neutral: resume    A-1 goes on
            Uneasy: limit     the limit of anthropic is reached: 5-hour limit reached · its tasks go on by themselves at 2026-11-20T15:00:00.000Z
            Bad: pause     5 workers died within 1m 00s: nothing is started for 5m 00s · look at what they have in common; resuming the run starts tasks at once
            Neutral: resume    the pause after many crashes is over
            Bad: budget    that of A-1 is spent, $5.02 of $5.00 used · `orch retry A-1` grants it once more
            Bad: budget    that of milestone `beta` is spent, $5.02 of $5.00 used: none of its tasks is started · raise `milestones: {beta: {budget: …}}` in .orch/config.yaml
            Bad: budget    that of the run is spent, $5.02 of $5.00 used: nothing is started · raise `run: {budget: …}` in .orch/config.yaml
        "#]].assert_eq(&told);
    }
}
