//! Going on where `.orch` was taken away, or something else stands in its place: nothing is started
//! or decided until it is back, and what it lacks then is written again.

use std::sync::Arc;

use super::{Coordinator, Incoming, Sources, recovery};
use crate::{
    app::{
        error::AppError,
        files::{Files, Scope, Usage},
        tracker::{News, Tracker},
        view::{change::PlanChange, run::Happened},
    },
    domain::{
        format::{layout, task_file::Reading},
        plan::{Plan, diff::diff},
        scheduler::event::Event,
    },
    io::store::{
        StoreError,
        journal::Journal,
        lock::{Lock, LockError},
    },
};

/// How many looks in a row may find another coordinator in the place.
const HELD_MAX: u32 = 3;

impl Coordinator {
    /// Returns what became of the lock, where it is not in its place any more: what is written then
    /// would be lost, or be in the way of another coordinator.
    pub(super) fn misplaced(&self) -> Option<String> {
        match self.lock.misplaced() {
            Ok(misplaced) => misplaced,
            Err(error) => {
                tracing::warn!(%error, "whether the lock is in its place is not known");
                None
            }
        }
    }

    /// Waits until `.orch` is in its place, with this run's lock in it. Workers go on meanwhile,
    /// and what they do is taken in afterwards.
    ///
    /// # Errors
    /// [`AppError::StoppedAway`] where the run is to end before that; [`LockError::Lost`] where
    /// another coordinator was faster.
    pub(super) async fn keep_place(&mut self, sources: &mut Sources) -> Result<(), AppError> {
        let Some(what) = self.misplaced() else { return Ok(()) };
        if self.scheduler.is_stopping() {
            return Err(AppError::StoppedAway);
        }
        self.tell(Happened::Held {
            reason: what,
            help: "nothing is recorded either; once it is back the run goes on by itself, and workers \
                   go on meanwhile"
                .to_owned(),
        });
        self.publish();
        let (mut seen, mut n_held) = (None, 0);
        while self.misplaced().is_some() && !self.returns(&mut seen, &mut n_held)? {
            if !self.pause(sources).await {
                return Err(AppError::StoppedAway);
            }
        }
        self.catch_up()?;
        self.tell(Happened::Released);
        Ok(())
    }

    /// Takes the place up again where there is one: a plan that did not change since the last look,
    /// so that nobody is still at work on it. Says whether it did.
    fn returns(&mut self, seen: &mut Option<Plan>, n_held: &mut u32) -> Result<bool, AppError> {
        let has_tasks = self.store.has_folder(layout::TASKS_DIR).unwrap_or(false);
        let files = has_tasks.then(|| Files::read(&self.store, Reading::Whole));
        let plan = files.and_then(Result::ok).map(|files| files.plan(Usage::Usable));
        let before = std::mem::replace(seen, plan);
        match (before, &*seen) {
            (Some(before), Some(plan)) if diff(&before, plan).is_empty() => {}
            _ => return Ok(false),
        }
        match self.settle_in() {
            Ok(()) => Ok(true),
            // One that finds our workers goes away again.
            Err(AppError::Lock(LockError::Held(_))) if *n_held < HELD_MAX => {
                *n_held += 1;
                Ok(false)
            }
            Err(AppError::Lock(LockError::Held(_))) => Err(LockError::Lost.into()),
            // Something else may still stand in the place of a folder or a file.
            Err(error) => {
                tracing::debug!(%error, "the place cannot be taken up yet");
                Ok(false)
            }
        }
    }

    /// Makes the place one's own: with a lock, and with all records that are lacking.
    fn settle_in(&mut self) -> Result<(), AppError> {
        self.lock = Lock::take(&self.store, self.clock.now())?;
        recovery::prepare_folders(&self.store)?;
        self.journal = Journal::open(&self.store)?.0;
        let earlier = self.tracker.files().rendered_records();
        for (path, text) in earlier.filter(|(path, _)| !self.kept.contains_key(path)) {
            restore(self, &path, &text)?;
        }
        self.kept.iter().try_for_each(|(path, text)| restore(self, path, text))?;
        Ok(())
    }

    /// Reads everything anew, and takes nobody for silent who could not be heard.
    fn catch_up(&mut self) -> Result<(), AppError> {
        let tracker = Tracker::start(&self.store, self.clock, Scope::Written)?;
        let before = std::mem::replace(&mut self.tracker, tracker);
        let change = PlanChange::from(diff(before.plan(), self.tracker.plan()));
        let happened = (!change.is_empty()).then_some(Happened::PlanChanged(change));
        let outside = self.tracker.files().outside();
        let news = News {
            plan: Some((Arc::clone(self.tracker.plan()), outside)),
            happened: happened.into_iter().collect(),
            ..News::default()
        };
        let mut batch = Vec::new();
        self.take_news(news, &mut batch);
        let running = self.workers.keys().cloned();
        batch.extend(running.map(|attempt| Event::HeartbeatSeen { attempt }));
        self.late.extend(batch.into_iter().map(Incoming::Event));
        Ok(())
    }
}

fn restore(coordinator: &Coordinator, path: &str, text: &str) -> Result<(), StoreError> {
    match coordinator.store.create(path, text.as_bytes()) {
        // An older copy was put back: what ended since then is done, and not to be done again.
        Err(StoreError::Exists { .. }) => recovery::complete(&coordinator.store, path, text),
        result => result,
    }
}
