//! What the scheduler announces, workers report and records say, as it is told.

use super::{attempt::NamedAttempt, run::Happened};
use crate::domain::{
    model::{
        attempt::{AttemptRecord, StatusReport},
        id::AttemptId,
    },
    scheduler::effect::{Force, Notice},
};

fn named(attempts: &[AttemptId]) -> Vec<NamedAttempt> {
    attempts.iter().map(NamedAttempt::of).collect()
}

impl Happened {
    /// Returns what a worker reported.
    pub fn reported(report: &StatusReport) -> Self {
        Self::Progress {
            task: report.attempt.task.to_string(),
            attempt: report.attempt.number,
            state: report.state.as_str().to_owned(),
            progress: report.progress,
            message: report.message.clone(),
        }
    }

    /// Returns how an attempt ended, by its record; `None` where it has no ending.
    pub fn ended_on_record(record: &AttemptRecord) -> Option<Self> {
        let ending = record.ending.as_ref()?;
        Some(Self::Ended {
            task: record.attempt.task.to_string(),
            attempt: record.attempt.number,
            outcome: ending.outcome.as_str().to_owned(),
            reason: ending.reason.clone(),
            seconds: ending.ended.since(record.started).as_secs_f64(),
            retry_in: None,
            n_leaked: ending.n_leaked,
        })
    }

    /// Returns what the scheduler announced.
    pub fn announced(notice: Notice) -> Self {
        match notice {
            Notice::Started { attempt, title } => {
                Self::Started { task: attempt.task.to_string(), attempt: attempt.number, title }
            }
            Notice::Verifying { attempt } => {
                Self::Verifying { task: attempt.task.to_string(), attempt: attempt.number }
            }
            Notice::MovedOn { attempt } => {
                Self::MovedOn { task: attempt.task.to_string(), attempt: attempt.number }
            }
            Notice::Combined { attempts } => Self::Combined { attempts: named(&attempts) },
            Notice::Split { attempts, reason } => {
                Self::Split { attempts: named(&attempts), reason }
            }
            Notice::Stopping { attempt, why, force } => Self::Stopping {
                task: attempt.task.to_string(),
                attempt: attempt.number,
                why,
                is_kill: force == Force::Kill,
            },
            Notice::Ended { attempt, outcome, reason, took, retry_in, n_leaked } => Self::Ended {
                task: attempt.task.to_string(),
                attempt: attempt.number,
                outcome: outcome.as_str().to_owned(),
                reason,
                seconds: took.as_secs_f64(),
                retry_in: retry_in.map(|wait| wait.as_secs_f64()),
                n_leaked,
            },
            Notice::GaveUp { task, n_failed, of, n_blocked } => {
                Self::GaveUp { task: task.to_string(), n_failed, of: of.as_str(), n_blocked }
            }
            Notice::Silent { attempt, silent_for, stopped_in } => Self::Silent {
                task: attempt.task.to_string(),
                attempt: attempt.number,
                seconds: silent_for.as_secs_f64(),
                stopped_in: stopped_in.as_secs_f64(),
            },
            Notice::LimitReached { provider, until, words } => {
                Self::LimitReached { provider, until: until.to_string(), words }
            }
            Notice::BreakerOpened { n_crashes, within, pause } => Self::BreakerOpened {
                n_crashes,
                within: within.as_secs_f64(),
                pause: pause.as_secs_f64(),
            },
            Notice::ShortageBegan { cause } => Self::Held {
                reason: cause,
                help: "it is tried again by itself; nothing is used up".to_owned(),
            },
            Notice::ShortageEnded => Self::Released,
            Notice::BreakerClosed => Self::BreakerClosed,
            Notice::BudgetSpent { task, milestone, words } => {
                let task = task.map(|task| task.to_string());
                Self::BudgetSpent { task, milestone, words }
            }
            Notice::GateStarted { level } => Self::GateStarted { level },
            Notice::GateEnded { level, opens, is_passed, reason } => {
                Self::GateEnded { level, opens, is_passed, reason }
            }
            Notice::StopAsked { n_running, force } => {
                Self::StopAsked { n_running, is_kill: force == Force::Kill }
            }
        }
    }
}
