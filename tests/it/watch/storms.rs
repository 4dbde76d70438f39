//! More changes than anybody can follow: in the end the plan is what the files say.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use super::{Watched, changed_tasks, program, text, with_title};
use crate::cli::Sandbox;

/// Makes a folder with task files of these names.
pub(super) fn fill(folder: &Path, prefix: &str, n: usize) {
    fs::create_dir_all(folder).unwrap();
    for number in 0..n {
        let path = folder.join(format!("{prefix}-{number}.md"));
        fs::write(path, with_title(&format!("{prefix} {number}"))).unwrap();
    }
}

pub(super) fn watch(n: usize) -> Watched {
    let sandbox = Sandbox::new();
    fill(&sandbox.path(".orch/tasks"), "task", n);
    Watched::look(sandbox)
}

/// Stops the process and waits until it has stopped; it hears nothing until it goes on.
pub(super) fn freeze(watched: &Watched) {
    watched.signal(Signal::STOP);
    let stat = PathBuf::from(format!("/proc/{}/stat", watched.child.id()));
    crate::cli::wait_for("the stop", || {
        let stat = fs::read_to_string(&stat).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    });
}

/// Makes more notices than the queue holds: what happens afterwards is told to nobody who sleeps.
pub(super) fn overflow(tasks: &Path) {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    let (one, other) = (tasks.join("task-0.md"), tasks.join("away.md"));
    // Each rename is two notices.
    for _ in 0..limit / 4 + 100 {
        fs::rename(&one, &other).unwrap();
        fs::rename(&other, &one).unwrap();
    }
}

/// Returns how many tasks were told to be added, removed, renamed and changed since.
fn counts(watched: &Watched, since: usize) -> [usize; 4] {
    let told: Vec<String> = watched
        .events(since, "plan-changed")
        .flat_map(changed_tasks)
        .filter(|task| task["id"] != super::MARK)
        .map(|task| text(&task["change"]))
        .collect();
    ["added", "removed", "renamed", "changed"]
        .map(|kind| told.iter().filter(|told| *told == kind).count())
}

#[test]
fn an_overflow_of_the_queue_loses_nothing() {
    let mut watched = watch(300);
    watched.settle();
    let since = watched.now();
    let tasks = watched.path(".orch/tasks");
    freeze(&watched);
    overflow(&tasks);
    // From here on nothing is told any more.
    fill(&tasks.join("new"), "new", 2000);
    (100..150).for_each(|n| fs::remove_file(tasks.join(format!("task-{n}.md"))).unwrap());
    (200..220).for_each(|n| {
        fs::write(tasks.join(format!("task-{n}.md")), with_title("Other")).unwrap();
    });
    watched.signal(Signal::CONT);
    watched.wait("the new tasks", |line| line["event"] == "plan-changed");
    watched.assert_is_fresh();
    assert_eq!(counts(&watched, since), [2000, 50, 0, 20]);
}

#[test]
fn folders_come_and_go_with_all_their_tasks() {
    let mut watched = watch(20);
    fill(&watched.path("outside"), "out", 1000);
    let root = watched.path("");
    let steps: [(&str, &[&str], [usize; 4]); 7] = [
        ("copied in", &["cp", "-r", "outside", ".orch/tasks/in"], [1000, 0, 0, 0]),
        ("moved inside", &["mv", ".orch/tasks/in", ".orch/tasks/deep"], [0, 0, 0, 1000]),
        ("moved out", &["mv", ".orch/tasks/deep", "elsewhere"], [0, 1000, 0, 0]),
        ("moved in", &["mv", "elsewhere", ".orch/tasks/in"], [1000, 0, 0, 0]),
        ("copied over, the same", &["cp", "-r", "outside/.", ".orch/tasks/in"], [0, 0, 0, 0]),
        ("removed", &["rm", "-r", ".orch/tasks/in"], [0, 1000, 0, 0]),
        (
            "made with parents",
            &["sh", "-c", "mkdir -p .orch/tasks/x/y/z && cp -r outside .orch/tasks/x/y/z"],
            [1000, 0, 0, 0],
        ),
    ];
    watched.settle();
    let folders = ["in", "deep", "", "in", "in", "", "x/y/z/outside"];
    for ((name, words, expected), folder) in steps.into_iter().zip(folders) {
        let since = watched.now();
        program(&root, words);
        watched.assert_is_fresh();
        assert_eq!(counts(&watched, since), expected, "{name}");
        // What lies in it is listened to.
        let inner = watched.path(".orch/tasks").join(folder).join("out-3.md");
        if inner.is_file() {
            let before = fs::read(&inner).unwrap();
            let since = watched.now();
            fs::write(&inner, with_title("Edited")).unwrap();
            watched.settle();
            fs::write(&inner, before).unwrap();
            watched.assert_is_fresh();
            assert_eq!(watched.story(since), "out-3 changed title\nout-3 changed title", "{name}");
        }
    }
}

#[test]
fn the_folder_of_the_tasks_itself_is_replaced() {
    let mut watched = watch(50);
    watched.settle();
    let tasks = watched.path(".orch/tasks");
    for round in 0..3 {
        let since = watched.now();
        fill(&watched.path("next"), &format!("round{round}"), 50);
        fs::rename(&tasks, watched.path(&format!("old{round}"))).unwrap();
        fs::rename(watched.path("next"), &tasks).unwrap();
        watched.assert_is_fresh();
        assert_eq!(counts(&watched, since)[0], 50, "{}", watched.story(since));
        // The new folder is listened to.
        let since = watched.now();
        fs::write(tasks.join(format!("round{round}-3.md")), with_title("Edited")).unwrap();
        watched.assert_is_fresh();
        assert_eq!(watched.story(since), format!("round{round}-3 changed title"));
    }
}

#[test]
fn what_else_changes_in_a_storm_is_not_lost() {
    let mut watched = watch(20);
    watched.settle();
    let since = watched.now();
    std::thread::scope(|scope| {
        let (tasks, sandbox) = (watched.path(".orch/tasks"), &watched.sandbox);
        scope.spawn(move || {
            for round in 0..5 {
                fill(&tasks.join("storm"), "storm", 400);
                if round < 4 {
                    fs::remove_dir_all(tasks.join("storm")).unwrap();
                }
            }
        });
        sandbox.write(".orch/config.yaml", "max_workers: 7\nwatch: {rescan: 1h}\n");
        sandbox.write(".orch/roles/smith.md", "---\nretry: {max_attempts: 2}\n---\nYou forge.\n");
        sandbox.write(".orch/events/approval/task-3.yaml", "state: passed\n");
        sandbox.write(".orch/runs/task-4.1.yaml", &crate::cli::record("task-4", 1, "succeeded"));
        sandbox.write(".orch/tasks/task-5.md", &with_title("Edited"));
    });
    watched.assert_is_fresh();
    let story = watched.story(since);
    for expected in [
        "setting max_workers",
        "smith added",
        "task-5 changed title",
        "\"event\":\"ended\"",
        "storm-399 added",
    ] {
        assert_eq!(story.matches(expected).count(), 1, "{expected}\n{story}");
    }
}
