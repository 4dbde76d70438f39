//! What is done with git in the background.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::state::Saved;
use crate::{
    domain::{
        format::layout,
        model::{attempt::Digests, commit::CommitId, id::AttemptId},
        scheduler::event::{LandAnswer, MergeAnswer},
    },
    io::{
        git::{
            Advanced, Built, Combined, GitError, Ground, Integrated, Landing, Obstacle, Origin,
            Step,
        },
        process::{cause_of, foreign},
        store::Store,
    },
};

/// Pause before it is tried again to land where something is in the way; doubled up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(2);
const PAUSE_LAST: Duration = Duration::from_millis(500);

/// What is in the way for so long is told of; files of the user are told of at once.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// A person who used git just now uses it again, mostly: that must be over for so long. Where it never
/// is, less must do.
const QUIET: Duration = Duration::from_secs(1);
const QUIET_LEAST: Duration = Duration::from_millis(20);
const QUIET_PATIENCE: Duration = Duration::from_secs(30);

/// Returns how long nobody must have used git in the checkout after something has waited so long.
pub(super) fn quiet_after(waited: Duration) -> Duration {
    if waited < QUIET_PATIENCE { QUIET } else { QUIET_LEAST }
}

/// Whoever moves the branch has it.
pub(super) type Lane = Arc<Mutex<()>>;

/// What came of something that git did.
#[derive(Debug)]
pub(in crate::app::coordinator) enum News {
    /// A worktree was made, or not.
    Prepared(Prepared),
    /// Work was merged with what landed meanwhile, or why it is not.
    Merged {
        /// Whose.
        attempt: AttemptId,
        /// What came of it.
        merged: Result<Merged, MergeAnswer>,
    },
    /// The work of several attempts was merged with each other, or why it is not.
    Combined(MergedBatch),
    /// Something is in the way of a landing.
    Waits {
        /// Whose.
        attempts: Vec<AttemptId>,
        /// What.
        obstacle: Obstacle,
    },
    /// A landing was carried out, or given up.
    Landed {
        /// Whose.
        attempts: Vec<AttemptId>,
        /// What came of it.
        answer: LandAnswer,
        /// How, where it did.
        landed: Option<Landed>,
    },
    /// A worktree was removed, or not.
    Removed(Result<(), GitError>),
    /// State was committed, or not.
    Saved(Saved),
}

impl News {
    /// Says whether it tells that the branch that work lands on is gone.
    pub(super) fn tells_of_no_branch(&self) -> bool {
        matches!(
            self,
            Self::Merged { merged: Err(MergeAnswer::NoBranch), .. }
                | Self::Landed { answer: LandAnswer::NoBranch, .. }
        )
    }
}

/// Work that is merged with what landed meanwhile.
#[derive(Debug)]
pub(in crate::app::coordinator) struct Merged {
    /// Its last commit.
    pub(super) head: CommitId,
    /// The files of its task and role in that.
    pub(super) digests: Digests,
}

/// The work of several attempts that was to be merged with each other.
#[derive(Debug)]
pub(in crate::app::coordinator) struct MergedBatch {
    /// Whose.
    pub(super) attempts: Vec<AttemptId>,
    /// What it came to, or why it did not.
    pub(super) merged: Result<Combined, String>,
}

/// How work landed.
#[derive(Debug)]
pub(in crate::app::coordinator) struct Landed {
    pub(super) commit: CommitId,
    /// Whether its branch is the one that is checked out.
    pub(super) is_here: bool,
}

/// A worktree that is to be made.
#[derive(Debug)]
pub(super) struct Preparation {
    pub attempt: AttemptId,
    pub folder: PathBuf,
    /// The branch that it is cut from.
    pub onto: String,
    pub origin: Origin,
    /// Whether the merge that came to a conflict is to be begun for the worker.
    pub is_merge_begun: bool,
    /// Where the worker writes its status, relative to the folder of the plan.
    pub status_folder: String,
    pub store: Store,
}

