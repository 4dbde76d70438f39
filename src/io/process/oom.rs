//! Whether the system killed a process because memory had run out: the control group counts that.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::cgroup::{Hierarchy, own_folder_in};

/// The count of the processes that were killed in the group of this process, or in the nearest
/// group above it that counts.
#[derive(Debug)]
pub struct OomKills {
    file: PathBuf,
    n_seen: u64,
}

impl OomKills {
    /// Finds the count, and takes all that it says for old; `None` where nothing counts.
    pub fn find() -> Option<Self> {
        let unified = own_folder_in(Hierarchy::Unified);
        let unified = unified.as_deref().and_then(|own| counting(own, "memory.events"));
        let memory = || {
            let own = own_folder_in(Hierarchy::Memory)?;
            counting(&own, "memory.oom_control")
        };
        let file = unified.or_else(memory)?;
        let n_seen = count(&file)?;
        Some(Self { file, n_seen })
    }

    /// Says whether a process was killed that nobody asked for yet; each is told once.
    pub fn take(&mut self) -> bool {
        let is_new = count(&self.file).is_some_and(|n| n > self.n_seen);
        self.n_seen += u64::from(is_new);
        is_new
    }

    /// Takes all that the count says for old.
    pub fn forget(&mut self) {
        self.n_seen = count(&self.file).unwrap_or(self.n_seen);
    }
}

/// Returns the file `name` of the group `own`, or of the nearest one above it that has the count.
fn counting(own: &Path, name: &str) -> Option<PathBuf> {
    own.ancestors().map(|group| group.join(name)).find(|file| count(file).is_some())
}

fn count(file: &Path) -> Option<u64> {
    parse(&fs::read_to_string(file).ok()?)
}

/// Reads the count from a table of `name number` lines.
fn parse(table: &str) -> Option<u64> {
    table.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_both_kinds_of_tables() {
        let unified = "low 0\nhigh 4\nmax 12\noom 3\noom_kill 2\noom_group_kill 1\n";
        let table = [
            (unified, Some(2)),
            ("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", Some(7)),
            ("oom_kill_disable 0\nunder_oom 0\n", None),
            ("oom_kill many\n", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn each_kill_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("memory.events");
        let set = |n: u32| fs::write(&file, format!("oom 9\noom_kill {n}\n")).unwrap();
        set(3);
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let found = counting(&inner, "memory.events").unwrap();
        assert_eq!(found, file);
        let mut kills = OomKills { file: found, n_seen: 3 };
        assert!(!kills.take());
        set(5);
        assert_eq!([kills.take(), kills.take(), kills.take()], [true, true, false]);
        set(6);
        kills.forget();
        assert!(!kills.take());
        fs::remove_file(&file).unwrap();
        assert!(!kills.take());
    }
}
