//! Newer versions of files, copied over: exactly what differs is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use expect_test::expect;

use super::{Watched, changed_tasks, fields, text};
use crate::{cli::Sandbox, source};

/// Copies the files below `from` over those below `to`.
fn copy_over(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_over(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

/// Returns the fields of each task that were told to have changed since, in one line each.
fn changed(watched: &Watched, since: usize) -> String {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for task in watched.events(since, "plan-changed").flat_map(changed_tasks) {
        assert!(task["id"] == super::MARK || task["change"] == "changed", "{task}");
        all.entry(text(&task["id"])).or_default().extend(fields(task));
    }
    all.remove(super::MARK);
    let line = |(id, fields): (String, BTreeSet<String>)| {
        format!("{id}: {}\n", fields.into_iter().collect::<Vec<_>>().join(", "))
    };
    all.into_iter().map(line).collect()
}

#[test]
fn what_differs_is_told_and_nothing_else() {
    let sandbox = Sandbox::new();
    let fixture = source::root().join("fixtures/replay");
    copy_over(&fixture.join("before"), sandbox.root());
    let mut watched = Watched::look(sandbox);
    watched.settle();
    let since = watched.now();
    copy_over(&fixture.join("after"), watched.sandbox.root());
    watched.assert_is_fresh();
    expect![[r#"
        config: status
        graph: workstream
        parser: body
        queue: depends_on
        state: status
        worktrees: depends_on, status
    "#]]
    .assert_eq(&changed(&watched, since));
    let story = watched.story(since);
    assert!(story.lines().all(|line| line.contains(" changed ")), "{story}");
}

/// Real files of another project, where they lie beside this repository.
const REAL: &str = "../shared/realdata/tanuki";

#[test]
fn the_history_of_a_real_plan_is_told() {
    let real = source::root().join(REAL);
    if !real.is_dir() {
        eprintln!("skipped: there is no {}", real.display());
        return;
    }
    let sandbox = Sandbox::new();
    let tasks = sandbox.path(".orch/tasks");
    copy_over(&real.join("tasks"), &tasks);
    copy_over(&real.join("before/tasks"), &tasks);
    let mut watched = Watched::look(sandbox);
    watched.settle();
    let since = watched.now();
    for entry in walk(&real.join("before/tasks")) {
        let below = entry.strip_prefix(real.join("before/tasks")).unwrap();
        fs::copy(real.join("tasks").join(below), tasks.join(below)).unwrap();
    }
    watched.assert_is_fresh();
    expect![[r#"
        TANK-020: status
        TANK-021: status, workstream
        TANK-022: status
        TANK-023: status
        TANK-024: status
        TANK-025: status, workstream
        TANK-026: status
        TANK-027: status
        TANK-031: body, depends_on
        TANK-032: body
        TANK-034: body, depends_on
        TANK-036: body, depends_on
        TANK-037: body, depends_on
        TANK-038: body, depends_on
        TANK-044: body, depends_on
        TANK-045: body, depends_on
        TANK-047: body, depends_on
    "#]]
    .assert_eq(&changed(&watched, since));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false => found.push(path),
        }
    }
    found
}
