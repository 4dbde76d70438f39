//! Worktrees of attempts, and the way of their work to the branch.
//!
//! What takes time is done in the background, in this process; what came of it comes back as
//! [`News`]. Whatever moves the branch has the lane, one after the other.

mod jobs;
mod state;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

pub(super) use self::{jobs::News, state::Unsaved};

use self::jobs::{Lane, Preparation};
use super::{Coordinator, worker::Home};
use crate::{
    app::{error::AppError, view::run::Happened},
    domain::{
        format::{layout, run_record},
        model::{
            attempt::{AttemptRecord, Ending, Outcome, Work},
            id::AttemptId,
            task::Isolation,
        },
        plan::Plan,
        scheduler::{
            effect::Assignment,
            event::{Event, LandAnswer, MergeAnswer},
        },
    },
    io::{
        git::{self, Ground, Head, Landing, Origin, StateFile},
        process::cause_of,
        store::Store,
    },
};

/// Folders that nobody but workers (of their own attempt) and the coordinator write.
const OWN: [&str; 2] = [layout::STATUS_DIR, layout::RUNS_DIR];

/// The repository in which tasks are worked on apart, and the branch that their work lands on.
#[derive(Debug, Clone)]
pub(super) struct Yard {
    /// `None` where tasks cannot have worktrees of their own.
    ground: Option<Arc<Ground>>,
    /// The branch that is checked out, or was before none was.
    branch: String,
    /// Why there are no worktrees, where there are none.
    pub(super) reason: String,
    /// The folder of the plan below the top folder of its checkout.
    prefix: PathBuf,
    lane: Lane,
    news: mpsc::Sender<News>,
    /// How landings are given up, by attempt.
    stops: BTreeMap<AttemptId, Arc<AtomicBool>>,
    pub(super) unsaved: Unsaved,
}

