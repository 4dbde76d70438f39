//! Folders that go and come back, or come unheard, are listened to again.

use std::fs;

use rustix::process::Signal;

use super::{
    Watched,
    storms::{fill, freeze, overflow, watch},
    with_title,
};

/// Checks that a save in a task's file is heard.
#[track_caller]
fn assert_listens(watched: &mut Watched, path: &str, id: &str) {
    let since = watched.now();
    fs::write(watched.path(".orch/tasks").join(path), with_title("Edited")).unwrap();
    watched.assert_is_fresh();
    assert_eq!(watched.story(since), format!("{id} changed title"));
}

#[test]
fn a_folder_whose_coming_was_not_heard_is_listened_to() {
    let mut watched = watch(20);
    watched.settle();
    let tasks = watched.path(".orch/tasks");
    freeze(&watched);
    overflow(&tasks);
    fill(&tasks.join("new"), "new", 20);
    watched.signal(Signal::CONT);
    watched.wait("the new tasks", |line| line["event"] == "plan-changed");
    watched.assert_is_fresh();
    assert_listens(&mut watched, "new/new-7.md", "new-7");
}

#[test]
fn the_folder_of_the_tasks_is_removed_and_made_anew() {
    let mut watched = watch(5);
    watched.settle();
    let tasks = watched.path(".orch/tasks");
    freeze(&watched);
    fs::remove_dir_all(&tasks).unwrap();
    // The new folder may well have the inode of the old one.
    fill(&tasks, "next", 5);
    watched.signal(Signal::CONT);
    watched.wait("the new tasks", |line| line["event"] == "plan-changed");
    assert_listens(&mut watched, "next-3.md", "next-3");
}

#[test]
fn a_branch_without_tasks_is_visited() {
    let sandbox = super::git::small();
    let root = sandbox.root().to_owned();
    let git = super::git::git;
    git(&root, &["checkout", "-q", "-b", "bare"]);
    git(&root, &["rm", "-q", "-r", ".orch/tasks"]);
    git(&root, &["commit", "-qm", "bare"]);
    git(&root, &["checkout", "-q", "main"]);
    let mut watched = Watched::look(sandbox);
    for _ in 0..3 {
        git(&root, &["checkout", "-q", "bare"]);
        watched.wait("the loss", |line| line["event"] == "plan-changed");
        git(&root, &["checkout", "-q", "main"]);
        watched.wait("the return", |line| line["event"] == "plan-changed");
        assert_listens(&mut watched, "main0/main-3.md", "main-3");
        git(&root, &["checkout", "-q", "."]);
        fs::remove_file(watched.task(super::MARK)).unwrap();
        watched.wait("the end of the mark", |line| {
            super::changed_tasks(line).any(|task| task["id"] == super::MARK)
        });
    }
}
