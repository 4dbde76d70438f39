//! Worktrees, merges and landings in real repositories, looked at with the program `git`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use orch::{
    domain::model::{commit::CommitId, config::LandingMode},
    io::git::{Advanced, Built, Ground, Head, Integrated, Landing, Origin, StateFile, Step},
};

/// A repository with a few files, and tasks that work in it.
struct Yard {
    folder: tempfile::TempDir,
    ground: Ground,
}

/// Runs `git` as a user would, and returns what it says.
fn git(folder: &Path, arguments: &str) -> String {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let words = arguments.split(' ').map(|word| word.replace('~', " "));
    let output =
        Command::new("git").current_dir(folder).args(identity).args(words).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Writes files: `name=text`, or removes them: `name-`.
fn edit(folder: &Path, edits: &str) {
    for edit in edits.split_whitespace() {
        match edit.split_once('=') {
            Some((name, text)) => {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, format!("{}\n", text.replace(',', "\n"))).unwrap();
            }
            None => fs::remove_file(folder.join(edit.trim_end_matches('-'))).unwrap(),
        }
    }
}

impl Yard {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        git(root, "init -q -b plan");
        git(root, "config user.name A");
        git(root, "config user.email a@example.com");
        edit(root, "a=1,2,3,4,5,6,7 b=b dir/c=c .orch/runs/old.1.yaml=old .gitignore=*.o");
        edit(root, ".orch/.gitignore=local/");
        git(root, "add -A");
        git(root, "commit -qm begin");
        let ground = Ground::find(root).unwrap().unwrap();
        Self { folder, ground }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn folder_of(&self, task: &str) -> PathBuf {
        self.root().join(".orch/local/worktrees").join(task)
    }

    fn tip(&self) -> CommitId {
        self.ground.tip("plan").unwrap().unwrap()
    }

    /// Makes the worktree of a task and works in it.
    fn work(&self, task: &str, edits: &str) {
        let folder = self.folder_of(task);
        self.ground.prepare_worktree(task, &folder, &self.tip(), Origin::Before).unwrap();
        edit(&folder, edits);
    }

    fn integrate(&self, task: &str) -> Integrated {
        self.ground.commit_leftovers(task, "what was left").unwrap();
        self.ground.integrate(task, &self.tip(), "merge").unwrap()
    }

    fn landing(&self, task: &str, mode: LandingMode) -> Landing {
        let Integrated::Clean { head } = self.integrate(task) else { panic!("a conflict") };
        Landing {
            branch: "plan".to_owned(),
            base: self.tip(),
            head,
            files: vec![StateFile {
                path: format!(".orch/runs/{task}.1.yaml"),
                bytes: Some(b"record\n".to_vec()),
            }],
            kept: vec![".orch/runs".to_owned(), ".orch/status".to_owned()],
            unverified: vec![".orch/events".to_owned()],
            message: format!("{task}: a title\n\nOrch-Task: {task}\nOrch-Attempt: 1\n"),
            mode,
        }
    }

    fn advance(&self, old: &CommitId, new: &CommitId) -> Advanced {
        let own = [".orch/runs".to_owned(), ".orch/status".to_owned()];
        let scratch = self.root().join(".orch/local/landing");
        let step = Step { branch: "plan", old, new, scratch: &scratch, own: &own, busy: &|_| None };
        self.ground.advance(&step).unwrap()
    }

    fn land(&self, task: &str, mode: LandingMode) -> Advanced {
        match self.ground.build_landing(&self.landing(task, mode)).unwrap() {
            Built::Commit { old, new } => self.advance(&old, &new),
            Built::Moved => panic!("the branch has moved"),
        }
    }

    fn status(&self) -> String {
        git(self.root(), "status --porcelain")
    }
}

