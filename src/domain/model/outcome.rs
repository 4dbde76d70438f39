//! How an attempt ended, in one word, and what it uses up.

/// What a person is asked for by an attempt in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewKind {
    /// Its worker asks for a look at the result.
    Review,
    /// Its worker asks for a decision.
    Escalate,
    /// It held, and its task says that a person must approve it.
    Completion,
    /// It held, but cannot land.
    Landing,
}

impl ReviewKind {
    /// All kinds with their names.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("review", Self::Review),
        ("escalate", Self::Escalate),
        ("completion", Self::Completion),
        ("landing", Self::Landing),
    ];

    /// Returns the word that stands in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Escalate => "escalate",
            Self::Completion => "completion",
            Self::Landing => "landing",
        }
    }
}

/// How an attempt ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Exit code 0, signal seen, every verify command passed.
    Succeeded,
    /// It held, but a person must approve it.
    Review,
    /// It ended and did not hold. Uses up one attempt.
    Failed,
    /// A person cancelled the task. Uses up nothing.
    Cancelled,
    /// The coordinator was asked to stop. Uses up nothing.
    Interrupted,
    /// Nobody knows how it ended: what saw to it, or the machine, died while it ran. Uses up no
    /// attempt, but one crash.
    Lost,
    /// A signal that nobody here sent ended its worker. Uses up no attempt, but one crash.
    Crashed,
    /// Its worker gave no sign of life. Uses up one attempt.
    Stalled,
    /// Its provider's limit was reached. Uses up nothing.
    Limited,
    /// Its worker waits for a gate. Uses up nothing.
    Blocked,
    /// A budget was spent. Uses up nothing; a person must grant more.
    OverBudget,
    /// One iteration of a loop, whose checks did not hold yet. Uses up one iteration.
    Unfinished,
    /// No worker was started: the machine was short of something, or the coordinator died. Uses up
    /// nothing.
    NotStarted,
    /// It held, but does not go together with what landed meanwhile. Uses up one attempt.
    Conflict,
    /// It held or its worker said so, but the run ended before its work could land: that is made up
    /// for, without its worker. Uses up nothing.
    Unlanded,
}

impl Outcome {
    /// All outcomes with their names.
    pub const NAMED: [(&'static str, Self); 15] = [
        ("succeeded", Self::Succeeded),
        ("review", Self::Review),
        ("failed", Self::Failed),
        ("cancelled", Self::Cancelled),
        ("interrupted", Self::Interrupted),
        ("lost", Self::Lost),
        ("crashed", Self::Crashed),
        ("stalled", Self::Stalled),
        ("limited", Self::Limited),
        ("blocked", Self::Blocked),
        ("over-budget", Self::OverBudget),
        ("unfinished", Self::Unfinished),
        ("not-started", Self::NotStarted),
        ("conflict", Self::Conflict),
        ("unlanded", Self::Unlanded),
    ];

    /// Returns the word that stands in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Review => "review",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Lost => "lost",
            Self::Crashed => "crashed",
            Self::Stalled => "stalled",
            Self::Limited => "limited",
            Self::Blocked => "blocked",
            Self::OverBudget => "over-budget",
            Self::Unfinished => "unfinished",
            Self::NotStarted => "not-started",
            Self::Conflict => "conflict",
            Self::Unlanded => "unlanded",
        }
    }

    /// Says whether it counts as a crash.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crashed | Self::Lost)
    }

    /// Says whether its worker ended by itself and claimed success: a sign that the machine is in
    /// order.
    pub fn ended_well(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Review | Self::Unfinished | Self::Conflict | Self::Unlanded
        )
    }

    /// Says whether it uses up one attempt.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Stalled | Self::Conflict)
    }
}
