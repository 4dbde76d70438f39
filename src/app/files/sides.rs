//! The plan at two moments: what is the same at both is read and understood once.
//!
//! Task files that are the same are read for their heads only; both plans share what they say.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, TrySendError},
    },
    thread,
};

use super::{
    Files,
    content::{Events, Records, Reports, Roles, Settings, Tasks},
    room::{Content, Room},
};
use crate::{
    app::error::AppError,
    domain::{
        format::{layout, task_file::Reading},
        model::{ceiling::Own, config::Role},
    },
    io::{
        git::revision::{
            BlobFault, BlobId, Blobs, Entry, EntryKind, Revision, RevisionError, Revisions,
        },
        store::{ReadFault, Store},
    },
};

/// Fewer files are read by one thread: a second one costs more than it saves.
const FILES_FOR_TWO_THREADS: usize = 256;

/// Files that are handed on together.
const BATCH: usize = 64;

/// Batches that wait; with more of them, who reads them helps to understand them.
const BATCHES_WAITING: usize = 32;

/// What a plan is read from.
const WANTED: [&str; 6] = [
    layout::TASKS_DIR,
    layout::ROLES_DIR,
    layout::CONFIG_PATH,
    layout::EVENTS_DIR,
    layout::RUNS_DIR,
    layout::STATUS_DIR,
];

/// The files of a plan in one revision.
pub(in crate::app) struct Committed<'a> {
    revisions: &'a Revisions,
    /// In the order of their paths.
    entries: Vec<Entry>,
}

/// The later of two moments.
pub(in crate::app) enum Later<'a> {
    /// A revision.
    Committed(Committed<'a>),
    /// Now.
    OnDisk(&'a Store),
}

/// What stands at a path.
#[derive(Debug)]
enum Source {
    File(BlobId),
    Fault(ReadFault),
}

impl<'a> Committed<'a> {
    /// Lists the files of the plan in `folder`; a revision of `None` holds none.
    pub(in crate::app) fn list(
        revisions: &'a Revisions,
        revision: &Revision,
        folder: &str,
    ) -> Result<Self, RevisionError> {
        Ok(Self { revisions, entries: revisions.list(revision, folder, &WANTED)? })
    }

    /// Returns the files of one room, in the order of their paths.
    fn sources(&self, dir: &str, ending: &str) -> Vec<(&str, Source)> {
        let found = self.entries.iter().filter_map(|entry| {
            let source = source(entry, dir, ending)?;
            Some((entry.path.as_str(), source))
        });
        found.collect()
    }
}

/// Says what an entry is to the room `dir`; `None` where it is nothing to it.
fn source(entry: &Entry, dir: &str, ending: &str) -> Option<Source> {
    let path = entry.path.as_str();
    let below = path.strip_prefix(dir);
    match (below, entry.kind) {
        (Some(""), EntryKind::File(id)) if dir == layout::CONFIG_PATH => Some(Source::File(id)),
        (Some(""), EntryKind::Link) if dir == layout::CONFIG_PATH => {
            Some(Source::Fault(ReadFault::SymbolicLink))
        }
        (Some(""), _) => Some(Source::Fault(ReadFault::NoFolder)),
        (Some(below), kind) if below.starts_with('/') => {
            let is_named_so = path.ends_with(ending);
            let fault = match kind {
                EntryKind::TooDeep => ReadFault::TooDeep,
                EntryKind::Submodule => ReadFault::Submodule,
                _ if !is_named_so => return None,
                EntryKind::Folder => ReadFault::Folder,
                EntryKind::Link => ReadFault::SymbolicLink,
                EntryKind::File(_) if !entry.is_utf8 => ReadFault::NameNotUtf8,
                EntryKind::File(id) => return Some(Source::File(id)),
            };
            Some(Source::Fault(fault))
        }
        // The folder of all rooms: told once.
        _ if path == layout::ORCH_DIR && dir == layout::TASKS_DIR => {
            Some(Source::Fault(ReadFault::NoFolder))
        }
        _ => None,
    }
}

impl Files {
    /// Reads the plan at two moments.
    ///
    /// # Errors
    /// [`AppError::Store`] where a folder on disk cannot be listed, [`AppError::Revision`] where
    /// the repository cannot be opened.
    pub(in crate::app) fn read_both(
        before: &Committed<'_>,
        after: &Later<'_>,
    ) -> Result<(Self, Self), AppError> {
        let blobs = before.revisions.blobs()?;
        let mut both = Both { before, after, reading: Reading::Head, blobs };
        let roles = both.rooms::<Roles>(layout::ROLES_DIR, ".md")?;
        // Another role may give a task its checks, or take them away: then its body counts, too.
        if !roles.0.iter().map(value_of).eq(roles.1.iter().map(value_of)) {
            both.reading = Reading::Whole;
        }
        let tasks = both.rooms::<Tasks>(layout::TASKS_DIR, ".md")?;
        let config = both.settings()?;
        let events = both.rooms::<Events>(layout::EVENTS_DIR, ".yaml")?;
        let runs = both.rooms::<Records>(layout::RUNS_DIR, ".yaml")?;
        let reports = both.rooms::<Reports>(layout::STATUS_DIR, ".md")?;
        Ok((
            Self {
                tasks: tasks.0,
                roles: roles.0,
                config: config.0,
                events: events.0,
                runs: runs.0,
                reports: reports.0,
                own: Own::default(),
            },
            Self {
                tasks: tasks.1,
                roles: roles.1,
                config: config.1,
                events: events.1,
                runs: runs.1,
                reports: reports.1,
                own: Own::default(),
            },
        ))
    }
}

/// Two moments that are being read.
struct Both<'a> {
    before: &'a Committed<'a>,
    after: &'a Later<'a>,
    /// How much of a task file is read that is the same at both.
    reading: Reading,
    blobs: Blobs,
}

