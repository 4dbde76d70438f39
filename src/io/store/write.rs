//! Writes files so that a reader, and a crash at any instant, finds the old or the new content
//! whole.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Write as _},
    os::fd::OwnedFd,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{
    fs::{
        AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, linkat, openat, renameat,
        renameat_with, statat, unlinkat,
    },
    io::Errno,
    process::{Pid, test_kill_process},
};

use super::{
    Store, StoreError,
    folder::{self, Missing},
};
use crate::io::beneath;

/// Sets temporary names of this process apart.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// New files may be read by everyone that the umask lets in.
const FILE_MODE: Mode = Mode::from_bits_retain(0o644);

/// Where files wait that gave way to a newer version.
const SPARE_FOLDER: &str = ".orch/local/spare";

/// How many of them.
pub const SPARES: u64 = 64;

/// Programs may be run by everyone who can read them.
const PROGRAM_MODE: Mode = Mode::from_bits_retain(0o755);

/// Prompts may hold what only their worker should see.
const SCRATCH_MODE: Mode = Mode::from_bits_retain(0o600);

/// How files are opened that are written in place. Whether they are files is looked at afterwards, and
/// until then nothing of them is lost, and nobody is waited for.
const IN_PLACE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

impl Store {
    /// Makes the repository root and the folders above it, where they are missing.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn create_root(&self) -> Result<(), StoreError> {
        std::fs::create_dir_all(&self.root)
            .map_err(|source| StoreError::Write { path: self.root.display().to_string(), source })
    }

    /// Writes the new file `path`, whole or not at all; its folders are made where they are
    /// missing.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where there is something at `path`; [`StoreError::Write`].
    pub fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.create_with(path, bytes, None)
    }

    fn create_with(&self, path: &str, bytes: &[u8], mode: Option<Mode>) -> Result<(), StoreError> {
        let write = || {
            let (folder, name) = self.open_for(path)?;
            let temp = Temp::write(&folder, name, bytes, mode)?;
            temp.move_to_new(name)
        };
        write().map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
            _ => StoreError::Write { path: path.to_owned(), source },
        })
    }

    /// As [`Self::create`], for a file that can be run.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_program(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.create_with(path, bytes, Some(PROGRAM_MODE))
    }

    /// Writes the file `path` in the place of what is there, or anew; keeps the permissions.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the old content is intact.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || {
            let (folder, name) = self.open_for(path)?;
            match mode_of_old(&folder, name)? {
                Some(mode) => Temp::write(&folder, name, bytes, Some(mode))?.exchange_with(name),
                None => Temp::write(&folder, name, bytes, None)?.move_over(name),
            }
        };
        write().map_err(|source| StoreError::Write { path: path.to_owned(), source })
    }

    /// Waits until everything that was written to the file system of the repository is on the
    /// disk.
    ///
    /// # Errors
    /// [`StoreError::Sync`].
    pub fn sync_file_system(&self) -> Result<(), StoreError> {
        let sync = || {
            let folder = File::open(&self.root)?;
            #[cfg(target_os = "linux")]
            rustix::fs::syncfs(&folder)?;
            #[cfg(not(target_os = "linux"))]
            rustix::fs::sync();
            drop(folder);
            Ok(())
        };
        let path = self.root.display().to_string();
        sync().map_err(|source| StoreError::Sync { path, source })
    }

    /// Writes the file `path` in place: for files that nobody reads before this returned, and that
    /// nobody misses after a crash.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn write_scratch(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || {
            let (folder, name) = self.open_for(path)?;
            let file = openat(&folder, name, IN_PLACE, SCRATCH_MODE)?;
            let mut file = beneath::own(file)?;
            file.set_len(0)?;
            file.write_all(bytes)
        };
        write().map_err(|source| StoreError::Write { path: path.to_owned(), source })
    }

    /// Makes the folder `path`, and those above it; one that is there is fine.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn make_folder(&self, path: &str) -> Result<(), StoreError> {
        folder::make(self, path)
            .map_err(|source| StoreError::Write { path: path.to_owned(), source })
    }

    /// As [`Self::replace`], for files that are rewritten often: the file that gives way is not
    /// removed, but kept as the room for one of the next. Removing many files makes ext4 slow to
    /// create others, because it does not give their inodes out again for a while.
    ///
    /// A reader that opened the old file and reads it only after [`SPARES`] further calls may see
    /// something else. Only the one coordinator may call this.
    ///
    /// # Errors
    /// [`StoreError::Write`]; the old content is intact.
    pub fn swap(&self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let write = || {
            let (folder, name) = self.open_for(path)?;
            let spares = folder::open(self, SPARE_FOLDER, Missing::Create)?;
            let spare = (SEQUENCE.fetch_add(1, Ordering::Relaxed) % SPARES).to_string();
            let mut file = beneath::own(openat(&spares, &*spare, IN_PLACE, FILE_MODE)?)?;
            file.write_all(bytes)?;
            // Only where the old content is longer: the call costs as much as all the rest.
            if fstat(&file)?.st_size.cast_unsigned() > bytes.len() as u64 {
                file.set_len(bytes.len() as u64)?;
            }
            match renameat_with(&spares, &*spare, &folder, name, RenameFlags::EXCHANGE) {
                Err(errno) if errno == Errno::NOENT || is_unsupported(errno) => {
                    Ok(renameat(&spares, &*spare, &folder, name)?)
                }
                result => Ok(result?),
            }
        };
        write().map_err(|source: io::Error| StoreError::Write { path: path.to_owned(), source })
    }

    /// Keeps what is local out of git.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn ignore_local(&self) -> Result<(), StoreError> {
        let ignore = format!("{}/.gitignore", crate::domain::format::layout::LOCAL_DIR);
        match self.read_file(&ignore) {
            Ok(_) => Ok(()),
            Err(_) => self.replace(&ignore, b"*\n"),
        }
    }

    /// Makes sure that the files `paths` and their names survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Sync`].
    pub fn sync_all(&self, paths: &[&str]) -> Result<(), StoreError> {
        let mut folders = BTreeSet::new();
        for path in paths {
            let mut sync = || {
                let (folder, name) = folder::split(path)?;
                let handle = folder::open(self, folder, Missing::Fail)?;
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = openat(&handle, name, flags, Mode::empty())?;
                folders.insert(folder);
                File::from(file).sync_all()
            };
            sync().map_err(|source| StoreError::Sync { path: (*path).to_owned(), source })?;
        }
        folders.into_iter().try_for_each(|folder| self.sync_folder(folder))
    }

    /// Makes sure that the names in the folder `path`, and its own name and those above it,
    /// survive a power cut.
    ///
    /// # Errors
    /// [`StoreError::Sync`].
    pub fn sync_folder(&self, path: &str) -> Result<(), StoreError> {
        let mut rest = path;
        loop {
            folder::open(self, rest, Missing::Fail)
                .and_then(|folder| File::from(folder).sync_all())
                .map_err(|source| StoreError::Sync { path: rest.to_owned(), source })?;
            if rest.is_empty() {
                return Ok(());
            }
            rest = rest.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// Opens the folder of `path`, made where it is missing; returns it with the name in it.
    pub(super) fn open_for<'p>(&self, path: &'p str) -> io::Result<(OwnedFd, &'p str)> {
        let (folder, name) = folder::split(path)?;
        Ok((folder::open(self, folder, Missing::Create)?, name))
    }
}