/// A worktree that was to be made.
#[derive(Debug)]
pub(in crate::app::coordinator) struct Prepared {
    pub(super) attempt: AttemptId,
    pub(super) outcome: Result<Readied, GitError>,
}

/// A worktree that is there.
#[derive(Debug)]
pub(super) struct Readied {
    /// Where work of an earlier attempt is kept, where it was set aside.
    pub rescued: Option<String>,
    /// The files that are in conflict in it.
    pub conflicts: Vec<String>,
}

impl Preparation {
    pub(super) fn carry_out(self, ground: &Ground) -> Prepared {
        let outcome = self.prepare(ground);
        Prepared { attempt: self.attempt, outcome }
    }

    fn prepare(&self, ground: &Ground) -> Result<Readied, GitError> {
        let task = self.attempt.task.as_str();
        let tip = tip_of(ground, &self.onto)?;
        self.check(layout::WORKTREES_DIR)?;
        let made = ground.prepare_worktree(task, &self.folder, &tip, self.origin)?;
        let conflicts = match self.is_merge_begun {
            true => ground.begin_merge(task, &tip, &format!("{task}: merge {}", self.onto))?,
            false => Vec::new(),
        };
        self.check(&self.status_folder)?;
        fs::create_dir_all(self.store.path(&self.status_folder)).map_err(|source| {
            GitError::File { what: format!("make the worktree of {task}"), source }
        })?;
        Ok(Readied { rescued: made.rescued, conflicts })
    }
}

impl Preparation {
    /// Refuses where a link is in the place of a folder, or on the way to it: what is made there would
    /// be made elsewhere.
    fn check(&self, folder: &str) -> Result<(), GitError> {
        let found = self.store.has_folder(folder);
        found.map(drop).map_err(|error| GitError::Refused(cause_of(&error)))
    }
}

fn tip_of(ground: &Ground, branch: &str) -> Result<CommitId, GitError> {
    loop {
        match ground.tip(branch)? {
            Some(tip) => return Ok(tip),
            None if ground.is_gone(branch) => {
                return Err(GitError::Refused(format!("the branch {branch} is gone")));
            }
            None => {}
        }
    }
}

/// What is looked at in the work of an attempt.
#[derive(Debug)]
pub(super) struct About {
    /// Files that may hold marks of a conflict.
    pub suspects: Vec<String>,
    /// The file of its task, relative to the folder of the plan.
    pub task: String,
    /// The file of its role, where it has one.
    pub role: Option<String>,
}

/// Commits what a worker left and merges the branch `onto` into it.
pub(super) fn merge(
    ground: &Ground,
    attempt: &AttemptId,
    folder: &Path,
    (onto, message): (&str, &str),
    about: &About,
) -> Result<Merged, MergeAnswer> {
    let failed = |error: GitError| match ground.is_gone(onto) {
        true => MergeAnswer::NoBranch,
        false => MergeAnswer::Failed(cause_of(&error)),
    };
    if !ground.is_ready(attempt.task.as_str(), folder) {
        return Err(MergeAnswer::Failed("its worktree is gone".to_owned()));
    }
    let marked = ground.still_marked(folder, &about.suspects);
    if let Some(first) = marked.first() {
        return Err(MergeAnswer::Failed(format!("marks of a conflict are left in {first}")));
    }
    let task = attempt.task.as_str();
    ground.commit_leftovers(task, message).map_err(failed)?;
    let tip = tip_of(ground, onto).map_err(failed)?;
    let merge = format!("{task}: merge {onto}\n\nOrch-Task: {task}\n");
    match ground.integrate(task, &tip, &merge).map_err(failed)? {
        Integrated::Clean { head } => {
            let named = |path: &String| ground.blob_in(&head, path).map_err(failed);
            let role = about.role.as_ref().map(named).transpose()?;
            let digests = Digests { task: named(&about.task)?, role: role.flatten() };
            Ok(Merged { head, digests })
        }
        Integrated::Conflict { files } => Err(MergeAnswer::Conflict(files)),
    }
}

