//! Signs from the real watcher.

use std::{collections::BTreeMap, path::PathBuf};

use orch::{
    domain::{model::time::Tick, settle::Sign},
    io::{
        clock::Clock,
        store::Store,
        watch::{Depth, Watcher},
    },
};

use super::{new_store, put, wait_until};

/// Watches `dirs` of a store, and takes every sign as it is.
fn watch(store: &Store, dirs: &[&str]) -> Watcher {
    let clock = Clock::new();
    let mut watcher = Watcher::start(|_, sign| Some(sign), move || clock.now().tick).unwrap();
    for dir in dirs {
        watcher.add(store.path(dir), Depth::Deep).unwrap();
    }
    watcher
}

/// Waits until `holds` is true of all signs that came in so far.
fn wait_for(watcher: &Watcher, holds: impl Fn(&BTreeMap<PathBuf, (Sign, Tick)>) -> bool) {
    let mut all = BTreeMap::new();
    wait_until("signs", || {
        all.append(&mut watcher.take().paths);
        holds(&all)
    });
}

fn has(all: &BTreeMap<PathBuf, (Sign, Tick)>, name: &str, sign: Sign) -> bool {
    all.iter().any(|(path, (found, _))| path.ends_with(name) && *found == sign)
}

#[test]
fn what_happens_to_a_file_is_told() {
    let (_folder, store) = new_store();
    put(&store, ".orch/tasks/a.md", b"one");
    put(&store, ".orch/tasks/b.md", b"one");
    let watcher = watch(&store, &[".orch/tasks"]);
    put(&store, ".orch/tasks/a.md", b"two");
    wait_for(&watcher, |all| has(all, "a.md", Sign::Saved));
    put(&store, ".orch/tasks/next", b"three");
    std::fs::rename(store.path(".orch/tasks/next"), store.path(".orch/tasks/a.md")).unwrap();
    wait_for(&watcher, |all| has(all, "a.md", Sign::MovedIn));
    std::fs::rename(store.path(".orch/tasks/a.md"), store.path(".orch/a.md")).unwrap();
    wait_for(&watcher, |all| has(all, "a.md", Sign::MovedAway));
    store.remove(".orch/tasks/b.md").unwrap();
    wait_for(&watcher, |all| has(all, "b.md", Sign::Gone));
    put(&store, ".orch/tasks/new/c.md", b"one");
    wait_for(&watcher, |all| has(all, "new", Sign::Folder));
    // The watcher needs a moment to hear of what lies in it.
    wait_for(&watcher, |all| {
        put(&store, ".orch/tasks/new/c.md", b"two");
        has(all, "c.md", Sign::Saved)
    });
}

#[test]
fn a_folder_is_watched_when_it_comes_up_and_when_it_is_replaced() {
    let (_folder, store) = new_store();
    put(&store, ".orch/tasks/a.md", b"one");
    let mut watcher = watch(&store, &[".orch/tasks", ".orch/events"]);
    assert!(!watcher.renew().unwrap());
    std::fs::create_dir(store.path(".orch/events")).unwrap();
    assert!(watcher.renew().unwrap());
    store.create(".orch/events/e.yaml", b"x").unwrap();
    wait_for(&watcher, |all| has(all, "e.yaml", Sign::MovedIn));
    // The old one stays, so that its inode is not given out again.
    std::fs::rename(store.path(".orch/tasks"), store.path(".orch/old")).unwrap();
    std::fs::create_dir(store.path(".orch/tasks")).unwrap();
    assert!(watcher.renew().unwrap());
    put(&store, ".orch/tasks/n.md", b"one");
    wait_for(&watcher, |all| has(all, "n.md", Sign::Saved));
}

#[test]
fn too_many_signs_mean_everything() {
    let (_folder, store) = new_store();
    put(&store, ".orch/tasks/a.md", b"one");
    let watcher = watch(&store, &[".orch/tasks"]);
    wait_until("a sign for everything", || {
        for i in 0..600 {
            put(&store, &format!(".orch/tasks/{i}.md"), b"x");
        }
        watcher.take().everything.is_some()
    });
}
