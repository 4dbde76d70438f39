//! What tells one version of a file from another without reading it.

use std::time::Duration;

use rustix::fs::Stat;

/// Size, inode and times of a file.
///
/// Two versions with one stamp are possible where both were written within one tick of the file
/// system's clock: see [`Stamp::is_settled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    size: i64,
    device: u64,
    inode: u64,
    modified: Duration,
    changed: Duration,
}

/// Coarser than the clock of any file system that is in use (FAT: two seconds), so that a file
/// that is older than this cannot have changed again within the same tick.
const COARSEST_TICK: Duration = Duration::from_secs(2);

impl Stamp {
    #[allow(
        clippy::allow_attributes,
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "the types of these fields differ between systems"
    )]
    pub(super) fn of(about: &Stat) -> Self {
        let time = |seconds: i64, nanoseconds: u64| {
            let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            seconds.saturating_add(Duration::from_nanos(nanoseconds))
        };
        Self {
            size: about.st_size as i64,
            device: about.st_dev as u64,
            inode: about.st_ino as u64,
            modified: time(about.st_mtime as i64, about.st_mtime_nsec as u64),
            changed: time(about.st_ctime as i64, about.st_ctime_nsec as u64),
        }
    }

    /// Says whether a file that had this stamp at `now` (since 1970) can only change together with
    /// its stamp: the rule of git for "racily clean" entries of its index.
    pub fn is_settled(&self, now: Duration) -> bool {
        let newest = self.modified.max(self.changed);
        newest.saturating_add(COARSEST_TICK) < now
    }
}
