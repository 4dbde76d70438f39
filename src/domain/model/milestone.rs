//! Points that a plan comes to, each told once and remembered.

use super::{hook::Hook, task::Budget, time::Timestamp};

/// What the settings say of a milestone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MilestoneSpec {
    /// When it is reached; `None` where the settings do not say.
    pub trigger: Option<Trigger>,
    /// What is run then, beside the hook for all milestones.
    pub hook: Hook,
    /// What all attempts of its tasks together may use up.
    pub budget: Budget,
}

/// When a milestone is reached, by those of its tasks that were not cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// All of them are done.
    #[default]
    All,
    /// At least this share of them is done.
    Percent(u8),
    /// One of them failed.
    FirstFailure,
}

/// The tasks of a milestone at one moment, cancelled ones left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// How many there are.
    pub n_tasks: usize,
    /// How many are done.
    pub n_done: usize,
    /// How many are out of attempts.
    pub n_failed: usize,
}

impl Trigger {
    /// Says whether a milestone is reached.
    pub fn holds(self, reach: Reach) -> bool {
        let Reach { n_tasks, n_done, n_failed } = reach;
        match self {
            Self::All => n_tasks > 0 && n_done == n_tasks,
            Self::Percent(share) => n_tasks > 0 && n_done * 100 >= usize::from(share) * n_tasks,
            Self::FirstFailure => n_failed > 0,
        }
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Percent(share) => write!(f, "{share}%"),
            Self::FirstFailure => f.write_str("first-failure"),
        }
    }
}

/// The coordinator's record of a milestone that was reached (`.orch/runs/@milestone-<name>.<mark>.yaml`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilestoneRecord {
    /// Its name, as tasks write it.
    pub name: String,
    /// What it was reached by, in words of the settings.
    pub trigger: String,
    /// When.
    pub reached: Timestamp,
    /// How many of its tasks were done.
    pub n_done: usize,
    /// How many there were.
    pub n_tasks: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milestones_are_reached() {
        let table = [
            (Trigger::All, (0, 0, 0), false),
            (Trigger::All, (3, 2, 0), false),
            (Trigger::All, (3, 3, 0), true),
            (Trigger::Percent(80), (5, 3, 0), false),
            (Trigger::Percent(80), (5, 4, 0), true),
            (Trigger::Percent(67), (3, 2, 0), false),
            (Trigger::Percent(66), (3, 2, 0), true),
            (Trigger::Percent(0), (0, 0, 0), false),
            (Trigger::FirstFailure, (3, 2, 0), false),
            (Trigger::FirstFailure, (3, 0, 1), true),
        ];
        for (trigger, (n_tasks, n_done, n_failed), expected) in table {
            let reach = Reach { n_tasks, n_done, n_failed };
            assert_eq!(trigger.holds(reach), expected, "{trigger} {reach:?}");
        }
    }
}
