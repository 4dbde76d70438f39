//! Worktrees, merges and landings in real repositories, looked at with the program `git`.

mod landings;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use orch::{
    domain::model::{commit::CommitId, landing::LandingMode},
    io::git::{
        Advanced, Built, CommitRange, Ground, Head, Integrated, Landing, Origin, StateFile, Step,
    },
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
        let verified = CommitRange { base: self.tip(), head };
        Landing {
            branch: "plan".to_owned(),
            works: vec![verified.clone()],
            verified,
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
        self.advance_beside(old, new, &|_| None)
    }

    /// Has the branch go on, while `busy` is asked whether git is at work.
    fn advance_beside(
        &self,
        old: &CommitId,
        new: &CommitId,
        busy: &dyn Fn(&Path) -> Option<String>,
    ) -> Advanced {
        let own = [".orch/runs".to_owned(), ".orch/status".to_owned()];
        let scratch = self.root().join(".orch/local/landing");
        let step = Step {
            branch: "plan",
            old,
            new,
            scratch: &scratch,
            own: &own,
            fresh: &[],
            quiet: Duration::ZERO,
            busy,
        };
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

/// Returns what `diff` says of two folders, links as links.
fn difference(one: &Path, other: &Path) -> String {
    let mut command = Command::new("diff");
    command.args(["-r", "--no-dereference", "--exclude=.git"]).args([one, other]);
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

#[test]
fn the_files_of_a_worktree_are_those_that_git_would_write() {
    for attributes in ["* text=auto eol=lf\n", "*.txt eol=crlf\n", "*.txt ident\n"] {
        let yard = Yard::new();
        let root = yard.root();
        edit(root, "deep/er/and/deeper=1 x.txt=1,$Id$,2 run=2 \u{e9}\u{4e16}=3 sub=4");
        fs::write(root.join("empty"), "").unwrap();
        fs::write(root.join("a b"), "5").unwrap();
        fs::write(root.join(".gitattributes"), attributes).unwrap();
        let program = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(root.join("run"), program).unwrap();
        std::os::unix::fs::symlink("../no/where", root.join("deep/link")).unwrap();
        fs::remove_file(root.join("sub")).unwrap();
        git(root, &format!("update-index --add --cacheinfo 160000,{},sub", yard.tip()));
        fs::create_dir(root.join("sub")).unwrap();
        git(root, "add -A .");
        git(root, "commit -qm more");
        yard.work("T", "");
        let (ours, theirs) = (yard.folder_of("T"), root.join("../theirs"));
        git(root, "worktree add -q --detach ../theirs");
        assert_eq!(difference(&ours, &theirs), "", "{attributes}");
        assert_eq!(git(&ours, "status --porcelain"), "", "{attributes}");
        assert_eq!(git(&ours, "ls-files -s"), git(&theirs, "ls-files -s"), "{attributes}");
        git(&ours, "update-index --refresh");
        let is_program = fs::metadata(ours.join("run")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&is_program.permissions());
        assert_eq!(mode & 0o111, 0o111, "{attributes}");
        let text = fs::read(ours.join("x.txt")).unwrap();
        assert_eq!(text.contains(&b'\r'), attributes.contains("crlf"), "{attributes}");
        git(root, "worktree remove --force ../theirs");
    }
}

#[test]
fn what_is_in_the_way_of_a_worktree_is_set_aside_or_told() {
    // What was done before, and what comes of it.
    type Before = fn(&Yard, &Path);
    let table: [(&str, Before, &str); 8] = [
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
