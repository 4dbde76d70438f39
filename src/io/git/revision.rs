//! Plans as they were committed: read from the object store, without a checkout.
//!
//! What a name means is git's to say. Nothing here follows a link or enters a submodule.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use git2::{Branch, ErrorCode, ObjectType, Oid, Repository, Tree};

use super::ground::read_as_git_does;
use crate::domain::{
    format::layout,
    model::limits::{FILE_BYTES_MAX, FOLDER_DEPTH_MAX, TREE_ENTRIES_MAX},
};

/// Where the main branch is looked for, where a branch has no upstream.
const MAIN: [&str; 5] = [
    "refs/heads/main",
    "refs/heads/master",
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
];

/// Why a revision cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// There is no git repository.
    #[error("{} is not in a git repository", path.display())]
    NoRepository {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The repository belongs to another user.
    #[error("the git repository in {} belongs to another user", .0.display())]
    Foreign(PathBuf),
    /// Git does not know the name.
    #[error("`{name}` is no revision of this repository")]
    Unknown {
        /// What was typed.
        name: String,
    },
    /// It names something that holds no files, or several things.
    #[error("`{name}` names no commit: {why}")]
    NoCommit {
        /// What was typed.
        name: String,
        /// What git says.
        why: String,
    },
    /// Two revisions have nothing in common, as far as this clone knows.
    #[error("`{one}` and `{other}` have no commit in common in this clone")]
    NoMergeBase {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// Nothing says what the branch started from.
    #[error("the branch has no upstream, and there is no branch `main` or `master`")]
    NoMainBranch,
    /// A folder of the plan holds more than any plan does.
    #[error("{path} holds more than {TREE_ENTRIES_MAX} files in `{name}`")]
    TooMany {
        /// The folder.
        path: String,
        /// The revision.
        name: String,
    },
    /// The repository cannot be read.
    #[error("failed to read the git repository {}", path.display())]
    Read {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
}

/// The commits of a repository.
pub struct Revisions {
    repository: Repository,
}

/// One commit, or a tree that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What it is called.
    pub name: String,
    /// Its commit, 40 hexadecimal digits; `None` where a tree was named.
    pub commit: Option<String>,
    object: Oid,
}

/// The name that git gives to a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobId(Oid);

impl BlobId {
    /// Returns the name of a file of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        // Hashing bytes in memory cannot fail but for a lack of memory.
        Self(Oid::hash_object(ObjectType::Blob, bytes).unwrap_or(Oid::ZERO_SHA1))
    }
}

/// What stands at a path of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the folder of the plan, with `/`; where it is not UTF-8, the nearest text.
    pub path: String,
    /// Whether that is its very path.
    pub is_utf8: bool,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File(BlobId),
    /// A folder.
    Folder,
    /// A folder below too many others, which is not looked into.
    TooDeep,
    /// A symbolic link.
    Link,
    /// Another repository.
    Submodule,
}

/// Why the content of a file is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobFault {
    /// More than [`FILE_BYTES_MAX`].
    TooLarge,
    /// What git says.
    Unreadable(String),
}

impl Revisions {
    /// Opens the repository that `path` lies in, bare or not.
    ///
    /// # Errors
    /// [`RevisionError::NoRepository`].
    pub fn open(path: &Path) -> Result<Self, RevisionError> {
        read_as_git_does();
        let path = path.to_owned();
        Repository::discover(&path).map(|repository| Self { repository }).map_err(|source| {
            match (source.code(), super::foreign_folder(&source)) {
                (ErrorCode::NotFound, _) => RevisionError::NoRepository { path },
                (_, Some(folder)) => RevisionError::Foreign(folder),
                (_, None) => RevisionError::Read { path, source },
            }
        })
    }

    /// Returns the top folder of the checkout; `None` in a bare repository.
    pub fn checkout(&self) -> Option<&Path> {
        self.repository.workdir()
    }

    /// Returns the git folder.
    pub fn git_dir(&self) -> &Path {
        self.repository.path()
    }

