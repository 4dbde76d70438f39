//! Whether what a task left in git may go: by where the task stands, and nothing else.

use crate::domain::scheduler::phase::TaskState;

/// What is known of a task whose worktree it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    /// Its state; `None` where it is not in the plan.
    pub state: Option<TaskState>,
    /// What may be at work on it, or may begin.
    pub work: Work,
    /// Whether the worktree was cut from the branch that is checked out.
    pub is_of_branch: bool,
    /// Whether the plan has errors.
    pub has_errors: bool,
}

/// Who may be at work on a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Nobody, and nobody begins.
    None,
    /// Nobody works on it, but a coordinator is there that may start it.
    MayBegin {
        /// Whether it starts it again by itself, though it is done.
        runs_again: bool,
    },
    /// An attempt has no ending on record.
    Open {
        /// Whether a coordinator is there that sees to it.
        is_seen_to: bool,
    },
}

/// What follows for a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It goes, because of this.
    Goes(&'static str),
    /// It stays, because of this.
    Stays(&'static str),
    /// It stays as long as there are not too many of its like, because of this.
    Counts(&'static str),
}

/// Judges a worktree.
pub(super) fn judge(case: Case) -> Judgement {
    use Judgement::{Counts, Goes, Stays};
    match case.work {
        Work::Open { is_seen_to: true } => return Stays("its task is being worked on"),
        Work::Open { is_seen_to: false } => {
            return Stays("an attempt has no ending on record; `orch run` sees to it");
        }
        Work::None | Work::MayBegin { .. } => {}
    }
    let Some(state) = case.state else {
        return match (case.is_of_branch, case.has_errors) {
            (false, _) => Stays("its task is not in the plan, but it is of another branch"),
            (true, true) => {
                Stays("its task is not in the plan, but that has errors; see `orch check`")
            }
            (true, false) => Goes("its task is no longer in the plan"),
        };
    };
    match (state, case.work) {
        (TaskState::Done, Work::MayBegin { runs_again: true }) => {
            Stays("its task is done, but runs again when its file changes")
        }
        (TaskState::Done, _) => Goes("its task is done"),
        (TaskState::Cancelled, _) => Goes("its task is cancelled"),
        // A retry at this moment would start a worker in it.
        (TaskState::Failed | TaskState::Blocked, Work::MayBegin { .. }) => {
            Stays("its task did not end well, but the coordinator at work may take it up")
        }
        (TaskState::Failed, _) => Counts("its task failed"),
        (TaskState::Blocked, _) => Counts("its task is blocked"),
        (TaskState::Review, _) => Stays("its task waits for a person"),
        (TaskState::Running | TaskState::Verifying | TaskState::Landing, _) => {
            Stays("its task is being worked on")
        }
        (TaskState::Ready | TaskState::BackingOff | TaskState::Waiting, _) => {
            Stays("the next attempt goes on there")
        }
        (TaskState::Hold, _) => Stays("its task is on hold"),
        (TaskState::Draft, _) => Stays("its task is a draft"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const CASE: Case =
        Case { state: None, work: Work::None, is_of_branch: true, has_errors: false };

    fn line(name: &str, case: Case) -> String {
        format!("{name}: {:?}\n", judge(case))
    }

    #[test]
    fn every_state_has_its_answer() {
        let mut told = line("none", CASE);
        for state in TaskState::ALL {
            told += &line(state.as_str(), Case { state: Some(state), ..CASE });
        }
        expect![[r#"
            none: Goes("its task is no longer in the plan")
            running: Stays("its task is being worked on")
            verifying: Stays("its task is being worked on")
            landing: Stays("its task is being worked on")
            ready: Stays("the next attempt goes on there")
            backing-off: Stays("the next attempt goes on there")
            waiting: Stays("the next attempt goes on there")
            review: Stays("its task waits for a person")
            blocked: Counts("its task is blocked")
            failed: Counts("its task failed")
            hold: Stays("its task is on hold")
            draft: Stays("its task is a draft")
            done: Goes("its task is done")
            cancelled: Goes("its task is cancelled")
        "#]]
        .assert_eq(&told);
    }

    #[test]
    fn in_doubt_it_stays() {
        let (done, failed) = (Some(TaskState::Done), Some(TaskState::Failed));
        let open = |is_seen_to| Case { state: done, work: Work::Open { is_seen_to }, ..CASE };
        let beside =
            |state, runs_again| Case { state, work: Work::MayBegin { runs_again }, ..CASE };
        let told = [
            line("left", open(false)),
            line("runs", open(true)),
            line("other branch", Case { is_of_branch: false, ..CASE }),
            line("errors", Case { has_errors: true, ..CASE }),
            line("done, errors", Case { state: done, has_errors: true, ..CASE }),
            line("done, coordinator", beside(done, false)),
            line("done, coordinator, rerun", beside(done, true)),
            line("failed, coordinator", beside(failed, false)),
        ];
        expect![[r#"
            left: Stays("an attempt has no ending on record; `orch run` sees to it")
            runs: Stays("its task is being worked on")
            other branch: Stays("its task is not in the plan, but it is of another branch")
            errors: Stays("its task is not in the plan, but that has errors; see `orch check`")
            done, errors: Goes("its task is done")
            done, coordinator: Goes("its task is done")
            done, coordinator, rerun: Stays("its task is done, but runs again when its file changes")
            failed, coordinator: Stays("its task did not end well, but the coordinator at work may take it up")
        "#]]
        .assert_eq(&told.concat());
    }
}
