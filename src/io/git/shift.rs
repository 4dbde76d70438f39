//! What becomes of each file of a checkout that goes over from one tree to another: decided before
//! anything is touched.
//!
//! The rule is that of `git read-tree -m -u OLD NEW`: a file that differs between the trees must be as
//! in OLD, in the index and on disk, or as in NEW already. Anything else is somebody's change, and in
//! the way.

use std::{
    collections::BTreeSet,
    fs,
    io::ErrorKind,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use git2::{Error, Index, IndexEntry, IndexTime, Oid, Repository, build::CheckoutBuilder};

use super::{
    advance::of_io,
    conversion::{converts, converts_all},
    fill::{is_plain_path, write_one},
    paths::{Change, Entry},
};

/// The modes of a symbolic link and of a program.
pub(super) const LINK: i32 = 0o120_000;
pub(super) const PROGRAM: i32 = 0o100_755;

/// The mode of a submodule.
pub(super) const SUBMODULE: i32 = 0o160_000;

/// The flag of an index entry whose file is not to be in the checkout, as it is sparse.
const SKIP_WORKTREE: u16 = 1 << 14;

/// What is done about one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub path: PathBuf,
    /// What the index is to say of it.
    pub new: Option<Entry>,
    pub file: FileMove,
    /// What the file was when that was decided; `None` where only the coordinator writes it.
    pub seen: Option<Seen>,
    /// Whether the checkout is sparse and does not hold the file.
    pub is_skipped: bool,
}

/// What a file was: another one is somebody's newer work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen(Option<(u64, u64, i64, i64)>);

impl Seen {
    /// Looks at a file; a folder is none.
    pub(super) fn of(path: &Path) -> Self {
        let about = fs::symlink_metadata(path).ok().filter(|about| !about.is_dir());
        Self(about.map(|a| (a.ino(), a.size(), a.mtime(), a.mtime_nsec())))
    }

    /// Returns what is seen where nothing is.
    pub(super) fn nothing() -> Self {
        Self(None)
    }
}

/// What is done about the file of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileMove {
    /// Nothing: it is as it should be.
    Stay,
    /// Nothing: it is another one than the index will say, and whoever writes it knows better.
    Leave,
    /// It is written.
    Write,
    /// It is removed.
    Remove,
}

/// A checkout that is to go over from one tree to another.
pub(super) struct Shift<'a> {
    pub repository: &'a Repository,
    pub index: &'a Index,
    /// When the index was written: a file that is as young may have changed since.
    pub index_time: IndexTime,
    /// The top folder of the checkout.
    pub top: &'a Path,
    /// A folder for files before they are put in their place.
    pub scratch: &'a Path,
    /// Folders whose files only the coordinator writes.
    pub own: &'a [PathBuf],
    /// Files in them of which nobody has anything newer.
    pub fresh: &'a [PathBuf],
}

/// What is on disk at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDisk {
    Absent,
    /// As the index or the old tree says.
    Old,
    New,
    Other,
}

