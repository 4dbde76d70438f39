//! Control groups (cgroup v2): a process cannot leave its group by itself, whatever it does to its
//! environment, session or parent, and all of a group is killed at once.
//!
//! A supervisor makes one group, and goes into it before it starts its first worker. One for each
//! worker would tell their processes apart, but moving costs: 0.1 ms where many moves follow each
//! other, and 10 ms and more where the last one was a while ago, as the kernel then waits for all
//! its processors.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{Access, access};
use tokio::time::{Instant, sleep};

use super::leftovers::Stopped;

/// The members of a group, one a line; a process that is written here becomes one.
const MEMBERS: &str = "cgroup.procs";

/// Writing `1` here kills all of a group, and what they start meanwhile.
const KILL: &str = "cgroup.kill";

/// What the names of our groups begin with.
const PREFIX: &str = "orch-";

/// How long killed processes may take to be gone.
const KILL_TIME: Duration = Duration::from_secs(2);

/// Time between two looks at killed processes.
const LOOK: Duration = Duration::from_millis(5);

/// Deepest group below ours that is looked into: a worker may make some, too.
const DEPTH_MAX: usize = 8;

/// A group that this process makes for itself and what it starts.
#[derive(Debug)]
pub struct Cgroup {
    /// Its folder.
    pub folder: PathBuf,
    /// The group that this process is in before and after.
    outer: PathBuf,
}

impl Cgroup {
    /// Returns the group of the supervisor `name`, which is not there yet; `None` where there can
    /// be none.
    pub fn planned(name: &str) -> Option<Self> {
        let outer = own_folder().filter(|_| why_none().is_none())?;
        Some(Self { folder: outer.join(format!("{PREFIX}{name}")), outer })
    }

    /// Makes the group, and moves this process into it.
    ///
    /// # Errors
    /// Why that cannot be.
    pub fn enter(&self) -> io::Result<()> {
        fs::create_dir(&self.folder)?;
        // Without it the group would be of no use.
        let entered = match self.folder.join(KILL).exists() {
            true => fs::write(self.folder.join(MEMBERS), "0"),
            false => Err(io::ErrorKind::Unsupported.into()),
        };
        if entered.is_err() {
            remove(&self.folder, DEPTH_MAX);
        }
        entered
    }

    /// Moves this process back, kills who is still in the group, and removes it.
    pub fn leave(&self) {
        if !self.folder.exists() {
            return;
        }
        if let Err(error) = fs::write(self.outer.join(MEMBERS), "0") {
            tracing::debug!(%error, "a control group stays");
            return;
        }
        kill(&self.folder);
        let deadline = std::time::Instant::now() + KILL_TIME;
        while !is_removed(&self.folder) && std::time::Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
    }
}

/// Returns why this process cannot make groups; `None` where it can.
pub fn why_none() -> Option<&'static str> {
    let Some(folder) = own_folder() else { return Some("the system has none") };
    let may = |path: &Path, mode| access(path, mode).is_ok();
    let is_writable = may(&folder, Access::WRITE_OK | Access::EXEC_OK)
        && may(&folder.join(MEMBERS), Access::WRITE_OK);
    (!is_writable).then_some("this user may not make one")
}

/// Returns the limits that hold for the group of this process, by name: the nearest of each counts.
pub fn limits() -> Vec<(&'static str, String)> {
    let Some(own) = own_folder() else { return Vec::new() };
    let limit = |name: &'static str| {
        let texts = own.ancestors().filter_map(|group| fs::read_to_string(group.join(name)).ok());
        let mut set = texts.map(|text| text.trim().to_owned()).filter(|text| text != "max");
        set.next().map(|value| (name, value))
    };
    ["memory.max", "pids.max"].into_iter().filter_map(limit).collect()
}

/// Says whether `folder` can be the group of the supervisor `name`, and nobody else's.
pub fn is_of(folder: &Path, name: &str) -> bool {
    let own = format!("{PREFIX}{name}");
    folder.file_name().is_some_and(|last| last.as_bytes() == own.as_bytes())
        && fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| {
            let lines = mounts.lines();
            let mut places =
                lines.filter_map(|line| mounted(Hierarchy::Unified, line)).map(|(_, place)| place);
            places.any(|place| folder.starts_with(place))
        })
}

/// Kills all of a group that its supervisor left, and removes it; nothing where it is gone.
pub async fn end(folder: &Path) -> Stopped {
    let n_found = kill(folder);
    let deadline = Instant::now() + KILL_TIME;
    while !is_removed(folder) && Instant::now() < deadline {
        sleep(LOOK).await;
    }
    let survivors = members(folder, DEPTH_MAX);
    Stopped { n_stopped: n_found.saturating_sub(survivors.len()), survivors }
}

/// Kills all of a group; returns how many were in it.
fn kill(folder: &Path) -> usize {
    let n_found = members(folder, DEPTH_MAX).len();
    if n_found > 0
        && let Err(error) = fs::write(folder.join(KILL), "1")
    {
        tracing::debug!(%error, "a control group cannot be killed");
    }
    n_found
}