/// Removes the worktree and the branch of a task whose work has landed.
pub(super) fn remove(ground: &Ground, task: &str, folder: &Path) -> Result<(), GitError> {
    ground.remove_worktree(task, folder)?;
    ground.delete_branch(task)
}

/// Work that is to land.
#[derive(Debug)]
pub(super) struct LandingJob {
    pub attempts: Vec<AttemptId>,
    pub landing: Landing,
    pub scratch: PathBuf,
    pub own: Vec<String>,
    pub lane: Lane,
    pub stop: Arc<AtomicBool>,
    pub news: mpsc::Sender<News>,
}

impl LandingJob {
    /// Lands it as soon as nothing is in the way.
    pub(super) fn carry_out(self, ground: &Ground) -> News {
        let begun = Instant::now();
        let (mut pause, mut told) = (PAUSE_FIRST, None);
        loop {
            let (answer, landed) = match self.attempt_once(ground, quiet_after(begun.elapsed())) {
                Ok(Tried::Landed(landed)) => (LandAnswer::Done, Some(landed)),
                Ok(Tried::MovedOn) => (LandAnswer::MovedOn, None),
                Err(_) if ground.is_gone(&self.landing.branch) => (LandAnswer::NoBranch, None),
                Err(error) => (LandAnswer::Failed(cause_of(&error)), None),
                Ok(Tried::InTheWay(_)) if self.stop.load(Ordering::SeqCst) => {
                    (LandAnswer::GivenUp, None)
                }
                Ok(Tried::InTheWay(obstacle)) => {
                    let is_due = !obstacle.files.is_empty() || begun.elapsed() > TOLD_AFTER;
                    // Other files are news; what git does may be another command every time.
                    let is_known = told.as_ref().is_some_and(|files: &Vec<String>| {
                        obstacle.files.is_empty() || obstacle.files == *files
                    });
                    if is_due && !is_known {
                        told = Some(obstacle.files.clone());
                        let attempts = self.attempts.clone();
                        let waits = News::Waits { attempts, obstacle };
                        if self.news.blocking_send(waits).is_err() {
                            tracing::debug!("nobody is told that a landing waits");
                        }
                    }
                    thread::sleep(pause);
                    pause = pause.saturating_mul(2).min(PAUSE_LAST);
                    continue;
                }
            };
            return News::Landed { attempts: self.attempts, answer, landed };
        }
    }

    fn attempt_once(&self, ground: &Ground, quiet: Duration) -> Result<Tried, GitError> {
        // Whoever died with the lane has left nothing half done in memory.
        let _lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        let (old, new) = match ground.build_landing(&self.landing)? {
            Built::Moved => return Ok(Tried::MovedOn),
            Built::Commit { old, new } => (old, new),
        };
        let fresh: Vec<String> = self.landing.files.iter().map(|file| file.path.clone()).collect();
        let step = Step {
            fresh: &fresh,
            quiet,
            branch: &self.landing.branch,
            old: &old,
            new: &new,
            scratch: &self.scratch,
            own: &self.own,
            busy: &|top| foreign::git_at_work(top),
        };
        Ok(match ground.advance(&step)? {
            Advanced::Done => Tried::Landed(Landed { commit: new, is_here: true }),
            Advanced::DoneElsewhere => Tried::Landed(Landed { commit: new, is_here: false }),
            // Somebody was quicker: perhaps only with state.
            Advanced::Moved => {
                Tried::InTheWay(Obstacle { what: "git is at work".to_owned(), files: Vec::new() })
            }
            Advanced::InTheWay(obstacle) => Tried::InTheWay(obstacle),
        })
    }
}

/// What became of one try to land.
enum Tried {
    Landed(Landed),
    MovedOn,
    InTheWay(Obstacle),
}
