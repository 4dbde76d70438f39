//! Counts what lies below a folder, without reading it.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _};

use walkdir::WalkDir;

use super::Store;

impl Store {
    /// Returns how many folders `dir` is, with all folders below it; 0 where it is missing.
    pub fn n_folders(&self, dir: &str) -> u64 {
        let entries = WalkDir::new(self.path(dir)).follow_root_links(false).into_iter().flatten();
        entries.filter(|entry| entry.file_type().is_dir()).fold(0, |n, _| n + 1)
    }

    /// Returns the length of all files below `dir` together, as far as they can be looked at.
    pub fn size_below(&self, dir: &str) -> u64 {
        let entries = WalkDir::new(self.path(dir)).follow_root_links(false).into_iter().flatten();
        let files = entries.filter(|entry| entry.file_type().is_file());
        files.filter_map(|file| file.metadata().ok()).fold(0, |sum, file| sum + file.len())
    }

    /// Returns the room that would be free without `dir`: files with another name elsewhere take up
    /// theirs all the same.
    pub fn room_below(&self, dir: &str) -> u64 {
        let entries = WalkDir::new(self.path(dir)).follow_root_links(false).into_iter().flatten();
        let (mut n_blocks, mut shared) = (0, BTreeMap::new());
        for about in entries.filter_map(|entry| entry.metadata().ok()) {
            if about.is_dir() || about.nlink() == 1 {
                n_blocks += about.blocks();
                continue;
            }
            let n_seen = shared.entry((about.dev(), about.ino())).or_insert(0);
            *n_seen += 1;
            if *n_seen == about.nlink() {
                n_blocks += about.blocks();
            }
        }
        // The unit of the count, whatever the file system uses.
        n_blocks * 512
    }

    /// Says whether something is at `path`, whatever it is.
    pub fn is_there(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }
}
