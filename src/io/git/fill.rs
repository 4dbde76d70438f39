//! The files of a worktree that is being made.
//!
//! In a folder that is empty nothing can be in the way, so there is nothing to compare: files are
//! written as they are in the objects, by several threads. Where git would turn them into something
//! else on the way (line ends, `$Id$`), or where files of other names may be the same file, libgit2
//! checks them out.

use std::{
    fs,
    io::{self, Write as _},
    num::NonZero,
    os::unix::{
        ffi::{OsStrExt as _, OsStringExt as _},
        fs::{OpenOptionsExt as _, symlink},
    },
    path::{Component, Path, PathBuf},
    thread,
};

use git2::{Error, Index, IndexEntry, Odb, Oid, Repository, build::CheckoutBuilder};

use super::{
    advance::of_io,
    conversion::converts_any,
    paths::{Entry, listing},
    shift::{LINK, PROGRAM, SUBMODULE, stamped},
};

/// Most threads: the file system has only so much to do at once.
const THREADS_MAX: usize = 4;

/// The mode of a file that is neither a link nor a program.
const PLAIN: i32 = 0o100_644;

/// A file that is to be written: its path relative to the top folder, and what it is.
pub(super) type Wanted = (PathBuf, Entry);

/// Writes the files of `tree` into the worktree of `repository`, which is empty, and its index.
///
/// # Errors
/// Whatever libgit2 or the file system says.
pub(super) fn fill(repository: &Repository, tree: Oid) -> Result<(), Error> {
    let mut contents = Contents::default();
    contents.read(repository, Path::new(""), tree)?;
    let top = repository.workdir().map(Path::to_owned);
    match top.filter(|_| contents.is_plain && !converts_any(repository, &contents.files)) {
        Some(top) => write_all(repository, &top, &contents),
        None => {
            let tree = repository.find_object(tree, None)?;
            repository.checkout_tree(&tree, Some(CheckoutBuilder::new().force()))
        }
    }
}

/// What is in a tree, with all that is below it.
struct Contents {
    /// Folders, each before what is in it.
    folders: Vec<PathBuf>,
    files: Vec<Wanted>,
    /// Whether all of it has a name and a kind that any file may have.
    is_plain: bool,
}

impl Default for Contents {
    fn default() -> Self {
        Self { folders: Vec::new(), files: Vec::new(), is_plain: true }
    }
}

impl Contents {
    fn read(&mut self, repository: &Repository, folder: &Path, tree: Oid) -> Result<(), Error> {
        for (name, entry) in listing(repository, Some(tree))? {
            self.is_plain &= is_plain_name(&name);
            let path = folder.join(std::ffi::OsString::from_vec(name));
            if entry.is_folder() {
                self.folders.push(path.clone());
                self.read(repository, &path, entry.id)?;
            } else {
                self.is_plain &= [PLAIN, PROGRAM, LINK, SUBMODULE].contains(&entry.mode);
                if entry.mode == SUBMODULE {
                    self.folders.push(path.clone());
                }
                self.files.push((path, entry));
            }
        }
        Ok(())
    }
}

/// Says whether a name in a tree is one of a single file that git may write. libgit2 says what is
/// wrong with others.
fn is_plain_name(name: &[u8]) -> bool {
    let name = Path::new(std::ffi::OsStr::from_bytes(name));
    let mut parts = name.components();
    let is_one = matches!(parts.next(), Some(Component::Normal(part)) if part == name.as_os_str());
    is_one && parts.next().is_none() && !name.as_os_str().eq_ignore_ascii_case(".git")
}

/// Says whether a path consists of such names.
pub(super) fn is_plain_path(path: &Path) -> bool {
    path.as_os_str().as_bytes().split(|byte| *byte == b'/').all(is_plain_name)
}

/// Writes files, by several threads, and then the index.
fn write_all(repository: &Repository, top: &Path, contents: &Contents) -> Result<(), Error> {
    for folder in &contents.folders {
        let path = top.join(folder);
        fs::create_dir(&path).map_err(|error| of_io(&path, &error))?;
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let share = contents.files.len().div_ceil(threads).max(1);
    let git_dir = repository.path();
    let written: Vec<Result<Vec<IndexEntry>, Error>> = thread::scope(|scope| {
        let shares = contents.files.chunks(share);
        let begun: Vec<_> =
            shares.map(|files| scope.spawn(move || write_share(git_dir, top, files))).collect();
        let died = || Err(Error::from_str("a thread that writes files died"));
        begun.into_iter().map(|one| one.join().unwrap_or_else(|_| died())).collect()
    });
    let mut index = Index::open(&git_dir.join("index"))?;
    for entries in written {
        for entry in entries? {
            index.add(&entry)?;
        }
    }
    // The index notes which tree each folder is: commits need not make those anew that stay.
    index.write_tree_to(repository)?;
    index.write()
}

fn write_share(git_dir: &Path, top: &Path, files: &[Wanted]) -> Result<Vec<IndexEntry>, Error> {
    let repository = Repository::open(git_dir)?;
    let odb = repository.odb()?;
    let write = |(path, entry): &Wanted| {
        let place = top.join(path);
        let about = write_one(&odb, &place, *entry)?;
        Ok(stamped(path, *entry, Some(&about)))
    };
    files.iter().map(write).collect()
}

/// Writes a file where none is; returns what the file system says of it.
pub(super) fn write_one(odb: &Odb<'_>, place: &Path, entry: Entry) -> Result<fs::Metadata, Error> {
    let failed = |error: io::Error| of_io(place, &error);
    if entry.mode == SUBMODULE {
        return fs::symlink_metadata(place).map_err(failed);
    }
    let object = odb.read(entry.id)?;
    if entry.mode == LINK {
        symlink(std::ffi::OsStr::from_bytes(object.data()), place).map_err(failed)?;
        return fs::symlink_metadata(place).map_err(failed);
    }
    let mode = if entry.mode == PROGRAM { 0o777 } else { 0o666 };
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(place).map_err(failed)?;
    file.write_all(object.data()).map_err(failed)?;
    file.metadata().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_must_not_write_are_left_to_libgit2() {
        for name in ["", ".", "..", "a/b", "/a", ".git", ".GIT", "a/"] {
            assert!(!is_plain_name(name.as_bytes()), "{name:?}");
        }
        for name in ["a", ".gitignore", "..a", "a b", "\u{e9}"] {
            assert!(is_plain_name(name.as_bytes()), "{name:?}");
        }
    }
}