/// Removes a group where nobody is in it; says whether it is gone.
fn is_removed(folder: &Path) -> bool {
    members(folder, DEPTH_MAX).is_empty() && {
        remove(folder, DEPTH_MAX);
        !folder.exists()
    }
}

/// Returns the processes in a group and in those below it.
fn members(folder: &Path, depth: usize) -> Vec<u32> {
    let text = fs::read_to_string(folder.join(MEMBERS)).unwrap_or_default();
    let mut found: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    if depth > 0 {
        found.extend(below(folder).iter().flat_map(|inner| members(inner, depth - 1)));
    }
    found
}

/// Removes an empty group and those below it.
fn remove(folder: &Path, depth: usize) {
    if depth > 0 {
        below(folder).iter().for_each(|inner| remove(inner, depth - 1));
    }
    if let Err(error) = fs::remove_dir(folder) {
        tracing::debug!(%error, "a control group stays");
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

/// One of the trees of groups that a process has a place in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// The one tree of version 2.
    Unified,
    /// That of version 1 for memory.
    Memory,
}

impl Hierarchy {
    /// Reads a line of the table of groups: the place of the process, where it is in this tree.
    fn place(self, line: &str) -> Option<&str> {
        let (_, rest) = line.split_once(':')?;
        let (controllers, place) = rest.split_once(':')?;
        let is_it = match self {
            Self::Unified => controllers.is_empty(),
            Self::Memory => controllers.split(',').any(|name| name == "memory"),
        };
        is_it.then_some(place)
    }

    /// Says whether what stands in the table of mounts after the dash is about this tree.
    fn is_mounted_as(self, system: &str) -> bool {
        let mut fields = system.split(' ');
        let (kind, options) = (fields.next(), fields.nth(1).unwrap_or_default());
        match self {
            Self::Unified => kind == Some("cgroup2"),
            Self::Memory => {
                kind == Some("cgroup") && options.split(',').any(|name| name == "memory")
            }
        }
    }
}

/// Returns the folder of the group of this process.
fn own_folder() -> Option<PathBuf> {
    own_folder_in(Hierarchy::Unified)
}

/// Returns the folder of the group of this process in one of the trees.
pub(super) fn own_folder_in(tree: Hierarchy) -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    folder_in(tree, &groups, &mounts)
}

/// Finds the folder of a group, where the process is in `groups` and sees `mounts`.
fn folder_in(tree: Hierarchy, groups: &str, mounts: &str) -> Option<PathBuf> {
    let own = Path::new(groups.lines().find_map(|line| tree.place(line))?);
    mounts.lines().filter_map(|line| mounted(tree, line)).find_map(|(root, place)| {
        // A group out of sight begins with `/..`.
        let inner = own.strip_prefix(root).ok().filter(|inner| !inner.starts_with(".."))?;
        Some(place.join(inner))
    })
}

/// Reads a line of the table of mounts: what is mounted of the groups, and where; `None` where it
/// is about something else.
fn mounted(tree: Hierarchy, line: &str) -> Option<(PathBuf, PathBuf)> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, place) = (fields.next()?, fields.next()?);
    // What is written with escapes is not looked for: no system mounts it there.
    let is_plain = !before.contains('\\');
    (tree.is_mounted_as(after) && is_plain).then(|| (root.into(), place.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_group_follows_from_two_tables() {
        let other = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n";
        let whole = "41 31 0:31 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw";
        let part = "41 31 0:31 /box/7 /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate";
        let memory = "35 25 0:33 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory";
        let (unified, of_memory) = (Hierarchy::Unified, Hierarchy::Memory);
        for (tree, groups, mounts, expected) in [
            (unified, "1:cpu:/\n0::/\n", whole, Some("/sys/fs/cgroup/unified/")),
            (unified, "0::/user.slice/a b\n", whole, Some("/sys/fs/cgroup/unified/user.slice/a b")),
            (unified, "0::/box/7/x\n", part, Some("/sys/fs/cgroup/x")),
            (unified, "0::/elsewhere\n", part, None),
            (unified, "0::/../elsewhere\n", whole, None),
            (unified, "1:cpu:/\n", whole, None),
            (unified, "0::/\n", "", None),
            (of_memory, "0::/\n", whole, None),
            (of_memory, "4:memory:/box\n0::/\n", memory, Some("/sys/fs/cgroup/memory/box")),
            (of_memory, "4:cpu,memory:/\n0::/\n", memory, Some("/sys/fs/cgroup/memory/")),
            (unified, "4:memory:/box\n0::/\n", memory, None),
        ] {
            let mounts = format!("{other}{mounts}\n");
            let found = folder_in(tree, groups, &mounts);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{groups} {mounts}");
        }
    }

    #[test]
    fn no_group_but_that_of_the_supervisor_is_its_own() {
        for folder in ["/tmp/orch-a", "/sys/fs/cgroup/unified/system.slice", "orch-a", "/"] {
            assert!(!is_of(Path::new(folder), "a"), "{folder}");
        }
    }
}
