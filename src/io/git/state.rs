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
