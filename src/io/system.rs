//! What the system says of itself: limits and file systems. What it does not tell is not known.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::statvfs;

/// Returns the number of the user that this process is.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// How much one user may watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchLimits {
    /// Most folders.
    pub watches: Option<u64>,
    /// Most watchers.
    pub instances: Option<u64>,
    /// Most notices that wait to be read.
    pub queued_events: Option<u64>,
}

/// Returns how much one user may watch, where the system has such limits.
pub fn watch_limits() -> WatchLimits {
    let read = |name: &str| {
        let text = fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(name)).ok()?;
        text.trim().parse().ok()
    };
    WatchLimits {
        watches: read("max_user_watches"),
        instances: read("max_user_instances"),
        queued_events: read("max_queued_events"),
    }
}

/// The room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that a user may still write.
    pub free_bytes: u64,
    /// Bytes that it has.
    pub total_bytes: u64,
    /// Files that may still be made.
    pub free_inodes: u64,
    /// Files that it has room for; 0 where it does not count them.
    pub total_inodes: u64,
}

/// Returns the room on the file system that `path` lies on.
///
/// # Errors
/// Why the system does not tell.
pub fn room(path: &Path) -> io::Result<Room> {
    let found = statvfs(path)?;
    Ok(Room {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        free_inodes: found.f_favail,
        total_inodes: found.f_files,
    })
}

/// Returns the user whose files root is at work on in the folder `root`, where this process is root's
/// and that is somebody else: who called it by `sudo`, or else the owner of the folder.
pub fn root_works_for(root: &Path) -> Option<u32> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let caller = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
    let owner = || fs::metadata(root).ok().map(|about| about.uid());
    caller.filter(|uid| *uid != 0).or_else(owner).filter(|uid| *uid != 0)
}

/// Returns the type of the file system that `path` lies on, as in `ext4`; `None` where the system
/// does not tell.
pub fn file_system(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    type_in(&fs::read_to_string("/proc/self/mounts").ok()?, &path)
}

/// Finds the type of the file system of `path` in a table of mounts: that of the deepest one, and
/// of the last where one covers another.
fn type_in(mounts: &str, path: &Path) -> Option<String> {
    let read = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let folder = PathBuf::from(unescaped(words.next()?));
        let kind = words.next()?.to_owned();
        path.starts_with(&folder).then(|| (folder.components().count(), kind))
    };
    mounts.lines().filter_map(read).max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

/// Undoes what the kernel does to blanks in names.
fn unescaped(name: &str) -> String {
    let pairs = [(r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", r"\")];
    pairs.iter().fold(name.to_owned(), |name, (written, meant)| name.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_and_last_mount_counts() {
        let mounts = "/dev/a / ext4 rw 0 0\nC: /mnt/c 9p rw 0 0\nx /srv/a\\040b nfs4 rw 0 0\n\
                      y /srv tmpfs rw 0 0\nz / xfs rw 0 0\nbroken\n";
        let table = [
            ("/home/a", "xfs"),
            ("/mnt/c/plan", "9p"),
            ("/mnt/cc", "xfs"),
            ("/srv/a b/c", "nfs4"),
            ("/srv/a", "tmpfs"),
        ];
        for (path, expected) in table {
            assert_eq!(type_in(mounts, Path::new(path)).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(type_in("", Path::new("/")), None);
    }
}
