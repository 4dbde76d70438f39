//! The repository that a plan stands in: where it is, and the branch that is worked on.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use git2::{ConfigLevel, ErrorCode, Oid, Repository, RepositoryState, Signature};

use super::{GitError, paths::entry_at, placed::IndexStamp};
use crate::domain::model::commit::CommitId;

/// What the names of branches begin with.
pub(super) const HEADS: &str = "refs/heads/";

/// The repository that a plan stands in, with the checkout that it is in.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The folder of the plan.
    root: PathBuf,
    /// The top folder of the checkout.
    top: PathBuf,
    /// The git folder of the checkout.
    git_dir: PathBuf,
    /// The git folder that all checkouts of the repository share.
    common_dir: PathBuf,
    /// Says whether git removes objects that nothing refers to just now.
    tidies: fn(&Path) -> bool,
    /// The index that this process put in its place last.
    pub(super) placed: Arc<Mutex<Option<IndexStamp>>>,
}

/// How often objects are made anew as git tidied up meanwhile.
const TRIES: usize = 100;

/// Time between two looks whether git still tidies up, and how long that may take.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(600);

/// How long a ref may be out of sight.
const FLEETING_MAX: Duration = Duration::from_millis(200);

/// How long a ref may be held by somebody else.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch, by its short name.
    Branch(String),
    /// A branch that has no commit yet.
    Unborn,
    /// A commit, and no branch.
    Detached,
}

impl Ground {
    /// Finds the repository that the folder `root` lies in; `None` outside of one, and in a bare
    /// one.
    ///
    /// # Errors
    /// [`GitError::Failed`] where there is one that cannot be opened.
    pub fn find(root: &Path) -> Result<Option<Self>, GitError> {
        read_as_git_does();
        let repository = match Repository::discover(root) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(GitError::failed("open the git repository", error)),
        };
        let Some(top) = repository.workdir() else { return Ok(None) };
        Ok(Some(Self {
            root: root.to_owned(),
            top: top.to_owned(),
            git_dir: repository.path().to_owned(),
            common_dir: repository.commondir().to_owned(),
            tidies: |_| false,
            placed: Arc::default(),
        }))
    }

    /// Has `tidies` say whether git removes objects that nothing refers to just now; it is given the
    /// git folder that all checkouts share.
    #[must_use]
    pub fn heeding(mut self, tidies: fn(&Path) -> bool) -> Self {
        self.tidies = tidies;
        self
    }

    /// Makes objects that nothing refers to yet, anew where git tidied up meanwhile (`git gc
    /// --prune=now`): it might have taken them away. Whoever makes them lets a ref point to them at
    /// once: a tidying that begins after this looks at the refs first.
    pub(super) fn make<T>(
        &self,
        mut make: impl FnMut() -> Result<T, git2::Error>,
    ) -> Result<T, git2::Error> {
        for _ in 0..TRIES {
            self.wait_for_tidying();
            let made = despite_locks(&mut make)?;
            if !(self.tidies)(&self.common_dir) {
                return Ok(made);
            }
        }
        make()
    }

    /// Waits until git does not tidy up any more.
    pub(super) fn wait_for_tidying(&self) {
        let begun = Instant::now();
        while (self.tidies)(&self.common_dir) && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Lets the ref `name` point to a commit, so that it stays.
    pub(super) fn hold(&self, name: &str, commit: Oid) -> Result<(), git2::Error> {
        let repository = self.shared()?;
        despite_locks(|| repository.reference(name, commit, true, "orch: hold").map(drop))
    }

    /// Removes a ref that [`Self::hold`] made.
    pub(super) fn release(&self, name: &str) {
        let removed = self.delete_loose_ref(name);
        if let Err(error) = removed {
            tracing::debug!(%error, "{name} stays");
        }
    }

    /// Returns the folder of the plan.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the top folder of the checkout.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Returns the git folder that all checkouts of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Returns the git folder of the checkout.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Returns the folder of the plan below the top folder of its checkout; empty where it is that
    /// folder.
    pub fn prefix(&self) -> PathBuf {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let below = real(&self.root).strip_prefix(real(&self.top)).map(Path::to_owned);
        below.unwrap_or_default()
    }

    /// Returns the path in a commit of a file whose path is relative to the folder of the plan.
    pub fn path_in_commit(&self, path: &str) -> String {
        self.prefix().join(path).to_string_lossy().into_owned()
    }

    /// Returns paths of the plan as they are in a commit.
    pub(super) fn paths_in_commit(&self, paths: &[String]) -> Vec<PathBuf> {
        paths.iter().map(|path| PathBuf::from(self.path_in_commit(path))).collect()
    }

    /// Returns what is checked out.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn head(&self) -> Result<Head, GitError> {
        let look = || {
            let repository = self.checkout()?;
            let head = repository.find_reference("HEAD")?;
            let Ok(Some(target)) = head.symbolic_target() else { return Ok(Head::Detached) };
            if repository.find_reference(target).is_err() {
                return Ok(Head::Unborn);
            }
            Ok(Head::Branch(target.strip_prefix(HEADS).unwrap_or(target).to_owned()))
        };
        look().map_err(|source| GitError::failed("look what is checked out", source))
    }

    /// Returns the last commit of a branch; `None` where there is no such branch.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn tip(&self, branch: &str) -> Result<Option<CommitId>, GitError> {
        let look = || match self.shared()?.find_reference(&format!("{HEADS}{branch}")) {
            Ok(found) => Ok(Some(name_of(found.peel_to_commit()?.id()))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        look().map_err(|source| GitError::failed(format!("look at the branch {branch}"), source))
    }

    /// Says whether there is no such branch, also at further looks: while refs are packed or renamed,
    /// one may be out of sight for a moment.
    pub fn is_gone(&self, branch: &str) -> bool {
        let begun = Instant::now();
        while let Ok(None) = self.tip(branch) {
            if begun.elapsed() >= FLEETING_MAX {
                return true;
            }
            thread::sleep(LOOK_AGAIN);
        }
        false
    }

    /// Returns the name that git gives to the content of a file in a commit; `None` where it is not
    /// there.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn blob_in(&self, commit: &CommitId, path: &str) -> Result<Option<String>, GitError> {
        let look = || {
            let repository = self.shared()?;
            let tree = repository.find_commit(oid(commit)?)?.tree()?;
            let entry = entry_at(&tree, Path::new(&self.path_in_commit(path)));
            Ok(entry.map(|entry| entry.id.to_string()))
        };
        look().map_err(|source| GitError::failed(format!("find {path} in a commit"), source))
    }

    /// Returns the bytes of a file in a commit; `None` where it is not there.
    ///
    /// # Errors
    /// [`GitError::Failed`].
    pub fn file_in(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let look = || {
            let repository = self.shared()?;
            let tree = repository.find_commit(oid(commit)?)?.tree()?;
            match tree.get_path(Path::new(&self.path_in_commit(path))) {
                Ok(entry) => {
                    let object = entry.to_object(&repository)?;
                    Ok(object.as_blob().map(|blob| blob.content().to_vec()))
                }
                Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        look().map_err(|source| GitError::failed(format!("read {path} in a commit"), source))
    }

    /// Opens the checkout.
    pub(super) fn checkout(&self) -> Result<Repository, git2::Error> {
        Repository::open(&self.git_dir)
    }

    /// Opens what all checkouts share. Refs are only handled there: of a linked worktree libgit2
    /// looks for them in the worktree's own folder, and would never see that there is one.
    pub(super) fn shared(&self) -> Result<Repository, git2::Error> {
        Repository::open(&self.common_dir)
    }
}

/// Has libgit2 read objects as git does, without computing the name of each anew from what is in it, which
/// takes longer than reading it. Damaged bytes are known by the checksum of their compression, and that an
/// object is what its name says is a matter for `git fsck`.
pub(super) fn read_as_git_does() {
    git2::opts::strict_hash_verification(false);
}

/// Says whether a ref is not found: while refs are packed, one may be seen neither here nor there.
fn is_fleeting(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch)
}

