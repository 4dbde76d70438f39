//! Opens folders step by step from the root, so that no symbolic link on the way is followed.

use std::{io, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{CWD, Mode, OFlags, mkdirat, openat},
    io::Errno,
};

/// What to do where a folder is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Report it.
    Fail,
    /// Make it.
    Create,
}

/// Folders are made for everyone that the umask lets in.
const FOLDER_MODE: Mode = Mode::from_bits_retain(0o777);

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the folder `relative` below `root`.
pub(super) fn open(root: &Path, relative: &str, missing: Missing) -> io::Result<OwnedFd> {
    let mut folder = openat(CWD, root, FLAGS, Mode::empty())?;
    if relative.is_empty() {
        return Ok(folder);
    }
    for name in relative.split('/') {
        check_name(name)?;
        folder = match open_step(&folder, name) {
            Err(Errno::NOENT) if missing == Missing::Create => {
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
