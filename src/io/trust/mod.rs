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
    let failed = |source| TrustError::File { what: "read", path: path.to_owned(), source };
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

/// The approvals of one plan: what was approved, and beside it what waits where the plan is looked
/// at, which whoever only looks reads alone.
#[derive(Debug, Clone)]
pub struct Approvals {
    approved: PathBuf,
    waiting: PathBuf,
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
        let folder = data.join("orch/trust");
        Ok(Self {
            approved: folder.join(format!("{name}.jsonl")),
            waiting: folder.join(format!("{name}.waiting.jsonl")),
            at: at.to_string_lossy().into_owned(),
        })
    }

    /// Returns the file that what was approved is in.
    pub fn path(&self) -> &Path {
        &self.approved
    }

    /// Returns what tells whether more was approved, or less.
    pub fn seen(&self) -> Seen {
        let about = std::fs::metadata(&self.approved).ok();
        Seen(about.map(|a| (a.len(), a.mtime(), a.mtime_nsec(), a.ino())))
    }

    /// Says whether anything was approved, by the look of it.
    pub fn is_known(&self) -> bool {
        self.seen().0.is_some_and(|(length, ..)| length > 0)
    }

    /// Reads all.
    ///
    /// # Errors
    /// [`TrustError`]; nothing is approved then.
    pub fn read(&self) -> Result<Book, TrustError> {
        let mut book = Book::default();
        self.read_into(&mut book, &self.approved)?;
        self.read_into(&mut book, &self.waiting)?;
        Ok(book)
    }

    /// Reads what waits, and nothing of what was approved.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn read_waiting(&self) -> Result<Book, TrustError> {
        let mut book = Book::default();
        self.read_into(&mut book, &self.waiting)?;
        Ok(book)
    }

    fn read_into(&self, book: &mut Book, path: &Path) -> Result<(), TrustError> {
        let failed = |source| TrustError::File { what: "read", path: path.to_owned(), source };
        let file = match OpenOptions::new().read(true).custom_flags(no_follow()).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        require_ours(&file, path)?;
        require_folder(path)?;
        let mut text = Vec::new();
        file.take(APPROVALS_BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
        // A line that was torn by a crash says nothing.
        let lines = text.split(|byte| *byte == b'\n');
        lines.filter_map(|line| lines::parse(line, &self.at)).for_each(|line| book.note(line));
        Ok(())
    }

    /// Takes back all that was approved: nothing that stands in the file counts any more.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn revoke(&self) -> Result<(), TrustError> {
        self.append(&[Line::Revoked])?;
        let emptied = OpenOptions::new().write(true).custom_flags(no_follow()).open(&self.approved);
        emptied.and_then(|file| file.lock().and_then(|()| file.set_len(0))).map_err(|source| {
            TrustError::File { what: "empty", path: self.approved.clone(), source }
        })
    }

    /// Adds lines.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn append(&self, new: &[Line]) -> Result<(), TrustError> {
        let is_of_place = |line: &&Line| matches!(line, Line::Waits { .. } | Line::Head(_));
        let (waiting, approved): (Vec<&Line>, Vec<&Line>) = new.iter().partition(is_of_place);
        for (path, lines) in [(&self.waiting, waiting), (&self.approved, approved)] {
            if !lines.is_empty() {
                let text: String =
                    lines.into_iter().map(|line| lines::render(line, &self.at)).collect();
                append(path, &text)?;
            }
        }
        Ok(())
    }
}

/// Adds `text` to the end of a file, all of it or nothing.
fn append(path: &Path, text: &str) -> Result<(), TrustError> {
    let failed = |what| move |source| TrustError::File { what, path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(path);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed("make the folder of"))?;
    let mut options = OpenOptions::new();
    options.append(true).create(true).read(true).mode(0o600).custom_flags(no_follow());
    let mut file = options.open(path).map_err(failed("write"))?;
    require_ours(&file, path)?;
    require_folder(path)?;
    // Others that write come before or after all of it.
    file.lock().map_err(failed("lock"))?;
    let length = file.metadata().map_err(failed("write"))?.len();
    write(&mut file, text, length).map_err(|error| {
        // What was written in part must not be read as the beginning of the next line.
        drop(file.set_len(length));
        failed("write")(error)
    })
}

/// Writes at the end of a file of `length` bytes; where it has grown large, what does not count any
/// more is dropped first.
fn write(file: &mut File, text: &str, length: u64) -> io::Result<()> {
    if length.saturating_add(text.len() as u64) > APPROVALS_BYTES_MAX / 2 {
        let mut old = Vec::new();
        file.read_to_end(&mut old)?;
        let kept = lines::newest(&old);
        file.set_len(0)?;
        file.write_all(&kept)?;
    }
    file.write_all(text.as_bytes())
}

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
}

/// Refuses a file in a folder in which others than the user could have put it.
fn require_folder(path: &Path) -> Result<(), TrustError> {
    let folder = path.parent().unwrap_or(path);
    let failed = |source| TrustError::File { what: "look at", path: folder.to_owned(), source };
    let about = std::fs::metadata(folder).map_err(failed)?;
    foreign_hand(&about)
        .map_or(Ok(()), |why| Err(TrustError::NotOurs { path: folder.to_owned(), why }))
}

/// Refuses what others than the user could have written.
fn require_ours(file: &File, path: &Path) -> Result<(), TrustError> {
    let about = file.metadata().map_err(|source| TrustError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })?;
    let why = foreign_hand(&about).or((!about.is_file()).then_some("it is no file"));
    why.map_or(Ok(()), |why| Err(TrustError::NotOurs { path: path.to_owned(), why }))
}

/// Says why others than the user could have written something; `None` where they could not.
fn foreign_hand(about: &std::fs::Metadata) -> Option<&'static str> {
    if about.uid() != geteuid().as_raw() && about.uid() != 0 {
        return Some("it belongs to another user");
    }
    (about.mode() & 0o022 != 0).then_some("others can write to it: `chmod go-w` it")
}
