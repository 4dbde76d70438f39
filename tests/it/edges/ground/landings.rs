//! Landings: what comes to the branch, and what becomes of the checkout.

use std::path::Path;

use orch::{
    domain::model::landing::LandingMode,
    io::git::{Advanced, Built, Integrated, StateFile},
};

use super::{Yard, edit, git};

/// What is on the branch after a landing.
const LANDED: &str =
    ".gitignore .orch/.gitignore .orch/runs/T.1.yaml .orch/runs/old.1.yaml a b new/n";

impl Yard {
    /// Says what must hold after the work of `T` landed; `before` is what git said of the checkout.
    fn judge_landing(&self, mode: LandingMode, before: &str, name: &str) {
        let root = self.root();
        let log = git(root, "log --format=%s|%(trailers:only,separator=+) -1 plan");
        assert_eq!(log, "T: a title|Orch-Task: T+Orch-Attempt: 1\n", "{name}");
        let files = git(root, "ls-tree -r --name-only plan");
        assert_eq!(files.split_whitespace().collect::<Vec<_>>().join(" "), LANDED, "{name}");
        let parents = git(root, "log --format=%P -1 plan");
        let n_parents = if mode == LandingMode::Merge { 2 } else { 1 };
        assert_eq!(parents.split_whitespace().count(), n_parents, "{name}");
        if git(root, "branch --show-current") != "plan\n" {
            return;
        }
        // The record on disk is older than the one that landed, for now.
        edit(root, ".orch/runs/T.1.yaml=record");
        let landed =
            |line: &&str| line.contains(".orch/") || matches!(*line, " M a" | "M  a" | "D  dir/c");
        let mine: Vec<&str> = before.lines().filter(|line| !landed(line)).collect();
        assert_eq!(self.status().lines().collect::<Vec<_>>(), mine, "{name}");
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
        // What becomes of the checkout does not depend on the commit.
        let n_cases = if mode == LandingMode::Squash { table.len() } else { 3 };
        for &(edits, command, expected) in table.iter().take(n_cases) {
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
                Advanced::Done | Advanced::DoneElsewhere => "landed".to_owned(),
                Advanced::InTheWay(what) => format!("in the way: {}", what.files.join(" ")),
                Advanced::Moved => "moved".to_owned(),
            };
            assert_eq!(told, expected, "{name}");
            if expected == "landed" {
                yard.judge_landing(mode, &before, &name);
            } else {
                assert_eq!((yard.status(), yard.tip()), (before, old), "{name}");
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
    assert_eq!((git(yard.root(), "show plan:n"), yard.status()), ("1\n".into(), String::new()));
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
fn what_was_taken_out_of_a_file_does_not_come_back_with_other_lines_of_it() {
    for (again, expected) in
        [("reset -q --hard HEAD^", "1,2,3,4,5,6,worker"), ("", "amended,2,3,4,5,6,worker")]
    {
        let yard = Yard::new();
        edit(yard.root(), "a=secret,2,3,4,5,6,7");
        git(yard.root(), "commit -qam secret");
        yard.work("T", "a=secret,2,3,4,5,6,worker");
        yard.ground.commit_leftovers("T", "n").unwrap();
        if again.is_empty() {
            edit(yard.root(), "a=amended,2,3,4,5,6,7");
            git(yard.root(), "commit -qa --amend -m amended");
        } else {
            git(yard.root(), again);
        }
        assert_eq!(yard.land("T", LandingMode::Squash), Advanced::Done);
        assert_eq!(git(yard.root(), "show plan:a").trim(), expected.replace(',', "\n"));
    }
}

#[test]
fn what_a_link_of_the_user_leads_to_is_not_touched() {
    let yard = Yard::new();
    let outside = tempfile::tempdir().unwrap();
    let (root, real) = (yard.root(), outside.path().join("dir"));
    yard.work("T", "dir/c- n=1");
    std::fs::rename(root.join("dir"), &real).unwrap();
    std::os::unix::fs::symlink(&real, root.join("dir")).unwrap();
    assert_eq!(yard.land("T", LandingMode::Squash), Advanced::Done);
    assert_eq!(std::fs::read_to_string(real.join("c")).unwrap(), "c\n");
    assert!(root.join("dir").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn what_a_worker_did_with_git_is_its_work() {
    // What it did, and what lands.
    type Act = fn(&Path);
    let table: [(&str, Act, &str); 5] = [
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

#[test]
fn a_folder_becomes_a_file_and_a_file_becomes_a_folder() {
    let yard = Yard::new();
    yard.work("T", "");
    let folder = yard.folder_of("T");
    std::fs::remove_dir_all(folder.join("dir")).unwrap();
    edit(&folder, "dir=file b- ");
    edit(&folder, "b/below=1");
    assert_eq!(yard.land("T", LandingMode::Squash), Advanced::Done);
    assert_eq!(git(yard.root(), "show plan:dir"), "file\n");
    assert_eq!(std::fs::read_to_string(yard.root().join("dir")).unwrap(), "file\n");
    assert_eq!(std::fs::read_to_string(yard.root().join("b/below")).unwrap(), "1\n");
    edit(yard.root(), ".orch/runs/T.1.yaml=record");
    assert_eq!(yard.status(), "");
}

#[test]
fn a_checkout_that_comes_to_the_branch_while_that_moves_is_brought_along() {
    // At which look git ends that had looked where the branch is before it moved.
    for look in 1..=3 {
        let yard = Yard::new();
        yard.work("T", "a=other new=1 b-");
        git(yard.root(), "checkout -q -b aside");
        let landing = yard.landing("T", LandingMode::Squash);
        let Built::Commit { old, new } = yard.ground.build_landing(&landing).unwrap() else {
            panic!("the branch has moved")
        };
        let n_looks = std::cell::Cell::new(0);
        let advanced = yard.advance_beside(&old, &new, &|_| {
            n_looks.set(n_looks.get() + 1);
            if n_looks.get() == look {
                git(yard.root(), "symbolic-ref HEAD refs/heads/plan");
            }
            None
        });
        match look {
            // It is seen, and the next try takes the checkout along.
            1 => assert!(matches!(advanced, Advanced::InTheWay(_)), "{advanced:?}"),
            _ => assert_eq!(advanced, Advanced::Done, "{look}"),
        }
        if look == 1 {
            assert_eq!(yard.advance(&old, &new), Advanced::Done);
        }
        assert_eq!(git(yard.root(), "rev-parse HEAD"), format!("{new}\n"), "{look}");
        assert_eq!(yard.status(), "", "{look}");
        assert!(yard.root().join("new").exists() && !yard.root().join("b").exists(), "{look}");
    }
}
