//! What of a plan may be executed, for whoever only shows it: nothing is judged, and nothing kept.

use std::path::Path;

use super::{approvals_of, unapproved};
use crate::{
    app::own_settings,
    domain::{scheduler::approval::Unapproved, trust::PartName},
    io::{git::Place, trust::Approvals},
};

/// What of a plan may be executed, as it was noted when somebody looked last; for whoever only
/// shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Whether nothing of it was ever approved.
    pub is_unknown: bool,
    /// Whether the settings wait for approval, so that nothing can be started.
    pub has_waiting_settings: bool,
    /// The tasks and gates that wait.
    pub unapproved: Unapproved,
    /// How many hooks, milestones and roles wait, and what the settings say for tasks.
    pub n_waiting_others: usize,
}

impl Noted {
    /// Says whether nothing waits for approval, as far as that was noted.
    pub fn is_all_approved(&self) -> bool {
        *self == Self::default()
    }
}

/// Looks up what was noted.
pub(in crate::app) fn noted(root: &Path) -> Noted {
    let own = own_settings::read().unwrap_or_default();
    if own_settings::approve_folder(&own, root).is_some() {
        return Noted::default();
    }
    let place = Place::find(root).ok().flatten();
    let approvals = approvals_of(root, place.as_ref()).ok();
    let Some(approvals) = approvals.filter(Approvals::is_known) else {
        return Noted { is_unknown: true, ..Noted::default() };
    };
    let book = approvals.read_waiting().unwrap_or_default();
    let is_other = |name: &PartName| {
        matches!(
            name,
            PartName::Hook(_) | PartName::Milestone(_) | PartName::Role(_) | PartName::Defaults
        )
    };
    Noted {
        is_unknown: false,
        has_waiting_settings: book.waiting(&PartName::Settings).is_some(),
        n_waiting_others: book.all_waiting().filter(|(name, _)| is_other(name)).count(),
        unapproved: unapproved(book.all_waiting()),
    }
}
