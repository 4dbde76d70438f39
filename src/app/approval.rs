//! Whether what a plan would execute may be: what its user approved, and how it changed since.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{error::AppError, own_settings};
use crate::{
    domain::{
        format::layout,
        model::{
            ceiling::{Edits, Own},
            config::Config,
            landing::GitSpec,
        },
        plan::{Plan, TaskIndex},
        scheduler::approval::Unapproved,
        trust::{self, Book, Circumstances, Fingerprint, Line, Part, PartName, Ruling, Why},
    },
    io::{
        git::{Moves, Place},
        trust::{Approvals, Seen},
    },
};

/// How long after git wrote the index another commit may come to be checked out: a checkout writes
/// the files first, then the index, and only then says which commit they are of.
const HEAD_FOLLOWS_WITHIN: Duration = Duration::from_secs(2);

/// Where approval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grant {
    /// From what the user approved before.
    #[default]
    Stored,
    /// From whoever starts the run, for what has this digest, and for this run only.
    Exactly(Fingerprint),
    /// From whoever starts the run, for all that is there as it starts, and for this run only.
    Present,
}

/// What holds for the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Everything is approved: the user trusts the folder.
    Folder,
    /// What the book says; it is kept.
    Stored,
    /// What the book says; it is forgotten with the run.
    Run,
    /// What the book says; nothing is kept before something is approved.
    Look,
}

/// The approvals of a plan, followed while it changes.
pub(super) struct Approval {
    own: Own,
    root: std::path::PathBuf,
    scope: Scope,
    approvals: Option<Approvals>,
    seen: Seen,
    book: Book,
    /// What waited at the last look.
    waiting: BTreeMap<PartName, Why>,
    /// The plan of the last look, with settings that are approved.
    plan: Option<Arc<Plan>>,
    /// The settings that were approved last.
    config: Option<Config>,
    /// The index of git as it was at the last look.
    index: Option<SystemTime>,
    /// Whether changes are not accepted yet, as a checkout may be under way.
    is_unsettled: bool,
    /// What a look found that is not to be kept yet.
    unkept: Vec<Line>,
}

/// What a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What waits for approval since.
    pub(super) waits: Vec<(PartName, Why)>,
    /// What does not any more.
    pub(super) released: Vec<PartName>,
}

/// Returns what tells a plan from all others, and where its approvals are kept.
fn approvals_of(root: &Path, place: Option<&Place>) -> Result<Approvals, AppError> {
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (repository, folder, at) = match place {
        Some(place) => (text(&place.common_dir), text(place.folder()), place.top.clone()),
        None => (text(&real), String::new(), real),
    };
    let name = Fingerprint::of([repository.as_str(), folder.as_str()]).to_string();
    let name = name.get(..32).unwrap_or(&name);
    Ok(Approvals::find(name, &at)?)
}

/// What of a plan may be executed, as it was noted when somebody looked last; for whoever only
/// shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Whether nothing of it was ever approved.
    pub is_unknown: bool,
    /// Whether the settings wait for approval, so that nothing can be started.
    pub has_waiting_settings: bool,
    /// The tasks and gates that wait.
    pub unapproved: Unapproved,
    /// How many hooks and milestones wait.
    pub n_waiting_hooks: usize,
}

/// Looks up what was noted.
pub(super) fn noted(root: &Path) -> Noted {
    let own = own_settings::read().unwrap_or_default();
    if own_settings::approve_folder(&own, root).is_some() {
        return Noted::default();
    }
    let place = Place::find(root).ok().flatten();
    let approvals = approvals_of(root, place.as_ref()).ok();
    let Some(approvals) = approvals.filter(Approvals::is_known) else {
        return Noted { is_unknown: true, ..Noted::default() };
    };
    let book = approvals.read_waiting().unwrap_or_default();
    let is_hook = |name: &PartName| matches!(name, PartName::Hook(_) | PartName::Milestone(_));
    Noted {
        is_unknown: false,
        has_waiting_settings: book.waiting(&PartName::Settings).is_some(),
        n_waiting_hooks: book.all_waiting().filter(|(name, _)| is_hook(name)).count(),
        unapproved: unapproved(book.all_waiting()),
    }
}

