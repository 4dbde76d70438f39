//! Records that somebody else wrote into the checkout while a run goes on: a worker, most likely. They
//! settle nothing.

use std::collections::BTreeMap;

use super::{Coordinator, Sources};
use crate::{
    app::{error::AppError, view::run::Happened},
    domain::{
        format::layout::{self, FileKind},
        model::id::{AttemptId, TaskId},
    },
    io::store::StoreError,
};

impl Coordinator {
    /// Writes the new record `path`. What lies there already, and did not come by a commit, is set aside
    /// and told: nobody but this coordinator writes records here.
    pub(super) async fn create_record(
        &mut self,
        sources: &mut Sources,
        path: &str,
        text: &str,
    ) -> Result<(), AppError> {
        let result = self.persist(sources, |this| this.store.create(path, text.as_bytes())).await;
        let is_taken = matches!(&result, Err(AppError::Store(StoreError::Exists { .. })));
        if !is_taken || self.is_committed(path)? {
            return result;
        }
        self.set_record_aside(path)?;
        self.persist(sources, |this| this.store.create(path, text.as_bytes())).await
    }

    /// Sets aside what somebody else wrote of attempts that were never begun, at the end of a run: the
    /// next one would take it for its own.
    pub(super) fn set_strangers_aside(&mut self) {
        let Some((ground, branch)) = self.yard.committed() else { return };
        let found = ground.differing(branch, &[layout::RUNS_DIR], true).unwrap_or_default();
        let last_of = self.last_attempts();
        for path in found {
            let FileKind::Run(attempt) = layout::classify(&path) else { continue };
            if last_of.get(&attempt.task).is_some_and(|last| attempt.number > *last)
                && let Err(error) = self.set_record_aside(&path)
            {
                tracing::warn!(%error, path, "a record of somebody else stays");
            }
        }
    }

    fn set_record_aside(&mut self, path: &str) -> Result<(), StoreError> {
        let Some(aside) = self.store.set_aside(path)? else { return Ok(()) };
        let FileKind::Run(AttemptId { task, number }) = layout::classify(path) else {
            return Ok(());
        };
        let running = self.workers.keys().filter(|running| running.task != task);
        let tasks = running.map(|running| running.task.to_string()).collect();
        let (task, attempt) = (task.to_string(), number);
        self.tell(Happened::RecordForged { task, attempt, aside, tasks });
        Ok(())
    }

    /// Says whether the branch has a file of the plan.
    fn is_committed(&self, path: &str) -> Result<bool, AppError> {
        let Some((ground, branch)) = self.yard.committed() else { return Ok(false) };
        let Some(tip) = ground.tip(branch)? else { return Ok(false) };
        Ok(ground.file_in(&tip, path)?.is_some())
    }

    /// Returns the number of the last attempt of each task of the plan: one that was found when this
    /// coordinator began, or that it began itself.
    pub(super) fn last_attempts(&self) -> BTreeMap<TaskId, u32> {
        let plan = self.scheduler.plan();
        let last = |id: &TaskId| self.scheduler.history(id).map_or(0, |history| history.last);
        plan.indices().map(|task| plan.id(task)).map(|id| (id.clone(), last(id))).collect()
    }
}
