//! State without work (failures, retries, approvals), committed in batches.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::{
    OWN,
    jobs::{Lane, News, quiet_after},
    yard::{own, scratch},
};
use crate::{
    app::{
        coordinator::{Coordinator, Sources},
        view::run::Happened,
    },
    domain::{
        format::{
            layout::{self, FileKind},
            run_record,
        },
        model::{id::TaskId, time::Tick},
    },
    io::{
        git::{Advanced, GitError, Ground, StateFile, Step},
        process::{cause_of, foreign},
        store::Store,
    },
};

/// State waits for so long, so that what happens together is committed together.
const BATCH_TIME: Duration = Duration::from_secs(2);

/// State that cannot be committed for so long is told of.
const TOLD_AFTER: Duration = Duration::from_secs(20);

/// How long the end of a run waits for its state to be committed.
const END_TIME: Duration = Duration::from_secs(5);

/// What is not committed yet.
#[derive(Debug, Clone, Default)]
pub(in crate::app::coordinator) struct Unsaved {
    /// Files, relative to the folder of the plan.
    paths: BTreeSet<String>,
    /// Since when something is.
    since: Option<Tick>,
    /// What is being committed.
    in_flight: Option<Flight>,
    /// Whether it was told that it cannot be.
    is_told: bool,
    /// Whether everything was looked through.
    has_swept: bool,
}

/// State that is being committed.
#[derive(Debug, Clone)]
struct Flight {
    /// Files, relative to the folder of the plan.
    paths: BTreeSet<String>,
    /// Whether whatever differs is committed as well.
    is_sweep: bool,
}

/// What became of state that was to be committed.
#[derive(Debug)]
pub(in crate::app::coordinator) struct Saved {
    /// `None` where it is; else why it is not.
    reason: Option<String>,
}

/// State that is to be committed.
struct Saving {
    store: Store,
    branch: String,
    flight: Flight,
    /// The number of the last attempt of each task, as far as that matters for what differs.
    last_of: BTreeMap<TaskId, u32>,
    lane: Lane,
    scratch: PathBuf,
    /// How long nobody must have used git in the checkout.
    quiet: Duration,
}

impl Coordinator {
    /// Notes that a file of state has changed.
    pub(in crate::app::coordinator) fn note_unsaved(&mut self, path: String) {
        let now = self.clock.now().tick;
        let unsaved = &mut self.yard.unsaved;
        unsaved.paths.insert(path);
        unsaved.since.get_or_insert(now);
    }

    /// Notes that people or scripts may have written events.
    pub(in crate::app::coordinator) fn note_events(&mut self) {
        let now = self.clock.now().tick;
        self.yard.unsaved.since.get_or_insert(now);
    }

    /// Commits state that has waited long enough, in the background.
    pub(in crate::app::coordinator) fn save_state(&mut self) {
        let now = self.clock.now().tick;
        let is_due = self.yard.unsaved.since.is_some_and(|since| now >= since.plus(BATCH_TIME));
        if is_due || !self.yard.unsaved.has_swept {
            self.save_now();
        }
    }

    fn save_now(&mut self) {
        let is_wanted = self.scheduler.plan().config().git.commits_state;
        let Some(ground) = self.yard.ground.clone().filter(|_| is_wanted) else { return };
        let unsaved = &mut self.yard.unsaved;
        if unsaved.in_flight.is_some() || self.lock.misplaced().is_ok_and(|m| m.is_some()) {
            return;
        }
        let is_sweep = !std::mem::replace(&mut unsaved.has_swept, true);
        let flight = Flight { paths: std::mem::take(&mut unsaved.paths), is_sweep };
        unsaved.in_flight = Some(flight.clone());
        let now = self.clock.now().tick;
        let waited = unsaved.since.map(|since| now.0.saturating_sub(since.0));
        let saving = Saving {
            quiet: quiet_after(waited.unwrap_or_default()),
            store: self.store.clone(),
            branch: self.yard.branch.clone(),
            flight,
            last_of: if is_sweep { self.last_attempts() } else { BTreeMap::new() },
            lane: Arc::clone(&self.yard.lane),
            scratch: scratch(&self.store),
        };
        self.in_background(move || News::Saved(saving.carry_out(&ground)));
    }

    /// Notes what became of state that was to be committed.
    pub(super) fn state_saved(&mut self, saved: Saved) {
        let now = self.clock.now().tick;
        let unsaved = &mut self.yard.unsaved;
        let Some(flight) = unsaved.in_flight.take() else { return };
        let Some(reason) = saved.reason else {
            unsaved.is_told = false;
            unsaved.since = (!unsaved.paths.is_empty()).then_some(now);
            return;
        };
        unsaved.has_swept &= !flight.is_sweep;
        unsaved.paths.extend(flight.paths);
        let since = *unsaved.since.get_or_insert(now);
        if now >= since.plus(TOLD_AFTER) && !std::mem::replace(&mut unsaved.is_told, true) {
            self.tell(Happened::StateNotCommitted { reason });
        }
    }

