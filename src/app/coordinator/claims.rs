//! Claims of tasks at a git remote, where coordinators of several clones or machines share a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Coordinator, Sources};
use crate::{
    app::{error::AppError, standing_claims, supervised, view::run::Happened},
    domain::{
        format::layout,
        model::{
            attempt::AttemptRecord,
            claim::ClaimAnswer,
            id::{AttemptId, TaskId},
            time::Tick,
        },
        plan::Plan,
        scheduler::{claims::Claims as Known, event::Event},
    },
    io::{
        entropy::Nonces,
        git::{
            Triggers,
            claims::{Claim, ClaimError, Claims},
        },
        process::{How, cause_of, leftovers::running_elsewhere, stop_group},
        store::{Store, lock},
    },
};

/// Time between two looks at claims of others, as long as there are some.
const LOOK: Duration = Duration::from_secs(30);

/// How long the end of a run waits for claims to be given back.
const RELEASE_TIME: Duration = Duration::from_secs(5);

/// How long a remote may take to answer before that is told, and before it is given up.
const ANSWER_TIME: Duration = Duration::from_secs(10);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// What was asked at the remote, and what it said.
#[derive(Debug)]
pub(super) enum Answer {
    /// Tasks were claimed.
    Taken {
        /// Those that were asked for.
        asked: Vec<TaskId>,
        /// Whose they are.
        found: Result<BTreeMap<String, Claim>, ClaimError>,
    },
    /// All claims were looked at.
    Seen(Result<BTreeMap<String, Claim>, ClaimError>),
}

/// What is on its way to the remote, and what came back.
#[derive(Debug)]
pub(super) struct Desk {
    /// Where answers are sent.
    answers: mpsc::Sender<Answer>,
    /// What this clone is called; empty where nobody asked yet.
    clone: String,
    /// Tasks that are to be asked for next.
    wanted: Vec<TaskId>,
    /// Since when something is being asked.
    busy_since: Option<Tick>,
    /// Whether it was told that nobody answers.
    is_wait_told: bool,
    /// The process group that asks, 0 where there is none.
    running: Arc<AtomicU32>,
    /// What the refs of our claims point to.
    own: BTreeMap<TaskId, String>,
    next_look: Tick,
    /// Claims of others that were told.
    told: BTreeSet<TaskId>,
    /// What was written down.
    published: Known,
    /// What git did at first, where it goes to a remote.
    triggers: Option<Triggers>,
}

impl Desk {
    pub(super) fn new(answers: mpsc::Sender<Answer>) -> Self {
        Self {
            answers,
            clone: String::new(),
            wanted: Vec::new(),
            busy_since: None,
            is_wait_told: false,
            running: Arc::default(),
            own: BTreeMap::new(),
            next_look: Tick::default(),
            told: BTreeSet::new(),
            published: Known::default(),
            triggers: None,
        }
    }

    /// Returns `claims` where git still does what it did when the run began: a worker can name
    /// programs in the settings of git, which would run with the next call that goes to a remote.
    fn unless_changed(&mut self, claims: Claims) -> Result<Claims, ClaimError> {
        let now = claims.triggers()?;
        let changes = match &self.triggers {
            Some(before) => now.settings_changed_since(before),
            None => Vec::new(),
        };
        if !changes.is_empty() {
            return Err(ClaimError::Changed { changes });
        }
        self.triggers.get_or_insert(now);
        Ok(claims)
    }

    /// Stops asking: what waits for an answer gets none.
    pub(super) fn abandon(&self) {
        stop_asking(&self.running);
    }
}

/// Kills the process group `running`, where it is not 0.
fn stop_asking(running: &AtomicU32) {
    let group = running.load(Ordering::SeqCst);
    if group != 0
        && let Err(error) = stop_group(group, How::Kill)
    {
        tracing::debug!(%error, "git goes on");
    }
}

impl Coordinator {
    /// Makes sure that tasks can be claimed, where the settings ask for that.
    pub(super) fn require_claims(&mut self) -> Result<(), AppError> {
        match self.claims() {
            None => Ok(()),
            Some(claims) => Ok(claims.map(drop)?),
        }
    }

    fn claims(&mut self) -> Option<Result<Claims, ClaimError>> {
        let remote = self.scheduler.plan().config().claim_remote.clone()?;
        if self.desk.clone.is_empty() {
            self.desk.clone = clone_name(&self.store, &mut self.nonces);
        }
        let claims = Claims::at(self.store.root(), &remote, &lock::host(), &self.desk.clone);
        Some(claims.and_then(|claims| self.desk.unless_changed(claims)))
    }

    /// Notes that a task is to be claimed.
    pub(super) fn want(&mut self, task: TaskId) {
        self.desk.wanted.push(task);
    }

