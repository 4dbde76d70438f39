//! The lock that makes one coordinator of a repository the only one.
//!
//! It is held by an open file, so it dies with its process, however that ends. What stands in the
//! file is for people.

use std::{
    fmt,
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::fd::OwnedFd,
    thread,
    time::Duration,
};

use rustix::{
    fs::{AtFlags, Mode, OFlags, fstat, openat, statat},
    io::Errno,
    process::{Pid, test_kill_process},
};

use super::{
    FOLDER, Store, StoreError,
    folder::{self, Missing},
};
use crate::{
    domain::{format::layout::LOCAL_DIR, model::time::Now},
    io::beneath,
};

/// Where the lock is.
pub const PATH: &str = ".orch/local/lock";

/// A reader that asks for the holder may hold the lock for an instant: so it counts as held after
/// this many tries only.
const TRIES: u32 = 10;

/// A child between its start and its first instruction holds it, too, also where its parent died
/// meanwhile: so where the process in the lock is dead there are more tries, for a second.
const TRIES_AFTER_DEATH: u32 = 200;

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(5);

/// What stands in the lock.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LockInfo {
    /// The process.
    pub pid: u32,
    /// Which start of the machine its number belongs to; empty where that is not known.
    pub boot_id: String,
    /// When it took the lock, RFC 3339.
    pub started: String,
    /// The machine.
    pub host: String,
}

impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {} since {}", self.pid, self.host, self.started)
    }
}

impl LockInfo {
    /// Says whether the process is one of this machine, since its last start: then its number
    /// means something here. A container that shares the folder counts as another machine.
    pub fn is_here(&self) -> bool {
        self.pid > 1 && self.host == host() && self.boot_id == boot_id()
    }
}

impl LockInfo {
    /// Says whether the process was one of this machine, and is no more.
    fn is_dead(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        self.is_here() && pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
    }

    /// Says whether the process is or was one of a machine with the name of this one.
    pub fn is_of_this_host(&self) -> bool {
        self.host == host()
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another coordinator has it.
    #[error("another coordinator is at work here: {}", describe(.0.as_ref()))]
    Held(Option<LockInfo>),
    /// Workers are at work that no record names: their coordinator waits for its place, or is gone.
    #[error(
        "workers are at work here that no record names, because `.orch` was taken away under them: \
         {}", numbers(.0)
    )]
    Strangers(Vec<u32>),
    /// Someone took it away while it was held.
    #[error("`{PATH}` was removed or replaced: another coordinator could start beside this one")]
    Lost,
    /// The world failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the file; says whether it had to be made.
fn open_or_make(folder: &OwnedFd, name: &str) -> io::Result<(File, bool)> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |flags| openat(folder, name, flags, Mode::from_raw_mode(0o600));
    match open(flags) {
        Ok(file) => Ok((beneath::own(file)?, false)),
        Err(Errno::NOENT) => Ok((beneath::own(open(flags | OFlags::CREATE)?)?, true)),
        Err(errno) => Err(errno.into()),
    }
}

fn numbers(pids: &[u32]) -> String {
    let named: Vec<String> = pids.iter().take(5).map(u32::to_string).collect();
    let more = if pids.len() > named.len() { " and others" } else { "" };
    format!("processes {}{more}", named.join(", "))
}

fn describe(info: Option<&LockInfo>) -> String {
    info.map_or_else(|| format!("it holds {PATH}"), LockInfo::to_string)
}

/// Makes its owner the one coordinator, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    store: Store,
    /// Whether there was no such file: nobody was at work here yet, or all of it was taken away.
    is_new: bool,
}

