//! Files of a plan's own, beside what its branch says of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use git2::{Error, ErrorCode, Index, ObjectType, Oid, Repository};

use super::{
    GitError, Ground, StateFile,
    ground::oid,
    paths::{Entry, entry_at, listing},
    shift::has_stamp,
};

impl Ground {
    /// Returns the files below these folders of the plan that the branch does not have, or has
    /// otherwise; paths and folders are relative to the folder of the plan. Where `is_new`, only
    /// those that it does not have. A file that is gone is nobody's business here.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn differing(
        &self,
        branch: &str,
        folders: &[&str],
        is_new: bool,
    ) -> Result<Vec<String>, GitError> {
        let Some(tip) = self.tip(branch)? else { return Ok(Vec::new()) };
        let look = || {
            let repository = self.checkout()?;
            let tree = repository.find_commit(oid(&tip)?)?.tree()?;
            let index = repository.index()?;
            let mut found = Vec::new();
            for folder in folders {
                let below = Path::new(folder);
                let entry = entry_at(&tree, &self.prefix().join(below)).map(|entry| entry.id);
                let look = Look { ground: self, repository: &repository, index: &index, is_new };
                look.descend(below, entry, &mut found)?;
            }
            Ok(found)
        };
        look().map_err(|source: Error| GitError::failed("compare state with its branch", source))
    }
}

impl Ground {
    /// Returns those of `files` that are not so on the branch.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn unlike(&self, branch: &str, files: Vec<StateFile>) -> Result<Vec<StateFile>, GitError> {
        let Some(tip) = self.tip(branch)? else { return Ok(files) };
        let compare = || {
            let repository = self.shared()?;
            let tree = repository.find_commit(oid(&tip)?)?.tree()?;
            let differs = |file: &StateFile| {
                let path = PathBuf::from(self.path_in_commit(&file.path));
                let known = entry_at(&tree, &path).map(|entry| entry.id);
                let bytes = file.bytes.as_deref();
                let own = bytes.and_then(|b| Oid::hash_object(ObjectType::Blob, b).ok());
                known != own
            };
            Ok(files.into_iter().filter(differs).collect())
        };
        compare().map_err(|source: Error| GitError::failed("compare state with its branch", source))
    }
}

/// What stands around the lines in `info/exclude`.
const EXCLUDE_BEGIN: &str = "# orch commits these by itself:\n";
const EXCLUDE_END: &str = "# (until here)\n";

impl Ground {
    /// Has git take no notice of files in these folders of the plan that it does not know yet, or take
    /// notice again. They belong to attempts that run: a `git stash -u` must not take them away, and
    /// they must not be in the way of a `git checkout`.
    ///
    /// # Errors
    /// [`GitError::File`].
    pub fn overlook(&self, folders: &[&str], is_wanted: bool) -> Result<(), GitError> {
        let path = self.common_dir().join("info").join("exclude");
        let failed =
            |source| GitError::file("have git overlook records of running attempts", source);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => other.map_err(failed)?,
        };
        let mut kept = text.clone();
        while let Some(begin) = kept.find(EXCLUDE_BEGIN)
            && let Some(length) = kept.get(begin..).and_then(|rest| rest.find(EXCLUDE_END))
        {
            kept.replace_range(begin..begin + length + EXCLUDE_END.len(), "");
        }
        if is_wanted {
            if !kept.is_empty() && !kept.ends_with('\n') {
                kept.push('\n');
            }
            let lines = folders.iter().map(|folder| format!("/{}/\n", self.path_in_commit(folder)));
            kept.extend([EXCLUDE_BEGIN.to_owned()].into_iter().chain(lines));
            kept.push_str(EXCLUDE_END);
        }
        if kept == text {
            return Ok(());
        }
        let new = path.with_extension("orch-new");
        let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
        parent
            .and_then(|()| fs::write(&new, kept))
            .and_then(|()| fs::rename(&new, &path))
            .map_err(failed)
    }
}

struct Look<'a> {
    ground: &'a Ground,
    repository: &'a Repository,
    index: &'a Index,
    is_new: bool,
}

impl Look<'_> {
    fn descend(
        &self,
        folder: &Path,
        tree: Option<Oid>,
        found: &mut Vec<String>,
    ) -> Result<(), Error> {
        let known: BTreeMap<Vec<u8>, Entry> = match listing(self.repository, tree) {
            Err(error) if error.code() == ErrorCode::NotFound => BTreeMap::new(),
            other => other?,
        };
        let Ok(entries) = fs::read_dir(self.ground.root().join(folder)) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let path = folder.join(&name);
            let entry_known = known.get(name.as_encoded_bytes()).copied();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                let below = entry_known.filter(|entry| entry.is_folder()).map(|entry| entry.id);
                self.descend(&path, below, found)?;
            } else if kind.is_file() && self.differs(&path, entry_known) {
                found.extend(path.to_str().map(str::to_owned));
            }
        }
        Ok(())
    }

    fn differs(&self, path: &Path, known: Option<Entry>) -> bool {
        let Some(known) = known else { return true };
        if self.is_new {
            return false;
        }
        let on_disk = self.ground.root().join(path);
        let in_commit = PathBuf::from(self.ground.path_in_commit(&path.to_string_lossy()));
        let staged = self.index.get_path(&in_commit, 0).filter(|staged| staged.id == known.id);
        let about = fs::symlink_metadata(&on_disk);
        if let (Some(staged), Ok(about)) = (staged, about)
            && has_stamp(&staged, &about)
        {
            return false;
        }
        Oid::hash_file(ObjectType::Blob, &on_disk).is_ok_and(|id| id != known.id)
    }
}
