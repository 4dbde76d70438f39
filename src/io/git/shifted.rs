//! A checkout that goes over to another tree: files and index, but not yet its branch.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use git2::{Error, Index, IndexEntry, Oid, Repository};

use super::{
    advance::{Final, Obstacle, of_io},
    apply::Applied,
    paths::Change,
    placed::{IndexLock, IndexStamp},
    shift::{FileMove, Move, Shift, staged},
};

/// A pause before the index is locked.
const BREATH: Duration = Duration::from_micros(200);

/// A checkout.
pub(super) struct Checkout<'a> {
    pub repository: &'a Repository,
    /// Its git folder.
    pub git_dir: &'a Path,
    /// Its top folder.
    pub top: &'a Path,
    /// Says what keeps it busy.
    pub busy: &'a dyn Fn(&Path) -> Option<String>,
    /// How long nobody else must have written the index.
    pub quiet: Duration,
    /// The index that this process put in its place last.
    pub placed: &'a Mutex<Option<IndexStamp>>,
}

/// What else is needed to move files.
pub(super) struct Aside<'a> {
    /// A folder for files before they are put in their place.
    pub scratch: &'a Path,
    /// Folders whose files only the coordinator writes.
    pub own: &'a [PathBuf],
    /// Files in them of which nobody has anything newer.
    pub fresh: &'a [PathBuf],
}

/// A checkout that can go over to another tree at once.
pub(super) struct Prepared {
    moves: Vec<Move>,
    /// How the index was when this was decided.
    stamp: IndexStamp,
}

/// A checkout whose files and index are in their place, and locked. Dropped before that is final, both
/// are as they were.
pub(super) struct Shifted<'a> {
    applied: Applied<'a>,
    /// The index, and where what it was lies.
    index: PathBuf,
    before: Option<PathBuf>,
    is_final: bool,
    _lock: IndexLock,
}

impl Final for Shifted<'_> {
    fn finish(mut self) {
        self.is_final = true;
        self.applied.settle();
    }
}

impl Drop for Shifted<'_> {
    fn drop(&mut self) {
        if self.is_final {
            return;
        }
        let undone = match &self.before {
            Some(before) => fs::rename(before, &self.index),
            None => fs::remove_file(&self.index),
        };
        if let Err(error) = undone {
            tracing::error!(%error, "{} is not as it was", self.index.display());
        }
    }
}

impl<'a> Checkout<'a> {
    /// Says what keeps it busy, or did a moment ago.
    pub(super) fn busy(&self) -> Option<String> {
        if self.git_dir.join("index.lock").symlink_metadata().is_ok() {
            return Some("git is at work: it holds index.lock".to_owned());
        }
        let index = IndexStamp::of(&self.git_dir.join("index"));
        let is_ours = *self.placed() == Some(index.clone());
        if !is_ours && index.is_younger_than(self.quiet) {
            return Some("git was at work a moment ago".to_owned());
        }
        (self.busy)(self.top)
    }

    fn placed(&self) -> MutexGuard<'_, Option<IndexStamp>> {
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares all that `changes` between the trees `old` and `new` ask for, or says what is in the
    /// way. Nothing changes.
    pub(super) fn prepare(
        &self,
        changes: &[Change],
        (old, new): (Oid, Oid),
        aside: &Aside<'_>,
    ) -> Result<Result<Prepared, Obstacle>, Error> {
        let index_path = self.git_dir.join("index");
        let stamp = IndexStamp::of(&index_path);
        let mut index = open_copy(&index_path, aside.scratch)?;
        // Attributes are looked up in it: it need not be read again for that.
        self.repository.set_index(&mut index)?;
        if index.has_conflicts() {
            let what = "a merge is not finished".to_owned();
            return Ok(Err(Obstacle { what, files: Vec::new() }));
        }
        let shift = Shift {
            repository: self.repository,
            index: &index,
            index_time: stamp.time(),
            top: self.top,
            scratch: aside.scratch,
            own: aside.own,
            fresh: aside.fresh,
        };
        let moves = match shift.plan(changes, new, old)? {
            Ok(moves) => moves,
            Err(paths) => {
                let files = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
                return Ok(Err(Obstacle {
                    what: "local changes are in the way".to_owned(),
                    files,
                }));
            }
        };
        doubt_young(&mut index, &stamp)?;
        restage(&mut index, &moves, aside.scratch, self.top)?;
        index.write()?;
        Ok(Ok(Prepared { moves, stamp }))
    }

