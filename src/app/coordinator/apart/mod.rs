//! Worktrees of attempts, and the way of their work to the branch.
//!
//! What takes time is done in the background, in this process; what came of it comes back as
//! [`News`]. Whatever moves the branch has the lane, one after the other.

mod batch;
mod jobs;
mod state;
mod yard;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

pub(super) use self::{
    jobs::News,
    yard::{Yard, require_ground},
};

use self::{
    jobs::{About, Landed, Merged, Preparation},
    yard::{own, scratch},
};
use super::{Coordinator, WhenIdle};
use crate::{
    app::{
        error::AppError,
        standing_landings::{self, FILES_MAX},
        view::{explain::LandingWait, run::Happened},
    },
    domain::{
        format::{layout, run_record},
        model::{
            attempt::{AttemptRecord, Ending},
            id::AttemptId,
        },
        scheduler::{
            effect::Assignment,
            event::{Event, LandAnswer, MergeAnswer},
        },
    },
    io::{
        git::{self, Ground, Landing, Origin, StateFile},
        process::cause_of,
    },
};

/// Folders that nobody but workers (of their own attempt) and the coordinator write.
const OWN: [&str; 2] = [layout::STATUS_DIR, layout::RUNS_DIR];

impl Coordinator {
    /// Looks which branch is checked out. Where it is another one, nothing is started that would land;
    /// a run that stays goes over to it once all that lands on the other one has ended.
    pub(super) fn look_at_branch(&mut self, batch: &mut Vec<Event>) {
        let mut elsewhere = self.yard.elsewhere();
        let is_bound = self.workers.values().any(|worker| worker.home.is_apart());
        if let Some(branch) = elsewhere.take_if(|branch| {
            let protect = &self.scheduler.plan().config().git.protect;
            let may_go = self.options.is_here || !protect.contains(branch);
            let stays = self.options.when_idle == WhenIdle::Stay;
            stays && !is_bound && may_go && !branch.is_empty()
        }) {
            self.yard.branch = branch;
        }
        let is_away = elsewhere.is_some();
        if std::mem::replace(&mut self.yard.is_away, is_away) == is_away {
            return;
        }
        batch.push(Event::Away(is_away));
        self.tell(match is_away {
            false => Happened::Released,
            true => Happened::Held {
                reason: format!("the branch {} is not checked out", self.yard.branch),
                help: "its tasks start when it is; what runs lands there".to_owned(),
            },
        });
    }

    /// Returns why a run cannot go on whose branch is gone, once nothing is at work any more; `None`
    /// where it can. One that stays may go over to another branch.
    pub(super) fn without_branch(&self) -> Option<AppError> {
        let is_idle = self.workers.is_empty() && self.options.when_idle != WhenIdle::Stay;
        let ground = self.yard.ground.as_ref().filter(|_| self.yard.is_away && is_idle)?;
        let branch = self.yard.branch.clone();
        if !ground.is_gone(&branch) {
            return None;
        }
        let kept = ground.task_branches().unwrap_or_default();
        let kept = kept.into_iter().map(|kept| Ground::task_branch(&kept.task)).collect();
        Some(AppError::BranchGone { branch, kept })
    }

