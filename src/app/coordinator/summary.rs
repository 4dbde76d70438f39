//! What a run came to.

use std::collections::BTreeSet;

use crate::{
    app::{
        use_case::explain,
        view::run::{Summary, Unfinished},
    },
    domain::{
        model::{
            attempt::{Ending, Outcome, Usage},
            id::{AttemptId, TaskId},
            time::Now,
        },
        plan::TaskIndex,
        scheduler::{Scheduler, Verdict, phase::TaskState},
    },
};

/// Counted while the run goes on.
pub(super) struct Tally {
    began: Now,
    /// Attempts that were started.
    pub n_attempts: usize,
    done: BTreeSet<TaskId>,
    usage: Usage,
}

impl Tally {
    pub(super) fn new(now: Now) -> Self {
        Self { began: now, n_attempts: 0, done: BTreeSet::new(), usage: Usage::default() }
    }

    /// Counts an attempt that ended.
    pub(super) fn count(&mut self, attempt: &AttemptId, ending: &Ending) {
        self.usage = self.usage.plus(&ending.usage);
        if ending.outcome == Outcome::Succeeded {
            self.done.insert(attempt.task.clone());
        }
    }

    /// Returns the summary of a run that has ended.
    pub(super) fn summary(&self, scheduler: &Scheduler, now: Now) -> Summary {
        let plan = scheduler.plan();
        let states = scheduler.states();
        let with = |wanted: TaskState| {
            let tasks = plan.indices().zip(&states).filter(move |(_, state)| **state == wanted);
            tasks.map(|(task, _)| unfinished(scheduler, task, &states)).collect::<Vec<_>>()
        };
        let count = |wanted: TaskState| states.iter().filter(|state| **state == wanted).count();
        let n_tasks = states.len() - count(TaskState::Cancelled);
        let n_done = count(TaskState::Done);
        let (failed, review, blocked) =
            (with(TaskState::Failed), with(TaskState::Review), with(TaskState::Blocked));
        let kept_back = count(TaskState::Draft) + count(TaskState::Hold);
        let left = n_tasks - n_done - failed.len() - review.len() - blocked.len() - kept_back;
        let is_stopped = scheduler.verdict() == Some(Verdict::Stopped);
        let is_clean = failed.is_empty() && review.is_empty() && blocked.is_empty();
        let (verdict, exit_code) = match (is_stopped, is_clean) {
            (true, _) => ("stopped", 130),
            (false, true) => ("done", 0),
            (false, false) => ("finished", 1),
        };
        Summary {
            verdict: verdict.to_owned(),
            exit_code,
            n_done,
            n_tasks,
            n_done_now: self.done.len(),
            n_attempts: self.n_attempts,
            failed,
            review,
            blocked,
            kept_back,
            left,
            n_running: 0,
            seconds: now.tick.0.saturating_sub(self.began.tick.0).as_secs_f64(),
            tokens: self.usage.tokens(),
            cost_usd: self.usage.cost_usd,
        }
    }
}

fn unfinished(scheduler: &Scheduler, task: TaskIndex, states: &[TaskState]) -> Unfinished {
    let reasons = scheduler.explain(task, states);
    let why = reasons.first().map(|reason| explain::told(scheduler, task, reason));
    let (why, help) = why.map(|why| (why.sentence, why.help)).unwrap_or_default();
    Unfinished { task: scheduler.plan().id(task).to_string(), why, help }
}