fn value_of<'a>((path, role): (&'a str, &'a Roles)) -> (&'a str, Option<&'a Role>) {
    (path, role.value.as_ref())
}

/// What files came to, by path.
type Contents<T> = Vec<(String, T)>;

impl Both<'_> {
    fn rooms<T: Content + Clone>(
        &self,
        dir: &'static str,
        ending: &'static str,
    ) -> Result<(Room<T>, Room<T>), AppError> {
        let before = self.before.sources(dir, ending);
        let (before, after) = match self.after {
            Later::Committed(after) => self.committed(before, after.sources(dir, ending)),
            Later::OnDisk(store) => self.on_disk(before, store, dir, ending)?,
        };
        Ok((Room::of(dir, ending, before), Room::of(dir, ending, after)))
    }

    /// Reads the settings, which are one file.
    fn settings(&self) -> Result<(Room<Settings>, Room<Settings>), AppError> {
        let Later::OnDisk(store) = self.after else {
            return self.rooms(layout::CONFIG_PATH, "");
        };
        let (before, _) = self.committed(self.before.sources(layout::CONFIG_PATH, ""), Vec::new());
        let after = Room::of_one(store, layout::CONFIG_PATH, Reading::Whole)?;
        Ok((Room::of(layout::CONFIG_PATH, "", before), after))
    }

    /// Reads the files of a room in two revisions.
    fn committed<T: Content + Clone>(
        &self,
        before: Vec<(&str, Source)>,
        after: Vec<(&str, Source)>,
    ) -> (Contents<T>, Contents<T>) {
        let mut jobs: BTreeMap<&str, Job<'_>> = BTreeMap::new();
        for (path, source) in before {
            jobs.insert(path, Job { path, before: Some(source), after: None });
        }
        for (path, source) in after {
            let job = jobs.entry(path).or_insert(Job { path, before: None, after: None });
            job.after = Some(source);
        }
        self.carry_out(jobs.into_values().collect())
    }

    /// Reads the files of a room on disk, and what is different in a revision.
    fn on_disk<T: Content + Clone>(
        &self,
        before: Vec<(&str, Source)>,
        store: &Store,
        dir: &str,
        ending: &str,
    ) -> Result<(Contents<T>, Contents<T>), AppError> {
        let committed: BTreeMap<&str, &Source> =
            before.iter().map(|(path, source)| (*path, source)).collect();
        let same_reading = self.reading;
        let found = store.visit(dir, &[ending], |path, bytes, _| {
            let is_same = match (committed.get(path), &bytes) {
                (Some(Source::File(id)), Ok(bytes)) => is_checked_out(bytes, *id),
                _ => false,
            };
            let reading = if is_same { same_reading } else { Reading::Whole };
            let content = T::parse(path, bytes.as_ref().map(|bytes| *bytes), reading);
            (path.to_owned(), is_same, content)
        })?;
        let mut old: Contents<T> = Vec::with_capacity(before.len());
        for (path, is_same, content) in &found {
            old.extend(is_same.then(|| (path.clone(), content.clone())));
        }
        let same: BTreeSet<&str> =
            found.iter().filter(|found| found.1).map(|found| found.0.as_str()).collect();
        let others = before.into_iter().filter(|(path, _)| !same.contains(path));
        let jobs = others.map(|(path, source)| Job { path, before: Some(source), after: None });
        let (others, _) = self.carry_out(jobs.collect());
        old.extend(others);
        Ok((old, found.into_iter().map(|(path, _, content)| (path, content)).collect()))
    }

    /// Reads and understands files. One thread reads, as the object store lets only one at a time;
    /// another one understands what was read, and both do that once all is read.
    fn carry_out<T: Content + Clone>(&self, jobs: Vec<Job<'_>>) -> (Contents<T>, Contents<T>) {
        let understand = |pieces: Vec<Piece<'_>>| -> Vec<Understood<T>> {
            pieces.into_iter().map(|piece| piece.understood(self.reading)).collect()
        };
        let mut all: Vec<Understood<T>> = Vec::with_capacity(jobs.len());
        if jobs.len() < FILES_FOR_TWO_THREADS {
            all = jobs
                .into_iter()
                .map(|job| job.read(&self.blobs).understood(self.reading))
                .collect();
        } else {
            let (sender, receiver) = mpsc::sync_channel(BATCHES_WAITING);
            let receiver = Mutex::new(receiver);
            let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let reading = self.reading;
            let help = move || {
                let mut all = Vec::new();
                while let Ok(pieces) = next() {
                    let pieces: Vec<Piece<'_>> = pieces;
                    all.extend(pieces.into_iter().map(|piece| piece.understood(reading)));
                }
                all
            };
            all.extend(thread::scope(|scope| {
                let helper = scope.spawn(help);
                let mut all = Vec::new();
                let mut jobs = jobs.into_iter();
                loop {
                    let batch: Vec<Piece<'_>> =
                        jobs.by_ref().take(BATCH).map(|job| job.read(&self.blobs)).collect();
                    if batch.is_empty() {
                        break;
                    }
                    if let Err(error) = sender.try_send(batch) {
                        // The other one is busy: what is read must not pile up.
                        let (TrySendError::Full(batch) | TrySendError::Disconnected(batch)) = error;
                        all.extend(understand(batch));
                    }
                }
                drop(sender);
                while let Ok(batch) = next() {
                    all.extend(understand(batch));
                }
                match helper.join() {
                    Ok(more) => all.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
                all
            }));
        }
        let (mut before, mut after) =
            (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        for Understood { path, old, new } in all {
            before.extend(old.map(|old| (path.clone(), old)));
            after.extend(new.map(|new| (path, new)));
        }
        (before, after)
    }
}