/// Returns the tasks and gates among what waits.
fn unapproved(waiting: impl Iterator<Item = (PartName, Why)>) -> Unapproved {
    let mut found = Unapproved::default();
    for (name, why) in waiting {
        let why = why.phrase().to_owned();
        match name {
            PartName::Task(id) => drop(found.tasks.insert(id, why)),
            PartName::Gate(level) => drop(found.gates.insert(level, why)),
            PartName::Settings | PartName::Hook(_) | PartName::Milestone(_) => {}
        }
    }
    found
}

impl Approval {
    /// Opens the approvals of the plan in `root`.
    ///
    /// # Errors
    /// [`AppError::OwnSettings`], [`AppError::Trust`], [`AppError::Git`].
    pub(super) fn open(root: &Path) -> Result<Self, AppError> {
        let own = own_settings::read()?;
        let place = Place::find(root)?;
        let is_folder = own_settings::approve_folder(&own, root).is_some();
        let approvals = match is_folder {
            true => None,
            false => Some(approvals_of(root, place.as_ref())?),
        };
        let book = approvals.as_ref().map(Approvals::read).transpose()?.unwrap_or_default();
        Ok(Self {
            own,
            root: root.to_owned(),
            scope: if is_folder { Scope::Folder } else { Scope::Stored },
            seen: approvals.as_ref().map(Approvals::seen).unwrap_or_default(),
            approvals,
            book,
            waiting: BTreeMap::new(),
            plan: None,
            config: None,
            index: None,
            is_unsettled: false,
            unkept: Vec::new(),
        })
    }

    /// Keeps nothing that is found, before something is approved.
    pub(super) fn only_look(&mut self) {
        if self.scope == Scope::Stored {
            self.scope = Scope::Look;
        }
    }

    /// Returns the branches from which all may be taken as approved where that is asked for: what a
    /// plan itself says of that does not count.
    pub(super) fn protected(&self) -> Vec<String> {
        self.own.protect.clone().unwrap_or(GitSpec::default().protect)
    }

    /// Takes in what whoever starts a run says of the plan as it is.
    ///
    /// # Errors
    /// [`AppError::Untrusted`] where it is not what they speak of.
    pub(super) fn grant(&mut self, grant: Grant, plan: &Plan) -> Result<(), AppError> {
        let parts = match grant {
            Grant::Stored => return Ok(()),
            Grant::Exactly(_) | Grant::Present => parts(plan),
        };
        let found = trust::fingerprint(&parts);
        if let Grant::Exactly(wanted) = grant
            && wanted != found
        {
            let message = format!(
                "what would be executed is not what was approved: its hash is {found}, not {wanted}"
            );
            return Err(AppError::Untrusted { message });
        }
        if self.scope == Scope::Stored {
            self.scope = Scope::Run;
            self.book = Book::default();
            parts.iter().for_each(|part| self.book.note(Book::approval(part)));
            // What is checked out now is what it is about.
            let head = Place::find(&self.root)?.map(|place| place.head);
            head.into_iter().for_each(|head| self.book.note(Line::Head(head)));
        }
        Ok(())
    }

    /// Refuses to begin where nothing was approved yet, or where the settings are not.
    ///
    /// # Errors
    /// [`AppError::Untrusted`].
    pub(super) fn require_beginning(&self) -> Result<(), AppError> {
        let message = match self.waiting.get(&PartName::Settings) {
            None => return Ok(()),
            Some(Why::New) => {
                "nothing is started: what this plan would execute is not approved yet".to_owned()
            }
            Some(why) => format!(
                "nothing is started: the settings of this plan wait for approval: {}",
                why.phrase()
            ),
        };
        Err(AppError::Untrusted { message })
    }

