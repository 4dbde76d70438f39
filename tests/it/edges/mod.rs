//! Each room of `io` against the real thing: real files, real processes.

mod call;
mod claims;
mod ground;
mod journal;
mod lock;
mod process;
mod store;
mod watch;

use std::{
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use orch::io::store::Store;

/// Returns a store in a new folder, which goes with the first value.
fn new_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".orch")).unwrap();
    let store = Store::at(folder.path());
    (folder, store)
}

/// A process that does not outlive its test.
struct KillOnDrop(Child);

impl KillOnDrop {
    fn stop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Writes a file the plain way, with its folders.
fn put(store: &Store, path: &str, bytes: &[u8]) {
    let path = store.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Waits until `condition` holds.
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

/// Waits for the first whole line of a file that a process writes.
fn wait_for_line(path: &Path) -> String {
    let mut text = String::new();
    wait_until("a line in a file", || {
        text = std::fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    });
    text.lines().next().unwrap_or_default().to_owned()
}
