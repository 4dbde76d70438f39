//! What changed in the files → events.

use super::{Coordinator, planning, surroundings::Surroundings};
use crate::{
    app::{error::AppError, tracker::News, view::run::Happened},
    domain::{
        format::layout,
        model::{
            config::OnChange,
            id::{AttemptId, TaskId},
        },
        plan::Plan,
        scheduler::event::{Event, Hold},
    },
    io::process::cause_of,
};

impl Coordinator {
    /// Takes in what changed in the files.
    pub(super) fn follow_files(&mut self, batch: &mut Vec<Event>) -> Result<(), AppError> {
        if self.misplaced().is_some() {
            // What is seen now is not what people want: it is read when everything is back.
            return Ok(());
        }
        let scheduler = &self.scheduler;
        let recorded = |id: &TaskId| planning::progress_of(scheduler, id);
        match self.tracker.pump(&recorded) {
            Ok(news) => self.take_news(news, batch),
            // What changed is seen at the next look at everything.
            Err(error) if error.is_passing() => {
                tracing::warn!(%error, "changed files cannot be read now");
            }
            Err(AppError::Store(error)) => {
                tracing::warn!(%error, "what people write cannot be read now");
                self.look_for_files(batch);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Looks whether the folders of what people write are folders, and holds starts as long as one
    /// is not; a missing one is an empty one.
    pub(super) fn look_for_files(&mut self, batch: &mut Vec<Event>) {
        let folders = [layout::TASKS_DIR, layout::ROLES_DIR, layout::EVENTS_DIR];
        let fault = folders.into_iter().find_map(|dir| self.store.has_folder(dir).err());
        // Where all of it was taken away, that is told.
        let fault = fault.filter(|error| !error.is_passing() && self.misplaced().is_none());
        let was_blind = std::mem::replace(&mut self.is_blind, fault.is_some());
        match (was_blind, fault) {
            (false, Some(error)) => {
                let help = "what runs goes on; put the folder back, and it is read again";
                self.tell(Happened::Held { reason: cause_of(&error), help: help.to_owned() });
                batch.push(Event::Held(Hold::Files));
            }
            (true, None) => {
                self.tracker.suspect_everything();
                self.tell(Happened::Released);
                batch.push(Event::Released(Hold::Files));
            }
            (false, None) | (true, Some(_)) => {}
        }
    }

    /// Reads the files that an attempt was made from, as it ends: what it changed in them itself
    /// must not have it run again.
    pub(super) fn follow_end(&mut self, attempt: &AttemptId, batch: &mut Vec<Event>) {
        let plan = self.scheduler.plan();
        if plan.config().on_change != OnChange::Rerun {
            return;
        }
        let Some(task) = plan.find(attempt.task.as_str()) else { return };
        let role = plan.role(task).map(|role| role.path.to_string());
        let paths = [plan.spec(task).path.to_string()].into_iter().chain(role).collect();
        match self.tracker.look_now(paths) {
            Ok(news) => self.take_news(news, batch),
            // The end itself must not be lost.
            Err(error) => tracing::warn!(%error, "the files of an ended attempt are not read"),
        }
    }

    pub(super) fn take_news(&mut self, news: News, batch: &mut Vec<Event>) {
        let News { plan, records: _, reports, hold, happened } = news;
        if happened.iter().any(|told| matches!(told, Happened::HeadMoved { .. })) {
            self.look_at_branch(batch);
        }
        batch.extend(hold.map(|holds| match holds {
            true => Event::Held(Hold::Checkout),
            false => Event::Released(Hold::Checkout),
        }));
        batch.extend(reports.iter().filter_map(|attempt| self.read_report(attempt)));
        for happened in happened {
            self.tell(happened);
        }
        if let Some((plan, outside)) = plan {
            if outside != *self.scheduler.outside() {
                self.note_events();
            }
            let plan = self.approved(&plan, batch);
            self.note_settings(&plan);
            let plan = planning::overridden(&self.options, &plan);
            self.note_removed(&plan);
            for (task, runs_again) in self.scheduler.made_stale_by(&plan) {
                self.tell(Happened::BecameStale { task: task.to_string(), runs_again });
            }
            self.look_for_sandbox(&plan, batch);
            batch.push(Event::PlanChanged { plan, outside });
        }
    }

    /// Forgets tasks that left the plan once their attempts have ended.
    pub(super) fn forget_removed(&mut self) -> Option<Event> {
        let is_running = |attempt: &AttemptId| {
            self.scheduler.running().any(|live| live.assignment.attempt == *attempt)
        };
        if self.removed.iter().all(is_running) {
            return None;
        }
        let plan = self.approval.book.plan().unwrap_or(self.tracker.plan());
        let plan = planning::overridden(&self.options, plan);
        self.note_removed(&plan);
        let outside = self.scheduler.outside().clone();
        Some(Event::PlanChanged { plan, outside })
    }

    /// Takes over the settings that are not part of the plan, and tells which have no effect.
    pub(super) fn note_settings(&mut self, plan: &Plan) {
        let new = plan.config();
        let settings = std::mem::replace(&mut self.settings, new.clone());
        let old = &settings;
        self.surroundings = Surroundings::of(new);
        let not_applied = [
            (
                self.options.max_workers.is_some() && old.max_workers != new.max_workers,
                "max_workers",
                "what was said with `-j` holds until the next start",
            ),
            (
                self.options.worker.is_some() && old.worker.command != new.worker.command,
                "worker.command",
                "what was said with `--worker` holds until the next start",
            ),
            (old.watch.mode != new.watch.mode, "watch.mode", "it holds from the next start on"),
        ];
        for (_, setting, help) in not_applied.into_iter().filter(|(differs, ..)| *differs) {
            self.tell(Happened::NotApplied { setting: setting.to_owned(), help: help.to_owned() });
        }
    }

    /// Asks what shall become of attempts whose tasks are gone.
    fn note_removed(&mut self, plan: &Plan) {
        let gone = self.scheduler.running().map(|live| live.assignment.attempt.clone());
        let gone: Vec<_> =
            gone.filter(|attempt| plan.find(attempt.task.as_str()).is_none()).collect();
        self.removed.retain(|attempt| gone.contains(attempt));
        for attempt in gone {
            if self.removed.insert(attempt.clone()) {
                let (task, attempt) = (attempt.task.to_string(), attempt.number);
                self.tell(Happened::RemovedWhileRunning { task, attempt });
            }
        }
    }
}
