//! How long tasks will take, judged by how long others took.

use std::{collections::BTreeMap, time::Duration};

use super::plan::{Plan, TaskIndex};

/// What the record says about the estimates.
///
/// A task that has succeeded before is thought to take as long as the last time. Any other takes
/// its estimate times one factor for the whole plan: the time that the tasks on record took
/// together, divided by their estimates together.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// What an estimate is multiplied with; 1 where nothing is on record.
    pub factor: f64,
    /// How many tasks it is judged by.
    pub n_tasks: usize,
    recorded: BTreeMap<TaskIndex, Duration>,
}

impl Calibration {
    /// Returns how long `task` is thought to take.
    pub fn length(&self, plan: &Plan, task: TaskIndex) -> Duration {
        self.recorded.get(&task).copied().unwrap_or_else(|| self.estimated(plan, task))
    }

    /// Returns the estimate of `task` as the record corrects it, whatever `task` itself took.
    pub fn estimated(&self, plan: &Plan, task: TaskIndex) -> Duration {
        let seconds = plan.duration(task).as_secs_f64() * self.factor;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Compares how long successful attempts took with the estimates of their tasks. Of several
/// attempts of one task, the last one given counts.
pub fn calibrate(
    plan: &Plan,
    succeeded: impl IntoIterator<Item = (TaskIndex, Duration)>,
) -> Calibration {
    let recorded: BTreeMap<TaskIndex, Duration> = succeeded.into_iter().collect();
    let sum = |lengths: &mut dyn Iterator<Item = Duration>| {
        lengths.fold(Duration::ZERO, Duration::saturating_add).as_secs_f64()
    };
    let taken = sum(&mut recorded.values().copied());
    let estimated = sum(&mut recorded.keys().map(|task| plan.duration(*task)));
    // Estimates of zero say nothing about how good estimates are.
    let factor = if taken > 0.0 && estimated > 0.0 { taken / estimated } else { 1.0 };
    Calibration { factor, n_tasks: recorded.len(), recorded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        model::{
            config::Config,
            id::TaskId,
            task::{Estimate, TaskSpec},
        },
        plan,
    };

    fn minutes(n: u64) -> Duration {
        Duration::from_secs(n * 60)
    }

    #[test]
    fn estimates_are_scaled_by_what_others_took() {
        let specs = [("a", 10), ("b", 30), ("c", 20), ("d", 0)].map(|(id, n)| {
            let mut spec = TaskSpec::new(TaskId::parse(id).unwrap(), id);
            spec.estimate = Some(Estimate::Time(minutes(n)));
            spec
        });
        let plan =
            plan::build(specs.iter().cloned().map(Into::into).collect(), [], Config::default());
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| plan.find(id).unwrap());

        let none = calibrate(&plan, []);
        assert_eq!((none.factor, none.n_tasks, none.length(&plan, c)), (1.0, 0, minutes(20)));

        let half = calibrate(&plan, [(a, minutes(1)), (b, minutes(15)), (a, minutes(5))]);
        assert_eq!((half.factor, half.n_tasks), (0.5, 2));
        let lengths = [a, b, c, d].map(|task| half.length(&plan, task));
        assert_eq!(lengths, [minutes(5), minutes(15), minutes(10), minutes(0)]);

        let nothing = calibrate(&plan, [(d, minutes(3))]);
        assert_eq!((nothing.factor, nothing.n_tasks), (1.0, 1));
    }
}
