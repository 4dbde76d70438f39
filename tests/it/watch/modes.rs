//! Where nothing tells of changes: by setting, on a silent disk, with a limit used up. And who
//! may watch beside whom.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{NO_RESCAN, Watched, text, with_title};
use crate::cli::Sandbox;

fn sandbox(config: &str) -> Sandbox {
    Sandbox::with(&[
        (".orch/config.yaml", config),
        (".orch/tasks/a.md", &with_title("First")),
        (".orch/tasks/b.md", &with_title("Second")),
    ])
}

/// Changes, adds and removes tasks, and waits until that is told.
fn assert_changes_are_found(watched: &mut Watched) {
    let since = watched.now();
    fs::write(watched.task("a"), with_title("Edited")).unwrap();
    fs::write(watched.task("c"), with_title("New")).unwrap();
    fs::remove_file(watched.task("b")).unwrap();
    watched.wait("the removal", |line| {
        super::changed_tasks(line).any(|task| task["id"] == "b" && task["change"] == "removed")
    });
    watched.assert_is_fresh();
    let story = watched.story(since);
    let mut told: Vec<&str> = story.lines().filter(|line| !line.contains("\"watching\"")).collect();
    told.sort_unstable();
    assert_eq!(told, ["a changed title", "b removed", "c added"]);
}

/// Returns what was told of how changes are noticed.
fn watching(watched: &Watched) -> Vec<&Value> {
    watched.events(0, "watching").collect()
}

#[test]
fn polling_is_told_once_and_finds_changes() {
    let mut watched = Watched::look(sandbox("watch: {mode: poll}\n"));
    assert_changes_are_found(&mut watched);
    fs::write(watched.task("a"), with_title("Again")).unwrap();
    watched.assert_is_fresh();
    let told = watching(&watched);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (text(&told[0]["mode"]), text(&told[0]["reason"])),
        ("polling".to_owned(), "the settings say so".to_owned())
    );
    assert!(told[0]["period"].as_f64().unwrap() >= 1.0, "{told:?}");
}

#[test]
fn notices_are_not_talked_about_where_they_arrive() {
    let mut watched = Watched::look(sandbox(NO_RESCAN));
    assert_changes_are_found(&mut watched);
    assert_eq!(watching(&watched), Vec::<&Value>::new());
    assert!(!watched.path(".orch/local/probe").exists());
}

#[test]
fn what_is_written_through_another_name_is_found_by_a_look_at_everything() {
    for config in ["watch: {rescan: 200ms}\n", "watch: {mode: poll, rescan: 200ms}\n"] {
        let mut watched = Watched::look(sandbox(config));
        let outside = watched.path("outside.md");
        fs::hard_link(watched.task("a"), &outside).unwrap();
        watched.settle();
        let since = watched.now();
        fs::write(&outside, with_title("Edited outside")).unwrap();
        watched.wait("the change", |line| line["event"] == "plan-changed");
        assert_eq!(watched.story(since), "a changed title", "{config}");
    }
}

#[test]
fn without_watches_it_polls_and_says_what_to_do() {
    let is_possible = Command::new("unshare")
        .args(["-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_possible {
        eprintln!("skipped: no limit of watches can be set here");
        return;
    }
    let sandbox = sandbox("");
    let inner = sandbox.command(&["watch", "--no-run", "--json"]);
    let mut command = Command::new("unshare");
    let script = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\"";
    command.args(["-Ur", "sh", "-c", script, "sh"]).arg(inner.get_program());
    command.args(inner.get_args()).current_dir(sandbox.root()).stdin(Stdio::null());
    let mut watched = Watched::spawn(sandbox, command);
    assert_changes_are_found(&mut watched);
    let told = watching(&watched);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["mode"], "polling");
    assert!(text(&told[0]["help"]).contains("sysctl"), "{told:?}");
    assert!(text(&told[0]["reason"]).contains("failed to"), "{told:?}");
}

#[test]
fn looks_at_everything_write_nothing() {
    let watched = &mut Watched::look(sandbox("watch: {rescan: 100ms}\n"));
    let outside = watched.path("outside.md");
    fs::hard_link(watched.task("a"), &outside).unwrap();
    watched.settle();
    let listing = |watched: &Watched| {
        let mut found = Vec::new();
        let mut folders = vec![watched.path(".orch")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let (entry, about) = entry.map(|e| (e.path(), e.metadata().unwrap())).unwrap();
                // The file that the test itself writes.
                if about.is_dir() {
                    folders.push(entry.clone());
                }
                if !entry.ends_with("a.md") {
                    found.push((
                        entry,
                        about.modified().unwrap(),
                        about.ctime(),
                        about.ctime_nsec(),
                    ));
                }
            }
        }
        found.sort();
        found
    };
    // Not `write_bytes`: the access time of a changed file is charged to who reads it.
    let written = |watched: &Watched| {
        let io = fs::read_to_string(format!("/proc/{}/io", watched.child.id())).unwrap();
        let chars = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
        chars.parse::<usize>().unwrap()
    };
    let (before, chars) = (listing(watched), written(watched));
    let since = watched.now();
    for round in 0..5 {
        // Only a look at everything finds this: each round is one look at least.
        fs::write(&outside, with_title(&format!("Round {round}"))).unwrap();
        watched.wait("the change", |line| line["event"] == "plan-changed");
    }
    assert_eq!(listing(watched), before);
    let lines: usize = watched.told.iter().skip(since).map(|line| line.to_string().len() + 1).sum();
    // The lines on standard output, and a byte here and there that wakes a thread.
    let chars = written(watched) - chars;
    assert!(chars < lines + 2000, "{chars} {lines}");
}

#[test]
fn a_second_one_is_told_who_is_there_and_how_to_look() {
    let plan = sandbox(&format!("worker: {{command: 'true'}}\n{NO_RESCAN}"));
    let mut watched = Watched::run(plan);
    watched.wait("an ending", |line| line["event"] == "ended");
    let pid = watched.child.id();
    for args in [&["watch"][..], &["watch", "--json"], &["run"]] {
        let second = watched.sandbox.orch(args);
        assert_eq!(second.code, 3, "{args:?}: {second:?}");
        assert!(second.stderr.contains(&format!("process {pid} ")), "{}", second.stderr);
        assert!(second.stderr.contains("since"), "{}", second.stderr);
        assert!(second.stderr.contains("orch watch --no-run"), "{}", second.stderr);
    }
    // Looking is possible, and says who carries out.
    let mut looker = watched.sandbox.command(&["watch", "--no-run", "--json"]);
    let mut looker = looker.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(looker.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut first).unwrap();
    looker.kill().unwrap();
    looker.wait().unwrap();
    assert!(first.contains(&format!("process {pid} ")), "{first}");
    // One that died holds nothing.
    watched.signal(rustix::process::Signal::KILL);
    watched.child.wait().unwrap();
    let sandbox = std::mem::replace(&mut watched.sandbox, Sandbox::new());
    let mut next = Watched::run(sandbox);
    fs::write(next.task("c"), "---\n---\n").unwrap();
    next.wait("the new task", |line| line["event"] == "ended" && line["task"] == "c");
    assert_eq!(next.end(), 130);
}
