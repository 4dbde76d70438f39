//! Counts what lies below a folder, without reading it.

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

    /// Says whether something is at `path`, whatever it is.
    pub fn is_there(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }
}
