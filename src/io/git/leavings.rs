//! What a process of ours that was killed left in the repository: locks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{GitError, Ground, worktree::remove_if_there};

/// Where locks on refs of ours are, below the git folder that all checkouts share.
const REFS: [&str; 2] = ["refs/heads/orch", "refs/orch"];

/// What the git folders of worktrees of tasks begin with.
const WORKTREES: &str = "orch-";

impl Ground {
    /// Removes locks on branches, refs and worktrees of tasks; nobody must be using git there.
    ///
    /// # Errors
    /// [`GitError::File`].
    pub fn remove_stale_locks(&self) -> Result<(), GitError> {
        let mut locks = Vec::new();
        for folder in REFS {
            locks_below(&self.common_dir().join(folder), &mut locks);
        }
        let worktrees = fs::read_dir(self.common_dir().join("worktrees"));
        for entry in worktrees.into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(WORKTREES) {
                locks_below(&entry.path(), &mut locks);
            }
        }
        for lock in locks {
            let failed = |source| GitError::file(format!("remove {}", lock.display()), source);
            remove_if_there(&lock).map_err(failed)?;
        }
        Ok(())
    }
}

/// Finds files that are locks.
fn locks_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            locks_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "lock") {
            found.push(path);
        }
    }
}
