//! What the user approved, and their own settings: files of theirs, outside of every repository.

mod lines;

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::geteuid};

use crate::domain::{
    model::limits::{APPROVALS_BYTES_MAX, FILE_BYTES_MAX},
    trust::{Book, Line},
};

/// Why approvals cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is nowhere to keep them.
    #[error("there is no home folder to keep approvals in: neither HOME nor XDG_DATA_HOME is set")]
    NoHome,
    /// Others could have written them.
    #[error("{} is not used: {why}", path.display())]
    NotOurs {
        /// The file or folder.
        path: PathBuf,
        /// Why, as a phrase.
        why: &'static str,
    },
    /// A file could not be read or written.
    #[error("failed to {what} {}", path.display())]
    File {
        /// What was to be done.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why it did not work.
        source: io::Error,
    },
}

/// Returns the folder of the user that `variable` names, or else `below` in their home.
fn folder(variable: &str, below: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| home().map(|home| home.join(below)))
}

/// Returns the home folder of the user.
pub fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns where the user's own settings are.
pub fn settings_path() -> Option<PathBuf> {
    folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("orch/config.yaml"))
}

/// Reads the user's own settings; `None` where there are none.
///
/// # Errors
/// [`TrustError`].
pub fn read_settings(path: &Path) -> Result<Option<Vec<u8>>, TrustError> {
    let failed =
        |source| TrustError::File { what: "read", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    require_ours(&file, path)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// The approvals of one plan.
#[derive(Debug, Clone)]
pub struct Approvals {
    path: PathBuf,
    /// Where the plan is looked at: one plan may be checked out several times.
    at: String,
}

/// What tells whether a file is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen(Option<(u64, i64, i64, u64)>);

impl Approvals {
    /// Returns those of the plan that `name` tells from all others, looked at in `at`.
    ///
    /// # Errors
    /// [`TrustError::NoHome`].
    pub fn find(name: &str, at: &Path) -> Result<Self, TrustError> {
        let data = folder("XDG_DATA_HOME", ".local/share").ok_or(TrustError::NoHome)?;
        let path = data.join("orch/trust").join(format!("{name}.jsonl"));
        Ok(Self { path, at: at.to_string_lossy().into_owned() })
    }

    /// Returns the file that they are in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what tells whether they changed.
    pub fn seen(&self) -> Seen {
        let about = std::fs::metadata(&self.path).ok();
        Seen(about.map(|a| (a.len(), a.mtime(), a.mtime_nsec(), a.ino())))
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`TrustError`]; nothing is approved then.
    pub fn read(&self) -> Result<Book, TrustError> {
        let mut book = Book::default();
        let file = OpenOptions::new().read(true).custom_flags(no_follow()).open(&self.path);
        let file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(book),
            Err(error) => return Err(self.failed("read", error)),
        };
        require_ours(&file, &self.path)?;
        let mut text = Vec::new();
        file.take(APPROVALS_BYTES_MAX)
            .read_to_end(&mut text)
            .map_err(|error| self.failed("read", error))?;
        // A line that was torn by a crash says nothing.
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| lines::parse(line, &self.at));
        lines.for_each(|line| book.note(line));
        Ok(book)
    }

    /// Adds lines, all of them or none.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn append(&self, new: &[Line]) -> Result<(), TrustError> {
        if new.is_empty() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| self.failed("make the folder of", error))?;
        let text: String = new.iter().map(|line| lines::render(line, &self.at)).collect();
        let open = || {
            let mut options = OpenOptions::new();
            options.append(true).create(true).read(true).mode(0o600).custom_flags(no_follow());
            options.open(&self.path)
        };
        let mut file = open().map_err(|error| self.failed("write", error))?;
        require_ours(&file, &self.path)?;
        // Others that write have to come before or after all of it.
        file.lock().map_err(|error| self.failed("lock", error))?;
        let length = file.metadata().map_err(|error| self.failed("write", error))?.len();
        let write = |file: &mut File| -> io::Result<()> {
            if length.saturating_add(text.len() as u64) > APPROVALS_BYTES_MAX / 2 {
                let mut old = Vec::new();
                file.read_to_end(&mut old)?;
                file.set_len(0)?;
                file.write_all(&lines::newest(&old))?;
            }
            file.write_all(text.as_bytes())
        };
        write(&mut file).map_err(|error| {
            // What was written in part must not be read as the beginning of the next line.
            drop(file.set_len(length));
            self.failed("write", error)
        })
    }

    fn failed(&self, what: &'static str, source: io::Error) -> TrustError {
        TrustError::File { what, path: self.path.clone(), source }
    }
}

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

/// Refuses what others than the user could have written.
fn require_ours(file: &File, path: &Path) -> Result<(), TrustError> {
    let about = file
        .metadata()
        .map_err(|source| TrustError::File { what: "read", path: path.to_owned(), source })?;
    let why = if about.uid() != geteuid().as_raw() && about.uid() != 0 {
        Some("it belongs to another user")
    } else if about.mode() & 0o022 != 0 {
        Some("others can write to it: `chmod go-w` it")
    } else if !about.is_file() {
        Some("it is no file")
    } else {
        None
    };
    why.map_or(Ok(()), |why| Err(TrustError::NotOurs { path: path.to_owned(), why }))
}
