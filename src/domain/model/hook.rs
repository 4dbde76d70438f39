//! Commands that are run beside a plan when something happens in it.

use std::{collections::BTreeMap, time::Duration};

use super::{limits::HOOK_TIMEOUT_DEFAULT, task::CommandLine};

/// What hooks can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookEvent {
    /// An attempt started.
    Started,
    /// A task is done.
    Done,
    /// A task is out of attempts.
    Failed,
    /// A task cannot start before somebody acts.
    Blocked,
    /// A person must look at what a task left.
    Review,
    /// All tasks of a level are done, and its gate is open.
    LevelDone,
    /// A milestone was reached.
    Milestone,
    /// Nothing runs any more, and nothing can start by itself.
    PlanFinished,
}

impl HookEvent {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 8] = [
        Self::Started,
        Self::Done,
        Self::Failed,
        Self::Blocked,
        Self::Review,
        Self::LevelDone,
        Self::Milestone,
        Self::PlanFinished,
    ];

    /// Returns the word that stands in the settings, and in `ORCH_EVENT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Review => "review",
            Self::LevelDone => "level_done",
            Self::Milestone => "milestone",
            Self::PlanFinished => "plan_finished",
        }
    }
}

/// What is run for one kind of event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Commands, run one after the other in the repository root, each whatever became of the last.
    pub run: Vec<CommandLine>,
    /// How long one command may take.
    pub timeout: Duration,
}

impl Default for Hook {
    fn default() -> Self {
        Self { run: Vec::new(), timeout: HOOK_TIMEOUT_DEFAULT }
    }
}

/// The hooks of a plan; those without commands are left out.
pub type Hooks = BTreeMap<HookEvent, Hook>;
