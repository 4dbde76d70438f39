//! Claims of tasks at a git remote, where coordinators of several clones or machines share a plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Coordinator, Sources};
use crate::{
    app::{error::AppError, standing_claims, view::run::Happened},
    domain::{
        format::layout,
        model::{claim::ClaimAnswer, id::TaskId, time::Tick},
        scheduler::{claims::Claims as Known, event::Event},
    },
    io::{
        git::claims::{Claim, ClaimError, Claims},
        process::cause_of,
        store::lock,
    },
};

/// Time between two looks at claims of others, as long as there are some.
const LOOK: Duration = Duration::from_secs(30);

/// How long the end of a run waits for claims to be given back.
const RELEASE_TIME: Duration = Duration::from_secs(20);

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
    /// Whether something is being asked.
    is_busy: bool,
    /// What the refs of our claims point to.
    own: BTreeMap<TaskId, String>,
    next_look: Tick,
    /// Claims of others that were told.
    told: BTreeSet<TaskId>,
    /// What was written down.
    published: Known,
}

impl Desk {
    pub(super) fn new(answers: mpsc::Sender<Answer>) -> Self {
        Self {
            answers,
            clone: String::new(),
            wanted: Vec::new(),
            is_busy: false,
            own: BTreeMap::new(),
            next_look: Tick::default(),
            told: BTreeSet::new(),
            published: Known::default(),
        }
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
            self.desk.clone = self.clone_name();
        }
        Some(Claims::at(self.store.root(), &remote, &lock::host(), &self.desk.clone))
    }

    /// Returns what this clone is called in claims; gives it a name where it has none yet.
    fn clone_name(&mut self) -> String {
        let bytes = self.store.read_file(layout::CLONE_PATH).unwrap_or_default();
        let known = String::from_utf8_lossy(&bytes).trim().to_owned();
        if !known.is_empty() && known.chars().all(|c| c.is_ascii_alphanumeric()) {
            return known;
        }
        let name = self.nonces.give();
        if let Err(error) = self.store.replace(layout::CLONE_PATH, format!("{name}\n").as_bytes()) {
            tracing::warn!(%error, "the next run will not know the claims of this one");
        }
        name
    }

    /// Notes that a task is to be claimed.
    pub(super) fn want(&mut self, task: TaskId) {
        self.desk.wanted.push(task);
    }

    /// Asks for all tasks that are wanted, with one call; what is wanted meanwhile waits for the
    /// next.
    pub(super) fn ask_for_wanted(&mut self) {
        if self.desk.is_busy || self.desk.wanted.is_empty() {
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

    /// Looks from time to time whether others gave claims back.
    pub(super) fn look_at_claims(&mut self) {
        let now = self.clock.now().tick;
        let has_others = !self.scheduler.claims().others.is_empty();
        if has_others && !self.desk.is_busy && now >= self.desk.next_look {
            self.desk.next_look = now.plus(LOOK);
            self.ask(|claims| Answer::Seen(claims.and_then(|claims| claims.look())));
        }
    }

    fn ask(&mut self, what: impl FnOnce(Result<Claims, ClaimError>) -> Answer + Send + 'static) {
        let (Some(claims), answers) = (self.claims(), self.desk.answers.clone()) else { return };
        self.desk.is_busy = true;
        // Not in the runtime, whose end would wait for a remote that does not answer.
        thread::spawn(move || {
            if answers.blocking_send(what(claims)).is_err() {
                tracing::debug!("claims are answered after the end");
            }
        });
    }

    /// Turns what the remote said into events.
    pub(super) fn claims_answered(&mut self, answer: Answer, batch: &mut Vec<Event>) {
        self.desk.is_busy = false;
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
        while self.desk.is_busy {
            // What was asked last may be ours by now.
            let answer = tokio::time::timeout_at(deadline, sources.claim_answered()).await;
            let Ok(answer) = answer else { return };
            self.claims_answered(answer, &mut Vec::new());
        }
        let is_begun =
            |task: &TaskId| self.scheduler.history(task).is_some_and(|history| history.last > 0);
        let own = self.desk.own.iter().filter(|(task, _)| !is_begun(task));
        let own: BTreeMap<String, String> =
            own.map(|(task, object)| (task.to_string(), object.clone())).collect();
        let Some(Ok(claims)) = self.claims().filter(|_| !own.is_empty()) else { return };
        let (done, released) = tokio::sync::oneshot::channel();
        thread::spawn(move || done.send(claims.release(&own)));
        match tokio::time::timeout_at(deadline, released).await {
            Ok(Ok(Ok(()))) => {}
            other => tracing::warn!(?other, "claims of tasks that were not begun stay"),
        }
    }
}
