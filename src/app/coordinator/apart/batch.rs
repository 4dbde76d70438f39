//! Work that is verified together, and lands so.

use std::ffi::{OsStr, OsString};

use tokio::sync::{mpsc, watch};

use super::{News, jobs::MergedBatch};
use crate::{
    app::coordinator::{
        Coordinator,
        worker::{Checks, send},
    },
    domain::{
        format::layout,
        model::{attempt::CheckResult, id::AttemptId, task::CommandLine},
        scheduler::event::{CombineAnswer, Event},
    },
    io::{
        git::CommitRange,
        process::{How, Launch, cause_of, check::CheckTimes},
    },
};

impl Coordinator {
    /// Merges the work of several attempts with each other in the background.
    pub(in crate::app::coordinator) fn combine(&mut self, attempts: Vec<AttemptId>) {
        let Some(ground) = self.yard.ground.clone() else { return };
        let onto = attempts.first().and_then(|one| self.onto(one)).unwrap_or_default();
        // One that an earlier coordinator started may be for another branch: it lands alone.
        let is_for_it = |one: &AttemptId| self.onto(one).is_some_and(|branch| branch == onto);
        let attempts: Vec<AttemptId> = attempts.into_iter().filter(is_for_it).collect();
        let works: Option<Vec<CommitRange>> =
            attempts.iter().map(|one| self.work_of(one)).collect();
        let folder = self.store.path(layout::BATCH_DIR);
        self.in_background(move || {
            let merged = match works {
                Some(works) => {
                    ground.combine(&onto, &works, &folder).map_err(|error| cause_of(&error))
                }
                None => Err("a worktree is gone".to_owned()),
            };
            News::Combined(MergedBatch { attempts, merged })
        });
    }

    /// Returns the work of an attempt that was verified.
    pub(super) fn work_of(&self, attempt: &AttemptId) -> Option<CommitRange> {
        let head = self.workers.get(attempt)?.record.work.as_ref()?.commit.clone()?;
        let base = self.yard.ground.as_ref()?.base_of(attempt.task.as_str())?;
        Some(CommitRange { base, head })
    }

    /// Returns the branch that the work of an attempt lands on.
    pub(super) fn onto(&self, attempt: &AttemptId) -> Option<String> {
        Some(self.workers.get(attempt)?.record.work.as_ref()?.onto.clone())
    }

    /// Takes in what came of merging the work of several attempts.
    pub(super) fn combined(&mut self, batch: MergedBatch) -> Option<Event> {
        let MergedBatch { attempts, merged } = batch;
        let attempt = attempts.first()?.clone();
        let answer = match merged {
            Ok(combined) => {
                let with = combined.included.iter().skip(1).filter_map(|at| attempts.get(*at));
                let with = with.cloned().collect();
                self.yard.combined = Some(CommitRange { base: combined.base, head: combined.head });
                CombineAnswer::Together(with)
            }
            Err(cause) => {
                tracing::info!(cause, "work is not verified together");
                CombineAnswer::Failed(cause)
            }
        };
        Some(Event::Combined { attempt, answer })
    }

    /// Runs the verify commands of several attempts on their combined work.
    pub(in crate::app::coordinator) fn verify_batch(&mut self, attempts: &[AttemptId]) {
        let Some(events) = self.events.clone() else { return };
        let Some(attempt) = attempts.first().cloned() else { return };
        let home = self.yard.batch_home();
        let checks = |one: &AttemptId| Some((one.clone(), self.checks_of(one, &home)?));
        let checks = attempts.iter().filter_map(checks);
        let checks = BatchChecks(checks.collect());
        let (stop, stopped) = watch::channel(None);
        let first = attempt.clone();
        tokio::spawn(async move {
            let results = checks.run(&events, &stopped).await;
            send(&events, Event::BatchVerified { attempt, results }).await;
        });
        if let Some(worker) = self.workers.get_mut(&first) {
            worker.check_stop = Some(stop);
        }
    }

    /// Removes the worktree in which work was combined, where there is one.
    pub(in crate::app::coordinator) fn remove_batch(&mut self) {
        let Some(ground) = self.yard.ground.clone() else { return };
        if self.yard.combined.take().is_none() {
            return;
        }
        let folder = self.store.path(layout::BATCH_DIR);
        self.yard.n_removing += 1;
        self.in_background(move || News::Removed(ground.remove_batch(&folder)));
    }
}

/// The verify commands of several attempts.
struct BatchChecks(Vec<(AttemptId, Checks)>);

/// What makes a command the same as another one.
type Same = (CommandLine, Vec<(OsString, OsString)>, CheckTimes);

/// Variables that say whose command it is.
const OF_TASK: [&str; 5] =
    ["ORCH_TASK_ID", "ORCH_ATTEMPT", "ORCH_TASK_FILE", "ORCH_PROMPT_FILE", "ORCH_STATUS_FILE"];

/// The variable that says whose a command is that belongs to several: their ids.
const BATCH_VARIABLE: &str = "ORCH_BATCH";

impl BatchChecks {
    /// Runs each command once, up to the first that fails, and returns what came out for each
    /// attempt.
    async fn run(
        &self,
        events: &mpsc::Sender<Event>,
        stopped: &watch::Receiver<Option<How>>,
    ) -> Vec<(AttemptId, Vec<CheckResult>)> {
        let same = |command: &CommandLine, checks: &Checks| -> Same {
            (command.clone(), own_variables(&checks.launch), checks.times)
        };
        let of_all: Vec<Same> = self
            .0
            .iter()
            .flat_map(|(_, checks)| checks.commands.iter().map(|command| same(command, checks)))
            .collect();
        let mut known: Vec<(Same, CheckResult)> = Vec::new();
        let mut all = Vec::new();
        let mut goes_on = true;
        for (attempt, checks) in &self.0 {
            let mut results = Vec::new();
            for command in &checks.commands {
                if !goes_on {
                    break;
                }
                let same = same(command, checks);
                let found = known.iter().find(|(known, _)| *known == same);
                let is_shared = of_all.iter().filter(|other| **other == same).count() > 1;
                let launch = match is_shared {
                    true => self.shared_launch(&checks.launch),
                    false => checks.launch.clone(),
                };
                let result = match found {
                    Some((_, result)) => result.clone(),
                    None => checks.run_command(command, launch, events, stopped).await,
                };
                goes_on = result.is_success();
                known.push((same, result.clone()));
                results.push(result);
            }
            all.push((attempt.clone(), results));
        }
        all
    }

    /// Returns how a command is started that several have: it belongs to none of them.
    fn shared_launch(&self, launch: &Launch) -> Launch {
        let mut launch = launch.clone();
        launch.env.retain(|(name, _)| !OF_TASK.iter().any(|of_task| name == of_task));
        let ids: Vec<&str> = self.0.iter().map(|(attempt, _)| attempt.task.as_str()).collect();
        launch.env.push((BATCH_VARIABLE.into(), ids.join(" ").into()));
        launch
    }
}

/// Returns the variables of a command that do not say whose it is.
fn own_variables(launch: &Launch) -> Vec<(OsString, OsString)> {
    let is_own = |name: &OsStr| !name.as_encoded_bytes().starts_with(b"ORCH_");
    launch.env.iter().filter(|(name, _)| is_own(name)).cloned().collect()
}
