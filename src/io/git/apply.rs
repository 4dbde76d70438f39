//! Putting the files of a checkout in their place, all of them or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::shift::{FileMove, Move, Seen};

/// The files of a checkout that are being put in their place. What was there before is kept until
/// all is done; dropped before that, everything is put back.
pub(super) struct Applied<'a> {
    top: &'a Path,
    scratch: &'a Path,
    done: Vec<Done>,
    is_final: bool,
}

/// What was done about a file.
struct Done {
    path: PathBuf,
    /// Where what was there before lies.
    before: Option<PathBuf>,
    /// What that has to be; `None` where that does not matter, or cannot be seen any more.
    seen: Option<Seen>,
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
            applied.take_away(one)?;
        }
        for one in moves.iter().filter(|one| one.file == FileMove::Write) {
            applied.put(one)?;
        }
        applied.check()?;
        Ok(applied)
    }

    /// Looks once more at what was there before: somebody may have saved it since it was decided upon.
    fn check(&self) -> io::Result<()> {
        for Done { path, before, seen } in &self.done {
            let now = before.as_deref().map_or_else(Seen::nothing, Seen::of);
            if seen.as_ref().is_some_and(|seen| *seen != now) {
                let words = format!("{} was written just now", path.display());
                return Err(io::Error::other(words));
            }
        }
        Ok(())
    }

    fn take_away(&mut self, one: &Move) -> io::Result<()> {
        let (path, seen) = (&one.path, one.seen.clone());
        let place = self.top.join(path);
        let kept = self.scratch.join("before").join(self.done.len().to_string());
        let is_same_file = rename(&place, &kept)?;
        let seen = seen.filter(|_| is_same_file);
        self.done.push(Done { path: path.clone(), before: Some(kept), seen });
        self.remove_empty_parents(path);
        Ok(())
    }

    fn put(&mut self, one: &Move) -> io::Result<()> {
        let (path, mut seen) = (&one.path, one.seen.clone());
        let place = self.top.join(path);
        match fs::symlink_metadata(&place) {
            // A folder that is empty by now.
            Ok(about) if about.is_dir() => remove_folders(&place)?,
            Ok(_) => {
                let kept = self.scratch.join("before").join(self.done.len().to_string());
                // It stays in its place until the new one takes that over in one step.
                if fs::hard_link(&place, &kept).is_err() {
                    fs::copy(&place, &kept)?;
                    seen = None;
                }
                rename(&self.scratch.join("new").join(path), &place)?;
                self.done.push(Done { path: path.clone(), before: Some(kept), seen });
                return Ok(());
            }
            Err(_) => {}
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        rename(&self.scratch.join("new").join(path), &place)?;
        self.done.push(Done { path: path.clone(), before: None, seen });
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
        for Done { path, before, .. } in std::mem::take(&mut self.done).into_iter().rev() {
            let place = self.top.join(&path);
            let undone = match before {
                Some(kept) => {
                    let parent = place.parent().map_or(Ok(()), fs::create_dir_all);
                    parent.and_then(|()| rename(&kept, &place)).map(drop)
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

/// Moves a file; to another file system by way of a copy beside its place. Says whether it is the same file
/// still.
fn rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let name = to.file_name().unwrap_or_default().to_string_lossy();
            let beside = to.with_file_name(format!(".{name}.orch.tmp"));
            fs::copy(from, &beside)?;
            fs::rename(&beside, to)?;
            fs::remove_file(from).map(|()| false)
        }
        other => other.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happens to a file after it was decided upon.
    type Happens = fn(&Path);

    #[test]
    fn what_was_saved_at_the_last_moment_is_kept_and_nothing_is_done() {
        let table: [(&str, FileMove, Happens); 5] = [
            ("written", FileMove::Write, |path| fs::write(path, "mine, and longer").unwrap()),
            ("written, removed", FileMove::Remove, |path| fs::write(path, "mine, too").unwrap()),
            ("replaced", FileMove::Write, |path| {
                fs::write(path.with_extension("tmp"), "mine").unwrap();
                fs::rename(path.with_extension("tmp"), path).unwrap();
            }),
            ("gone", FileMove::Write, |path| fs::remove_file(path).unwrap()),
            ("as it was", FileMove::Write, |_| {}),
        ];
        for (name, file, happens) in table {
            let folder = tempfile::tempdir().unwrap();
            let (top, scratch) = (folder.path().join("top"), folder.path().join("scratch"));
            fs::create_dir_all(&top).unwrap();
            fs::create_dir_all(scratch.join("new")).unwrap();
            for path in [top.join("other"), top.join("file")] {
                fs::write(path, "old").unwrap();
            }
            fs::write(scratch.join("new/other"), "new").unwrap();
            fs::write(scratch.join("new/file"), "new").unwrap();
            let decided = |path: &str, file| Move {
                path: path.into(),
                new: None,
                file,
                seen: Some(Seen::of(&top.join(path))),
                is_skipped: false,
            };
            let moves = [decided("other", FileMove::Write), decided("file", file)];
            happens(&top.join("file"));
            let before = fs::read(top.join("file")).ok();
            match Applied::apply(&moves, &top, &scratch) {
                Ok(mut applied) => {
                    assert_eq!(name, "as it was");
                    applied.settle();
                    assert_eq!(fs::read_to_string(top.join("file")).unwrap(), "new");
                }
                Err(error) => {
                    assert!(error.to_string().contains("file was written just now"), "{error}");
                    assert_eq!(fs::read(top.join("file")).ok(), before, "{name}");
                    assert_eq!(fs::read_to_string(top.join("other")).unwrap(), "old", "{name}");
                }
            }
        }
    }
}
