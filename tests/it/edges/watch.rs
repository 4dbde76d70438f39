//! Hints from the real watcher.

use orch::io::watch::{Hint, watch};
use tokio::sync::mpsc::Receiver;

use super::{new_store, put, wait_until};

/// Waits for a hint that may mean `name`.
fn wait_for_hint(hints: &mut Receiver<Hint>, name: &str) {
    wait_until("a hint", || match hints.try_recv() {
        Ok(Hint::Everything) => true,
        Ok(Hint::Paths(paths)) => paths.iter().any(|path| path.ends_with(name)),
        Err(_) => false,
    });
}

#[test]
fn a_written_file_gives_a_hint() {
    let (_folder, store) = new_store();
    put(&store, ".orch/tasks/a.md", b"one");
    let (mut watcher, mut hints) = watch(store.root(), &[".orch/tasks", ".orch/events"]).unwrap();
    store.replace(".orch/tasks/a.md", b"two").unwrap();
    wait_for_hint(&mut hints, "a.md");
    assert!(!watcher.watch_missing().unwrap());
    std::fs::create_dir(store.path(".orch/events")).unwrap();
    assert!(watcher.watch_missing().unwrap());
    store.create(".orch/events/e.yaml", b"x").unwrap();
    wait_for_hint(&mut hints, "e.yaml");
}

#[test]
fn the_last_hint_of_a_full_channel_means_everything() {
    let (_folder, store) = new_store();
    put(&store, ".orch/tasks/a.md", b"one");
    let (_watcher, mut hints) = watch(store.root(), &[".orch/tasks"]).unwrap();
    let mut n_written = 0;
    wait_until("a full channel", || {
        store.create(&format!(".orch/tasks/{n_written}.md"), b"x").unwrap();
        n_written += 1;
        hints.len() == hints.max_capacity()
    });
    let first: Vec<Hint> = (0..hints.max_capacity()).map_while(|_| hints.try_recv().ok()).collect();
    assert_eq!(first.last(), Some(&Hint::Everything));
}