/// A path, and what stands there at both moments.
struct Job<'a> {
    path: &'a str,
    before: Option<Source>,
    after: Option<Source>,
}

impl<'a> Job<'a> {
    fn read(self, blobs: &Blobs) -> Piece<'a> {
        let is_same = match (&self.before, &self.after) {
            (Some(Source::File(old)), Some(Source::File(new))) => old == new,
            _ => false,
        };
        let read = |source: Source| match source {
            Source::Fault(fault) => Err(fault),
            Source::File(id) => blobs.read(id).map_err(|fault| match fault {
                BlobFault::TooLarge => ReadFault::TooLarge,
                BlobFault::Unreadable(why) => ReadFault::Unreadable(io::Error::other(why)),
            }),
        };
        let before = self.before.map(read);
        let after = if is_same { None } else { self.after.map(read) };
        Piece { path: self.path, is_same, before, after }
    }
}

/// A path, and the bytes that it has at both moments.
struct Piece<'a> {
    path: &'a str,
    /// Whether the bytes of the first are those of the second, too.
    is_same: bool,
    before: Option<Result<Vec<u8>, ReadFault>>,
    after: Option<Result<Vec<u8>, ReadFault>>,
}

/// A path, and what its bytes came to.
struct Understood<T> {
    path: String,
    old: Option<T>,
    new: Option<T>,
}

impl Piece<'_> {
    /// `reading` is for what is the same at both moments.
    fn understood<T: Content + Clone>(self, reading: Reading) -> Understood<T> {
        let reading = if self.is_same { reading } else { Reading::Whole };
        let parse =
            |bytes: Result<Vec<u8>, ReadFault>| T::parse(self.path, bytes.as_deref(), reading);
        let old = self.before.map(parse);
        let new = if self.is_same { old.clone() } else { self.after.map(parse) };
        Understood { path: self.path.to_owned(), old, new }
    }
}

/// Says whether `bytes` are what git would have written for `id`, with either line end.
fn is_checked_out(bytes: &[u8], id: BlobId) -> bool {
    if BlobId::of(bytes) == id {
        return true;
    }
    if !bytes.windows(2).any(|pair| pair == b"\r\n") {
        return false;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        if !(*byte == b'\r' && bytes.get(at + 1) == Some(&b'\n')) {
            plain.push(*byte);
        }
    }
    BlobId::of(&plain) == id
}
