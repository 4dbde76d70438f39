//! What may be executed, followed while a run goes on: what waits for approval is told once, and
//! kept from being started.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Coordinator, WhenIdle, effects::Worker, planning};
use crate::{
    app::{
        approval::{Approval, AsRead},
        error::AppError,
        tracker::Tracker,
        view::{
            run::Happened,
            trust::{Approved, Unapproved},
        },
    },
    domain::{
        model::task::Isolation,
        plan::Plan,
        scheduler::event::Event,
        trust::{PartName, Why},
    },
};

/// The approvals of the plan of a run.
pub(super) struct Followed {
    pub(super) book: Approval,
    /// Whether somebody was at work since the last look at the plan that could have changed it.
    had_workers: bool,
    /// What waits for approval, as far as that was told.
    told: BTreeSet<String>,
}

impl Followed {
    /// Begins with what was looked at already.
    pub(super) fn new(book: Approval) -> Self {
        Self { book, had_workers: false, told: BTreeSet::new() }
    }
}

impl Coordinator {
    /// Notes whether somebody is at work that can write where the plan is. Whoever is in a sandbox
    /// cannot.
    pub(super) fn note_workers(&mut self) {
        self.approval.had_workers |= self.has_workers();
    }

    fn has_workers(&self) -> bool {
        let is_free = |worker: &Worker| worker.assignment.isolation != Isolation::Sandbox;
        self.workers.values().any(is_free) || self.gate_stop.is_some()
    }

    /// Looks whether what the files say now may be executed, and returns the plan that is gone on
    /// with: one whose settings are approved. What waits is noted first.
    pub(super) fn approved(&mut self, plan: &Arc<Plan>, batch: &mut Vec<Event>) -> Arc<Plan> {
        let had_workers = self.approval.had_workers || self.has_workers();
        match look(&mut self.approval.book, plan, &self.tracker, had_workers) {
            Ok(()) => self.tell_approval(),
            // What it waits for stays as it is, and with it the plan.
            Err(error) => {
                tracing::warn!(%error, "approvals cannot be looked up");
                return Arc::clone(self.approval.book.plan().unwrap_or(plan));
            }
        }
        self.approval.had_workers = self.has_workers();
        batch.push(Event::ApprovalSeen(self.approval.book.unapproved()));
        Arc::clone(self.approval.book.plan().unwrap_or(plan))
    }

    /// Looks whether a person approved something meanwhile, or took it back, and whether another commit
    /// is checked out: then all files are read, so that it is known what came with it before the next
    /// edit.
    pub(super) fn look_for_approvals(&mut self, batch: &mut Vec<Event>) {
        if !self.approval.book.has_news() {
            return;
        }
        if self.approval.book.has_moved() && self.misplaced().is_none() {
            match self.tracker.look_at_all() {
                Ok(news) if news.plan.is_some() => return self.take_news(news, batch),
                Ok(news) => self.take_news(news, batch),
                Err(error) => {
                    tracing::warn!(%error, "the files of another commit cannot be read now");
                }
            }
        }
        self.look_again(batch);
    }

    /// Looks at the plan as it was read last.
    fn look_again(&mut self, batch: &mut Vec<Event>) {
        let before = self.approval.book.plan().cloned();
        let as_written = Arc::clone(self.tracker.plan());
        let plan = self.approved(&as_written, batch);
        if before.is_none_or(|before| !Arc::ptr_eq(&before, &plan)) {
            self.note_settings(&plan);
            let plan = planning::overridden(&self.options, &plan);
            let outside = self.scheduler.outside().clone();
            batch.push(Event::PlanChanged { plan, outside });
        }
    }

    /// Tells what waits for approval, and what does not any more, as far as that was not told. What
    /// is only kept back until git is done is neither.
    pub(super) fn tell_approval(&mut self) {
        if self.approval.book.is_unsettled() {
            return;
        }
        let waiting = self.approval.book.waiting();
        let names: BTreeSet<String> = waiting.keys().map(ToString::to_string).collect();
        let mut by_reason: BTreeMap<Why, Vec<String>> = BTreeMap::new();
        for (name, why) in waiting.iter().map(|(name, why)| (name.to_string(), *why)) {
            if !self.approval.told.contains(&name) {
                by_reason.entry(why).or_default().push(name);
            }
        }
        let told = std::mem::replace(&mut self.approval.told, names);
        for (why, parts) in by_reason {
            let reason = why.phrase().to_owned();
            self.tell(Happened::WaitsForApproval(Unapproved { parts, reason }));
        }
        let released = told.into_iter().filter(|name| !self.approval.told.contains(name));
        let parts: Vec<String> = released.collect();
        if !parts.is_empty() {
            self.tell(Happened::Approved(Approved { parts }));
        }
    }

    /// Says whether the commands for an event may be run.
    pub(super) fn is_approved(&self, name: &PartName) -> bool {
        self.approval.book.waits(name).is_none()
    }

    /// Says whether a run that would end waits for what is approved in a moment.
    pub(super) fn waits_to_settle(&self) -> bool {
        self.options.when_idle == WhenIdle::End && self.approval.book.is_unsettled()
    }
}

/// Looks at `plan`, which is made of what `tracker` has read.
fn look(
    approval: &mut Approval,
    plan: &Arc<Plan>,
    tracker: &Tracker,
    had_workers: bool,
) -> Result<(), AppError> {
    let files = tracker.files();
    let is_read = |path: &str| files.is_read(tracker.store(), path);
    let has_errors = files.diagnostics().any(|found| found.severity.is_error());
    approval.look(plan, had_workers, &AsRead { has_errors, is_read: &is_read })
}

/// Looks at a plan before anything is done with it.
///
/// # Errors
/// [`AppError::Untrusted`] where nothing of it may be executed.
pub(super) fn begin(
    approval: &mut Approval,
    options: &super::RunOptions,
    tracker: &Tracker,
    had_workers: bool,
) -> Result<(), AppError> {
    let plan = tracker.plan();
    approval.grant(options.grant, plan)?;
    look(approval, plan, tracker, had_workers)?;
    // Who only stops what is at work starts nothing.
    match options.stop_first {
        Some(_) => Ok(()),
        None => approval.require_beginning(),
    }
}
