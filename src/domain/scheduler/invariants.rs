//! What holds after every step; checked in release too, because it is cheap.

use super::{Phase, Scheduler};

impl Scheduler {
    /// Asserts every relation between the tables of the scheduler that can be checked in time
    /// proportional to the number of running workers.
    pub(super) fn assert_invariants(&self) {
        for &task in &self.running {
            let Some(Phase::Running(live)) = self.phases.get(task.position()) else {
                unreachable!("a task in the list of running tasks runs")
            };
            let attempt = &live.assignment.attempt;
            assert_eq!(&attempt.task, self.plan.id(task), "an attempt belongs to its task");
            let last = self.histories.get(&attempt.task).map(|history| history.last);
            assert_eq!(last, Some(attempt.number), "only the newest attempt of a task runs");
            assert!(!self.ready.contains(&self.plan, task), "a running task is not ready");
        }
        for (task, other) in self.running.iter().zip(self.running.iter().skip(1)) {
            assert!(task < other, "no task runs twice");
        }
        assert!(
            self.in_workstream.len() <= self.running.len(),
            "a workstream is busy only with a running task"
        );
        if let Some((tick, _)) = self.deadlines.first() {
            assert!(*tick > self.now.tick, "no deadline that has passed is left");
        }
    }
}