impl Lock {
    /// Takes the lock; one whose process is dead is free.
    ///
    /// # Errors
    /// [`LockError::Held`] where another process has it; [`LockError::Store`].
    pub fn take(store: &Store, now: Now) -> Result<Self, LockError> {
        let failed = |source| StoreError::Lock { path: PATH.to_owned(), source };
        for i in 0..TRIES_AFTER_DEATH {
            if i > 0 {
                thread::sleep(PAUSE);
            }
            if i >= TRIES && !read_info(store).is_some_and(|info| info.is_dead()) {
                break;
            }
            let (folder, name) = store.open_for(PATH).map_err(failed)?;
            folder::keep_private(&folder);
            let (file, is_new) = open_or_make(&folder, name).map_err(failed)?;
            // No `Lock` before it is held: dropping one wipes out what stands in the file.
            match file.try_lock() {
                Ok(()) => {
                    let mut lock = Self { file, store: store.clone(), is_new };
                    // Someone may have removed the file between the opening and the locking.
                    if lock.misplaced()?.is_none() {
                        lock.write_info(now).map_err(failed)?;
                        return Ok(lock);
                    }
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error).into()),
            }
        }
        Err(LockError::Held(read_info(store)))
    }

    /// Says whether nobody has held it before, as far as can be seen.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns what became of the file, where it is not the one any more that everyone else would
    /// try to lock: someone removed or replaced it, or a folder above it.
    ///
    /// # Errors
    /// [`StoreError::Lock`] where that cannot be found out now.
    pub fn misplaced(&self) -> Result<Option<String>, StoreError> {
        let failed = |source| StoreError::Lock { path: PATH.to_owned(), source };
        let (folder, name) = folder::split(PATH).map_err(failed)?;
        let is_gone = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        };
        let folder = match folder::open(&self.store, folder, Missing::Fail) {
            Ok(folder) => folder,
            Err(error) if is_gone(&error) => return Ok(Some(self.missing_folder())),
            Err(error) => return Err(failed(error)),
        };
        let theirs = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(theirs) => theirs,
            Err(Errno::NOENT) => return Ok(Some(format!("`{PATH}` was removed"))),
            Err(errno) => return Err(failed(errno.into())),
        };
        let ours = fstat(&self.file).map_err(|errno| failed(errno.into()))?;
        let is_it = (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino);
        Ok((!is_it).then(|| format!("`{PATH}` was replaced")))
    }

    /// Returns which of the folders above the file is not there.
    fn missing_folder(&self) -> String {
        let is_folder = |path: &str| folder::open(&self.store, path, Missing::Fail).map(drop);
        match (is_folder(FOLDER), is_folder(LOCAL_DIR)) {
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                format!("`{FOLDER}` is gone")
            }
            (Err(_), _) => format!("`{FOLDER}` is no folder now, or is a symbolic link"),
            (Ok(()), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                format!("`{LOCAL_DIR}` is gone")
            }
            _ => format!("`{LOCAL_DIR}` is no folder now, or is a symbolic link"),
        }
    }

    fn write_info(&mut self, now: Now) -> io::Result<()> {
        let info = LockInfo {
            pid: std::process::id(),
            boot_id: boot_id(),
            started: now.wall.to_string(),
            host: host(),
        };
        let mut text = serde_json::to_string(&info)?;
        text.push('\n');
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A child that has not reached its `exec` yet holds a copy of the file: closing alone
        // would free the lock a moment later.
        if let Err(error) = self.file.set_len(0).and_then(|()| self.file.unlock()) {
            tracing::debug!(%error, "failed to give back {PATH}");
        }
    }
}

/// Returns who holds the lock now; `None` where nobody does.
///
/// # Errors
/// [`StoreError::Lock`].
pub fn holder(store: &Store) -> Result<Option<LockInfo>, StoreError> {
    let failed = |source| StoreError::Lock { path: PATH.to_owned(), source };
    let Some(file) = open_for_reading(store) else { return Ok(None) };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => Ok(Some(read_info(store).unwrap_or(LockInfo {
            pid: 0,
            boot_id: String::new(),
            started: "an unknown time".to_owned(),
            host: "an unknown machine".to_owned(),
        }))),
    }
}

/// Says whether the process `pid` has the lock open: what stands in the file may be wrong. Assumed
/// where the system does not tell.
pub fn is_open_in(store: &Store, pid: u32) -> bool {
    let Some(Ok(lock)) = open_for_reading(store).map(fstat) else { return false };
    let open = match std::fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return true,
        Err(_) => return !std::path::Path::new("/proc/self/fd").exists(),
    };
    open.flatten()
        .filter_map(|entry| rustix::fs::stat(entry.path()).ok())
        .any(|file| (file.st_dev, file.st_ino) == (lock.st_dev, lock.st_ino))
}

/// Returns what a process that ended without giving the lock back left in it; `None` where the lock
/// is held, or empty.
///
/// # Errors
/// [`StoreError::Lock`].
pub fn left_behind(store: &Store) -> Result<Option<LockInfo>, StoreError> {
    Ok(if holder(store)?.is_some() { None } else { read_info(store) })
}

fn read_info(store: &Store) -> Option<LockInfo> {
    let mut text = String::new();
    open_for_reading(store)?.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn open_for_reading(store: &Store) -> Option<File> {
    let (folder, name) = folder::split(PATH).ok()?;
    let folder = folder::open(store, folder, Missing::Fail).ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(&folder, name, flags, Mode::empty()).ok().map(File::from)
}

/// Returns the name of this machine.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Returns what names this start of the machine; empty where the system does not tell.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
