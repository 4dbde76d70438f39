//! Every way of saving a file is one change, and never a loss.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{Watched, changed_tasks, program, text, with_title};
use crate::cli::Sandbox;

/// Saves `text` in the file `name` of a folder.
pub(super) type Save = fn(&Path, &str, &str);

/// Ways of saving, by the system calls that they come down to.
pub(super) const WAYS: [(&str, Save); 16] = [
    ("in place", |dir, name, text| fs::write(dir.join(name), text).unwrap()),
    ("in place, in two steps", in_two_steps),
    ("a new file in its place", |dir, name, text| {
        fs::write(dir.join("new.tmp"), text).unwrap();
        fs::rename(dir.join("new.tmp"), dir.join(name)).unwrap();
    }),
    ("a new file of no known kind in its place", |dir, name, text| {
        let new = dir.join(format!("{name}.k3Jx9"));
        fs::write(&new, text).unwrap();
        fs::rename(new, dir.join(name)).unwrap();
    }),
    ("vim that renames", |dir, name, text| {
        File::create(dir.join("4913")).unwrap();
        fs::remove_file(dir.join("4913")).unwrap();
        let backup = dir.join(format!("{name}~"));
        fs::rename(dir.join(name), &backup).unwrap();
        write_synced(&dir.join(name), text);
        chmod(&dir.join(name), 0o644);
        fs::remove_file(backup).unwrap();
    }),
    ("vim in place", |dir, name, text| {
        let swap = dir.join(format!(".{name}.swp"));
        fs::write(&swap, "b0VIM").unwrap();
        write_synced(&dir.join(name), text);
        fs::remove_file(swap).unwrap();
    }),
    ("emacs", |dir, name, text| {
        let (lock, auto) = (dir.join(format!(".#{name}")), dir.join(format!("#{name}#")));
        symlink("me@here.1:2", &lock).unwrap();
        fs::write(&auto, text).unwrap();
        fs::rename(dir.join(name), dir.join(format!("{name}~"))).unwrap();
        write_synced(&dir.join(name), text);
        fs::remove_file(auto).unwrap();
        fs::remove_file(lock).unwrap();
    }),
    ("visual studio code", |dir, name, text| {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).truncate(true).open(dir.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }),
    ("jetbrains", |dir, name, text| {
        let new = dir.join(format!("{name}___jb_tmp___"));
        let old = dir.join(format!("{name}___jb_old___"));
        fs::write(&new, text).unwrap();
        fs::rename(dir.join(name), &old).unwrap();
        fs::rename(&new, dir.join(name)).unwrap();
        fs::remove_file(old).unwrap();
    }),
    ("nano", |dir, name, text| {
        fs::copy(dir.join(name), dir.join(format!("{name}~"))).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }),
    ("removed and written anew", |dir, name, text| {
        fs::remove_file(dir.join(name)).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }),
    ("a hard link in its place", |dir, name, text| {
        let new = dir.join("link.tmp");
        fs::write(&new, text).unwrap();
        fs::remove_file(dir.join(name)).unwrap();
        fs::hard_link(&new, dir.join(name)).unwrap();
        fs::remove_file(new).unwrap();
    }),
    ("moved from outside", |dir, name, text| {
        let outside = dir.parent().unwrap().parent().unwrap().join("outside");
        fs::write(&outside, text).unwrap();
        fs::rename(outside, dir.join(name)).unwrap();
    }),
    ("saved twice", |dir, name, text| {
        fs::write(dir.join(name), text).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }),
    ("exchanged with another file", |dir, name, text| {
        let other = dir.join("other.tmp");
        fs::write(&other, text).unwrap();
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        let at = rustix::fs::CWD;
        rustix::fs::renameat_with(at, &other, at, dir.join(name), flags).unwrap();
        fs::remove_file(other).unwrap();
    }),
    ("appended to after it was cut", |dir, name, text| {
        let mut file = OpenOptions::new().append(true).open(dir.join(name)).unwrap();
        file.set_len(0).unwrap();
        text.split_inclusive('\n').for_each(|line| file.write_all(line.as_bytes()).unwrap());
    }),
];

/// Programs that save; `to` is the title to write.
const PROGRAMS: [(&str, &str); 6] = [
    ("sed", "sed -i 's/^title:.*/title: TO/' NAME"),
    ("cp", "sed 's/^title:.*/title: TO/' NAME > ../next; cp ../next NAME"),
    ("mv", "sed 's/^title:.*/title: TO/' NAME > ../next; mv ../next NAME"),
    ("vim", "vim -es -u NONE -c '%s/^title:.*/title: TO/' -c wq NAME"),
    (
        "vim",
        "vim -es -u NONE -c 'set backup backupcopy=no' -c '%s/^title:.*/title: TO/' -c wq NAME",
    ),
    (
        "vim",
        "vim -es -u NONE -c 'set nowritebackup backupcopy=yes' -c '%s/^title:.*/title: TO/' -c wq NAME",
    ),
];

/// A writer that is held up longer than this in the middle may be seen half done.
const HELD_UP: Duration = Duration::from_millis(90);

fn write_synced(path: &Path, text: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.sync_all().unwrap();
}