    /// Commits what is left at the end of a run.
    pub(in crate::app::coordinator) async fn finish_state(&mut self, sources: &mut Sources) {
        self.remove_batch();
        self.set_strangers_aside();
        let deadline = tokio::time::Instant::now() + END_TIME;
        loop {
            let unsaved = &self.yard.unsaved;
            let is_due = unsaved.since.is_some() || !unsaved.has_swept;
            if unsaved.in_flight.is_none() && is_due {
                self.save_now();
            }
            if self.yard.unsaved.in_flight.is_none() && self.yard.n_removing == 0 {
                return;
            }
            match tokio::time::timeout_at(deadline, sources.git_told()).await {
                Ok(News::Saved(saved)) => {
                    let has_failed = saved.reason.is_some();
                    self.state_saved(saved);
                    if has_failed {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                Ok(news) => self.git_told(news, &mut Vec::new()),
                Err(_) => {
                    tracing::warn!("not all state is committed; the next run does it");
                    return;
                }
            }
        }
    }
}

impl Saving {
    fn carry_out(self, ground: &Ground) -> Saved {
        let reason = match self.save(ground) {
            Ok(reason) => reason,
            Err(error) => Some(cause_of(&error)),
        };
        Saved { reason }
    }

    /// Says whether a file of state says something that stays, and on this branch: what there is of
    /// an attempt that runs does not, nor of one whose work lands elsewhere.
    fn is_final(&self, ground: &Ground, path: &str, bytes: &[u8]) -> bool {
        match layout::classify(path) {
            FileKind::Run(_) => run_record::parse(path, bytes).0.is_some_and(|record| {
                let lands_here = |onto: &String| *onto == self.branch || ground.is_gone(onto);
                let is_here = record.work.is_none_or(|work| lands_here(&work.onto));
                record.ending.is_some() && is_here
            }),
            FileKind::Status(attempt) => {
                let record = layout::run_path(&attempt);
                let bytes = self.store.read_file(&record);
                bytes.is_ok_and(|bytes| self.is_final(ground, &record, &bytes))
            }
            FileKind::GateRun { .. } => {
                run_record::parse_gate(path, bytes).0.is_some_and(|record| record.ended.is_some())
            }
            FileKind::Ignored => false,
            _ => true,
        }
    }

    /// Says whether a file of state is of an attempt that this coordinator found when it began, or
    /// began itself. What a worker writes into the checkout meanwhile is none of that; of tasks that
    /// are not in the plan nothing is known.
    fn is_known(&self, path: &str) -> bool {
        match layout::classify(path) {
            FileKind::Run(attempt) | FileKind::Status(attempt) => {
                self.last_of.get(&attempt.task).is_none_or(|last| attempt.number <= *last)
            }
            _ => true,
        }
    }

    /// Returns why it is not committed, where it is not.
    fn save(&self, ground: &Ground) -> Result<Option<String>, GitError> {
        // State of this branch stays out of others.
        let is_here = ground.checked_out_at(&self.branch).is_some_and(|top| top == ground.top());
        if !is_here {
            return Ok(Some(format!("the branch {} is not checked out", self.branch)));
        }
        let _lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = Vec::new();
        let mut paths = self.flight.paths.clone();
        if self.flight.is_sweep {
            let differing = ground.differing(&self.branch, &OWN, false)?.into_iter();
            paths.extend(differing.filter(|path| self.is_known(path)));
        }
        paths.extend(ground.differing(&self.branch, &[layout::EVENTS_DIR], true)?);
        for path in paths {
            // What is gone was taken away by somebody, who may commit that.
            let Ok(bytes) = self.store.read_file(&path) else { continue };
            if self.is_final(ground, &path, &bytes) {
                files.push(StateFile { path, bytes: Some(bytes) });
            }
        }
        // What landed is committed already.
        let files = ground.unlike(&self.branch, files)?;
        let message = subject_of(&files);
        let Some((old, new)) = ground.build_state(&self.branch, &files, &message)? else {
            return Ok(None);
        };
        let step = Step {
            branch: &self.branch,
            old: &old,
            new: &new,
            scratch: &self.scratch,
            own: &own(),
            fresh: &[],
            quiet: self.quiet,
            busy: &|top| foreign::git_at_work(top),
        };
        Ok(match ground.advance(&step)? {
            Advanced::Done | Advanced::DoneElsewhere => None,
            Advanced::Moved => Some("git is at work".to_owned()),
            Advanced::InTheWay(obstacle) => Some(obstacle.what),
        })
    }
}

/// Returns what a commit of state says.
fn subject_of(files: &[StateFile]) -> String {
    let mut told: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let bytes = file.bytes.as_deref()?;
            let record = run_record::parse(&file.path, bytes).0?;
            let outcome = record.ending?.outcome;
            Some(format!("{} {}", record.attempt, outcome.as_str()))
        })
        .collect();
    told.sort();
    match &told[..] {
        [] => "orch: state\n".to_owned(),
        [one] => format!("orch: {one}\n"),
        [one, rest @ ..] => {
            format!("orch: {one} and {} more\n\n{}\n", rest.len(), told.join("\n"))
        }
    }
}
