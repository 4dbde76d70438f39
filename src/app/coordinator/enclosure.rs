//! Workers in sandboxes, and their checks: whether there can be any, and what encloses whom.

use std::time::Duration;

use super::{
    Coordinator,
    apart::Yard,
    worker::{Home, send},
};
use crate::{
    app::{
        sandbox::{self, Enclosure, Inmate},
        view::{run::Happened, sandbox::SandboxView},
    },
    domain::{
        format::layout,
        model::{id::AttemptId, sandbox::Lack, task::Isolation, time::Tick},
        plan::Plan,
        sandbox::{Bwrap, lack},
        scheduler::event::Event,
    },
    io::{process::bwrap, store::Store},
};

/// For so long it is believed that sandboxes can be made, or cannot.
const BELIEVED: Duration = Duration::from_secs(5);

/// What is known of sandboxes here.
#[derive(Debug, Clone, Default)]
pub(super) struct Fence {
    found: Option<(Tick, Result<Bwrap, Lack>)>,
}

/// Why something cannot be run in a sandbox.
pub(super) enum Refusal {
    /// There is none here, for nobody.
    Lack(Lack),
    /// It cannot be made for this one.
    Own(String),
}

impl Fence {
    fn look(&mut self, store: &Store, now: Tick) -> Result<Bwrap, Lack> {
        match &self.found {
            Some((at, found)) if now < at.plus(BELIEVED) => found.clone(),
            _ => {
                let found = bwrap::find(store.root());
                self.found = Some((now, found.clone()));
                found
            }
        }
    }
}

impl Yard {
    /// Returns why tasks of `plan` that ask for a sandbox cannot run in one; `None` where they can, or
    /// none asks for it.
    pub(super) fn lack_of_sandbox(
        &mut self,
        store: &Store,
        plan: &Plan,
        now: Tick,
    ) -> Option<Lack> {
        if !sandbox::is_wanted(plan) {
            return None;
        }
        if !self.has_worktrees() {
            return Some(lack::without_worktrees(&self.reason));
        }
        self.fence.look(store, now).err()
    }
}

impl Coordinator {
    /// Looks whether tasks of `plan` can run in sandboxes, where they ask for it, and tells of news.
    pub(super) fn look_for_sandbox(&mut self, plan: &Plan, batch: &mut Vec<Event>) {
        let now = self.clock.now().tick;
        let lack = self.yard.lack_of_sandbox(&self.store, plan, now);
        if lack.as_ref() == self.scheduler.no_sandbox() {
            return;
        }
        self.tell_sandbox(lack.as_ref());
        batch.push(Event::SandboxSeen(lack));
    }

    /// As [`Self::look_for_sandbox`], where there was none the last time: somebody may have mended it.
    pub(super) fn look_for_missing_sandbox(&mut self, batch: &mut Vec<Event>) {
        if self.scheduler.no_sandbox().is_some() {
            let plan = self.scheduler.plan().clone();
            self.look_for_sandbox(&plan, batch);
        }
    }

    /// Tells whether there are sandboxes.
    pub(super) fn tell_sandbox(&mut self, lack: Option<&Lack>) {
        let (cause, help) = lack.cloned().map(|Lack { cause, help }| (cause, help)).unzip();
        self.tell(Happened::Sandbox(SandboxView { cause, help }));
    }

    /// Returns what the worker of an attempt is enclosed by, where it is to be.
    ///
    /// # Errors
    /// Why it is not to be started now.
    pub(super) fn enclosure(&mut self, attempt: &AttemptId) -> Result<Option<Enclosure>, Refusal> {
        let Some(worker) = self.workers.get(attempt) else { return Ok(None) };
        if worker.assignment.isolation != Isolation::Sandbox {
            return Ok(None);
        }
        let home = worker.home.clone();
        let now = self.clock.now().tick;
        let bwrap = self.yard.fence.look(&self.store, now).map_err(Refusal::Lack)?;
        self.enclosed(&bwrap, attempt, &home).map_err(Refusal::Own)
    }

    /// Does not start the worker of an attempt: it is to be enclosed, and cannot be.
    pub(super) fn refused(&self, attempt: AttemptId, refusal: Refusal) {
        match refusal {
            // No fault of the task: nothing is used up.
            Refusal::Lack(lack) => {
                self.not_started(attempt, lack.cause.clone(), true);
                let Some(events) = self.events.clone() else { return };
                let event = Event::SandboxSeen(Some(lack));
                tokio::spawn(async move { send(&events, event).await });
            }
            Refusal::Own(cause) => {
                self.not_started(attempt, format!("no sandbox can be made for it: {cause}"), false);
            }
        }
    }

    /// Returns what the checks of an attempt are enclosed by, where they are to be.
    ///
    /// # Errors
    /// Why they cannot be, as a phrase.
    pub(super) fn enclosure_of_checks(
        &self,
        attempt: &AttemptId,
        home: &Home,
    ) -> Result<Option<Enclosure>, String> {
        let isolation = self.workers.get(attempt).map(|worker| worker.assignment.isolation);
        if isolation != Some(Isolation::Sandbox) {
            return Ok(None);
        }
        let found = match &self.yard.fence.found {
            Some((_, Ok(bwrap))) => Ok(bwrap.clone()),
            // The worker of an earlier coordinator has ended.
            Some((_, Err(_))) | None => bwrap::find(self.store.root()),
        };
        self.enclosed(&found.map_err(|lack| lack.cause)?, attempt, home)
    }

    fn enclosed(
        &self,
        bwrap: &Bwrap,
        attempt: &AttemptId,
        home: &Home,
    ) -> Result<Option<Enclosure>, String> {
        let Some(worker) = self.workers.get(attempt) else { return Ok(None) };
        let ground = self.yard.ground().ok_or("there is no git repository")?;
        let policy = &worker.assignment.policy;
        let inmate = Inmate {
            store: &self.store,
            ground,
            spec: &policy.sandbox,
            worktree: home.top(),
            folder: &home.path(&self.store, ""),
            prompt: &self.store.path(&layout::prompt_path(attempt)),
            has_temporary: policy.env.contains_key("TMPDIR"),
        };
        Enclosure::of(bwrap, &inmate).map(Some)
    }
}
