//! What the end of a worker means: its exit code, its words and its signal, before any verify
//! command ran.

use super::phase::Live;
use crate::domain::model::attempt::{ReportedState, WorkerEnd};

/// What an ended worker means before any verify command ran.
pub(super) enum Judgement {
    Failed(String),
    Review(String),
    Verify,
}

impl Live {
    /// Judges the end of the worker. What it said can only make the judgement stricter.
    pub(super) fn judge(&self, end: &WorkerEnd) -> Judgement {
        let exit = end.exit;
        let report = self.report.as_ref();
        let said = report.and_then(|report| report.message.as_deref());
        if !exit.is_success() {
            let claims_done = report.is_some_and(|report| report.state == ReportedState::Done);
            let contradiction = if claims_done { ", although it reported `done`" } else { "" };
            return Judgement::Failed(format!("the worker ended with {exit}{contradiction}"));
        }
        match report.map_or(ReportedState::Done, |report| report.state) {
            ReportedState::Failed => Judgement::Failed(with_words("the worker gave up", said)),
            ReportedState::Review => {
                Judgement::Review(with_words("the worker asks for a review", said))
            }
            ReportedState::Escalate => {
                Judgement::Review(with_words("the worker asks for a decision", said))
            }
            ReportedState::Blocked => Judgement::Review(with_words("the worker is blocked", said)),
            ReportedState::Working | ReportedState::Done => {
                match &self.assignment.policy.completion.signal {
                    Some(signal) if !end.has_signal => Judgement::Failed(format!(
                        "exit code 0, but the signal `{signal}` is not in the output"
                    )),
                    Some(_) | None => Judgement::Verify,
                }
            }
        }
    }
}

fn with_words(what: &str, said: Option<&str>) -> String {
    said.map_or_else(|| what.to_owned(), |said| format!("{what}: {said}"))
}
