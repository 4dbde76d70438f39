//! Whether what a plan would execute may be: what its user approved, and how it changed since.

mod look;
mod noted;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{error::AppError, own_settings};
use crate::{
    domain::{
        format::layout,
        model::{ceiling::Own, config::Config},
        plan::Plan,
        scheduler::approval::Unapproved,
        trust::{self, Book, Fingerprint, Line, Part, PartName, Why},
    },
    io::{
        git::Place,
        process::ancestry,
        trust::{Approvals, Seen},
    },
};

pub(in crate::app) use look::AsRead;
pub use noted::Noted;
pub(in crate::app) use noted::noted;

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
pub(in crate::app) struct Approval {
    own: Own,
    root: PathBuf,
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
    /// The settings of which what they say for tasks was approved last.
    defaults: Option<Config>,
    /// The index of git as it was at the last look.
    index: Option<SystemTime>,
    /// Whether changes are not accepted yet, as a checkout may be under way.
    is_unsettled: bool,
    /// Whether the last look did not see all that came with a commit.
    is_incomplete: bool,
    /// What a look found that is not to be kept yet.
    unkept: Vec<Line>,
    /// The commit that was checked out when this began; all that is looked at was read later.
    begun_at: Option<String>,
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

/// Returns the tasks and gates among what waits.
fn unapproved(waiting: impl Iterator<Item = (PartName, Why)>) -> Unapproved {
    let mut found = Unapproved::default();
    for (name, why) in waiting {
        let why = why.phrase().to_owned();
        match name {
            PartName::Task(id) => drop(found.tasks.insert(id, why)),
            PartName::Gate(level) => drop(found.gates.insert(level, why)),
            PartName::Settings
            | PartName::Defaults
            | PartName::Role(_)
            | PartName::Hook(_)
            | PartName::Milestone(_) => {}
        }
    }
    found
}

impl Approval {
    /// Opens the approvals of the plan in `root`.
    ///
    /// # Errors
    /// [`AppError::OwnSettings`], [`AppError::Trust`], [`AppError::Git`].
    pub(in crate::app) fn open(root: &Path) -> Result<Self, AppError> {
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
            defaults: None,
            index: None,
            is_unsettled: false,
            is_incomplete: false,
            unkept: Vec::new(),
            begun_at: place.map(|place| place.head),
        })
    }

    /// Keeps nothing that is found, before something is approved.
    pub(in crate::app) fn only_look(&mut self) {
        if self.scope == Scope::Stored {
            self.scope = Scope::Look;
        }
    }

    /// Refuses to approve anything for a worker of this very plan: that is for a person.
    ///
    /// # Errors
    /// [`AppError::ForPeople`].
    pub(in crate::app) fn require_person(&self) -> Result<(), AppError> {
        let is_same = |root: &PathBuf| {
            let place = Place::find(root).ok().flatten();
            let theirs = approvals_of(root, place.as_ref()).ok();
            let own = self.approvals.as_ref().map(Approvals::path);
            theirs.is_some_and(|theirs| own == Some(theirs.path()))
        };
        match ancestry::plans_worked_for().iter().any(is_same) {
            true => Err(AppError::ForPeople),
            false => Ok(()),
        }
    }

    /// Takes in what whoever starts a run says of the plan as it is.
    ///
    /// # Errors
    /// [`AppError::Untrusted`] where it is not what they speak of.
    pub(in crate::app) fn grant(&mut self, grant: Grant, plan: &Plan) -> Result<(), AppError> {
        let parts = match grant {
            Grant::Stored => return Ok(()),
            Grant::Exactly(_) | Grant::Present => parts(plan),
        };
        self.require_person()?;
        if let Grant::Exactly(wanted) = grant {
            require_hash(&parts, wanted)?;
        }
        if self.scope == Scope::Stored {
            self.scope = Scope::Run;
            self.book = Book::default();
            parts.iter().for_each(|part| self.book.note(Book::approval(part)));
            let head = self.begun_at.clone();
            head.into_iter().for_each(|head| self.book.note(Line::Head(head)));
        }
        Ok(())
    }

    /// Refuses to begin where nothing was approved yet, or where the settings are not.
    ///
    /// # Errors
    /// [`AppError::Untrusted`].
    pub(in crate::app) fn require_beginning(&self) -> Result<(), AppError> {
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

    /// Says whether it is time for a look, whatever the files of the plan do: more was approved
    /// meanwhile, or less, which is read; or another commit is checked out, which must be known before
    /// the next edit.
    pub(in crate::app) fn has_news(&mut self) -> bool {
        match self.scope {
            Scope::Folder => false,
            Scope::Stored => self.has_read_news() || self.is_unsettled || self.has_moved(),
            Scope::Run | Scope::Look => self.is_unsettled || self.has_moved(),
        }
    }

    /// Says whether another commit is checked out than at the last look at all files.
    pub(in crate::app) fn has_moved(&self) -> bool {
        let Some(head) = self.book.head() else { return false };
        Place::find(&self.root).ok().flatten().is_some_and(|place| place.head != head)
    }

    fn has_read_news(&mut self) -> bool {
        let Some(approvals) = &self.approvals else { return false };
        let seen = approvals.seen();
        if seen == self.seen {
            return false;
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
    pub(in crate::app) fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    /// Says why a part waits; `None` where it may be executed.
    pub(in crate::app) fn waits(&self, name: &PartName) -> Option<Why> {
        self.waiting.get(name).copied()
    }

    /// Returns all that waits.
    pub(in crate::app) fn waiting(&self) -> &BTreeMap<PartName, Why> {
        &self.waiting
    }

    /// Returns the tasks and gates that wait.
    pub(in crate::app) fn unapproved(&self) -> Unapproved {
        unapproved(self.waiting.iter().map(|(name, why)| (name.clone(), *why)))
    }

    /// Returns the plan of the last look, with settings that are approved.
    pub(in crate::app) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// Returns what is known of approvals.
    pub(in crate::app) fn book(&self) -> &Book {
        &self.book
    }

    /// Returns the user's own settings.
    pub(in crate::app) fn own(&self) -> &Own {
        &self.own
    }

    /// Returns where approvals are kept.
    pub(in crate::app) fn path(&self) -> Option<&Path> {
        self.approvals.as_ref().map(Approvals::path)
    }

    /// Approves parts, and keeps that.
    ///
    /// # Errors
    /// [`AppError::Trust`].
    pub(in crate::app) fn approve(&mut self, parts: &[Part]) -> Result<(), AppError> {
        self.require_person()?;
        let mut lines = std::mem::take(&mut self.unkept);
        for part in parts {
            if !self.book.is_approved(part.fingerprint) {
                lines.push(Book::approval(part));
            }
            if self.book.waiting(&part.name).is_some() {
                lines.push(Line::waits(&part.name, None));
            }
        }
        // All that is not approved waits from now on, wherever it came from.
        let chosen: BTreeSet<&PartName> = parts.iter().map(|part| &part.name).collect();
        for (name, why) in self.waiting.iter().filter(|(name, _)| !chosen.contains(name)) {
            let why = if *why == Why::New { Why::Commit } else { *why };
            lines.push(Line::waits(name, Some(why)));
        }
        // What came since then was not looked at.
        let begun_at = self.begun_at.clone().filter(|_| self.has_seen_all());
        lines.extend(begun_at.map(Line::Head));
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
    pub(in crate::app) fn revoke(&mut self) -> Result<(), AppError> {
        if let Some(approvals) = &self.approvals {
            approvals.revoke()?;
        }
        self.book = Book::default();
        Ok(())
    }
}

/// Refuses parts that `wanted` is not the digest of.
///
/// # Errors
/// [`AppError::Untrusted`].
pub(in crate::app) fn require_hash(parts: &[Part], wanted: Fingerprint) -> Result<(), AppError> {
    let found = trust::fingerprint(parts);
    if found == wanted {
        return Ok(());
    }
    let message = format!(
        "what would be executed is not what was approved: its hash is {found}, not {wanted}"
    );
    Err(AppError::Untrusted { message })
}

/// Returns all that a plan would execute.
pub(in crate::app) fn parts(plan: &Plan) -> Vec<Part> {
    trust::of_plan(plan, &Arc::from(layout::CONFIG_PATH))
}