    /// Asks for all tasks that are wanted, with one call; what is wanted meanwhile waits for the
    /// next.
    pub(super) fn ask_for_wanted(&mut self) {
        if self.desk.busy_since.is_some() || self.desk.wanted.is_empty() {
            return;
        }
        let asked = std::mem::take(&mut self.desk.wanted);
        let at = self.clock.now().wall.to_string();
        let tasks: Vec<(String, String)> =
            asked.iter().map(|task| (task.to_string(), self.nonces.give())).collect();
        self.ask(move |claims| {
            let found = claims.and_then(|claims| claims.take(&tasks, &at));
            Answer::Taken { asked, found }
        });
    }

    /// Looks from time to time whether others gave claims back, and does not wait for ever for a
    /// remote that says nothing.
    pub(super) fn look_at_claims(&mut self) {
        let now = self.clock.now().tick;
        if let Some(since) = self.desk.busy_since {
            if now >= since.plus(ANSWER_TIME_MAX) {
                self.desk.abandon();
            } else if now >= since.plus(ANSWER_TIME) && !self.desk.is_wait_told {
                self.desk.is_wait_told = true;
                self.tell(Happened::Held {
                    reason: "the git remote of the claims does not answer".to_owned(),
                    help: "it is waited for; what is claimed goes on meanwhile".to_owned(),
                });
            }
        }
        let has_others = !self.scheduler.claims().others.is_empty();
        if has_others && self.desk.busy_since.is_none() && now >= self.desk.next_look {
            self.desk.next_look = now.plus(LOOK);
            self.ask(|claims| Answer::Seen(claims.and_then(|claims| claims.look())));
        }
    }

    fn ask(&mut self, what: impl FnOnce(Result<Claims, ClaimError>) -> Answer + Send + 'static) {
        let (Some(claims), answers) = (self.claims(), self.desk.answers.clone()) else { return };
        self.desk.busy_since = Some(self.clock.now().tick);
        if let Ok(claims) = &claims {
            self.desk.running = claims.running();
        }
        // Not in the runtime, whose end would wait for a remote that does not answer.
        thread::spawn(move || {
            if answers.blocking_send(what(claims)).is_err() {
                tracing::debug!("claims are answered after the end");
            }
        });
    }

    /// Turns what the remote said into events.
    pub(super) fn claims_answered(&mut self, answer: Answer, batch: &mut Vec<Event>) {
        self.desk.busy_since = None;
        if std::mem::take(&mut self.desk.is_wait_told) {
            self.tell(Happened::Released);
        }
        match answer {
            Answer::Taken { asked, found: Ok(mut found) } => {
                self.desk.next_look = self.clock.now().tick.plus(LOOK);
                let mut unclear = None;
                for task in asked {
                    let Some(claim) = found.remove(task.as_str()) else {
                        unclear = Some(task);
                        continue;
                    };
                    let answer = self.answer(&task, claim);
                    batch.push(Event::ClaimAnswered { task, answer });
                }
                if let Some(task) = unclear {
                    let cause = format!("the git remote was busy as {task} was to be claimed");
                    self.claims_failed(cause, batch);
                }
            }
            Answer::Seen(Ok(found)) => {
                let others = found.into_iter().filter(|(_, claim)| !claim.is_own);
                let others: BTreeMap<TaskId, String> = others
                    .filter_map(|(task, claim)| Some((TaskId::parse(&task).ok()?, claim.who)))
                    .collect();
                self.desk.told.retain(|task| others.contains_key(task));
                batch.push(Event::ClaimsSeen { others });
            }
            Answer::Taken { found: Err(error), .. } => {
                self.claims_failed(cause_of(&error), batch);
            }
            // What was known goes on to hold.
            Answer::Seen(Err(error)) => tracing::warn!(%error, "claims of others are not known"),
        }
    }

    /// Returns whose a task is, and tells of it where it is another's.
    fn answer(&mut self, task: &TaskId, claim: Claim) -> ClaimAnswer {
        if claim.is_own {
            self.desk.own.insert(task.clone(), claim.object);
            return ClaimAnswer::Own;
        }
        if self.desk.told.insert(task.clone()) {
            let (task, by) = (task.to_string(), claim.who.clone());
            self.tell(Happened::Claimed { task, by });
        }
        ClaimAnswer::Other(claim.who)
    }

    fn claims_failed(&mut self, cause: String, batch: &mut Vec<Event>) {
        // The scheduler asks again.
        self.desk.wanted.clear();
        batch.push(Event::ClaimsFailed { cause });
    }