    /// Finds what `name` means: a commit, or a tree.
    ///
    /// # Errors
    /// [`RevisionError::Unknown`], [`RevisionError::NoCommit`].
    pub fn find(&self, name: &str) -> Result<Revision, RevisionError> {
        let no_commit = |error: &git2::Error| RevisionError::NoCommit {
            name: name.to_owned(),
            why: error.message().to_owned(),
        };
        let object = self.repository.revparse_single(name).map_err(|error| match error.code() {
            ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::UnbornBranch => {
                RevisionError::Unknown { name: name.to_owned() }
            }
            _ => no_commit(&error),
        })?;
        match object.peel_to_commit() {
            Ok(commit) => Ok(Revision::of(name, commit.id())),
            Err(_) => {
                let tree = object.peel_to_tree().map_err(|error| no_commit(&error))?;
                Ok(Revision { name: name.to_owned(), commit: None, object: tree.id() })
            }
        }
    }

    /// Returns the commit from which two others went apart.
    ///
    /// # Errors
    /// [`RevisionError::NoMergeBase`].
    pub fn merge_base(&self, one: &Revision, other: &Revision) -> Result<Revision, RevisionError> {
        match self.repository.merge_base(one.object, other.object) {
            Ok(base) => Ok(Revision::of(&one.name, base)),
            Err(error) if error.code() == ErrorCode::NotFound => {
                Err(RevisionError::NoMergeBase { one: one.name.clone(), other: other.name.clone() })
            }
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Returns what the branch that is checked out started from: the last commit that it shares
    /// with its upstream, or else with the main branch.
    ///
    /// # Errors
    /// [`RevisionError::NoMainBranch`], [`RevisionError::NoMergeBase`], [`RevisionError::Unknown`].
    pub fn branch_base(&self) -> Result<Revision, RevisionError> {
        let head = self.find("HEAD")?;
        let main = || {
            MAIN.iter().find_map(|name| {
                let reference = self.repository.find_reference(name).ok()?.resolve().ok()?;
                let short = reference.shorthand().ok()?.to_owned();
                Some(Revision::of(&short, reference.peel_to_commit().ok()?.id()))
            })
        };
        let start = self.upstream().or_else(main).ok_or(RevisionError::NoMainBranch)?;
        self.merge_base(&start, &head)
    }

    fn upstream(&self) -> Option<Revision> {
        let head = self.repository.head().ok().filter(git2::Reference::is_branch)?;
        let upstream = Branch::wrap(head).upstream().ok()?.into_reference();
        let name = upstream.shorthand().ok()?.to_owned();
        Some(Revision::of(&name, upstream.peel_to_commit().ok()?.id()))
    }

    /// Returns what tells whether anything below `.orch` in `folder` is different; `None` where
    /// nothing is there.
    ///
    /// # Errors
    /// [`RevisionError::Read`].
    pub fn plan_id(
        &self,
        revision: &Revision,
        folder: &str,
    ) -> Result<Option<BlobId>, RevisionError> {
        let path = Path::new(folder).join(layout::ORCH_DIR);
        match self.tree(revision)?.get_path(&path) {
            Ok(entry) => Ok(Some(BlobId(entry.id()))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Lists what stands at and below `wanted`, which are paths below `folder`; names that are
    /// passed over on disk are passed over here, too. Where something else stands in the place of a
    /// folder on the way, it is listed instead.
    ///
    /// # Errors
    /// [`RevisionError::Read`], [`RevisionError::TooMany`].
    pub fn list(
        &self,
        revision: &Revision,
        folder: &str,
        wanted: &[&str],
    ) -> Result<Vec<Entry>, RevisionError> {
        let root = self.tree(revision)?;
        let mut walk = Walk { entries: Vec::new(), folders: Vec::new() };
        let mut seen: Vec<&str> = Vec::new();
        for path in wanted {
            let steps = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            for step in steps.filter_map(|at| path.get(..at)) {
                let found = match root.get_path(&Path::new(folder).join(step)) {
                    Ok(found) => found,
                    Err(error) if error.code() == ErrorCode::NotFound => break,
                    Err(source) => return Err(self.failed(source)),
                };
                let is_folder = found.kind() == Some(ObjectType::Tree);
                if is_folder && step == *path {
                    walk.folders.push(Folder::at(found.id(), step));
                } else if !is_folder && !seen.contains(&step) {
                    seen.push(step);
                    let (path, kind) = (step.to_owned(), kind(&found, 0));
                    walk.entries.push(Entry { path, is_utf8: true, kind });
                }
            }
        }
        while let Some(folder) = walk.folders.pop() {
            let tree = self.repository.find_tree(folder.id);
            walk.enter(&tree.map_err(|source| self.failed(source))?, &folder);
            // Git can name one folder a thousand times in another, and that again in a third.
            if walk.entries.len() > TREE_ENTRIES_MAX {
                let name = revision.name.clone();
                return Err(RevisionError::TooMany { path: folder.path, name });
            }
        }
        walk.entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(walk.entries)
    }

    /// Returns what reads files, for one thread.
    ///
    /// # Errors
    /// [`RevisionError::Read`].
    pub fn blobs(&self) -> Result<Blobs, RevisionError> {
        let repository = Repository::open(self.git_dir()).map_err(|source| self.failed(source))?;
        Ok(Blobs { repository })
    }

    fn tree(&self, revision: &Revision) -> Result<Tree<'_>, RevisionError> {
        let object = self.repository.find_object(revision.object, None);
        object.and_then(|object| object.peel_to_tree()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: git2::Error) -> RevisionError {
        RevisionError::Read { path: self.git_dir().to_owned(), source }
    }
}

impl Revision {
    fn of(name: &str, commit: Oid) -> Self {
        Self { name: name.to_owned(), commit: Some(commit.to_string()), object: commit }
    }
}

/// A walk through folders.
struct Walk {
    entries: Vec<Entry>,
    /// What is still to be looked into.
    folders: Vec<Folder>,
}

struct Folder {
    id: Oid,
    path: String,
    is_utf8: bool,
    /// How deep what is in it lies.
    depth: usize,
}

impl Folder {
    fn at(id: Oid, path: &str) -> Self {
        Self { id, path: path.to_owned(), is_utf8: true, depth: 1 }
    }
}

impl Walk {
    fn enter(&mut self, tree: &Tree<'_>, folder: &Folder) {
        self.entries.reserve(tree.len());
        for entry in tree {
            let name = String::from_utf8_lossy(entry.name_bytes());
            if layout::is_passed_over(&name) {
                continue;
            }
            let path = [&folder.path, "/", &name].concat();
            let is_utf8 = folder.is_utf8 && matches!(name, Cow::Borrowed(_));
            let kind = kind(&entry, folder.depth);
            if kind == EntryKind::Folder {
                let (id, path) = (entry.id(), path.clone());
                self.folders.push(Folder { id, path, is_utf8, depth: folder.depth + 1 });
            }
            self.entries.push(Entry { path, is_utf8, kind });
        }
    }
}

/// Says what an entry of a folder is that lies `depth` folders deep.
fn kind(entry: &git2::TreeEntry<'_>, depth: usize) -> EntryKind {
    match (entry.kind(), entry.filemode()) {
        (Some(ObjectType::Commit), _) => EntryKind::Submodule,
        (Some(ObjectType::Tree), _) if depth >= FOLDER_DEPTH_MAX => EntryKind::TooDeep,
        (Some(ObjectType::Tree), _) => EntryKind::Folder,
        (_, 0o120_000) => EntryKind::Link,
        _ => EntryKind::File(BlobId(entry.id())),
    }
}

/// Reads the contents of files.
pub struct Blobs {
    repository: Repository,
}

impl Blobs {
    /// Returns the content of a file.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn read(&self, id: BlobId) -> Result<Vec<u8>, BlobFault> {
        let read = || {
            let odb = self.repository.odb()?;
            // The size first: what is too large is not unpacked.
            let (size, _) = odb.read_header(id.0)?;
            let is_small = size as u64 <= FILE_BYTES_MAX;
            is_small.then(|| odb.read(id.0).map(|blob| blob.data().to_vec())).transpose()
        };
        match read() {
            Ok(bytes) => bytes.ok_or(BlobFault::TooLarge),
            Err(error) => Err(BlobFault::Unreadable(error.message().to_owned())),
        }
    }
}
