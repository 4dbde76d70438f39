//! Whatever is done to files at random: the plan that was told is the plan that they hold.

use std::fs;

use super::{Watched, editors::WAYS, with_title};
use crate::cli::Sandbox;

/// Folders below `.orch/tasks` in which tasks lie; those that hold others come first.
const FOLDERS: [&str; 4] = ["", "one", "one/deep", "two"];

/// Does one thing, at random, to the tasks of `watched`.
fn step(watched: &Watched, random: &mut fastrand::Rng, number: usize) {
    let tasks = watched.path(".orch/tasks");
    let folder = |random: &mut fastrand::Rng| {
        let folder = tasks.join(FOLDERS[random.usize(..FOLDERS.len())]);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    let name = format!("task-{}.md", random.usize(..30));
    let at = FOLDERS.iter().map(|folder| tasks.join(folder)).find(|at| at.join(&name).exists());
    let title = with_title(&format!("Title {number}"));
    match (random.u8(..10), at) {
        (0..6, Some(at)) => WAYS[random.usize(..WAYS.len())].1(&at, &name, &title),
        (6, Some(at)) => fs::remove_file(at.join(&name)).unwrap(),
        (7, Some(at)) => fs::rename(at.join(&name), folder(random).join(&name)).unwrap(),
        (8, _) => {
            let aside = watched.path("aside");
            let moved = tasks.join(FOLDERS[1 + random.usize(..3)]);
            if aside.exists() {
                // It stays aside where there is a full folder of that name.
                drop(fs::rename(&aside, moved));
            } else if moved.exists() {
                fs::rename(moved, aside).unwrap();
            }
        }
        (9, Some(at)) => {
            fs::remove_dir_all(at).unwrap();
            fs::create_dir_all(&tasks).unwrap();
        }
        (_, None) => {
            let aside = watched.path("aside");
            let is_aside = ["", "deep"].iter().any(|below| aside.join(below).join(&name).exists());
            if !is_aside {
                fs::write(folder(random).join(&name), title).unwrap();
            }
        }
        (10.., Some(_)) => {}
    }
}

#[test]
fn after_whatever_happens_the_plan_is_what_the_files_say() {
    // `SEED` tries others.
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = fastrand::Rng::with_seed(seed);
    let sandbox = Sandbox::new();
    sandbox.write(".orch/tasks/mark.md", "---\n---\n");
    let mut watched = Watched::look(sandbox);
    for round in 0..12 {
        let n_steps = [1, 2, 5, 40, 400][random.usize(..5)];
        for number in 0..n_steps {
            step(&watched, &mut random, round * 1000 + number);
            (0..random.usize(..3) * 20).for_each(|_| std::thread::yield_now());
        }
        watched.assert_is_fresh();
    }
}