/// Returns the permissions of the file `name`; `None` where there is none.
fn mode_of_old(folder: &OwnedFd, name: &str) -> io::Result<Option<Mode>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
        Ok(about) if FileType::from_raw_mode(about.st_mode) == FileType::RegularFile => {
            Ok(Some(Mode::from_raw_mode(about.st_mode)))
        }
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "something that is not a regular file is in its place",
        )),
    }
}

/// A file that is written whole, but does not bear its name yet. Dropping it removes it.
struct Temp<'a> {
    folder: &'a OwnedFd,
    name: String,
    is_moved: bool,
}

impl<'a> Temp<'a> {
    /// Writes `bytes` beside `name`, with the permissions `mode` where they are given.
    fn write(
        folder: &'a OwnedFd,
        name: &str,
        bytes: &[u8],
        mode: Option<Mode>,
    ) -> io::Result<Self> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (temp, file) = loop {
            let temp = temp_name(name);
            match openat(folder, &*temp, flags, mode.unwrap_or(FILE_MODE)) {
                Ok(file) => break (Self { folder, name: temp, is_moved: false }, file),
                // A dead process had the same number.
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        };
        if let Some(mode) = mode
            && Mode::from_raw_mode(fstat(&file)?.st_mode) != mode
        {
            fchmod(&file, mode)?;
        }
        File::from(file).write_all(bytes)?;
        Ok(temp)
    }

    /// Gives the file its name where nothing bears that name.
    fn move_to_new(mut self, name: &str) -> io::Result<()> {
        match renameat_with(self.folder, &*self.name, self.folder, name, RenameFlags::NOREPLACE) {
            Err(errno) if is_unsupported(errno) => {
                // Dropping `self` removes the other name.
                linkat(self.folder, &*self.name, self.folder, name, AtFlags::empty())?;
            }
            result => {
                result?;
                self.is_moved = true;
            }
        }
        Ok(())
    }

    /// Gives the file its name; what bore it is removed with `self`. A rename over the old file
    /// would make ext4 write the data out at once, which takes three times as long.
    fn exchange_with(self, name: &str) -> io::Result<()> {
        match renameat_with(self.folder, &*self.name, self.folder, name, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // Removed by someone a moment ago, or this file system cannot exchange.
            Err(errno) if errno == Errno::NOENT || is_unsupported(errno) => self.move_over(name),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives the file its name, whatever bears it.
    fn move_over(mut self, name: &str) -> io::Result<()> {
        renameat(self.folder, &*self.name, self.folder, name)?;
        self.is_moved = true;
        Ok(())
    }
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if !self.is_moved
            && let Err(error) = unlinkat(self.folder, &*self.name, AtFlags::empty())
        {
            tracing::debug!(%error, name = self.name, "a temporary file stays behind");
        }
    }
}

fn is_unsupported(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP)
}

/// Returns a name for an unfinished file: hidden, so that no reader takes it for the real one.
fn temp_name(name: &str) -> String {
    let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
    format!(".{name}.tmp-{}-{sequence}", std::process::id())
}

/// Says whether `name` is that of an unfinished file whose writer is gone.
pub(super) fn is_abandoned(name: &str) -> bool {
    let Some((_, tail)) = name.strip_prefix('.').and_then(|rest| rest.rsplit_once(".tmp-")) else {
        return false;
    };
    let Some((pid, sequence)) = tail.split_once('-') else { return false };
    let (Ok(pid), Ok(sequence)) = (pid.parse::<i32>(), sequence.parse::<u64>()) else {
        return false;
    };
    if u32::try_from(pid) == Ok(std::process::id()) {
        // Of an earlier process with our number; our own numbers are lower.
        return sequence >= SEQUENCE.load(Ordering::Relaxed);
    }
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}