#[test]
fn a_worktree_is_made_taken_up_and_removed() {
    let yard = Yard::new();
    assert_eq!(yard.ground.head().unwrap(), Head::Branch("plan".to_owned()));
    let folder = yard.folder_of("T-1.x");
    let prepare = |origin| yard.ground.prepare_worktree("T-1.x", &folder, &yard.tip(), origin);
    assert!(!prepare(Origin::Before).unwrap().is_kept);
    assert_eq!(git(&folder, "status --porcelain --branch"), "## orch/T-1.x\n");
    edit(&folder, "new=1");
    assert!(prepare(Origin::Before).unwrap().is_kept);
    assert!(folder.join("new").exists());
    let fresh = prepare(Origin::Fresh).unwrap();
    assert_eq!(fresh.rescued.as_deref(), Some("refs/orch/rescue/T-1.x/1"));
    assert!(!folder.join("new").exists());
    assert_eq!(git(yard.root(), "show refs/orch/rescue/T-1.x/1:new"), "1\n");
    yard.ground.remove_worktree("T-1.x", &folder).unwrap();
    yard.ground.delete_branch("T-1.x").unwrap();
    assert_eq!(git(yard.root(), "worktree list --porcelain").matches("worktree ").count(), 1);
    assert_eq!(git(yard.root(), "branch --list orch/*"), "");
    assert_eq!(yard.status(), "");
}

#[test]
fn what_is_in_the_way_of_a_worktree_is_set_aside_or_told() {
    // What was done before, and what comes of it.
    let table: [(&str, fn(&Yard, &Path), &str); 8] = [
        ("nothing", |_, _| {}, "made"),
        ("a branch without work", |y, _| drop(git(y.root(), "branch orch/T plan")), "made"),
        ("an empty folder", |_, f| fs::create_dir_all(f).unwrap(), "made"),
        ("a folder of somebody", |_, f| edit(f, "mine=1"), "made, T~1"),
        (
            "removed by hand",
            |y, f| {
                y.work("T", "w=1");
                y.ground.commit_leftovers("T", "w").unwrap();
                fs::remove_dir_all(f).unwrap();
            },
            "made, with w",
        ),
        (
            "half made",
            |y, f| {
                y.work("T", "w=1");
                fs::remove_file(y.root().join(".git/worktrees/orch-T/orch-base")).unwrap();
                edit(f, "half=1");
            },
            "made",
        ),
        (
            "checked out elsewhere",
            |y, _| drop(git(y.root(), "worktree add -q -b orch/T ../elsewhere-of-orch")),
            "the branch orch/T is checked out in",
        ),
        (
            "a branch in the way",
            |y, _| drop(git(y.root(), "branch orch plan")),
            "a branch called `orch` is in the way of `orch/…`; rename it (`git branch -m orch NAME`)",
        ),
    ];
    for (name, before, expected) in table {
        let yard = Yard::new();
        let folder = yard.folder_of("T");
        before(&yard, &folder);
        let made = yard.ground.prepare_worktree("T", &folder, &yard.tip(), Origin::Before);
        let told = match made {
            Err(error) => error.to_string(),
            Ok(_) => {
                assert_eq!(git(&folder, "status --porcelain"), "", "{name}");
                assert!(!folder.join("half").exists());
                let aside = folder.with_file_name("T~1").join("mine").exists();
                let work = folder.join("w").exists();
                let aside = if aside { ", T~1" } else { "" };
                format!("made{aside}{}", if work { ", with w" } else { "" })
            }
        };
        assert!(told.starts_with(expected), "{name}: {told}");
        let _gone = fs::remove_dir_all(yard.root().with_file_name("elsewhere-of-orch"));
    }
}

