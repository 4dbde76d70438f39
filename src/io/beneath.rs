//! Opens files of a plan by their full path, for whoever has no store at hand: logs, prompts,
//! ledgers.
//!
//! Below the folder `.orch` no symbolic link is followed, neither in the place of the file nor on the
//! way to it, also where somebody swaps one in meanwhile: what is checked is what is used. Nothing
//! but a regular file is opened, without ever waiting for the other end of a pipe.

use std::{
    ffi::OsStr,
    fs::File,
    io,
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, mkdirat, openat, renameat, statat},
    io::Errno,
};

/// The folder below which no link is followed.
const GUARDED: &str = ".orch";

/// What is made on the way to a log may hold secrets: only its owner may look.
const FOLDER_MODE: Mode = Mode::from_bits_retain(0o700);

/// As for the folders.
const FILE_MODE: Mode = Mode::from_bits_retain(0o600);

/// Folders are only passed through, where the system knows that.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What holds for every file.
const FILE: OFlags =
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens the file `path` to read it.
///
/// # Errors
/// Why it cannot be had; [`io::ErrorKind::NotFound`] where it is not there.
pub fn open(path: &Path) -> io::Result<File> {
    let (folder, name) = place(path)?;
    let file = openat(&folder, name, FILE | OFlags::RDONLY, Mode::empty());
    let (file, _) = regular(file.map_err(|errno| explain(errno, name))?)?;
    Ok(file)
}

/// Opens the file `path` to write it, in the way that `flags` say; one that has other names, too, is
/// refused, as what lies under those may not be ours.
///
/// # Errors
/// As [`open`].
pub fn open_to_write(path: &Path, flags: OFlags) -> io::Result<File> {
    let (folder, name) = place(path)?;
    let file = openat(&folder, name, FILE | flags, FILE_MODE);
    own(file.map_err(|errno| explain(errno, name))?)
}

/// Returns the file that was opened to be written, where it is one, and has no other name.
///
/// # Errors
/// Why it is not to be written.
pub fn own(file: OwnedFd) -> io::Result<File> {
    let (file, about) = regular(file)?;
    match about.st_nlink {
        0 | 1 => Ok(file),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "the file has another name, too")),
    }
}

/// Makes the folder `path`, and the one above it where that is missing, but no more.
///
/// # Errors
/// Why it cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let make = |path: &Path| {
        let (folder, name) = place(path)?;
        match mkdirat(&folder, name, FOLDER_MODE) {
            Err(Errno::EXIST) | Ok(()) => Ok(()),
            Err(errno) => Err(io::Error::from(errno)),
        }
    };
    match (make(path), path.parent()) {
        (Err(error), Some(above)) if error.kind() == io::ErrorKind::NotFound => {
            make(above).and_then(|()| make(path))
        }
        (result, _) => result,
    }
}

/// Returns what the file system says of `path`, of a link where it is one; `None` where that is
/// nothing.
pub fn about(path: &Path) -> Option<Stat> {
    let (folder, name) = place(path).ok()?;
    statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()
}

/// Gives the file `path` the name `name` in its folder.
///
/// # Errors
/// Why that cannot be.
pub fn rename(path: &Path, name: &OsStr) -> io::Result<()> {
    let (folder, old) = place(path)?;
    Ok(renameat(&folder, old, &folder, name)?)
}

/// Returns the open folder of `path`, and the name in it.
fn place(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no path of a file"));
    };
    let parts: Vec<Component<'_>> = folder.components().collect();
    let is_guarded = |part: &Component<'_>| part.as_os_str() == GUARDED;
    let n_free = parts.iter().rposition(is_guarded).unwrap_or(parts.len());
    let mut base: PathBuf = parts.iter().take(n_free).collect();
    if base.as_os_str().is_empty() {
        base.push(".");
    }
    let mut open = openat(CWD, &base, FOLDER, Mode::empty())?;
    for part in parts.iter().skip(n_free) {
        let Component::Normal(part) = part else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path leads elsewhere"));
        };
        let below = openat(&open, *part, FOLDER | OFlags::NOFOLLOW, Mode::empty());
        open = below.map_err(|errno| explain(errno, part))?;
    }
    Ok((open, name))
}

fn regular(file: OwnedFd) -> io::Result<(File, Stat)> {
    let about = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(about.st_mode) {
        FileType::RegularFile => Ok((File::from(file), about)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

fn explain(errno: Errno, name: &OsStr) -> io::Error {
    let what = match errno {
        Errno::LOOP => "is a symbolic link",
        Errno::NOTDIR => "is not a folder, or is a symbolic link",
        // What opening a pipe says that nobody reads.
        Errno::NXIO => {
            return io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        }
        errno => return errno.into(),
    };
    io::Error::new(io::ErrorKind::NotADirectory, format!("`{}` {what}", name.display()))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::{fs::symlink, net::UnixListener},
    };

    use super::*;

    const APPEND: OFlags = OFlags::WRONLY.union(OFlags::APPEND).union(OFlags::CREATE);

    #[test]
    fn nothing_below_the_guarded_folder_leads_elsewhere() {
        let (plan, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = plan.path().join("link");
        fs::create_dir_all(plan.path().join("real/.orch/local/logs/a")).unwrap();
        symlink("real", &root).unwrap();
        fs::write(outside.path().join("1.log"), "outside").unwrap();
        let at = |path: &str| root.join(".orch/local").join(path);
        symlink(outside.path(), at("logs/linked")).unwrap();
        symlink(outside.path().join("1.log"), at("logs/a/link.log")).unwrap();
        symlink("a", at("logs/inner")).unwrap();
        fs::create_dir(at("logs/a/folder.log")).unwrap();
        fs::write(at("logs/a/two.log"), "").unwrap();
        fs::hard_link(at("logs/a/two.log"), at("logs/a/other.log")).unwrap();
        let socket = UnixListener::bind(at("logs/a/socket.log")).unwrap();
        let pipe = at("logs/a/pipe.log");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
        // What it is, and whether it can be read and written.
        let table = [
            ("logs/a/new.log", false, true),
            ("logs/a/two.log", true, false),
            ("logs/linked/1.log", false, false),
            ("logs/inner/new.log", false, false),
            ("logs/a/link.log", false, false),
            ("logs/a/folder.log", false, false),
            ("logs/a/socket.log", false, false),
            ("logs/a/pipe.log", false, false),
            ("logs/a/../../../../new.log", false, false),
            ("missing/a/1.log", false, false),
        ];
        for (path, is_read, is_written) in table {
            assert_eq!(open(&at(path)).is_ok(), is_read, "{path}");
            assert_eq!(open_to_write(&at(path), APPEND).is_ok(), is_written, "{path}");
        }
        assert!(make_folder(&at("logs/linked/new")).is_err());
        assert!(make_folder(&at("x/y/z")).is_err());
        make_folder(&at("x/y")).unwrap();
        make_folder(&at("x/y")).unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(outside.path().join("1.log")).unwrap(), "outside");
        drop(socket);
    }
}