    /// Makes the worktree of an attempt in the background.
    pub(super) fn prepare_worktree(&mut self, assignment: &Assignment) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let is_conflict = ground.is_in_conflict(assignment.attempt.task.as_str());
        let is_fresh = assignment.policy.is_clean && !is_conflict && assignment.lands.is_none();
        let preparation = Preparation {
            attempt: assignment.attempt.clone(),
            folder: self.store.path(&layout::worktree_path(&assignment.attempt.task)),
            onto: self.yard.branch.clone(),
            origin: if is_fresh { Origin::Fresh } else { Origin::Before },
            is_merge_begun: is_conflict && assignment.lands.is_none(),
            status_folder: self.yard.home(assignment).relative(layout::STATUS_DIR),
            store: self.store.clone(),
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
        let about = About {
            suspects: self.conflicts_before(&attempt),
            task: worker.assignment.spec.path.to_string(),
            role: worker.assignment.role.as_ref().map(|role| role.path.to_string()),
        };
        self.in_background(move || {
            let merged = jobs::merge(&ground, &attempt, &folder, (&onto, &message), &about);
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
    pub(super) fn land(&mut self, works: Vec<(AttemptId, Box<Ending>)>) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let attempts: Vec<AttemptId> = works.iter().map(|(attempt, _)| attempt.clone()).collect();
        let Some(landing) = self.landing(works) else {
            let answer = LandAnswer::Failed("its worktree is gone".to_owned());
            return self.in_background(move || News::Landed { attempts, answer, landed: None });
        };
        let stop = Arc::new(AtomicBool::new(false));
        for attempt in &attempts {
            self.yard.stops.insert(attempt.clone(), Arc::clone(&stop));
        }
        let job = jobs::LandingJob {
            attempts,
            landing,
            scratch: scratch(&self.store),
            own: own(),
            lane: Arc::clone(&self.yard.lane),
            stop,
            news: self.yard.news.clone(),
        };
        self.in_background(move || job.carry_out(&ground));
    }

    /// Returns what is to land: the work of attempts, and what is recorded of them; `None` where a
    /// worktree is gone.
    fn landing(&self, attempts: Vec<(AttemptId, Box<Ending>)>) -> Option<Landing> {
        let (mut files, mut works, mut assignments) = (Vec::new(), Vec::new(), Vec::new());
        let branch = attempts.first().and_then(|(first, _)| self.onto(first))?;
        for (attempt, ending) in attempts {
            let worker = self.workers.get(&attempt)?;
            if self.onto(&attempt)? != branch {
                return None;
            }
            works.push(self.work_of(&attempt)?);
            assignments.push(worker.assignment.as_ref());
            let record = AttemptRecord { ending: Some(*ending), ..worker.record.clone() };
            let bytes = Some(run_record::render(&record).into_bytes());
            files.push(StateFile { path: layout::run_path(&attempt), bytes });
            let status = layout::status_path(&attempt);
            let reported = self.store.read_file(&status).ok();
            files.extend(reported.map(|bytes| StateFile { path: status, bytes: Some(bytes) }));
        }
        let verified = match &works[..] {
            [one] => one.clone(),
            _ => self.yard.combined.clone()?,
        };
        Some(Landing {
            branch,
            verified,
            works,
            files,
            kept: own(),
            unverified: vec![layout::EVENTS_DIR.to_owned()],
            message: message_of_all(&assignments),
            mode: self.scheduler.plan().config().git.landing,
        })
    }

    /// Gives up a landing that waits.
    pub(super) fn stop_landing(&self, attempt: &AttemptId) {
        if let Some(stop) = self.yard.stops.get(attempt) {
            stop.store(true, Ordering::SeqCst);
        }
    }

    /// Gives up all landings that wait.
    pub(super) fn stop_landings(&self) {
        for stop in self.yard.stops.values() {
            stop.store(true, Ordering::SeqCst);
        }
    }

    /// Removes the worktree of an attempt whose work has landed, and its branch.
    pub(super) fn remove_worktree(&mut self, attempt: &AttemptId) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let task = attempt.task.to_string();
        let folder = self.store.path(&layout::worktree_path(&attempt.task));
        self.yard.n_removing += 1;
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
        if news.tells_of_no_branch() {
            // Before anything is tried anew.
            self.look_at_branch(batch);
        }
        match news {
            News::Prepared(prepared) => self.worktree_prepared(prepared, batch),
            News::Merged { attempt, merged } => {
                let answer = match merged {
                    Ok(Merged { head, digests }) => {
                        let worker = self.workers.get_mut(&attempt);
                        if let Some(work) = worker.and_then(|worker| worker.record.work.as_mut()) {
                            work.commit = Some(head);
                        }
                        MergeAnswer::Clean(digests)
                    }
                    Err(answer) => answer,
                };
                batch.push(Event::Merged { attempt, answer });
            }
            News::Combined(merged) => batch.extend(self.combined(merged)),
            News::Waits { attempts, obstacle } => {
                for attempt in &attempts {
                    let (task, number) = (attempt.task.to_string(), attempt.number);
                    let (what, files) = (obstacle.what.clone(), obstacle.files.clone());
                    self.note_wait(attempt, &what, &files);
                    self.tell(Happened::LandingWaits { task, attempt: number, what, files });
                }
                batch.push(Event::Landed { attempts, answer: LandAnswer::Waits });
            }
            News::Landed { attempts, answer, landed } => {
                for attempt in &attempts {
                    self.yard.stops.remove(attempt);
                    self.yard.waits.remove(attempt);
                    if let Some(landed) = &landed {
                        self.note_landing(attempt, landed);
                    }
                }
                batch.push(Event::Landed { attempts, answer });
            }
            News::Removed(removed) => {
                self.yard.n_removing = self.yard.n_removing.saturating_sub(1);
                if let Err(error) = removed {
                    tracing::warn!(error = cause_of(&error), "a worktree stays");
                }
            }
            News::Saved(saved) => self.state_saved(saved),
        }
    }

    fn note_landing(&mut self, attempt: &AttemptId, landed: &Landed) {
        let Landed { commit, is_here } = landed;
        let (task, number) = (attempt.task.to_string(), attempt.number);
        let branch = self.onto(attempt).unwrap_or_default();
        let commit = commit.0.clone();
        if let Some(worker) = self.workers.get_mut(attempt) {
            worker.is_elsewhere = !is_here;
        }
        self.tell(Happened::Landed { task, attempt: number, branch, commit });
    }

    fn note_wait(&mut self, attempt: &AttemptId, what: &str, files: &[String]) {
        let known = self.yard.waits.get(attempt).map(|wait| wait.since.clone());
        let wait = LandingWait {
            what: what.to_owned(),
            files: files.iter().take(FILES_MAX).cloned().collect(),
            since: known.unwrap_or_else(|| self.clock.now().wall.to_string()),
        };
        self.yard.waits.insert(attempt.clone(), wait);
    }

    /// Writes what is in the way of landings, for those who only look.
    pub(super) fn publish_landings(&mut self) {
        let workers = &self.workers;
        self.yard.waits.retain(|attempt, _| workers.contains_key(attempt));
        if self.yard.waits == self.yard.published {
            return;
        }
        let written = match self.yard.waits.is_empty() {
            true => self.store.remove(layout::WAITING_PATH),
            false => {
                let text = standing_landings::render(std::process::id(), &self.yard.waits);
                self.store.replace(layout::WAITING_PATH, text.as_bytes())
            }
        };
        match written {
            Ok(()) => self.yard.published = self.yard.waits.clone(),
            Err(error) => {
                tracing::debug!(%error, "what is in the way of landings is not published");
            }
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
                let is_gone = |ground: &Arc<Ground>| ground.is_gone(&self.yard.branch);
                let is_passing =
                    git::is_passing(&error) || self.yard.ground.as_ref().is_some_and(is_gone);
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
    format!("{}\n\n{}", subject_of(assignment), trailers_of(assignment))
}

/// Returns what the commit says by which the work of several attempts lands.
fn message_of_all(assignments: &[&Assignment]) -> String {
    if let [one] = assignments {
        return message_of(one);
    }
    let ids: Vec<&str> = assignments.iter().map(|one| one.attempt.task.as_str()).collect();
    let subject = match &ids[..] {
        [one, rest @ ..] if rest.len() > 3 => format!("{one} and {} more tasks", rest.len()),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
        [] => String::new(),
    };
    let subjects: Vec<String> = assignments.iter().map(|one| subject_of(one)).collect();
    let trailers: String = assignments.iter().map(|one| trailers_of(one)).collect();
    format!("{subject}\n\n{}\n\n{trailers}", subjects.join("\n"))
}

fn subject_of(assignment: &Assignment) -> String {
    let title = assignment.spec.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let id = assignment.attempt.task.as_str();
    if title == id { id.to_owned() } else { format!("{id}: {title}") }
}

fn trailers_of(assignment: &Assignment) -> String {
    let AttemptId { task, number } = &assignment.attempt;
    format!("Orch-Task: {task}\nOrch-Attempt: {number}\n")
}
