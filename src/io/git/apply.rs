//! Putting the files of a checkout in their place, all of them or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::shift::{FileMove, Move};

/// The files of a checkout that are being put in their place. What was there before is kept until
/// all is done; dropped before that, everything is put back.
pub(super) struct Applied<'a> {
    top: &'a Path,
    scratch: &'a Path,
    /// What was done: the place, and where what was there before lies.
    done: Vec<(PathBuf, Option<PathBuf>)>,
    is_final: bool,
}

impl<'a> Applied<'a> {
    /// Carries `moves` out in the checkout `top`; the new files lie below `scratch`.
    ///
    /// # Errors
    /// The first that failed; then everything is as it was.
    pub(super) fn apply(moves: &[Move], top: &'a Path, scratch: &'a Path) -> io::Result<Self> {
        let mut applied = Self { top, scratch, done: Vec::new(), is_final: false };
        fs::create_dir_all(scratch.join("before"))?;
        // What is removed makes room for folders of the same name.
        for one in moves.iter().filter(|one| one.file == FileMove::Remove) {
            applied.take_away(&one.path)?;
        }
        for one in moves.iter().filter(|one| one.file == FileMove::Write) {
            applied.put(&one.path)?;
        }
        Ok(applied)
    }

    fn take_away(&mut self, path: &Path) -> io::Result<()> {
        let place = self.top.join(path);
        let kept = self.scratch.join("before").join(self.done.len().to_string());
        rename(&place, &kept)?;
        self.done.push((path.to_owned(), Some(kept)));
        self.remove_empty_parents(path);
        Ok(())
    }

    fn put(&mut self, path: &Path) -> io::Result<()> {
        let place = self.top.join(path);
        match fs::symlink_metadata(&place) {
            // A folder that is empty by now.
            Ok(about) if about.is_dir() => remove_folders(&place)?,
            Ok(_) => {
                let kept = self.scratch.join("before").join(self.done.len().to_string());
                // It stays in its place until the new one takes that over in one step.
                if fs::hard_link(&place, &kept).is_err() {
                    fs::copy(&place, &kept)?;
                }
                rename(&self.scratch.join("new").join(path), &place)?;
                self.done.push((path.to_owned(), Some(kept)));
                return Ok(());
            }
            Err(_) => {}
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        rename(&self.scratch.join("new").join(path), &place)?;
        self.done.push((path.to_owned(), None));
        Ok(())
    }

    fn remove_empty_parents(&self, path: &Path) {
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            if fs::remove_dir(self.top.join(parent)).is_err() {
                return;
            }
        }
    }

    /// Says that everything is done: nothing is put back any more.
    pub(super) fn settle(&mut self) {
        self.is_final = true;
    }
}

impl Drop for Applied<'_> {
    fn drop(&mut self) {
        if self.is_final {
            return;
        }
        for (path, before) in std::mem::take(&mut self.done).into_iter().rev() {
            let place = self.top.join(&path);
            let undone = match before {
                Some(kept) => {
                    let parent = place.parent().map_or(Ok(()), fs::create_dir_all);
                    parent.and_then(|()| rename(&kept, &place))
                }
                None => fs::remove_file(&place).map(|()| self.remove_empty_parents(&path)),
            };
            if let Err(error) = undone {
                tracing::error!(%error, "{} is not as it was", place.display());
            }
        }
    }
}

/// Removes a folder in which there are only folders.
fn remove_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_folders(&entry?.path())?;
    }
    fs::remove_dir(folder)
}

/// Moves a file; to another file system by way of a copy beside its place.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let name = to.file_name().unwrap_or_default().to_string_lossy();
            let beside = to.with_file_name(format!(".{name}.orch.tmp"));
            fs::copy(from, &beside)?;
            fs::rename(&beside, to)?;
            fs::remove_file(from)
        }
        other => other,
    }
}