impl Yard {
    /// Looks at the repository that a plan stands in.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(super) fn new(store: &Store, news: mpsc::Sender<News>) -> Result<Self, AppError> {
        let mut yard = Self {
            ground: None,
            branch: String::new(),
            reason: String::new(),
            prefix: PathBuf::new(),
            lane: Arc::new(Mutex::new(())),
            news,
            stops: BTreeMap::new(),
            unsaved: Unsaved::default(),
        };
        let Some(ground) = Ground::find(store.root())? else {
            "this folder is not in a git repository".clone_into(&mut yard.reason);
            return Ok(yard);
        };
        match ground.head()? {
            Head::Branch(branch) => {
                yard.branch = branch;
                yard.prefix = ground.prefix();
                yard.ground = Some(Arc::new(ground));
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

    /// Says whether tasks can have worktrees of their own.
    pub(super) fn has_worktrees(&self) -> bool {
        self.ground.is_some()
    }

    /// Looks which branch is checked out by now: what begins is to land there.
    pub(super) fn follow_head(&mut self) {
        let head = self.ground.as_ref().map(|ground| ground.head());
        match head {
            Some(Ok(Head::Branch(branch))) => self.branch = branch,
            // In the middle of a rebase, for example.
            Some(Ok(Head::Detached | Head::Unborn)) | None => {}
            Some(Err(error)) => tracing::debug!(error = cause_of(&error), "no branch is seen"),
        }
    }

    /// Returns the branch that work lands on.
    pub(super) fn branch(&self) -> Option<&str> {
        self.ground.as_ref().map(|_| self.branch.as_str())
    }

    /// Finishes or undoes what a coordinator that died had begun with the checkout, and returns the
    /// records of attempts whose work landed before it could write that down.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(super) fn recover<'a>(
        &self,
        store: &Store,
        unsettled: impl Iterator<Item = &'a AttemptRecord>,
    ) -> Result<Vec<(String, Vec<u8>)>, AppError> {
        let Some(ground) = &self.ground else { return Ok(Vec::new()) };
        if let Some((branch, advanced)) = ground.finish_step(&scratch(store), &own())? {
            tracing::info!(branch, ?advanced, "a landing was finished");
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

    /// Returns where the commands of an attempt run.
    pub(super) fn home(&self, assignment: &Assignment) -> Home {
        match assignment.isolation {
            Isolation::None => Home::root(),
            Isolation::Worktree => {
                let top = layout::worktree_path(&assignment.attempt.task);
                Home::below(Path::new(&top).join(&self.prefix))
            }
        }
    }

    /// Returns where the work of an attempt is, for its record.
    pub(super) fn work_of(&self, assignment: &Assignment) -> Option<Work> {
        (assignment.isolation == Isolation::Worktree).then(|| Work {
            branch: Ground::task_branch(assignment.attempt.task.as_str()),
            onto: self.branch.clone(),
            commit: None,
            lands: assignment.lands,
        })
    }
}

/// Returns the folder in which files wait to be put into the checkout.
fn scratch(store: &Store) -> PathBuf {
    store.path(layout::LANDING_DIR)
}

fn own() -> Vec<String> {
    OWN.map(str::to_owned).to_vec()
}

/// Refuses to begin on a branch that is protected, and where a task asks for what cannot be had.
///
/// # Errors
/// [`AppError::Usage`].
pub(super) fn require_ground(yard: &Yard, plan: &Plan, is_here: bool) -> Result<(), AppError> {
    let protected = &plan.config().git.protect;
    if let Some(branch) = yard.branch().filter(|branch| protected.iter().any(|p| p == branch))
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
        plan.policy(*task).isolation == Some(Isolation::Worktree)
    };
    match plan.indices().find(asks) {
        None => Ok(()),
        Some(task) => Err(AppError::usage(
            format!("task {} asks for a worktree, but {}", plan.id(task), yard.reason),
            "set `isolation: none`, or make a repository with a commit and check a branch out",
        )),
    }
}

impl Coordinator {
    /// Makes the worktree of an attempt in the background.
    pub(super) fn prepare_worktree(&mut self, assignment: &Assignment) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let previous = assignment.previous.as_ref().map(|previous| previous.outcome);
        let is_conflict = previous == Some(Outcome::Conflict);
        let is_fresh = assignment.policy.is_clean && !is_conflict && assignment.lands.is_none();
        let preparation = Preparation {
            attempt: assignment.attempt.clone(),
            folder: self.store.path(&layout::worktree_path(&assignment.attempt.task)),
            onto: self.yard.branch.clone(),
            origin: if is_fresh { Origin::Fresh } else { Origin::Before },
            is_merge_begun: is_conflict && assignment.lands.is_none(),
            status_folder: self.yard.home(assignment).path(&self.store, layout::STATUS_DIR),
        };
        self.in_background(move || News::Prepared(preparation.carry_out(&ground)));
    }

    /// Commits what a worker left, and merges what landed meanwhile, in the background.
    pub(super) fn merge_work(&mut self, attempt: AttemptId) {
        self.mirror_status(&attempt);
        let Some(ground) = self.yard.ground.clone() else { return };
        let Some(worker) = self.workers.get(&attempt) else { return };
        let onto = worker.record.work.as_ref().map(|work| work.onto.clone()).unwrap_or_default();
        let message = message_of(&worker.assignment);
        let folder = self.store.path(&layout::worktree_path(&attempt.task));
        let suspects = self.conflicts_before(&attempt);
        self.in_background(move || {
            let merged = jobs::merge(&ground, &attempt, &folder, (&onto, &message), &suspects);
            News::Merged { attempt, merged }
        });
    }

    /// Returns the files that the attempt before was in conflict about: it may have left their marks.
    fn conflicts_before(&self, attempt: &AttemptId) -> Vec<String> {
        let Some(number) = attempt.number.checked_sub(1).filter(|n| *n > 0) else {
            return Vec::new();
        };
        let path = layout::run_path(&AttemptId::new(attempt.task.clone(), number));
        let bytes = self.store.read_file(&path).unwrap_or_default();
        let record = run_record::parse(&path, &bytes).0;
        record.and_then(|record| record.ending).map(|ending| ending.conflicts).unwrap_or_default()
    }

    /// Lands what was verified, in the background, as soon as nothing is in the way.
    pub(super) fn land(&mut self, attempt: AttemptId, ending: Ending) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let Some(worker) = self.workers.get(&attempt) else { return };
        let Some(work) = worker.record.work.clone() else { return };
        let record = AttemptRecord { ending: Some(ending), ..worker.record.clone() };
        let status = layout::status_path(&attempt);
        let mut files = vec![StateFile {
            path: layout::run_path(&attempt),
            bytes: Some(run_record::render(&record).into_bytes()),
        }];
        let reported = self.store.read_file(&status).ok();
        files.extend(reported.map(|bytes| StateFile { path: status, bytes: Some(bytes) }));
        let (Some(head), Some(base)) = (work.commit, ground.base_of(attempt.task.as_str())) else {
            let answer = LandAnswer::Failed("its worktree is gone".to_owned());
            return self.in_background(move || News::Landed { attempt, answer, commit: None });
        };
        let landing = Landing {
            branch: work.onto,
            base,
            head,
            files,
            kept: own(),
            unverified: vec![layout::EVENTS_DIR.to_owned()],
            message: message_of(&worker.assignment),
            mode: self.scheduler.plan().config().git.landing,
        };
        let stop = Arc::new(AtomicBool::new(false));
        self.yard.stops.insert(attempt.clone(), Arc::clone(&stop));
        let job = jobs::LandingJob {
            attempt,
            landing,
            scratch: scratch(&self.store),
            own: own(),
            lane: Arc::clone(&self.yard.lane),
            stop,
            news: self.yard.news.clone(),
        };
        self.in_background(move || job.carry_out(&ground));
    }

