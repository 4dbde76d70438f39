//! Opens folders step by step from the root, so that no symbolic link on the way is followed.

use std::{io, os::fd::OwnedFd};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, fchmod, fstat, mkdirat, openat, statat},
    io::Errno,
    process::geteuid,
};

use super::{FOLDER, Store};
use crate::domain::format::layout::LOCAL_DIR;

/// What to do where a folder is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Report it.
    Fail,
    /// Make it, unless it is the store itself: one that is gone is not made by a writer that happens
    /// to come along.
    Create,
}

/// Folders are made for everyone that the umask lets in, but never to be written by all: what lies
/// in them opens gates and settles tasks.
const FOLDER_MODE: Mode = Mode::from_bits_retain(0o775);

/// What is local is for its owner only: logs and prompts may hold secrets, and what lies there is
/// believed.
const LOCAL_MODE: Mode = Mode::from_bits_retain(0o700);

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the folder `relative` below the root of `store`.
pub(super) fn open(store: &Store, relative: &str, missing: Missing) -> io::Result<OwnedFd> {
    let root = open_root(store)?;
    if let Some(found) = open_at_once(root, relative) {
        return Ok(found);
    }
    let mut folder = openat(root, ".", FLAGS, Mode::empty())?;
    if relative.is_empty() {
        return Ok(folder);
    }
    for (at, name) in parts(relative) {
        check_name(name)?;
        folder = match open_step(&folder, name) {
            Err(Errno::NOENT) if missing == Missing::Create && name != FOLDER => {
                match mkdirat(&folder, name, mode_of(at)) {
                    // Someone else was faster.
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno.into()),
                }
                open_step(&folder, name)
            }
            other => other,
        }
        .map_err(|errno| explain(errno, name))?;
    }
    Ok(folder)
}

/// Makes the folder `relative`, with as few calls as possible where those above it are there.
pub(super) fn make(store: &Store, relative: &str) -> io::Result<()> {
    let (above, name) = split(relative)?;
    let above = open(store, above, Missing::Create)?;
    match mkdirat(&above, name, mode_of(relative)) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => {
            open_step(&above, name).map(drop).map_err(|errno| explain(errno, name))
        }
        Err(errno) => Err(errno.into()),
    }
}

/// Returns the path of each folder on the way to `relative` and of that itself, with its name.
fn parts(relative: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = relative.match_indices('/').map(|(at, _)| at).chain([relative.len()]);
    ends.map(|end| relative.get(..end).unwrap_or(relative))
        .map(|path| (path, path.rsplit_once('/').map_or(path, |(_, name)| name)))
}

fn mode_of(path: &str) -> Mode {
    if path == LOCAL_DIR { LOCAL_MODE } else { FOLDER_MODE }
}

/// Takes away what others may do with the folder of what is local, where it is ours: an earlier
/// version, or somebody else, may have made it.
pub(super) fn keep_private(folder: &OwnedFd) {
    let Ok(about) = fstat(folder) else { return };
    let mode = Mode::from_raw_mode(about.st_mode);
    let is_ours = about.st_uid == geteuid().as_raw();
    if is_ours
        && mode.intersects(Mode::from_raw_mode(0o077))
        && let Err(error) = fchmod(folder, mode & LOCAL_MODE)
    {
        tracing::debug!(%error, "others may look into the folder of what is local");
    }
}

fn open_root(store: &Store) -> io::Result<&OwnedFd> {
    if let Some(root) = store.handle.get() {
        return Ok(root);
    }
    let root = openat(CWD, &store.root, FLAGS, Mode::empty())?;
    Ok(store.handle.get_or_init(|| root))
}

/// Opens a folder that is there in one call, under the same rules; `None` wherever that fails, so
/// that the way step by step tells why.
#[cfg(target_os = "linux")]
fn open_at_once(root: &OwnedFd, relative: &str) -> Option<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    if relative.is_empty() {
        return None;
    }
    relative.split('/').try_for_each(check_name).ok()?;
    openat2(root, relative, FLAGS, Mode::empty(), rules).ok()
}

/// Says, in one call, whether there is surely nothing at `path`.
pub(super) fn is_missing(store: &Store, path: &str) -> bool {
    let (Ok(root), Ok(_)) = (open_root(store), split(path)) else { return false };
    statat(root, path, AtFlags::SYMLINK_NOFOLLOW).is_err_and(|errno| errno == Errno::NOENT)
}

#[cfg(not(target_os = "linux"))]
fn open_at_once(_: &OwnedFd, _: &str) -> Option<OwnedFd> {
    None
}

/// Splits a path into its folder and its name, and refuses one that leaves the root.
pub(super) fn split(relative: &str) -> io::Result<(&str, &str)> {
    relative.split('/').try_for_each(check_name)?;
    Ok(relative.rsplit_once('/').unwrap_or(("", relative)))
}

fn open_step(folder: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    openat(folder, name, FLAGS | OFlags::NOFOLLOW, Mode::empty())
}

fn check_name(name: &str) -> io::Result<()> {
    if matches!(name, "" | "." | "..") || name.contains('\0') {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path leads out of the repository",
        ));
    }
    Ok(())
}

fn explain(errno: Errno, name: &str) -> io::Error {
    match errno {
        Errno::LOOP | Errno::NOTDIR => io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("`{name}` is not a folder, or is a symbolic link"),
        ),
        errno => errno.into(),
    }
}