#[test]
fn work_lands_as_one_commit_beside_whatever_the_user_does() {
    // What the user has done meanwhile, what git then says of the checkout, before and after.
    let table = [
        ("", "", "landed"),
        ("b=mine", "", "landed"),
        ("b=mine", "add b", "landed"),
        ("note=mine", "", "landed"),
        ("b-", "", "landed"),
        ("", "rm -q b", "landed"),
        ("", "mv b z", "landed"),
        ("a=mine", "", "in the way: a"),
        ("a=mine", "add a", "in the way: a"),
        ("new/n=mine", "", "in the way: new/n"),
        ("new=mine", "", "in the way: new/n"),
        ("dir/c=mine", "", "in the way: dir/c"),
        ("", "rm -q --cached dir/c", "landed"),
        // As it will be already.
        ("a=1,2,3,4,5,6,worker", "", "landed"),
        ("a=1,2,3,4,5,6,worker", "add a", "landed"),
        ("", "checkout -q -b other", "landed"),
        ("", "checkout -q --detach", "landed"),
    ];
    for mode in [LandingMode::Squash, LandingMode::Merge, LandingMode::Rebase] {
        for (edits, command, expected) in table {
            let name = format!("{mode:?} {edits} {command}");
            let yard = Yard::new();
            yard.work("T", "a=1,2,3,4,5,6,worker new/n=new dir/c- .orch/runs/T.9.yaml=mine");
            edit(yard.root(), edits);
            if !command.is_empty() {
                git(yard.root(), command);
            }
            edit(yard.root(), ".orch/runs/T.1.yaml=begun");
            let (before, old) = (yard.status(), yard.tip());
            let told = match yard.land("T", mode) {
                Advanced::Done => "landed".to_owned(),
                Advanced::InTheWay(what) => format!("in the way: {}", what.files.join(" ")),
                Advanced::Moved => "moved".to_owned(),
            };
            assert_eq!(told, expected, "{name}");
            let mut after = yard.status();
            if expected == "landed" {
                let log = git(yard.root(), "log --format=%s|%(trailers:only,separator=+) -1 plan");
                assert_eq!(log, "T: a title|Orch-Task: T+Orch-Attempt: 1\n", "{name}");
                let files = git(yard.root(), "ls-tree -r --name-only plan");
                assert_eq!(
                    files,
                    ".gitignore\n.orch/.gitignore\n.orch/runs/T.1.yaml\n.orch/runs/old.1.yaml\na\nb\nnew/n\n",
                    "{name}"
                );
                let parents = git(yard.root(), "log --format=%P -1 plan");
                assert_eq!(
                    parents.split_whitespace().count(),
                    if mode == LandingMode::Merge { 2 } else { 1 }
                );
                // The record on disk is older than the one that landed, for now.
                if !command.starts_with("checkout") {
                    edit(yard.root(), ".orch/runs/T.1.yaml=record");
                    let mine: Vec<&str> = before
                        .lines()
                        .filter(|l| {
                            !l.contains(".orch/")
                                && !l.ends_with(" a")
                                && !l.starts_with("M  a")
                                && *l != "D  dir/c"
                        })
                        .collect();
                    after = yard.status();
                    assert_eq!(after.lines().collect::<Vec<_>>(), mine, "{name}");
                }
            } else {
                assert_eq!((after, yard.tip()), (before, old), "{name}");
            }
            git(yard.root(), "fsck --strict");
            assert!(!yard.root().join(".git/index.lock").exists());
        }
    }
}

#[test]
fn a_branch_that_went_on_is_merged_again_unless_it_was_only_state() {
    let yard = Yard::new();
    yard.work("T", "a=1,2,3,4,5,6,worker");
    let landing = yard.landing("T", LandingMode::Squash);
    let state = |bytes: &[u8]| {
        [StateFile { path: ".orch/runs/x.1.yaml".to_owned(), bytes: Some(bytes.to_vec()) }]
    };
    let (old, new) = yard.ground.build_state("plan", &state(b"1"), "state").unwrap().unwrap();
    assert_eq!(yard.advance(&old, &new), Advanced::Done);
    assert_eq!(yard.ground.build_state("plan", &state(b"1"), "state").unwrap(), None);
    assert!(matches!(yard.ground.build_landing(&landing).unwrap(), Built::Commit { .. }));
    edit(yard.root(), "a=user,2,3,4,5,6,7");
    git(yard.root(), "commit -qam user");
    assert_eq!(yard.ground.build_landing(&landing).unwrap(), Built::Moved);
    assert_eq!(yard.advance(&old, &new), Advanced::Moved);
    let landing = yard.landing("T", LandingMode::Squash);
    let Built::Commit { old, new } = yard.ground.build_landing(&landing).unwrap() else { panic!() };
    assert_eq!(yard.advance(&old, &new), Advanced::Done);
    assert_eq!(git(yard.root(), "show plan:a"), "user\n2\n3\n4\n5\n6\nworker\n");
    assert_eq!(
        git(yard.root(), "ls-tree -r --name-only plan .orch/runs/"),
        ".orch/runs/T.1.yaml\n.orch/runs/old.1.yaml\n.orch/runs/x.1.yaml\n"
    );
}

