//! What a process of ours that was killed left in the repository: locks.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{GitError, Ground, worktree::remove_if_there};
use crate::domain::format::layout;

/// Where locks on refs of ours are, below the git folder that all checkouts share.
const REFS: [&str; 2] = ["refs/heads/orch", "refs/orch"];

/// Whoever is alive holds a lock on a ref for a moment only: one that is older was left. Another
/// coordinator, in another checkout of the repository, may hold some.
const LEFT_AFTER: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Ground {
    /// Removes locks on branches and refs of tasks, and on worktrees that are below this plan; nobody
    /// must be using git there.
    ///
    /// # Errors
    /// [`GitError::File`].
    pub fn remove_stale_locks(&self) -> Result<(), GitError> {
        let (mut locks, mut on_refs) = (Vec::new(), Vec::new());
        for folder in REFS {
            locks_below(&self.common_dir().join(folder), &mut on_refs);
        }
        on_refs.retain(|lock| stays(lock));
        locks.append(&mut on_refs);
        let own = self.root().join(layout::WORKTREES_DIR);
        for git_dir in self.git_dirs().skip(1) {
            let link = fs::read_to_string(git_dir.join("gitdir")).unwrap_or_default();
            if Path::new(link.trim()).starts_with(&own) {
                locks_below(&git_dir, &mut locks);
            }
        }
        for lock in locks {
            let failed = |source| GitError::file(format!("remove {}", lock.display()), source);
            remove_if_there(&lock).map_err(failed)?;
        }
        Ok(())
    }
}

/// Says whether a lock is still there when whoever is alive would have given it back.
fn stays(lock: &Path) -> bool {
    let age =
        || fs::metadata(lock).ok()?.modified().ok().map(|at| at.elapsed().unwrap_or_default());
    while let Some(age) = age() {
        if age >= LEFT_AFTER {
            return true;
        }
        thread::sleep(LOOK_AGAIN);
    }
    false
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