    /// Puts files and index in their place, where everything `holds` and is as it was; returns what
    /// is in the way otherwise. Takes a fraction of a millisecond, with the index locked.
    pub(super) fn carry_out(
        &self,
        prepared: &Prepared,
        aside: &Aside<'a>,
        holds: impl FnOnce() -> bool,
    ) -> Result<Result<Shifted<'a>, String>, Error> {
        let index = self.git_dir.join("index");
        let at_work = || Ok(Err("git is at work".to_owned()));
        let failed = |error: &std::io::Error| of_io(&index, error);
        // Whoever has just slept is not put aside soon: with the lock, that would be somebody's failure.
        thread::sleep(BREATH);
        // The last look: who comes after it needs longer to its first look at the index than this does.
        if let Some(what) = self.busy() {
            return Ok(Err(what));
        }
        let Some(lock) = IndexLock::take(self.git_dir).map_err(|error| failed(&error))? else {
            return at_work();
        };
        if IndexStamp::of(&index) != prepared.stamp || !holds() {
            return at_work();
        }
        let before = index.exists().then(|| aside.scratch.join("index-before"));
        if let Some(before) = &before {
            fs::hard_link(&index, before).map_err(|error| failed(&error))?;
        }
        let applied = match Applied::apply(&prepared.moves, self.top, aside.scratch) {
            Ok(applied) => applied,
            Err(error) => return Ok(Err(format!("a file cannot be written: {error}"))),
        };
        fs::rename(aside.scratch.join("index"), &index).map_err(|error| failed(&error))?;
        *self.placed() = Some(IndexStamp::of(&index));
        Ok(Ok(Shifted { applied, index, before, is_final: false, _lock: lock }))
    }
}

/// Opens a copy of an index, to be put in its place when it is complete.
fn open_copy(index: &Path, scratch: &Path) -> Result<Index, Error> {
    let copy = scratch.join("index");
    match fs::copy(index, &copy) {
        Ok(_) => {}
        // A checkout in which nothing was ever staged.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(of_io(index, &error)),
    }
    Index::open(&copy)
}

/// Has git look at the content of each file that is as young as the index, as it would by itself: it
/// compares whole seconds, and a new index is younger than the file.
fn doubt_young(index: &mut Index, stamp: &IndexStamp) -> Result<(), Error> {
    let written = stamp.time().seconds();
    let is_young = |entry: &IndexEntry| entry.mtime.seconds() >= written && entry.file_size != 0;
    let young: Vec<IndexEntry> = index.iter().filter(is_young).collect();
    for entry in young {
        index.add(&IndexEntry { file_size: 0, ..entry })?;
    }
    Ok(())
}

/// Has the index say what will be. The stamp of a file that is still to be put in its place is that of
/// the one that is; only the time of its last change of name is not known, so git looks at it once.
fn restage(index: &mut Index, moves: &[Move], scratch: &Path, top: &Path) -> Result<(), Error> {
    for one in moves {
        match one.new {
            Some(new) => {
                let folder = match one.file {
                    FileMove::Write => &scratch.join("new"),
                    FileMove::Stay | FileMove::Leave | FileMove::Remove => top,
                };
                index.add(&staged(one, new, folder))?;
            }
            None if index.get_path(&one.path, 0).is_some() => index.remove(&one.path, 0)?,
            None => {}
        }
    }
    Ok(())
}