#[test]
fn a_conflict_is_told_begun_and_resolved() {
    let yard = Yard::new();
    yard.work("T", "a=worker,2,3,4,5,6,7 b- n=1");
    edit(yard.root(), "a=user,2,3,4,5,6,7 b=user");
    git(yard.root(), "commit -qam user");
    let files = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(yard.integrate("T"), Integrated::Conflict { files: files.clone() });
    let folder = yard.folder_of("T");
    assert_eq!(git(&folder, "status --porcelain"), "");
    assert_eq!(yard.ground.begin_merge("T", &yard.tip(), "merge").unwrap(), files);
    assert_eq!(git(&folder, "status --porcelain"), "UU a\nDU b\n");
    assert_eq!(yard.ground.still_marked(&folder, &files), ["a"]);
    edit(&folder, "a=both,2,3,4,5,6,7 b=user");
    assert_eq!(yard.ground.still_marked(&folder, &files), Vec::<String>::new());
    assert_eq!(yard.land("T", LandingMode::Merge), Advanced::Done);
    assert_eq!(git(yard.root(), "show plan:a"), "both\n2\n3\n4\n5\n6\n7\n");
    assert_eq!(git(yard.root(), "show plan:n"), "1\n");
    assert_eq!(yard.status(), "?? .orch/runs/\n".replace("?? .orch/runs/\n", ""));
}

#[test]
fn work_goes_upon_a_branch_that_was_rewritten_without_bringing_back_what_is_gone() {
    let yard = Yard::new();
    edit(yard.root(), "wrong=1");
    git(yard.root(), "add wrong");
    git(yard.root(), "commit -qm wrong");
    yard.work("T", "n=1");
    yard.ground.commit_leftovers("T", "n").unwrap();
    git(yard.root(), "reset -q --hard HEAD~1".replace('~', "^").as_str());
    assert_eq!(yard.land("T", LandingMode::Squash), Advanced::Done);
    let files = git(yard.root(), "ls-tree --name-only plan");
    assert_eq!(files, ".gitignore\n.orch\na\nb\ndir\nn\n");
    assert_eq!(git(yard.root(), "show refs/orch/rescue/T/1:wrong"), "1\n");
}

#[test]
fn what_a_worker_did_with_git_is_its_work() {
    // What it did, and what lands.
    let table: [(&str, fn(&Path), &str); 5] = [
        (
            "commits",
            |f| {
                edit(f, "n=1");
                git(f, "add n");
                git(f, "commit -qm n");
            },
            "n",
        ),
        (
            "commits and more",
            |f| {
                edit(f, "n=1");
                git(f, "add n");
                git(f, "commit -qm n");
                edit(f, "n=2 m=1");
            },
            "m n",
        ),
        (
            "another branch",
            |f| {
                git(f, "checkout -q -b mine");
                edit(f, "n=1");
                git(f, "add n");
                git(f, "commit -qm n");
            },
            "n",
        ),
        (
            "no branch",
            |f| {
                git(f, "checkout -q --detach");
                edit(f, "n=1");
            },
            "n",
        ),
        (
            "a repository in it",
            |f| {
                edit(f, "sub/x=1 n=1 o.o=1");
                git(&f.join("sub"), "init -q");
            },
            "n",
        ),
    ];
    for (name, act, expected) in table {
        let yard = Yard::new();
        yard.work("T", "");
        act(&yard.folder_of("T"));
        assert_eq!(yard.land("T", LandingMode::Squash), Advanced::Done, "{name}");
        let known = [".gitignore", ".orch", "a", "b", "dir"];
        let files = git(yard.root(), "ls-tree --name-only plan");
        let new: Vec<&str> = files.lines().filter(|file| !known.contains(file)).collect();
        assert_eq!(new.join(" "), expected, "{name}");
        assert_eq!(git(&yard.folder_of("T"), "branch --show-current"), "orch/T\n", "{name}");
    }
}
