//! Opens folders step by step from the root, so that no symbolic link on the way is followed.

use std::{io, os::fd::OwnedFd};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, statat},
    io::Errno,
};

use super::{FOLDER, Store};

/// What to do where a folder is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Report it.
    Fail,
    /// Make it, unless it is the store itself: one that is gone is not made by a writer that happens
    /// to come along.
    Create,
}

/// Folders are made for everyone that the umask lets in.
const FOLDER_MODE: Mode = Mode::from_bits_retain(0o777);

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
    for name in relative.split('/') {
        check_name(name)?;
        folder = match open_step(&folder, name) {
            Err(Errno::NOENT) if missing == Missing::Create && name != FOLDER => {
                match mkdirat(&folder, name, FOLDER_MODE) {
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
    match mkdirat(&above, name, FOLDER_MODE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => {
            open_step(&above, name).map(drop).map_err(|errno| explain(errno, name))
        }
        Err(errno) => Err(errno.into()),
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
