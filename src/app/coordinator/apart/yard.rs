//! The repository in which tasks are worked on apart, as the coordinator knows it.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    OWN,
    jobs::{Lane, News},
    state::Unsaved,
};
use crate::{
    app::{
        coordinator::{enclosure::Fence, worker::Home},
        error::AppError,
        standing_landings::Waits,
    },
    domain::{
        format::{layout, run_record},
        model::{
            attempt::{AttemptRecord, Outcome, Work},
            id::AttemptId,
            task::Isolation,
        },
        plan::Plan,
        scheduler::effect::Assignment,
    },
    io::{
        git::{CommitRange, Ground, Head, TaskBranch, Triggers},
        process::{cause_of, foreign},
        store::Store,
    },
};

/// How often, and how long after the other, it is looked whether somebody uses git.
const LOCK_LOOKS: usize = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The repository in which tasks are worked on apart, and the branch that their work lands on.
#[derive(Debug, Clone)]
pub(in crate::app::coordinator) struct Yard {
    /// `None` where tasks cannot have worktrees of their own.
    pub(super) ground: Option<Arc<Ground>>,
    /// The branch that is checked out, or was before none was.
    pub(super) branch: String,
    /// Why there are no worktrees, where there are none.
    pub(in crate::app::coordinator) reason: String,
    /// The folder of the plan below the top folder of its checkout.
    prefix: PathBuf,
    pub(super) lane: Lane,
    pub(super) news: mpsc::Sender<News>,
    /// How landings are given up, by attempt.
    pub(super) stops: BTreeMap<AttemptId, Arc<AtomicBool>>,
    pub(super) unsaved: Unsaved,
    /// What the git folder held the last time that has git start programs.
    triggers: Triggers,
    /// The work of several attempts together, where it was combined.
    pub(super) combined: Option<CommitRange>,
    /// What is in the way of landings, and what of it those who only look can see.
    pub(super) waits: Waits,
    pub(super) published: Waits,
    /// Whether another branch is checked out.
    pub(super) is_away: bool,
    /// How many worktrees are being removed.
    pub(super) n_removing: usize,
    /// What is known of sandboxes around them.
    pub(in crate::app::coordinator) fence: Fence,
}

