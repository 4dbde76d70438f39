//! The plan as the files say, from moment to moment: signs in, changed plans out.
//!
//! The disk is the truth. Signs only decide when a file is read; what is not told is found by a
//! look at everything from time to time.

mod faults;
mod feed;
mod git;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

pub(super) use self::faults::Recorded;
use self::{feed::Feed, git::GitWatch};
use super::{
    error::AppError,
    files::{Changes, Files, Part, Scope, Usage},
    view::{
        self,
        change::{FaultView, PlanChange},
        run::Happened,
    },
};
use crate::{
    domain::{
        format::{
            layout::{self, FileKind},
            task_file::Reading,
        },
        model::{config::WatchMode, id::AttemptId, outside::OutsideFacts, time::Tick},
        plan::{Plan, diff::diff},
        settle::{Extent, Look, Settling, Sign, Trust},
    },
    io::{clock::Clock, store::Store},
};

/// With more edited tasks, the plan is built from scratch: that costs no more.
const EDITED_MAX: usize = 16;

/// Faults are looked for after this much quiet: what depends on an edit starts first.
const FAULTS_AFTER: Duration = Duration::from_millis(50);

/// A faulty status file is told only if its worker does not write it anew within this time.
const REPORT_FAULTS_AFTER: Duration = Duration::from_millis(500);

/// Follows the files of a plan.
pub(super) struct Tracker {
    store: Store,
    clock: Clock,
    scope: Scope,
    files: Files,
    feed: Feed,
    git: GitWatch,
    settling: Settling,
    /// Whether folders came or went, so that some may not be listened to.
    listens_anew: bool,
    /// Read, but not told: git was at work in between.
    pending: Changes,
    next_rescan: Tick,
    /// When faults are looked for.
    next_faults: Option<Tick>,
    /// The plan as the files say.
    plan: Arc<Plan>,
    outside: OutsideFacts,
    /// What was wrong when it was last looked at.
    faults: BTreeSet<FaultView>,
}

/// How changes are noticed, where the system does not tell of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watching {
    /// Why it does not.
    pub reason: String,
    /// What to do about it.
    pub help: &'static str,
    /// Time between two looks.
    pub period: Option<Duration>,
}

/// What is new.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The plan and the outside facts, where they changed.
    pub plan: Option<(Arc<Plan>, OutsideFacts)>,
    /// Whether records or status files changed; only told to those who look at all.
    pub records: bool,
    /// Attempts whose status files were written.
    pub reports: BTreeSet<AttemptId>,
    /// Whether tasks may be started, where that changed.
    pub hold: Option<bool>,
    /// What people should know.
    pub happened: Vec<Happened>,
}

