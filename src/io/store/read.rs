//! Reads files: fast, and without ever following a link, blocking, or taking in too much.

use std::{
    fs::File,
    io::{self, Read as _},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    sync::{Mutex, PoisonError},
    thread,
    time::UNIX_EPOCH,
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat},
    io::Errno,
};

use super::{
    Store, StoreError,
    find::Found,
    folder::{self, Missing},
    stamp::Stamp,
};
use crate::{
    domain::model::{
        limits::{FILE_BYTES_MAX, FOLDER_DEPTH_MAX},
        time::Timestamp,
    },
    io::shortage,
};

/// Fewer files are read by one thread: a second one costs more than it saves.
const FILES_FOR_TWO_THREADS: usize = 256;

/// Holds nearly every file whole; grows where one is larger.
const BUFFER_BYTES: usize = 32 * 1024;

/// Why a file was not read, as a phrase that follows its name.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// Links are not followed.
    #[error("is a symbolic link")]
    SymbolicLink,
    /// A folder with the name of a file.
    #[error("is a folder")]
    Folder,
    /// Something else in the place of a folder.
    #[error("is not a folder")]
    NoFolder,
    /// A repository within the repository.
    #[error("is a submodule")]
    Submodule,
    /// Reading it would block.
    #[error("is a named pipe")]
    NamedPipe,
    /// It has no content.
    #[error("is a socket")]
    Socket,
    /// Reading it may never end.
    #[error("is a device")]
    Device,
    /// More than [`FILE_BYTES_MAX`].
    #[error("is larger than {} MiB", FILE_BYTES_MAX / (1024 * 1024))]
    TooLarge,
    /// Below more than [`FOLDER_DEPTH_MAX`] folders.
    #[error("lies more than {FOLDER_DEPTH_MAX} folders deep")]
    TooDeep,
    /// Its name cannot be written down.
    #[error("has a name that is not UTF-8")]
    NameNotUtf8,
    /// There is no such file.
    #[error("does not exist")]
    Missing,
    /// The system refuses it.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
}

impl From<Errno> for ReadFault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::Missing,
            Errno::LOOP | Errno::MLINK => Self::SymbolicLink,
            // What `open` says of a socket.
            Errno::NXIO | Errno::OPNOTSUPP => Self::Socket,
            errno => Self::Unreadable(errno.into()),
        }
    }
}

impl Store {
    /// Returns when the file `path`, or what is in its place, was written last.
    pub fn modified(&self, path: &str) -> Option<Timestamp> {
        let about = std::fs::symlink_metadata(self.path(path)).ok()?;
        let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Timestamp)
    }

    /// Returns the number that the file system gave to the repository root: a copy has another.
    pub fn folder_number(&self) -> Option<u64> {
        std::fs::metadata(self.root()).ok().map(|about| about.ino())
    }

    /// Calls `each` with path, content and stamp of every file below `dir` whose name ends with
    /// one of `endings`, and returns what it returned, ordered by path.
    ///
    /// Hidden files and folders are passed over, and with them the temporary ones. What cannot be
    /// read is handed on as a fault, without a stamp. A missing `dir` is an empty one.
    ///
    /// # Errors
    /// [`StoreError::Read`] where `dir` itself cannot be read, or where the process is out of
    /// file descriptors or memory: that says nothing about the files.
    pub fn visit<T: Send>(
        &self,
        dir: &str,
        endings: &[&str],
        each: impl Fn(&str, Result<&[u8], ReadFault>, Option<Stamp>) -> T + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let mut first = self.find(dir, endings)?;
        let read = |files| read_all(self, files, &each);
        if first.len() < FILES_FOR_TWO_THREADS {
            return read(first);
        }
        let second = Mutex::new(first.split_off(first.len() / 2));
        let read_second =
            || read(std::mem::take(&mut *second.lock().unwrap_or_else(PoisonError::into_inner)));
        thread::scope(|scope| {
            let helper = thread::Builder::new().spawn_scoped(scope, read_second);
            let mut all = read(first)?;
            let more = match helper.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(more)) => more?,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                // The system gives no thread now: this one does it all.
                Err(_) => read_second()?,
            };
            all.extend(more);
            Ok(all)
        })
    }

    /// Returns the content of the file `path`.
    ///
    /// # Errors
    /// Why it was not read.
    pub fn read_file(&self, path: &str) -> Result<Vec<u8>, ReadFault> {
        // A missing file is common here, and opening its folder would wake whoever watches that.
        if folder::is_missing(self, path) {
            return Err(ReadFault::Missing);
        }
        self.read_stamped(path).map(|(bytes, _)| bytes)
    }

    /// Returns the content of the file `path`, and the stamp that it had when it was opened.
    ///
    /// # Errors
    /// Why it was not read.
    pub fn read_stamped(&self, path: &str) -> Result<(Vec<u8>, Stamp), ReadFault> {
        let mut reader = Reader::new(self, 0);
        let (bytes, stamp) = reader.read(path)?;
        let n_bytes = bytes.len();
        reader.buffer.truncate(n_bytes);
        Ok((reader.buffer, stamp))
    }

    /// Returns path and stamp of all that [`Store::visit`] reads, without reading it, in order;
    /// no stamp for what cannot be read.
    ///
    /// # Errors
    /// As [`Store::visit`].
    pub fn stamps(
        &self,
        dir: &str,
        endings: &[&str],
    ) -> Result<Vec<(String, Option<Stamp>)>, StoreError> {
        let mut reader = Reader::new(self, 0);
        let found = self.find(dir, endings)?;
        let mut stamps = Vec::with_capacity(found.len());
        for Found { path, fault } in found {
            match reader.stamp(&path) {
                // Gone since it was listed.
                Err(ReadFault::Missing) => {}
                Err(ReadFault::Unreadable(source)) if shortage::is_own(&source) => {
                    return Err(StoreError::Read { path, source });
                }
                stamp => stamps.push((path, stamp.ok().flatten().filter(|_| fault.is_none()))),
            }
        }
        Ok(stamps)
    }
}

