//! Whether what would be executed may be.

use super::{Book, Part};
use crate::domain::model::ceiling::Edits;

/// Why something waits for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing of the plan was ever approved.
    New,
    /// It came with another commit.
    Commit,
    /// It changed while a worker was at work that could have changed it.
    Worker,
    /// Every change is to be asked for.
    Edit,
}

impl Why {
    /// All words with their meaning, as they are stored.
    pub const NAMED: [(&'static str, Self); 4] = [
        ("new", Self::New),
        ("commit", Self::Commit),
        ("worker", Self::Worker),
        ("edit", Self::Edit),
    ];

    /// Returns it as a phrase that follows "waits for approval: ".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::New => "nothing in this plan was approved yet",
            Self::Commit => "it came with a commit that is not yours, or landed",
            Self::Worker => "it changed while a worker was at work",
            Self::Edit => "it changed, and your settings ask for every change",
        }
    }

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Commit => "commit",
            Self::Worker => "worker",
            Self::Edit => "edit",
        }
    }
}

/// What is known of a change beside its content.
pub struct Circumstances<'a> {
    /// What becomes of changes that people make.
    pub edits: Edits,
    /// Whether a worker was at work since the last look that can write where the plan is.
    pub had_workers: bool,
    /// Says whether a file of the plan is another one by a commit that its user did not make here,
    /// since the last look.
    pub came_with_commit: &'a dyn Fn(&str) -> bool,
    /// Why something waits that the part is made from: a role, or what holds for all.
    pub made_from: Option<Why>,
}

/// What holds for a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It was approved as it is.
    Approved,
    /// It was not, but its user made it so just now.
    OwnEdit,
    /// It must not be executed.
    Waits(Why),
}

impl Ruling {
    /// Decides about `part`. What waits goes on waiting, whatever is changed in it, until it is
    /// approved or as it was: an edit upon it would approve what it was made upon.
    pub fn of(part: &Part, book: &Book, around: &Circumstances<'_>) -> Self {
        if book.is_approved(part.fingerprint) {
            return Self::Approved;
        }
        if !book.is_known() {
            return Self::Waits(Why::New);
        }
        if let Some(why) = book.waiting(&part.name).or(around.made_from) {
            return Self::Waits(why);
        }
        if part.sources.iter().any(|path| (around.came_with_commit)(path)) {
            return Self::Waits(Why::Commit);
        }
        match around.edits {
            Edits::Ask => Self::Waits(Why::Edit),
            Edits::Accept if around.had_workers => Self::Waits(Why::Worker),
            Edits::Accept | Edits::Always => Self::OwnEdit,
        }
    }
}