impl Shift<'_> {
    /// Returns what is done about each path, or the paths that are in the way.
    pub(super) fn plan(
        &self,
        changes: &[Change],
        new_tree: Oid,
        old_tree: Oid,
    ) -> Result<Result<Vec<Move>, Vec<PathBuf>>, Error> {
        self.write_aside("new", new_tree, changes.iter().filter(|c| is_file(c.new)))?;
        let unclear = changes.iter().filter(|c| is_file(c.old) && !self.is_known_clean(c));
        self.write_aside("old", old_tree, unclear)?;
        let removed: BTreeSet<&Path> =
            changes.iter().filter(|c| c.new.is_none()).map(|c| c.path.as_path()).collect();
        let (mut moves, mut in_the_way) = (Vec::new(), Vec::new());
        for change in changes {
            match self.decide(change, &removed) {
                Some(decided) => moves.push(decided),
                None => in_the_way.push(change.path.clone()),
            }
        }
        Ok(if in_the_way.is_empty() { Ok(moves) } else { Err(in_the_way) })
    }

    /// Returns what is done about a path; `None` where something of somebody is in the way.
    fn decide(&self, change: &Change, removed: &BTreeSet<&Path>) -> Option<Move> {
        let staged = self.index.get_path(&change.path, 0);
        let in_index = staged.as_ref().map(entry_of);
        let is_own = self.own.iter().any(|folder| change.path.starts_with(folder));
        // Before anything else is looked at: what comes later is seen to differ.
        let seen = (!is_own).then(|| Seen::of(&self.top.join(&change.path)));
        let is_skipped = match &staged {
            Some(staged) => staged.flags_extended & SKIP_WORKTREE != 0,
            None => self.is_sparse_there(&change.path),
        };
        let moved = |file| {
            let (path, new, seen) = (change.path.clone(), change.new, seen.clone());
            Some(Move { path, new, file, seen, is_skipped })
        };
        let is_index_free = in_index == change.old || in_index == change.new || is_own;
        if !is_index_free {
            return None;
        }
        let is_submodule = |entry: Option<Entry>| entry.is_some_and(|e| e.mode == SUBMODULE);
        if is_skipped || is_submodule(change.old) || is_submodule(change.new) {
            return moved(FileMove::Stay);
        }
        let on_disk = self.on_disk(change);
        // Taken out of the index, and still there: it is the user's alone.
        let is_untracked = in_index.is_none() && change.old.is_some() && !is_own;
        match (on_disk, change.new) {
            (OnDisk::Old | OnDisk::Other, None) if is_untracked => moved(FileMove::Stay),
            (OnDisk::New, _) | (OnDisk::Absent, None) => moved(FileMove::Stay),
            (OnDisk::Old | OnDisk::Other, Some(_)) if self.fresh.contains(&change.path) => {
                moved(FileMove::Write)
            }
            // The one who writes it has written something newer.
            (OnDisk::Old | OnDisk::Other, _) if is_own => moved(FileMove::Leave),
            (OnDisk::Absent, Some(_)) if change.old.is_some() && !is_own => None,
            (OnDisk::Absent | OnDisk::Old, Some(_)) => {
                let is_free = self.has_free_parents(&change.path, removed);
                is_free.then(|| moved(FileMove::Write)).flatten()
            }
            (OnDisk::Old, None) => moved(FileMove::Remove),
            (OnDisk::Other, Some(_)) if self.is_emptied(&change.path, removed) => {
                moved(FileMove::Write)
            }
            (OnDisk::Other, _) => None,
        }
    }

    fn on_disk(&self, change: &Change) -> OnDisk {
        let path = self.top.join(&change.path);
        // What a link leads to is elsewhere.
        let Some(about) = self.about(&change.path) else { return OnDisk::Absent };
        if about.is_dir() {
            return OnDisk::Other;
        }
        if is_file(change.old) && self.is_known_clean(change) {
            return OnDisk::Old;
        }
        let is_as = |side: &str, entry: Option<Entry>| {
            is_file(entry) && is_same(&path, &self.scratch.join(side).join(&change.path))
        };
        if is_as("new", change.new) {
            OnDisk::New
        } else if is_as("old", change.old) {
            OnDisk::Old
        } else {
            OnDisk::Other
        }
    }

    /// Returns what the file system says of a file; `None` where it is not there, or where it is there only
    /// because a link above it leads elsewhere.
    fn about(&self, path: &Path) -> Option<fs::Metadata> {
        let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
        let is_folder = |above: &Path| {
            fs::symlink_metadata(self.top.join(above)).is_ok_and(|about| about.is_dir())
        };
        let is_real = above.into_iter().all(is_folder);
        fs::symlink_metadata(self.top.join(path)).ok().filter(|_| is_real)
    }

    /// Says whether the index knows that the file is as in the old tree.
    fn is_known_clean(&self, change: &Change) -> bool {
        let Some(staged) = self.index.get_path(&change.path, 0) else { return false };
        if Some(entry_of(&staged)) != change.old {
            return false;
        }
        let is_racy = (staged.mtime.seconds(), staged.mtime.nanoseconds())
            >= (self.index_time.seconds(), self.index_time.nanoseconds());
        let about = self.about(&change.path);
        !is_racy && about.is_some_and(|about| has_stamp(&staged, &about))
    }

    /// Writes the files of one side as they would be in the checkout, without touching it.
    fn write_aside<'c>(
        &self,
        side: &str,
        tree: Oid,
        changes: impl Iterator<Item = &'c Change>,
    ) -> Result<(), Error> {
        let changes: Vec<&Change> = changes.collect();
        if changes.is_empty() {
            return Ok(());
        }
        let folder = self.scratch.join(side);
        let all = converts_all(self.repository);
        let is_converted = |change: &&Change| {
            all || !is_plain_path(&change.path) || converts(self.repository, &change.path)
        };
        let (converted, plain): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_converted);
        self.check_aside(&folder, tree, &converted)?;
        let odb = self.repository.odb()?;
        // Libgit2 passes over a file where the tree that is checked out has a folder.
        for change in plain.into_iter().chain(converted) {
            let entry = if side == "new" { change.new } else { change.old };
            let place = folder.join(&change.path);
            if let Some(entry) = entry.filter(|_| fs::symlink_metadata(&place).is_err()) {
                let parent = place.parent().map_or(Ok(()), fs::create_dir_all);
                parent.map_err(|error| of_io(&place, &error))?;
                write_one(&odb, &place, entry)?;
            }
        }
        Ok(())
    }

    /// Has libgit2 write files, as it turns them into something else on the way.
    fn check_aside(&self, folder: &Path, tree: Oid, changes: &[&Change]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut checkout = CheckoutBuilder::new();
        checkout.force().update_index(false).disable_pathspec_match(true).target_dir(folder);
        for change in changes {
            checkout.path(change.path.as_path());
        }
        let object = self.repository.find_object(tree, None)?;
        self.repository.checkout_tree(&object, Some(&mut checkout))
    }

    /// Says whether every folder above `path` is a folder, or becomes one.
    fn has_free_parents(&self, path: &Path, removed: &BTreeSet<&Path>) -> bool {
        let parents = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
        parents.into_iter().all(|parent| match fs::symlink_metadata(self.top.join(parent)) {
            Ok(about) => about.is_dir() || removed.contains(parent),
            Err(error) => matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        })
    }

    /// Says whether `path` is a folder of which nothing is left once everything is removed.
    fn is_emptied(&self, path: &Path, removed: &BTreeSet<&Path>) -> bool {
        let Ok(entries) = fs::read_dir(self.top.join(path)) else { return false };
        entries.into_iter().all(|entry| {
            let Ok(entry) = entry else { return false };
            let below = path.join(entry.file_name());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            removed.contains(below.as_path()) || (is_folder && self.is_emptied(&below, removed))
        })
    }

    /// Says whether the checkout is sparse where a new path is to be.
    fn is_sparse_there(&self, path: &Path) -> bool {
        let config =
            self.repository.config().and_then(|config| config.get_bool("core.sparseCheckout"));
        let folder = path.parent().unwrap_or(Path::new(""));
        config.unwrap_or(false) && !self.top.join(folder).is_dir()
    }
}

