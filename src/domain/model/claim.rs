//! Claims of tasks, where several coordinators share a plan.

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimAnswer {
    /// The task is ours.
    Own,
    /// Another coordinator has it: who, in words.
    Other(String),
}