    /// Looks at a plan as its files say. `had_workers` says whether a worker that can write there was
    /// at work since the last look.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(super) fn look(&mut self, plan: &Arc<Plan>, had_workers: bool) -> Result<Found, AppError> {
        if self.scope == Scope::Folder {
            self.plan = Some(Arc::clone(plan));
            return Ok(Found::default());
        }
        let place = Place::find(&self.root)?;
        let moves = match (&place, self.book.head()) {
            (None, _) => Moves::Files(Default::default()),
            (Some(place), Some(head)) => place.moves(head),
            (Some(_), None) => Moves::Any,
        };
        let is_settled = self.note_index(place.as_ref());
        let edits = own_settings::edits(&self.own, plan);
        let judging = Judging { moves, had_workers, is_settled, edits };
        self.is_unsettled = false;
        let settings = Arc::from(layout::CONFIG_PATH);
        let mut judged = Judged::default();
        self.judge(&trust::of_settings(plan, &settings), &judging, &mut judged);
        let plan = match (judged.waiting.is_empty(), &self.config) {
            (false, Some(config)) => Arc::new(plan.with_config(config.clone())),
            (false, None) | (true, _) => Arc::clone(plan),
        };
        if judged.waiting.is_empty() {
            self.config = Some(plan.config().clone());
        }
        for part in trust::of_commands(&plan, &settings) {
            self.judge(&part, &judging, &mut judged);
        }
        for task in self.to_judge(&plan) {
            let part = trust::of_task(&plan, task, &settings);
            self.judge(&part, &judging, &mut judged);
        }
        let Judged { waiting, mut lines } = judged;
        let head = place.map(|place| place.head);
        if let Some(head) = head.filter(|head| self.book.head() != Some(head) && !self.is_unsettled)
        {
            self.book.note(Line::Head(head.clone()));
            lines.push(Line::Head(head));
        }
        self.keep(&lines);
        self.plan = Some(plan);
        Ok(self.news(waiting))
    }

    /// Returns the tasks that are not as they were at the last look, and those that wait.
    fn to_judge(&self, plan: &Arc<Plan>) -> Vec<TaskIndex> {
        let Some(before) = self
            .plan
            .as_ref()
            .filter(|before| before.config() == plan.config() && before.roles() == plan.roles())
        else {
            return plan.indices().collect();
        };
        let is_known = |task: &TaskIndex| {
            let waits = self.waiting.contains_key(&PartName::Task(plan.id(*task).clone()));
            let same = before.find(plan.id(*task).as_str());
            !waits
                && same.is_some_and(|same| {
                    Arc::ptr_eq(before.shared_spec(same), plan.shared_spec(*task))
                })
        };
        plan.indices().filter(|task| !is_known(task)).collect()
    }

    /// Says whether git is done with what it does to the files.
    fn note_index(&mut self, place: Option<&Place>) -> bool {
        let index = place.and_then(|place| place.index_written);
        let before = std::mem::replace(&mut self.index, index);
        let is_first = self.plan.is_none();
        let age = index.and_then(|at| at.elapsed().ok());
        is_first
            || before == index && !self.is_unsettled
            || age.is_none_or(|age| age > HEAD_FOLLOWS_WITHIN)
    }

    fn judge(&mut self, part: &Part, judging: &Judging, judged: &mut Judged) {
        let came_with_commit = |path: &str| judging.moves.touch(path);
        let around = Circumstances {
            edits: judging.edits,
            had_workers: judging.had_workers,
            came_with_commit: &came_with_commit,
        };
        let ruling = Ruling::of(part, &self.book, &around);
        let line = match ruling {
            Ruling::OwnEdit if !judging.is_settled => {
                self.is_unsettled = true;
                judged.waiting.insert(part.name.clone(), Why::Commit);
                return;
            }
            Ruling::OwnEdit => Book::approval(part),
            Ruling::Approved if self.book.waiting(&part.name).is_some() => {
                Line::Waits { part: part.name.to_string(), why: None }
            }
            Ruling::Waits(why) => {
                judged.waiting.insert(part.name.clone(), why);
                if why == Why::New || self.book.waiting(&part.name) == Some(why) {
                    return;
                }
                Line::Waits { part: part.name.to_string(), why: Some(why) }
            }
            Ruling::Approved => return,
        };
        self.book.note(line.clone());
        judged.lines.push(line);
    }

    /// Keeps lines for later runs.
    fn keep(&mut self, lines: &[Line]) {
        if self.scope == Scope::Look {
            self.unkept.extend(lines.iter().cloned());
        }
        let Some(approvals) = self.approvals.as_ref().filter(|_| self.scope == Scope::Stored)
        else {
            return;
        };
        let before = approvals.seen();
        if let Err(error) = approvals.append(lines) {
            tracing::warn!(%error, "approvals are not kept");
        }
        // What somebody else wrote in between is read the next time.
        if self.seen == before {
            self.seen = approvals.seen();
        }
    }

    fn news(&mut self, now: BTreeMap<PartName, Why>) -> Found {
        let before = std::mem::replace(&mut self.waiting, now);
        let is_new = |(name, _): &(&PartName, &Why)| !before.contains_key(*name);
        let waits = self.waiting.iter().filter(is_new);
        let waits = waits.map(|(name, why)| (name.clone(), *why)).collect();
        let released = before.into_keys().filter(|name| !self.waiting.contains_key(name)).collect();
        Found { waits, released }
    }

    /// Says whether more was approved meanwhile, or less, and reads that: then it is time for a look.
    pub(super) fn has_news(&mut self) -> bool {
        let Some(approvals) = self.approvals.as_ref().filter(|_| self.scope == Scope::Stored)
        else {
            return self.is_unsettled;
        };
        let seen = approvals.seen();
        if seen == self.seen {
            return self.is_unsettled;
        }
        match approvals.read() {
            Ok(book) => {
                self.book = book;
                self.seen = seen;
                // Whoever revoked speaks of all.
                self.plan = self.plan.take().filter(|_| self.book.is_known());
                true
            }
            Err(error) => {
                tracing::warn!(%error, "approvals cannot be read");
                false
            }
        }
    }

    /// Says whether changes are not accepted yet that will be.
    pub(super) fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    /// Says why a part waits; `None` where it may be executed.
    pub(super) fn waits(&self, name: &PartName) -> Option<Why> {
        self.waiting.get(name).copied()
    }

    /// Returns all that waits.
    pub(super) fn waiting(&self) -> &BTreeMap<PartName, Why> {
        &self.waiting
    }

    /// Returns the tasks and gates that wait.
    pub(super) fn unapproved(&self) -> Unapproved {
        unapproved(self.waiting.iter().map(|(name, why)| (name.clone(), *why)))
    }

    /// Returns the plan of the last look, with settings that are approved.
    pub(super) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Returns what is known of approvals.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Returns the user's own settings.
    pub(super) fn own(&self) -> &Own {
        &self.own
    }

    /// Returns where approvals are kept.
    pub(super) fn path(&self) -> Option<&Path> {
        self.approvals.as_ref().map(Approvals::path)
    }

    /// Approves parts, and keeps that.
    ///
    /// # Errors
    /// [`AppError::Trust`].
    pub(super) fn approve(&mut self, parts: &[Part]) -> Result<(), AppError> {
        let mut lines = std::mem::take(&mut self.unkept);
        for part in parts {
            lines.push(Book::approval(part));
            lines.push(Line::Waits { part: part.name.to_string(), why: None });
        }
        // All that is not approved waits from now on, wherever it came from.
        for (name, why) in &self.waiting {
            if parts.iter().all(|part| part.name != *name) {
                let why = if *why == Why::New { Why::Commit } else { *why };
                lines.push(Line::Waits { part: name.to_string(), why: Some(why) });
            }
        }
        lines.extend(Place::find(&self.root)?.map(|place| Line::Head(place.head)));
        if let Some(approvals) = &self.approvals {
            approvals.append(&lines)?;
        }
        lines.into_iter().for_each(|line| self.book.note(line));
        Ok(())
    }

    /// Takes all approvals back.
    ///
    /// # Errors
    /// [`AppError::Trust`].
    pub(super) fn revoke(&mut self) -> Result<(), AppError> {
        if let Some(approvals) = &self.approvals {
            approvals.append(&[Line::Revoked])?;
        }
        self.book = Book::default();
        Ok(())
    }
}

/// What a look goes by.
struct Judging {
    moves: Moves,
    had_workers: bool,
    is_settled: bool,
    edits: Edits,
}

/// What a look comes to.
#[derive(Default)]
struct Judged {
    waiting: BTreeMap<PartName, Why>,
    /// What is to be kept of it.
    lines: Vec<Line>,
}

/// Returns the folder in which the user approves everything, where `root` lies in one.
pub(super) fn noted_folder(own: &Own, root: &Path) -> Option<String> {
    own_settings::approve_folder(own, root).map(str::to_owned)
}

/// Returns all that a plan would execute.
pub(super) fn parts(plan: &Plan) -> Vec<Part> {
    trust::of_plan(plan, &Arc::from(layout::CONFIG_PATH))
}