impl Yard {
    /// Looks at the repository that a plan stands in.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app::coordinator) fn new(
        store: &Store,
        news: mpsc::Sender<News>,
    ) -> Result<Self, AppError> {
        let mut yard = Self {
            ground: None,
            branch: String::new(),
            reason: String::new(),
            prefix: PathBuf::new(),
            lane: Arc::new(Mutex::new(())),
            news,
            stops: BTreeMap::new(),
            unsaved: Unsaved::default(),
            triggers: Triggers::default(),
            combined: None,
            waits: Waits::new(),
            published: Waits::new(),
            is_away: false,
            n_removing: 0,
            fence: Fence::default(),
        };
        let Some(ground) = Ground::find(store.root())? else {
            "this folder is not in a git repository".clone_into(&mut yard.reason);
            return Ok(yard);
        };
        match ground.head()? {
            Head::Branch(branch) => {
                yard.branch = branch;
                yard.prefix = ground.prefix();
                yard.triggers = ground.triggers();
                yard.ground = Some(Arc::new(ground.heeding(foreign::git_tidies_up)));
            }
            Head::Unborn => {
                "the git repository has no commit yet".clone_into(&mut yard.reason);
            }
            Head::Detached => {
                "no branch is checked out for their work to land on".clone_into(&mut yard.reason);
            }
        }
        Ok(yard)
    }

    /// Has git overlook records of running attempts, where the coordinator commits them later.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app::coordinator) fn overlook_records(
        &self,
        plan: &Plan,
    ) -> Result<(), AppError> {
        let Some(ground) = &self.ground else { return Ok(()) };
        Ok(ground.overlook(&OWN, plan.config().git.commits_state)?)
    }

    /// Says whether tasks can have worktrees of their own.
    pub(in crate::app::coordinator) fn has_worktrees(&self) -> bool {
        self.ground.is_some()
    }

    /// Returns the branch that is checked out instead of that which work lands on; `None` where it is
    /// that one.
    pub(super) fn elsewhere(&self) -> Option<String> {
        let head = self.ground.as_ref()?.head();
        match head {
            Ok(Head::Branch(branch)) => (branch != self.branch).then_some(branch),
            // In the middle of a rebase, for example.
            Ok(Head::Detached | Head::Unborn) => Some(String::new()),
            Err(error) => {
                tracing::debug!(error = cause_of(&error), "no branch is seen");
                None
            }
        }
    }

    /// Returns in words what has git start programs and is not as it was the last time.
    pub(in crate::app::coordinator) fn new_triggers(&mut self) -> Vec<String> {
        let Some(ground) = &self.ground else { return Vec::new() };
        let triggers = ground.triggers();
        let changes = triggers.changed_since(&self.triggers);
        self.triggers = triggers;
        changes
    }

    /// Returns the repository, and the branch that work lands on.
    pub(in crate::app::coordinator) fn committed(&self) -> Option<(&Ground, &str)> {
        self.ground.as_deref().map(|ground| (ground, self.branch.as_str()))
    }

    /// Returns the repository in which tasks are worked on apart.
    pub(in crate::app::coordinator) fn ground(&self) -> Option<&Ground> {
        self.ground.as_deref()
    }

    /// Returns the branch that work lands on.
    pub(in crate::app::coordinator) fn branch(&self) -> Option<&str> {
        self.ground.as_ref().map(|_| self.branch.as_str())
    }

    /// Finishes or undoes what a coordinator that died had begun with the repository, and returns the
    /// records of attempts whose work landed before it could write that down.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app::coordinator) fn recover(
        &self,
        store: &Store,
        unsettled: &[AttemptRecord],
    ) -> Result<Vec<(String, Vec<u8>)>, AppError> {
        let Some(ground) = &self.ground else { return Ok(Vec::new()) };
        // What somebody holds now, they give back.
        let is_free = (0..LOCK_LOOKS).any(|_| {
            let is_free = !foreign::git_runs_in(ground.top());
            if !is_free {
                thread::sleep(LOCK_PAUSE);
            }
            is_free
        });
        if is_free {
            ground.remove_stale_locks()?;
        }
        if let Some((branch, advanced)) = ground.finish_step(&scratch(store), &own(), is_free)? {
            tracing::info!(branch, ?advanced, "a landing was finished");
        }
        if let Err(error) = ground.remove_batch(&store.path(layout::BATCH_DIR)) {
            tracing::debug!(error = cause_of(&error), "combined work stays");
        }
        let mut landed = Vec::new();
        for record in unsettled {
            let Some(work) = &record.work else { continue };
            let Some(tip) = ground.tip(&work.onto)? else { continue };
            let path = layout::run_path(&record.attempt);
            let Some(bytes) = ground.file_in(&tip, &path)? else { continue };
            let is_it =
                |found: &AttemptRecord| found.nonce == record.nonce && found.ending.is_some();
            if run_record::parse(&path, &bytes).0.as_ref().is_some_and(is_it) {
                landed.push((path, bytes));
            }
        }
        Ok(landed)
    }

    /// Removes worktrees and branches of tasks whose work has landed, where a coordinator that died
    /// could not; `last_of` returns the record of the last attempt of a task.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app::coordinator) fn remove_landed(
        &self,
        store: &Store,
        last_of: impl Fn(&str) -> Option<AttemptRecord>,
    ) -> Result<(), AppError> {
        let Some(ground) = &self.ground else { return Ok(()) };
        for TaskBranch { task, tip } in ground.task_branches()? {
            let Some(record) = last_of(&task) else { continue };
            let has_landed =
                record.ending.as_ref().is_some_and(|e| e.outcome == Outcome::Succeeded);
            let verified = record.work.as_ref().and_then(|work| work.commit.as_ref());
            if has_landed && verified == Some(&tip) {
                let folder = store.path(&layout::worktree_path(&record.attempt.task));
                ground.remove_worktree(&task, &folder)?;
                ground.delete_branch(&task)?;
            }
        }
        Ok(())
    }

    /// Returns where the commands of an attempt run.
    pub(in crate::app::coordinator) fn home(&self, assignment: &Assignment) -> Home {
        match assignment.isolation {
            Isolation::None => Home::root(),
            Isolation::Worktree | Isolation::Sandbox => {
                let top = layout::worktree_path(&assignment.attempt.task);
                Home::below(PathBuf::from(top), &self.prefix)
            }
        }
    }

    /// Returns where the commands of several attempts run together.
    pub(super) fn batch_home(&self) -> Home {
        Home::below(PathBuf::from(layout::BATCH_DIR), &self.prefix)
    }

    /// Returns where the work of an attempt is, for its record.
    pub(in crate::app::coordinator) fn work_of(&self, assignment: &Assignment) -> Option<Work> {
        assignment.isolation.is_apart().then(|| Work {
            branch: Ground::task_branch(assignment.attempt.task.as_str()),
            onto: self.branch.clone(),
            commit: None,
            lands: assignment.lands,
        })
    }
}

/// Returns the folder in which files wait to be put into the checkout.
pub(super) fn scratch(store: &Store) -> PathBuf {
    store.path(layout::LANDING_DIR)
}

pub(super) fn own() -> Vec<String> {
    OWN.map(str::to_owned).to_vec()
}

/// Refuses to begin on a branch that is protected, and where a task asks for what cannot be had.
///
/// # Errors
/// [`AppError::Usage`].
pub(in crate::app::coordinator) fn require_ground(
    yard: &Yard,
    plan: &Plan,
    is_here: bool,
) -> Result<(), AppError> {
    let protected = &plan.config().git.protect;
    let is_apart =
        |task: crate::domain::plan::TaskIndex| plan.policy(task).isolation != Some(Isolation::None);
    let lands = plan.config().git.commits_state || plan.indices().any(is_apart);
    if let Some(branch) = yard.branch().filter(|branch| protected.iter().any(|p| p == branch))
        && lands
        && !is_here
    {
        return Err(AppError::usage(
            format!("the branch {branch} is protected: what is done would land on it"),
            "`--branch NAME` makes a branch for the plan and works there, `--here` goes on here; \
             `git: {protect: []}` in .orch/config.yaml protects none",
        ));
    }
    if yard.has_worktrees() {
        return Ok(());
    }
    let asks = |task: &crate::domain::plan::TaskIndex| {
        plan.policy(*task).isolation.is_some_and(Isolation::is_apart)
    };
    match plan.indices().find(asks) {
        None => Ok(()),
        Some(task) => Err(AppError::usage(
            format!("task {} asks for a worktree, but {}", plan.id(task), yard.reason),
            "set `isolation: none`, or make a repository with a commit and check a branch out",
        )),
    }
}