    /// Writes what is known of claims, for those who only look.
    pub(super) fn publish_claims(&mut self) {
        let known: &Known = self.scheduler.claims();
        if self.desk.published == *known {
            return;
        }
        let text = standing_claims::render(known);
        if let Err(error) = self.store.replace(layout::CLAIMS_PATH, text.as_bytes()) {
            tracing::debug!(%error, "claims are not published");
            return;
        }
        self.desk.published = self.scheduler.claims().clone();
    }

    /// Gives back the claims of tasks that were not begun at the end of a run, so that others may do
    /// them. Of the others there are records here, which not everyone has: whoever began anew would
    /// write records with the same names.
    pub(super) async fn give_back_claims(&mut self, sources: &mut Sources) {
        let deadline = tokio::time::Instant::now() + RELEASE_TIME;
        while self.desk.busy_since.is_some() {
            // What was asked last may be ours by now.
            let answer = tokio::time::timeout_at(deadline, sources.claim_answered()).await;
            let Ok(answer) = answer else { return self.desk.abandon() };
            self.claims_answered(answer, &mut Vec::new());
        }
        let is_begun =
            |task: &TaskId| self.scheduler.history(task).is_some_and(|history| history.last > 0);
        let own = self.desk.own.iter().filter(|(task, _)| !is_begun(task));
        let own: BTreeMap<String, String> =
            own.map(|(task, object)| (task.to_string(), object.clone())).collect();
        let Some(Ok(claims)) = self.claims().filter(|_| !own.is_empty()) else { return };
        self.desk.running = claims.running();
        let (done, released) = tokio::sync::oneshot::channel();
        thread::spawn(move || done.send(claims.release(&own)));
        match tokio::time::timeout_at(deadline, released).await {
            Ok(Ok(Ok(()))) => {}
            other => {
                tracing::warn!(?other, "claims of tasks that were not begun stay");
                self.desk.abandon();
            }
        }
    }
}

/// Returns what this clone is called in claims; gives it a name where it has none yet. A copy of it
/// is another clone, so the name holds for one folder only.
fn clone_name(store: &Store, nonces: &mut Nonces) -> String {
    let bytes = store.read_file(layout::CLONE_PATH).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let here = store.folder_number().map(|number| number.to_string()).unwrap_or_default();
    if let Some((name, folder)) = text.trim().split_once(' ')
        && folder == here
        && name.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return name.to_owned();
    }
    let name = nonces.give();
    let text = format!("{name} {here}\n");
    if let Err(error) = store.replace(layout::CLONE_PATH, text.as_bytes()) {
        tracing::warn!(%error, "the next run will not know the claims of this one");
    }
    name
}

/// Looks at all claims, but does not wait for ever for a remote that says nothing.
fn look_soon(claims: Claims) -> Result<BTreeMap<String, Claim>, ClaimError> {
    let (running, (seen, found)) = (claims.running(), std::sync::mpsc::channel());
    thread::spawn(move || seen.send(claims.look()));
    let answer = found.recv_timeout(ANSWER_TIME).or_else(|_| {
        stop_asking(&running);
        found.recv()
    });
    answer.unwrap_or_else(|_| Ok(BTreeMap::new()))
}

/// Returns those of the attempts without an ending that are another coordinator's: their records
/// came with a pull, or from a copy. Nothing of them is stopped here, and nothing recorded.
///
/// # Errors
/// [`AppError::Claims`] where that has to be asked, and nobody answers.
pub(super) fn of_others(
    store: &Store,
    plan: &Plan,
    unsettled: &[AttemptRecord],
    nonces: &mut Nonces,
) -> Result<BTreeSet<AttemptId>, AppError> {
    if unsettled.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ledgers = supervised::ledgers(store)?;
    let is_ours = |record: &&AttemptRecord| {
        ledgers.iter().any(|ledger| ledger.workers.contains_key(&record.nonce))
    };
    let strangers: Vec<&AttemptRecord> =
        unsettled.iter().filter(|record| !is_ours(record)).collect();
    if strangers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let words: Vec<String> = strangers.iter().map(|record| record.nonce.clone()).collect();
    let elsewhere = running_elsewhere(&words, store.root());
    let claims = plan.config().claim_remote.as_ref().map(|remote| {
        let clone = clone_name(store, nonces);
        look_soon(Claims::at(store.root(), remote, &lock::host(), &clone)?)
    });
    let claims = claims.transpose()?.unwrap_or_default();
    let is_others = |record: &&&AttemptRecord| {
        let claim = claims.get(record.attempt.task.as_str());
        elsewhere.contains(&record.nonce) || claim.is_some_and(|claim| !claim.is_own)
    };
    Ok(strangers.iter().filter(is_others).map(|record| record.attempt.clone()).collect())
}