/// Reads `files` one after the other, with one buffer and one open folder.
fn read_all<T>(
    store: &Store,
    files: Vec<Found>,
    each: &impl Fn(&str, Result<&[u8], ReadFault>, Option<Stamp>) -> T,
) -> Result<Vec<T>, StoreError> {
    let mut reader = Reader::new(store, BUFFER_BYTES);
    let mut results = Vec::with_capacity(files.len());
    for Found { path, fault } in files {
        let content = match fault {
            Some(fault) => Err(fault),
            None => reader.read(&path),
        };
        match content {
            // Gone since it was listed.
            Err(ReadFault::Missing) => {}
            Err(ReadFault::Unreadable(source)) if shortage::is_own(&source) => {
                return Err(StoreError::Read { path, source });
            }
            Ok((bytes, stamp)) => results.push(each(&path, Ok(bytes), Some(stamp))),
            Err(fault) => results.push(each(&path, Err(fault), None)),
        }
    }
    Ok(results)
}

/// Reads files of one folder after the other.
struct Reader<'a> {
    store: &'a Store,
    folder: Option<(String, OwnedFd)>,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(store: &'a Store, buffer_bytes: usize) -> Self {
        Self { store, folder: None, buffer: vec![0; buffer_bytes] }
    }

    /// Returns the content of `path`, which is there until the next call.
    fn read(&mut self, path: &str) -> Result<(&[u8], Stamp), ReadFault> {
        let (folder, name) = folder::split(path).map_err(ReadFault::Unreadable)?;
        let flags =
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = openat(self.open_folder(folder)?, name, flags, Mode::empty())?;
        let about = fstat(&file)?;
        match FileType::from_raw_mode(about.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(ReadFault::Folder),
            FileType::Fifo => return Err(ReadFault::NamedPipe),
            FileType::Socket => return Err(ReadFault::Socket),
            _ => return Err(ReadFault::Device),
        }
        let size = u64::try_from(about.st_size).unwrap_or(u64::MAX);
        if size > FILE_BYTES_MAX {
            return Err(ReadFault::TooLarge);
        }
        let n_bytes = self.fill(File::from(file), usize::try_from(size).unwrap_or(usize::MAX))?;
        Ok((self.buffer.get(..n_bytes).unwrap_or_default(), Stamp::of(&about)))
    }

    /// Returns the stamp of `path`; none where it is no file.
    fn stamp(&mut self, path: &str) -> Result<Option<Stamp>, ReadFault> {
        let (folder, name) = folder::split(path).map_err(ReadFault::Unreadable)?;
        let about = statat(self.open_folder(folder)?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_file = FileType::from_raw_mode(about.st_mode) == FileType::RegularFile;
        Ok(is_file.then(|| Stamp::of(&about)))
    }

    /// Reads `file`, of which `size` bytes are expected; in the common case with a single call.
    fn fill(&mut self, mut file: File, size: usize) -> Result<usize, ReadFault> {
        let mut n_bytes = 0;
        // One byte more than expected: a full buffer means that there may be more.
        if self.buffer.len() <= size {
            self.buffer.resize(size + 1, 0);
        }
        loop {
            let space = self.buffer.get_mut(n_bytes..).unwrap_or_default();
            match file.read(space) {
                Ok(0) => return Ok(n_bytes),
                Ok(n) => n_bytes += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadFault::Unreadable(error)),
            }
            if n_bytes as u64 > FILE_BYTES_MAX {
                return Err(ReadFault::TooLarge);
            }
            if n_bytes == self.buffer.len() {
                self.buffer.resize(n_bytes + BUFFER_BYTES, 0);
            } else if n_bytes >= size {
                return Ok(n_bytes);
            }
        }
    }

    /// Returns the open folder `relative`, the same one as last time where it has not changed.
    fn open_folder(&mut self, relative: &str) -> Result<&OwnedFd, ReadFault> {
        let is_open = self.folder.as_ref().is_some_and(|(open, _)| open == relative);
        let folder = match self.folder.take().filter(|_| is_open) {
            Some(open) => open,
            None => {
                let opened = folder::open(self.store, relative, Missing::Fail);
                (relative.to_owned(), opened.map_err(fault_of_folder)?)
            }
        };
        Ok(&self.folder.insert(folder).1)
    }
}

fn fault_of_folder(error: io::Error) -> ReadFault {
    match error.kind() {
        io::ErrorKind::NotFound => ReadFault::Missing,
        _ => ReadFault::Unreadable(error),
    }
}
