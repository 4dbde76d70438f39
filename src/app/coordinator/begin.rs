//! How a coordinator begins: with the lock, and with what an earlier one left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Coordinator, Observers, RunOptions, Sources, WhenIdle, adoption,
    apart::{Yard, require_ground},
    approval, claims, hooks, live, planning, recovery, summary,
    surroundings::Surroundings,
};
use crate::{
    app::{
        approval::Approval, error::AppError, files::Scope, repository::Repository,
        tracker::Tracker, view::run::Happened,
    },
    domain::{
        format::layout,
        model::{attempt::AttemptRecord, limits::GRACE_DEFAULT, task::Isolation},
        plan::Plan,
        scheduler::Scheduler,
    },
    io::{
        clock::Clock,
        entropy::Nonces,
        store::{Store, lock::Lock},
    },
};

/// Length of the mark of a run.
const MARK_LENGTH: usize = 8;

fn grace_of(plan: &Plan) -> Duration {
    plan.config().worker.grace.unwrap_or(GRACE_DEFAULT)
}

/// Reads all files. What had landed when an earlier coordinator died, before it could write that down,
/// is written down first.
fn read_all(
    store: &Store,
    clock: Clock,
    yard: &Yard,
    lock: &Lock,
    mut approve: impl FnMut(&Tracker) -> Result<(), AppError>,
) -> Result<Tracker, AppError> {
    let tracker = Tracker::start(store, clock, Scope::Written)?;
    // Before anything is believed that lies below `.orch/local`.
    approve(&tracker)?;
    adoption::require_no_strangers(store, lock, tracker.files())?;
    let landed = yard.recover(store, &recovery::unsettled(tracker.files()))?;
    let tracker = match landed.is_empty() {
        true => tracker,
        false => {
            for (path, bytes) in landed {
                store.replace(&path, &bytes)?;
            }
            let tracker = Tracker::start(store, clock, Scope::Written)?;
            approve(&tracker)?;
            tracker
        }
    };
    let last_of = |task: &str| {
        let attempts = tracker.files().attempts().filter(|a| a.attempt.task.as_str() == task);
        attempts.max_by_key(|record| record.attempt.number).cloned()
    };
    yard.remove_landed(store, last_of)?;
    Ok(tracker)
}

/// As [`read_all`], where what the plan would execute is approved.
fn read_approved(
    store: &Store,
    clock: Clock,
    (yard, lock): (&Yard, &Lock),
    options: &RunOptions,
) -> Result<(Tracker, Approval), AppError> {
    let mut approval = Approval::open(store.root())?;
    let tracker = read_all(store, clock, yard, lock, |tracker| {
        let had_workers = !recovery::unsettled(tracker.files()).is_empty();
        approval::begin(&mut approval, options, tracker, had_workers)
    })?;
    Ok((tracker, approval))
}

impl Coordinator {
    /// Takes the lock, settles what an earlier coordinator left, and reads the plan.
    pub(super) async fn start(
        repository: &Repository,
        options: RunOptions,
        observers: Observers,
        sources: &mut Sources,
    ) -> Result<Self, AppError> {
        let store = repository.store().clone();
        let clock = Clock::new();
        let lock = Lock::take(&store, clock.now())?;
        let (mut journal, lines) = recovery::open(&store)?;
        let mut yard = Yard::new(&store, sources.newscaster())?;
        let (mut tracker, approval) = read_approved(&store, clock, (&yard, &lock), &options)?;
        let mut recorded = tracker.files().recorded();
        recorded.unapproved = approval.unapproved();
        let approved = Arc::clone(approval.plan().unwrap_or(tracker.plan()));
        let plan = planning::overridden(&options, &approved);
        let mut unsettled = recovery::unsettled(tracker.files());
        let mut nonces = Nonces::new();
        recorded.of_others = claims::of_others(&store, &plan, &unsettled, &mut nonces)?;
        unsettled.retain(|record| !recorded.of_others.contains(&record.attempt));
        let is_known = |record: &AttemptRecord| plan.find(record.attempt.task.as_str()).is_some();
        let mut inherited = tokio::select! {
            inherited = adoption::take_stock(&store, unsettled, is_known, grace_of(&plan)) => inherited?,
            // The ledgers stay as they are, so the next run takes this up again.
            () = sources.stop_asked() => return Err(AppError::StoppedEarly),
        };
        inherited.tell_to(&mut recorded, &recovery::stopping(&lines));
        recorded.has_worktrees = yard.has_worktrees();
        recorded.no_sandbox = yard.lack_of_sandbox(&store, &plan, clock.now().tick);
        let scheduler = Scheduler::recover(plan, recorded, clock.now());
        if options.when_idle != WhenIdle::Stay {
            planning::require_whole(&mut tracker, &scheduler)?;
            planning::require_commands(&scheduler)?;
        }
        require_ground(&yard, scheduler.plan(), options.is_here)?;
        yard.overlook_records(scheduler.plan())?;
        // What an earlier one said holds no more.
        store.remove(layout::WAITING_PATH)?;
        recovery::forget_records(&store, &mut journal, &lines)?;
        let mut coordinator = Self {
            surroundings: Surroundings::of(scheduler.plan().config()),
            tally: summary::Tally::new(clock.now()),
            live: live::LiveView::new(clock.now(), options.picture),
            hooks: hooks::Hooks::new(tracker.files().milestones()),
            store,
            options,
            observers,
            clock,
            scheduler,
            journal,
            supervisor: None,
            told: sources.teller(),
            inherited,
            mark: nonces.give().chars().take(MARK_LENGTH).collect(),
            nonces,
            settings: approved.config().clone(),
            tracker,
            removed: BTreeSet::new(),
            is_left: false,
            is_blind: false,
            late: Vec::new(),
            kept: BTreeMap::new(),
            desk: claims::Desk::new(sources.claim_answerer()),
            outbox: Vec::new(),
            workers: BTreeMap::new(),
            seen_files: BTreeMap::new(),
            gate_stop: None,
            events: Some(sources.sender()),
            lock,
            yard,
            approval: approval::Followed::new(approval),
        };
        coordinator.require_claims()?;
        coordinator.tell_start();
        Ok(coordinator)
    }

    fn tell_start(&mut self) {
        let plan = Arc::clone(self.scheduler.plan());
        let n_open = self.scheduler.states().iter().filter(|state| !state.is_settled()).count();
        self.tell(Happened::RunStarted {
            n_tasks: plan.n_tasks(),
            n_open,
            max_workers: plan.config().max_workers,
        });
        let has_git_words = self
            .scheduler
            .plan()
            .indices()
            .any(|task| self.scheduler.plan().policy(task).isolation != Some(Isolation::None));
        if !self.yard.reason.is_empty() && has_git_words {
            self.tell(Happened::NotApart { reason: self.yard.reason.clone() });
        }
        self.tell_approval();
        if let Some(lack) = self.scheduler.no_sandbox().cloned() {
            self.tell_sandbox(Some(&lack));
        }
        for happened in std::mem::take(&mut self.inherited.happened) {
            self.tell(happened);
        }
    }
}
