//! What is wrong with the files, and what was repaired.

use std::collections::BTreeSet;

use super::Tracker;
use crate::{
    app::{
        files::Usage,
        view::{change::FaultView, run::Happened},
    },
    domain::{
        model::{diagnostic::Diagnostic, id::TaskId},
        plan::{
            TaskIndex,
            rules::{self, Progress},
        },
    },
};

/// Says what the records say of a task.
pub(in crate::app) type Recorded<'a> = dyn Fn(&TaskId) -> Progress + 'a;

impl Tracker {
    /// Returns all that is wrong now.
    pub(in crate::app) fn diagnostics(&self, recorded: &Recorded<'_>) -> Vec<Diagnostic> {
        let unreadable = self.files.unreadable(Usage::Usable);
        let recorded = |task: TaskIndex| recorded(self.plan.id(task));
        let input = rules::Input { plan: &self.plan, unreadable: &unreadable, recorded: &recorded };
        let mut found = rules::check_all(&input);
        found.extend(self.files.diagnostics().cloned());
        found
    }

    /// Looks for faults, and tells which are new and which are gone.
    pub(in crate::app) fn look_for_faults(&mut self, recorded: &Recorded<'_>) -> Option<Happened> {
        let found: BTreeSet<FaultView> =
            self.diagnostics(recorded).iter().map(FaultView::from).collect();
        let before = std::mem::replace(&mut self.faults, found);
        let (new, gone) = FaultView::news(&before, &self.faults);
        let n_errors = self.faults.iter().filter(|fault| fault.severity == "error").count();
        let is_news = !new.is_empty() || !gone.is_empty();
        is_news.then_some(Happened::FaultsChanged { new, gone, n_errors })
    }
}
