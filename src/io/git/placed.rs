//! The index of a checkout: how it was found, and another one in its place.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use git2::IndexTime;

/// How a checkout was found; another one is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexStamp(Option<(u64, u64, i64, i64)>);

impl IndexStamp {
    pub(super) fn of(path: &Path) -> Self {
        let about = fs::metadata(path).ok();
        Self(about.map(|a| (a.len(), a.ino(), a.mtime(), a.mtime_nsec())))
    }

    pub(super) fn time(&self) -> IndexTime {
        let (seconds, nanoseconds) = self.0.map_or((0, 0), |(_, _, s, n)| (s, n));
        let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
        IndexTime::new(seconds, u32::try_from(nanoseconds).unwrap_or_default())
    }
}

/// An index that was put in its place. Dropped before all is done, what was there before comes back,
/// unless somebody has written a newer one.
pub(super) struct Placed<'a> {
    index: &'a Path,
    /// Where what was there before lies.
    before: PathBuf,
    ours: IndexStamp,
    is_final: bool,
}

impl<'a> Placed<'a> {
    /// Puts the file `new` in the place of the `index`, which was as `known`; `None` where it is
    /// another one by now.
    pub(super) fn place(
        new: PathBuf,
        index: &'a Path,
        known: &IndexStamp,
    ) -> std::io::Result<Option<Self>> {
        let ours = IndexStamp::of(&new);
        if known.0.is_none() {
            fs::rename(&new, index)?;
            return Ok(Some(Self { index, before: new, ours, is_final: false }));
        }
        exchange(&new, index)?;
        if IndexStamp::of(&new) == *known {
            return Ok(Some(Self { index, before: new, ours, is_final: false }));
        }
        // Somebody was quicker: theirs goes back.
        exchange(&new, index)?;
        Ok(None)
    }

    pub(super) fn finish(mut self) {
        self.is_final = true;
    }
}

impl Drop for Placed<'_> {
    fn drop(&mut self) {
        if self.is_final || IndexStamp::of(self.index) != self.ours {
            return;
        }
        let undone = match self.before.exists() {
            true => fs::rename(&self.before, self.index),
            false => fs::remove_file(self.index),
        };
        if let Err(error) = undone {
            tracing::error!(%error, "{} is not as it was", self.index.display());
        }
    }
}

/// Lets two files change places in one step, where the file system can.
fn exchange(one: &Path, other: &Path) -> std::io::Result<()> {
    use rustix::{fs, io::Errno};
    match fs::renameat_with(fs::CWD, one, fs::CWD, other, fs::RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let aside = one.with_extension("aside");
            std::fs::copy(other, &aside)?;
            std::fs::rename(one, other)?;
            std::fs::rename(&aside, one)
        }
        done => Ok(done?),
    }
}
