//! The front door for programs that embed `orch`: one repository with its plan.

use std::path::Path;

use super::{
    error::AppError,
    snapshot::{self, Snapshot},
    standing::Standing,
    use_case::{
        check::{self, Checked},
        init, plan, status,
    },
    view::{plan::PlanView, status::StatusView},
};
use crate::{
    domain::{format::task_file::Reading, model::suggest, plan::TaskIndex},
    io::{git, store::Store, system},
};

/// A folder that holds `.orch`, in git or not.
#[derive(Debug, Clone)]
pub struct Repository {
    store: Store,
}

impl Repository {
    /// Opens the repository that `from` lies in: the nearest folder upwards that holds `.orch`.
    ///
    /// # Errors
    /// [`AppError::Store`] where no such folder is found.
    pub fn open(from: impl AsRef<Path>) -> Result<Self, AppError> {
        Ok(Self { store: Store::discover(from.as_ref())? })
    }

    /// Makes `.orch` in `folder` with settings, a role and a first task, and opens it. What is
    /// there already is kept.
    ///
    /// # Errors
    /// [`AppError::Store`] where a file cannot be written.
    pub fn init(folder: impl AsRef<Path>) -> Result<Self, AppError> {
        init::init(folder.as_ref(), None)?;
        Self::open(folder)
    }

    /// Returns the folder that holds `.orch`.
    pub fn root(&self) -> &Path {
        self.store.root()
    }

    /// Returns the repository at `root`, whether `.orch` is there or not.
    pub(super) fn at(root: &Path) -> Self {
        Self { store: Store::at(root) }
    }

    /// Returns the number of the user that root should be, where this process is root's: whose folder
    /// it is, or who called it by `sudo`. Where git takes the folder for a stranger's, nothing runs.
    pub fn root_works_for(&self) -> Option<u32> {
        system::root_works_for(self.root())
            .filter(|_| git::foreign_repository(self.root()).is_none())
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Reads everything below `.orch` as it is now.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed; a file that cannot be read or
    /// understood is a diagnostic of the snapshot.
    pub fn read(&self, reading: Reading) -> Result<Snapshot, AppError> {
        snapshot::read(&self.store, reading)
    }

    /// Reports all faults of the plan, as `orch check` does.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub fn check(&self) -> Result<Checked, AppError> {
        check::check(self)
    }

    /// Tells what a run would do now, and when all would be done, as `orch plan` does. Nothing is
    /// started.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub fn plan(&self) -> Result<PlanView, AppError> {
        Ok(plan::plan(&self.standing()?, None))
    }

    /// Tells how the plan stands, as `orch status` does; also while a run goes on.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub fn status(&self) -> Result<StatusView, AppError> {
        Ok(status::status(&self.standing()?))
    }

    fn standing(&self) -> Result<Standing, AppError> {
        Standing::read(self.clone(), Reading::Head)
    }
}

/// Finds the task that a user named.
///
/// # Errors
/// [`AppError::Usage`] with the nearest id.
pub fn find_task(snapshot: &Snapshot, id: &str) -> Result<TaskIndex, AppError> {
    let plan = &snapshot.plan;
    if let Some(task) = plan.find(id) {
        return Ok(task);
    }
    let known = plan.indices().map(|task| plan.id(task).as_str());
    let same = known.clone().find(|known| known.eq_ignore_ascii_case(id));
    let near = same.or_else(|| suggest::did_you_mean(id, known));
    let help = near.map_or_else(
        || "`orch list` shows all tasks".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(AppError::usage(format!("no task has the id `{id}`"), help))
}
