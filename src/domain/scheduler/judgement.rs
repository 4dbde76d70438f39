//! What the end of a worker means: its exit code, its words and its signal, before any verify
//! command ran.

#[cfg(test)]
mod tests;

use super::phase::Live;
use crate::domain::model::{
    attempt::{Exit, Killer, ReportedState, ReviewKind, UsageLimit, WorkerEnd},
    id::GateName,
    time::render_duration,
};

/// What an ended worker means before any verify command ran.
pub(super) enum Judgement {
    /// It did not hold.
    Failed(String),
    /// Something killed it.
    Crashed(String),
    /// Its provider has had enough of it for now.
    Limited(UsageLimit),
    /// It waits for a gate.
    Blocked(GateName, String),
    /// A person is asked.
    Review(ReviewKind, String),
    /// It claims success, but does not say the word that is asked for.
    Unsigned(String),
    /// It claims success.
    Verify,
}

impl Live {
    /// Judges the end of the worker. What it said can only make the judgement stricter.
    pub(super) fn judge(&self, end: &WorkerEnd) -> Judgement {
        let report = self.report.as_ref();
        let state = report.map(|report| report.state);
        let said = report.and_then(|report| report.message.as_deref());
        if let Some(limit) = &end.limit {
            return Judgement::Limited(self.shared(limit.clone()));
        }
        if end.killed_by == Some(Killer::Timeout) {
            let limit = render_duration(self.assignment.policy.timeout.unwrap_or_default());
            return Judgement::Failed(format!("timed out after {limit}"));
        }
        if let Exit::Signal(_) = end.exit {
            return Judgement::Crashed(self.ended_with(end, None));
        }
        let gate = report.and_then(|report| report.waiting_for.clone());
        match (state.unwrap_or(ReportedState::Done), gate) {
            (ReportedState::Blocked, Some(gate)) => {
                let words = format!("the worker waits for the gate `{gate}`");
                Judgement::Blocked(gate, with_words(&words, said))
            }
            (ReportedState::Escalate, _) => {
                let category = report.and_then(|report| report.category.as_deref());
                let about = category.map_or_else(String::new, |what| format!(" ({what})"));
                let words = with_words(&format!("the worker asks for a decision{about}"), said);
                Judgement::Review(ReviewKind::Escalate, words)
            }
            _ if !end.exit.is_success() => Judgement::Failed(self.ended_with(end, said)),
            (ReportedState::Failed, _) => Judgement::Failed(self.ended_with(end, said)),
            (ReportedState::Review, _) => {
                let words = with_words("the worker asks for a review", said);
                Judgement::Review(ReviewKind::Review, words)
            }
            (ReportedState::Blocked, None) => {
                let words = with_words("the worker is blocked", said);
                Judgement::Review(ReviewKind::Review, words)
            }
            (ReportedState::Working | ReportedState::Done, _) => {
                match &self.assignment.policy.completion.signal {
                    Some(signal) if !end.has_signal => Judgement::Unsigned(format!(
                        "exit code 0, but the signal `{signal}` is not in the output"
                    )),
                    Some(_) | None => Judgement::Verify,
                }
            }
        }
    }

    /// Returns `limit` as one of the provider that its task names, where it names one.
    pub(super) fn shared(&self, limit: UsageLimit) -> UsageLimit {
        let named = self.assignment.policy.provider.clone();
        UsageLimit { provider: named.unwrap_or(limit.provider), ..limit }
    }

    /// Returns what the worker claimed last, where `exit` says otherwise.
    pub(super) fn contradiction(&self, exit: Exit) -> Option<ReportedState> {
        let state = self.report.as_ref()?.state;
        let contradicts = match state {
            ReportedState::Done => !exit.is_success(),
            ReportedState::Failed => exit.is_success(),
            ReportedState::Working
            | ReportedState::Blocked
            | ReportedState::Review
            | ReportedState::Escalate => false,
        };
        contradicts.then_some(state)
    }

    fn ended_with(&self, end: &WorkerEnd, said: Option<&str>) -> String {
        let exit = end.exit;
        let cause = match end.killed_by {
            Some(Killer::OutOfMemory) => ", as the system had run out of memory",
            Some(Killer::Timeout) | None => "",
        };
        let claim = self.contradiction(exit).map_or_else(String::new, |state| {
            format!(", although it reported `{}`", state.as_str())
        });
        let has_failed = self.report.as_ref().is_some_and(|r| r.state == ReportedState::Failed);
        let said = said.filter(|_| has_failed);
        with_words(&format!("the worker ended with {exit}{cause}{claim}"), said)
    }
}

fn with_words(what: &str, said: Option<&str>) -> String {
    said.map_or_else(|| what.to_owned(), |said| format!("{what}: {said}"))
}