fn in_two_steps(dir: &Path, name: &str, text: &str) {
    let mut file = File::create(dir.join(name)).unwrap();
    let (first, rest) = text.split_at(text.len() / 3);
    file.write_all(first.as_bytes()).unwrap();
    (0..1000).for_each(|_| std::thread::yield_now());
    file.write_all(rest.as_bytes()).unwrap();
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn watch(ids: &[&str]) -> Watched {
    let sandbox = Sandbox::new();
    for id in ids {
        sandbox.write(&format!(".orch/tasks/{id}.md"), &with_title("First"));
    }
    Watched::look(sandbox)
}

/// Saves, and returns what was told of it.
fn told_of(watched: &mut Watched, title: &str, save: impl FnOnce(&Path)) -> (String, Duration) {
    let since = watched.now();
    let begun = Instant::now();
    save(&watched.path(".orch/tasks"));
    let took = begun.elapsed();
    watched.wait(title, |line| {
        let is_it = |field: &serde_json::Value| text(&field["to"]) == title;
        changed_tasks(line).any(|task| task["fields"].as_array().unwrap().iter().any(is_it))
    });
    watched.assert_is_fresh();
    (watched.story(since), took)
}

#[test]
fn each_way_of_saving_is_one_change() {
    let mut watched = watch(&["a", "b"]);
    for (number, (way, save)) in WAYS.into_iter().enumerate() {
        for again in 0.. {
            assert!(again < 20, "{way}: the machine is too slow");
            let title = format!("Title {number} {again}");
            let save = |dir: &Path| save(dir, "a.md", &with_title(&title));
            let (story, took) = told_of(&mut watched, &title, save);
            if took < HELD_UP {
                assert_eq!(story, "a changed title", "{way}");
                break;
            }
        }
    }
    assert_eq!(watched.end(), 130);
}

#[test]
fn each_program_that_saves_makes_one_change() {
    let mut watched = watch(&["a", "b"]);
    for (number, (name, script)) in PROGRAMS.into_iter().enumerate() {
        let known = Command::new(name).arg("--version").stdout(Stdio::null()).status();
        if known.is_err() {
            eprintln!("skipped: there is no {name} here");
            continue;
        }
        let mut stories = Vec::new();
        // A program that is held up in the middle may be seen half done.
        while stories.last().is_none_or(|story| story != "a changed title") {
            assert!(stories.len() < 5, "{script}: {stories:?}");
            let title = format!("Title {number} {}", stories.len());
            let script = script.replace("TO", &title).replace("NAME", "a.md");
            let save = |dir: &Path| program(dir, &["sh", "-c", &script]);
            stories.push(told_of(&mut watched, &title, save).0);
        }
    }
}

#[test]
fn what_leaves_the_content_as_it_is_is_no_change() {
    let mut watched = watch(&["a", "b"]);
    watched.settle();
    let same = with_title("First");
    let ways: [(&str, Save); 6] = [
        ("touch", |dir, name, _| program(dir, &["touch", name])),
        ("chmod", |dir, name, _| {
            chmod(&dir.join(name), 0o600);
            chmod(&dir.join(name), 0o644);
        }),
        ("read", |dir, name, _| drop(fs::read(dir.join(name)).unwrap())),
        ("opened for writing, and closed", |dir, name, _| {
            drop(OpenOptions::new().append(true).open(dir.join(name)).unwrap());
        }),
        ("the same once more", |dir, name, text| fs::write(dir.join(name), text).unwrap()),
        ("the same in a new file", WAYS[2].1),
    ];
    for (way, save) in ways {
        let since = watched.now();
        save(&watched.path(".orch/tasks"), "a.md", &same);
        watched.assert_is_fresh();
        assert_eq!(watched.story(since), "", "{way}");
    }
}

#[test]
fn what_editors_leave_beside_is_no_task() {
    let mut watched = watch(&["a"]);
    watched.settle();
    let since = watched.now();
    let names = [
        "a.md~",
        ".a.md.swp",
        ".a.md.swo",
        "#a.md#",
        ".#a.md",
        "4913",
        "a.md___jb_tmp___",
        "a.md___jb_old___",
        "a.md.tmp",
        ".a.md.un~",
        "a.md.orig",
        "sedAbCdEf",
        ".DS_Store",
    ];
    for name in names {
        fs::write(watched.path(".orch/tasks").join(name), with_title("No task")).unwrap();
    }
    watched.assert_is_fresh();
    for name in names {
        fs::remove_file(watched.path(".orch/tasks").join(name)).unwrap();
    }
    watched.assert_is_fresh();
    assert_eq!(watched.story(since), "");
}

#[test]
fn several_editors_at_once_make_one_change_each() {
    let ids = ["a", "b", "c", "d", "e"];
    let mut watched = watch(&ids);
    watched.settle();
    // Those that leave no file behind which another one would use as well.
    let ways = [0, 1, 4, 6, 8].map(|way| WAYS[way]);
    let mut n_judged = 0;
    for again in 0..20 {
        let since = watched.now();
        let dir = watched.path(".orch/tasks");
        let title = format!("Title {again}");
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for (id, (_, save)) in ids.iter().zip(ways) {
                let (dir, title) = (&dir, &title);
                scope.spawn(move || save(dir, &format!("{id}.md"), &with_title(title)));
            }
        });
        let took = begun.elapsed();
        watched.assert_is_fresh();
        let story = watched.story(since);
        let mut told: Vec<&str> = story.lines().collect();
        told.sort_unstable();
        if took < HELD_UP {
            let expected = ids.map(|id| format!("{id} changed title"));
            assert_eq!(told, expected, "round {again}");
            n_judged += 1;
        }
    }
    assert!(n_judged > 0, "the machine is too slow");
}