pub(super) fn is_file(entry: Option<Entry>) -> bool {
    entry.is_some_and(|entry| entry.mode != SUBMODULE)
}

fn entry_of(staged: &IndexEntry) -> Entry {
    Entry { id: staged.id, mode: i32::try_from(staged.mode).unwrap_or_default() }
}

/// Says whether a file has the stamp that the index noted.
pub(super) fn has_stamp(staged: &IndexEntry, about: &fs::Metadata) -> bool {
    let low = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    let (seconds, nanoseconds) = (staged.mtime.seconds(), staged.mtime.nanoseconds());
    let is_link = about.file_type().is_symlink();
    let is_executable = about.permissions().mode() & 0o100 != 0;
    let mode = match (is_link, is_executable) {
        (true, _) => 0o120_000,
        (false, true) => 0o100_755,
        (false, false) => 0o100_644,
    };
    i64::from(seconds) == about.mtime()
        && i64::from(nanoseconds) == about.mtime_nsec()
        && staged.file_size == low(about.size())
        && (staged.ino == 0 || staged.ino == low(about.ino()))
        && staged.mode == mode
}

/// Says whether two files are alike: what is in them, and whether they are links or programs.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::symlink_metadata(one), fs::symlink_metadata(other)) else {
        return false;
    };
    if a.file_type() != b.file_type() {
        return false;
    }
    if a.file_type().is_symlink() {
        return fs::read_link(one).ok() == fs::read_link(other).ok();
    }
    let is_program = |about: &fs::Metadata| about.permissions().mode() & 0o100 != 0;
    if !a.is_file() || a.len() != b.len() || is_program(&a) != is_program(&b) {
        return false;
    }
    matches!((fs::read(one), fs::read(other)), (Ok(a), Ok(b)) if a == b)
}

/// Returns what the index is to say of a file: `new`, with the stamp of what is on disk where that is
/// as `new` says.
pub(super) fn staged(one: &Move, new: Entry, top: &Path) -> IndexEntry {
    let about = fs::symlink_metadata(top.join(&one.path)).ok();
    let about = about.filter(|about| one.file != FileMove::Leave && !about.is_dir());
    let flags_extended = if one.is_skipped { SKIP_WORKTREE } else { 0 };
    IndexEntry { flags_extended, ..stamped(&one.path, new, about.as_ref()) }
}

/// Returns what an index is to say of a file, with the stamp of what is on disk.
pub(super) fn stamped(path: &Path, new: Entry, about: Option<&fs::Metadata>) -> IndexEntry {
    let low = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    let time = |seconds: i64, nanoseconds: i64| {
        let seconds = i32::try_from(seconds).unwrap_or_default();
        IndexTime::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    };
    IndexEntry {
        ctime: about.map_or(IndexTime::new(0, 0), |a| time(a.ctime(), a.ctime_nsec())),
        mtime: about.map_or(IndexTime::new(0, 0), |a| time(a.mtime(), a.mtime_nsec())),
        dev: about.map_or(0, |a| low(a.dev())),
        ino: about.map_or(0, |a| low(a.ino())),
        mode: u32::try_from(new.mode).unwrap_or_default(),
        uid: about.map_or(0, MetadataExt::uid),
        gid: about.map_or(0, MetadataExt::gid),
        file_size: about.map_or(0, |a| low(a.size())),
        id: new.id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_bytes().to_vec(),
    }
}