/// Does something with a ref, again while somebody holds it: whoever packs refs does for a moment.
pub(super) fn despite_locks<T>(
    mut act: impl FnMut() -> Result<T, git2::Error>,
) -> Result<T, git2::Error> {
    let begun = Instant::now();
    loop {
        match act() {
            Err(error) if error.code() == ErrorCode::Locked && begun.elapsed() < LOCK_PATIENCE => {
                thread::sleep(LOOK_AGAIN);
            }
            Err(error) if is_fleeting(&error) && begun.elapsed() < FLEETING_MAX => {
                thread::sleep(LOOK_AGAIN);
            }
            other => return other,
        }
    }
}

/// Returns what is under way in a checkout; `None` where nothing is.
pub(super) fn under_way(state: RepositoryState) -> Option<&'static str> {
    Some(match state {
        RepositoryState::Clean => return None,
        RepositoryState::Merge => "a merge",
        RepositoryState::Revert | RepositoryState::RevertSequence => "a revert",
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "a cherry-pick",
        RepositoryState::Bisect => "a bisect",
        RepositoryState::Rebase
        | RepositoryState::RebaseInteractive
        | RepositoryState::RebaseMerge => "a rebase",
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
            "a series of patches"
        }
    })
}

/// Returns who makes commits: the user, or, where git does not know them, `orch`.
pub(super) fn author(repository: &Repository) -> Result<Signature<'static>, git2::Error> {
    let told = ["NAME", "EMAIL"].map(|what| told_by_environment(repository, what));
    if let [Some(name), Some(email)] = &told {
        return Signature::now(name, email);
    }
    let known = repository.signature().map(|known| known.to_owned());
    known.or_else(|_| Signature::now("orch", "orch@localhost"))
}

/// Returns what the environment says of the user, as git heeds it: libgit2 does not.
fn told_by_environment(repository: &Repository, what: &str) -> Option<String> {
    let named = std::env::var(format!("GIT_AUTHOR_{what}")).ok();
    named.or_else(|| {
        let key = format!("user.{}", what.to_lowercase());
        let own = repository.config().and_then(|all| all.open_level(ConfigLevel::Local));
        if own.is_ok_and(|own| own.get_string(&key).is_ok()) {
            return None;
        }
        let global = std::env::var_os("GIT_CONFIG_GLOBAL")?;
        git2::Config::open(Path::new(&global)).ok()?.get_string(&key).ok()
    })
}

pub(super) fn name_of(id: Oid) -> CommitId {
    CommitId(id.to_string())
}

pub(super) fn oid(id: &CommitId) -> Result<Oid, git2::Error> {
    Oid::from_str(&id.0)
}