impl Tracker {
    /// Reads everything, and follows it from then on.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub(super) fn start(store: &Store, clock: Clock, scope: Scope) -> Result<Self, AppError> {
        let git = GitWatch::new(store);
        // The watch comes before the first look: no edit goes unheard.
        let feed = Feed::start(store, git.checkout(), scope, clock);
        let files = Files::read(store, Reading::Whole)?;
        let now = clock.now().tick;
        let plan = Arc::new(files.plan(Usage::Usable));
        let mut tracker = Self {
            store: store.clone(),
            clock,
            scope,
            outside: files.outside(),
            files,
            feed,
            git,
            settling: Settling::default(),
            listens_anew: false,
            pending: Changes::default(),
            next_rescan: now,
            next_faults: Some(now),
            plan,
            faults: BTreeSet::new(),
        };
        if tracker.git.is_locked() {
            tracker.settling.note_everything(now);
        }
        if tracker.plan.config().watch.mode == WatchMode::Poll {
            tracker.feed.poll("the settings say so", "");
        }
        tracker.next_rescan = now.plus(tracker.period());
        Ok(tracker)
    }

    /// Returns the plan as the files say.
    pub(super) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns where it is read from.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns what was read.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Returns what is wrong with the files, as far as it was looked for.
    pub(super) fn faults(&self) -> &BTreeSet<FaultView> {
        &self.faults
    }

    /// Returns the time between two looks, where nothing tells of changes.
    pub(super) fn polling(&self) -> Option<Duration> {
        (!self.feed.has_notices()).then(|| self.period())
    }

    /// Returns the branch that is checked out.
    pub(super) fn branch(&self) -> Option<&str> {
        self.git.head()
    }

    fn period(&self) -> Duration {
        self.feed.period(self.plan.config().watch.rescan)
    }

    /// Waits until there is something for [`Tracker::pump`] to do. May be dropped at any time.
    pub(super) async fn wait(&self) {
        let deadlines = [
            Some(self.next_rescan),
            self.settling.due(),
            self.next_faults,
            self.feed.deadline(),
            self.git.deadline(),
        ];
        let deadline = deadlines.into_iter().flatten().min().unwrap_or(self.next_rescan);
        let left = deadline.0.saturating_sub(self.clock.now().tick.0);
        tokio::select! {
            () = self.feed.news() => {}
            () = tokio::time::sleep(left) => {}
        }
    }

    /// Takes in all signs, and reads what it is time to read.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub(super) fn pump(&mut self, recorded: &Recorded<'_>) -> Result<News, AppError> {
        let mut news = News::default();
        let now = self.clock.now().tick;
        self.hear(now, &mut news);
        self.follow_git(now, &mut news);
        if now >= self.next_rescan {
            self.rescan(&mut news)?;
        }
        if self.settling.due().is_some_and(|due| due <= now) {
            let mut look = self.settling.take(now);
            if std::mem::take(&mut self.listens_anew) {
                // What was not told until now is seen by a look at everything.
                self.feed.restart();
                look.extent = Extent::Everything;
            }
            self.look(look, &mut news)?;
        }
        if self.next_faults.is_some_and(|at| at <= now) && !self.settling.is_dirty() {
            self.next_faults = None;
            let found = self.look_for_faults(recorded);
            news.happened.extend(found);
        }
        news.happened.extend(self.feed.untold().map(|watching| {
            Happened::Watching(view::watching::Watching {
                mode: "polling",
                period: watching.period.map(|period| period.as_secs_f64()),
                reason: watching.reason,
                help: watching.help.to_owned(),
            })
        }));
        Ok(news)
    }

    /// Reads some files at once, whatever was heard of them: what an attempt left in its own task
    /// file must be known when the attempt ends.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub(super) fn look_now(&mut self, paths: Vec<String>) -> Result<News, AppError> {
        let mut news = News::default();
        let look = Look { extent: Extent::Paths(paths), trust: Trust::Presence };
        self.look(look, &mut news)?;
        Ok(news)
    }

    /// Reads all files that look changed at once, unless git is at work on them.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder cannot be listed.
    pub(super) fn look_at_all(&mut self) -> Result<News, AppError> {
        let mut news = News::default();
        let look = Look { extent: Extent::Everything, trust: Trust::Presence };
        self.look(look, &mut news)?;
        Ok(news)
    }

    /// Notes that everything may have changed.
    pub(super) fn suspect_everything(&mut self) {
        self.listens_anew = true;
        self.settling.note_everything(self.clock.now().tick);
    }

    /// Sorts what was heard.
    fn hear(&mut self, now: Tick, news: &mut News) {
        let signs = self.feed.take(&self.store, now);
        if let Some(at) = signs.everything {
            self.listens_anew = true;
            self.settling.note_everything(at);
            self.git.suspect();
        }
        for (path, (sign, at)) in signs.paths {
            if self.git.is_told_by(&path) {
                self.git.suspect();
                continue;
            }
            let Ok(below) = path.strip_prefix(self.store.root()) else { continue };
            let below = below.to_string_lossy().into_owned();
            match layout::classify(&below) {
                FileKind::Status(attempt) if self.scope == Scope::Written => {
                    // The writing of a status file is often seen half done: only its end counts.
                    if matches!(sign, Sign::Saved | Sign::MovedIn) {
                        news.reports.insert(attempt);
                        if self.files.look_at_report(&self.store, &below) {
                            // The next write may already repair it.
                            self.next_faults = Some(now.plus(REPORT_FAULTS_AFTER));
                        }
                    }
                }
                _ => {
                    // A folder that is removed and made again at once may not be watched.
                    self.listens_anew |= sign == Sign::Folder;
                    self.settling.note(below, sign, at);
                }
            }
        }
    }

    /// Looks at what git is doing, where it may have begun or ended.
    fn follow_git(&mut self, now: Tick, news: &mut News) {
        self.git.look(now, self.settling.is_dirty());
        self.settling.set_locked(self.git.is_locked(), now);
        news.happened.extend(self.git.told(self.settling.is_dirty()));
        news.hold = self.git.hold(self.settling.is_dirty());
    }

    /// Looks at everything, because nothing is told, or not all.
    fn rescan(&mut self, news: &mut News) -> Result<(), AppError> {
        let began = self.clock.now().tick;
        // Also where it fails: else it would be tried again without a pause.
        self.next_rescan = began.plus(self.period());
        if self.feed.renew() {
            self.settling.note_everything(began);
        }
        self.git.suspect();
        if !self.git.is_locked() && !self.settling.is_dirty() {
            // What seems gone is looked at once more.
            let look = Look { extent: Extent::Everything, trust: Trust::Presence };
            self.look(look, news)?;
            if news.plan.is_some() {
                // It should have been told: perhaps a folder is not watched.
                self.feed.restart();
                self.settling.note_everything(self.clock.now().tick);
            }
        }
        let now = self.clock.now().tick;
        self.feed.looked(now.0.saturating_sub(began.0));
        self.next_rescan = now.plus(self.period());
        Ok(())
    }

    /// Reads, and tells what changed if git was quiet all the while.
    fn look(&mut self, look: Look, news: &mut News) -> Result<(), AppError> {
        let before = self.git.state();
        if before.is_locked {
            self.note_again(look);
            self.git.suspect();
            return Ok(());
        }
        let mut found = self.files.look(&self.store, &look.extent, look.trust, self.scope)?;
        let now = self.clock.now().tick;
        for (path, sign) in std::mem::take(&mut found.doubtful) {
            self.settling.note(path, sign, now);
        }
        self.pending.extend(found);
        if self.git.state() != before {
            self.note_again(Look { extent: Extent::Everything, ..look });
            self.git.suspect();
            return Ok(());
        }
        let changes = std::mem::take(&mut self.pending);
        if !changes.is_empty() {
            self.next_faults = Some(now.plus(FAULTS_AFTER));
            self.take_over(&changes, news);
        }
        Ok(())
    }

    fn note_again(&mut self, look: Look) {
        let now = self.clock.now().tick;
        match look.extent {
            Extent::Everything => self.settling.note_everything(now),
            Extent::Paths(paths) => {
                for path in paths {
                    self.settling.note(path, Sign::Touched, now);
                }
            }
        }
    }

    /// Makes the new plan of what changed.
    fn take_over(&mut self, changes: &Changes, news: &mut News) {
        news.records |= changes.rest.contains(&Part::Records);
        let has_events = changes.rest.contains(&Part::Events);
        if has_events {
            self.outside = self.files.outside();
        }
        let has_settings = changes.rest.contains(&Part::Settings);
        let is_plan_changed = has_settings || !changes.tasks.is_empty();
        if is_plan_changed {
            let quick = (!has_settings).then(|| self.quick_plan(&changes.tasks)).flatten();
            let plan = Arc::new(quick.unwrap_or_else(|| self.files.plan(Usage::Usable)));
            let before = std::mem::replace(&mut self.plan, plan);
            let change = PlanChange::from(diff(&before, &self.plan));
            if !change.is_empty() {
                news.happened.push(Happened::PlanChanged(change));
            }
        }
        if is_plan_changed || has_events {
            news.plan = Some((Arc::clone(&self.plan), self.outside.clone()));
        }
    }

    /// Returns the plan with a few edited tasks, where that can be had without building it anew.
    fn quick_plan(&self, edited: &BTreeSet<String>) -> Option<Plan> {
        if edited.len() > EDITED_MAX {
            return None;
        }
        let mut plan: Option<Plan> = None;
        for path in edited {
            let spec = self.files.task(path)?;
            plan = Some(plan.as_ref().unwrap_or(&self.plan).with_spec(spec)?);
        }
        plan
    }
}