    /// Gives up a landing that waits.
    pub(super) fn stop_landing(&self, attempt: &AttemptId) {
        if let Some(stop) = self.yard.stops.get(attempt) {
            stop.store(true, Ordering::SeqCst);
        }
    }

    /// Removes the worktree of an attempt whose work has landed, and its branch.
    pub(super) fn remove_worktree(&mut self, attempt: &AttemptId) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let task = attempt.task.to_string();
        let folder = self.store.path(&layout::worktree_path(&attempt.task));
        self.in_background(move || News::Removed(jobs::remove(&ground, &task, &folder)));
    }

    /// Does something that takes time, and has the loop know what came of it.
    fn in_background(&self, job: impl FnOnce() -> News + Send + 'static) {
        let news = self.yard.news.clone();
        tokio::task::spawn_blocking(move || {
            if news.blocking_send(job()).is_err() {
                tracing::debug!("news of git came after the end of the run");
            }
        });
    }

    /// Turns what git did into events.
    pub(super) fn git_told(&mut self, news: News, batch: &mut Vec<Event>) {
        match news {
            News::Prepared(prepared) => self.worktree_prepared(prepared, batch),
            News::Merged { attempt, merged } => {
                let answer = match merged {
                    Ok(head) => {
                        let worker = self.workers.get_mut(&attempt);
                        if let Some(work) = worker.and_then(|worker| worker.record.work.as_mut()) {
                            work.commit = Some(head);
                        }
                        MergeAnswer::Clean
                    }
                    Err(answer) => answer,
                };
                batch.push(Event::Merged { attempt, answer });
            }
            News::Waits { attempt, obstacle } => {
                let (task, number) = (attempt.task.to_string(), attempt.number);
                let (what, files) = (obstacle.what, obstacle.files);
                self.tell(Happened::LandingWaits { task, attempt: number, what, files });
                batch.push(Event::Landed { attempt, answer: LandAnswer::Waits });
            }
            News::Landed { attempt, answer, commit } => {
                self.yard.stops.remove(&attempt);
                if let Some(commit) = commit {
                    let (task, number) = (attempt.task.to_string(), attempt.number);
                    let work = self.workers.get(&attempt).and_then(|w| w.record.work.as_ref());
                    let branch = work.map(|work| work.onto.clone()).unwrap_or_default();
                    let commit = commit.0;
                    self.tell(Happened::Landed { task, attempt: number, branch, commit });
                }
                batch.push(Event::Landed { attempt, answer });
            }
            News::Removed(removed) => {
                if let Err(error) = removed {
                    tracing::warn!(error = cause_of(&error), "a worktree stays");
                }
            }
            News::Saved(saved) => self.state_saved(saved),
        }
    }

    fn worktree_prepared(&mut self, prepared: jobs::Prepared, batch: &mut Vec<Event>) {
        let jobs::Prepared { attempt, outcome } = prepared;
        match outcome {
            Ok(made) => {
                if let Some(name) = made.rescued {
                    self.tell(Happened::Rescued { task: attempt.task.to_string(), name });
                }
                if let Some(worker) = self.workers.get_mut(&attempt) {
                    worker.conflicts = made.conflicts;
                }
                batch.push(Event::WorktreeReady { attempt });
            }
            Err(error) => {
                let is_passing = git::is_passing(&error);
                batch.push(Event::WorkerNotStarted {
                    attempt,
                    cause: cause_of(&error),
                    is_passing,
                });
            }
        }
    }
}

/// Returns what the commits of an attempt say.
fn message_of(assignment: &Assignment) -> String {
    let attempt = &assignment.attempt;
    let title = assignment.spec.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let id = attempt.task.as_str();
    let subject = if title == id { id.to_owned() } else { format!("{id}: {title}") };
    format!("{subject}\n\nOrch-Task: {id}\nOrch-Attempt: {}\n", attempt.number)
}
