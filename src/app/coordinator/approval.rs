//! What may be executed, followed while a run goes on: what waits for approval is told once, and
//! kept from being started.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Coordinator, WhenIdle, effects::Worker, planning};
use crate::{
    app::{
        approval::Approval,
        error::AppError,
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
    /// `read_at` is the commit that was checked out before all files were read.
    pub(super) fn approved(
        &mut self,
        plan: &Arc<Plan>,
        read_at: Option<&str>,
        batch: &mut Vec<Event>,
    ) -> Arc<Plan> {
        let had_workers = self.approval.had_workers || self.has_workers();
        match self.approval.book.look(plan, had_workers, read_at) {
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
        let head = self.approval.book.checked_out().filter(|_| self.approval.book.has_moved());
        let head = head.filter(|_| self.misplaced().is_none());
        let read = head.as_ref().map(|_| self.tracker.look_at_all());
        let (news, read_at) = match read {
            Some(Ok(Some(news))) => (Some(news), head),
            Some(Ok(None)) | None => (None, None),
            Some(Err(error)) => {
                tracing::warn!(%error, "the files of another commit cannot be read now");
                (None, None)
            }
        };
        match news {
            Some(news) if news.plan.is_some() => self.take_news_of(news, read_at.as_deref(), batch),
            Some(news) => {
                self.take_news_of(news, None, batch);
                self.look_again(read_at.as_deref(), batch);
            }
            None => self.look_again(None, batch),
        }
    }

    /// Looks at the plan as it was read last.
    fn look_again(&mut self, read_at: Option<&str>, batch: &mut Vec<Event>) {
        let before = self.approval.book.plan().cloned();
        let as_written = Arc::clone(self.tracker.plan());
        let plan = self.approved(&as_written, read_at, batch);
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

/// Looks at a plan before anything is done with it.
///
/// # Errors
/// [`AppError::Untrusted`] where nothing of it may be executed.
pub(super) fn begin(
    approval: &mut Approval,
    options: &super::RunOptions,
    plan: &Arc<Plan>,
    had_workers: bool,
) -> Result<(), AppError> {
    approval.grant(options.grant, plan)?;
    let begun_at = approval.begun_at().map(str::to_owned);
    approval.look(plan, had_workers, begun_at.as_deref())?;
    // Who only stops what is at work starts nothing.
    match options.stop_first {
        Some(_) => Ok(()),
        None => approval.require_beginning(),
    }
}
