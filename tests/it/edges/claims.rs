//! Claims at a real remote, by many at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use orch::io::git::claims::{ClaimError, Claims};

/// When all of this happens.
const AT: &str = "2026-11-20T10:15:00Z";

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").current_dir(folder).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a bare repository and `n` clones of it, with a hook in each that would be noticed.
fn clones(folder: &Path, n: usize) -> Vec<PathBuf> {
    git(folder, &["init", "-q", "--bare", "remote.git"]);
    let clone = |n: usize| {
        let name = format!("clone{n}");
        git(folder, &["clone", "-q", "remote.git", &name]);
        let path = folder.join(name);
        for hook in ["pre-push", "reference-transaction", "post-update"] {
            let hook = path.join(".git/hooks").join(hook);
            std::fs::write(&hook, "#!/bin/sh\ntouch \"$0.ran\"\nexit 1\n").unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&hook, mode).unwrap();
        }
        path
    };
    (0..n).map(clone).collect()
}

fn hooks_that_ran(clone: &Path) -> usize {
    let files = std::fs::read_dir(clone.join(".git/hooks")).unwrap().flatten();
    files.filter(|file| file.path().extension().is_some_and(|end| end == "ran")).count()
}

fn numbered(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("T-{n}.x")).collect()
}

#[test]
fn of_eight_clones_one_wins_each_of_a_thousand_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let clones = clones(folder.path(), 8);
    let tasks = numbered(1_000);
    let won: Vec<BTreeSet<String>> = thread::scope(|scope| {
        let all: Vec<_> = clones
            .iter()
            .enumerate()
            .map(|(n, clone)| {
                let tasks = &tasks;
                scope.spawn(move || {
                    // One machine, as with a shared file system; the same words, but for the clone.
                    let claims = Claims::at(clone, "origin", "host", &format!("c{n}")).unwrap();
                    let mut won = BTreeSet::new();
                    let mut open: Vec<String> = tasks.clone();
                    // Each begins elsewhere, and all of them meet.
                    open.rotate_left(n * 125);
                    while !open.is_empty() {
                        let batch: Vec<(String, String)> = open
                            .iter()
                            .take(100)
                            .map(|t| (t.clone(), "nonce".to_owned()))
                            .collect();
                        let answers = claims.take(&batch, AT).unwrap();
                        // One that was not answered is asked for again.
                        open.retain(|task| !answers.contains_key(task));
                        won.extend(answers.into_iter().filter(|(_, c)| c.is_own).map(|(t, _)| t));
                    }
                    won
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let n_won: usize = won.iter().map(BTreeSet::len).sum();
    let union: BTreeSet<&String> = won.iter().flatten().collect();
    assert_eq!((n_won, union.len()), (1_000, 1_000), "won twice, or by nobody");
    // All see the same, and who it is.
    for (n, clone) in clones.iter().enumerate() {
        let claims = Claims::at(clone, "origin", "host", &format!("c{n}")).unwrap();
        let seen = claims.look().unwrap();
        let own: BTreeSet<String> =
            seen.iter().filter(|(_, claim)| claim.is_own).map(|(task, _)| task.clone()).collect();
        assert_eq!((seen.len(), &own), (1_000, &won[n]));
        assert_eq!(hooks_that_ran(clone), 0);
    }
}

#[test]
fn a_claim_is_kept_told_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let clones = clones(folder.path(), 2);
    let of =
        |n: usize, host: &str| Claims::at(&clones[n], "origin", host, &format!("c{n}")).unwrap();
    let (one, two) = (of(0, "one"), of(1, "two"));
    let wanted = |nonce: &str| vec![("a.b".to_owned(), nonce.to_owned())];
    let first = one.take(&wanted("1"), AT).unwrap();
    assert!(first["a.b"].is_own);
    // It was pushed, and the answer got lost: it is ours all the same.
    assert!(one.take(&wanted("2"), AT).unwrap()["a.b"].is_own);
    let lost = two.take(&wanted("1"), AT).unwrap();
    assert!(!lost["a.b"].is_own);
    assert_eq!(lost["a.b"].who, format!("one (clone c0) since {AT}"));
    // The same clone, seen by two machines, is two coordinators.
    assert!(!of(0, "three").look().unwrap()["a.b"].is_own);
    // Nobody gives back what is not theirs.
    let stale = BTreeMap::from([("a.b".to_owned(), "1".repeat(40))]);
    assert!(matches!(two.release(&stale), Err(ClaimError::Refused { .. })));
    let own = BTreeMap::from([("a.b".to_owned(), first["a.b"].object.clone())]);
    one.release(&own).unwrap();
    assert_eq!(two.look().unwrap().len(), 0);
    assert!(two.take(&wanted("3"), AT).unwrap()["a.b"].is_own);
}

#[test]
fn the_repository_itself_can_be_the_remote() {
    let folder = tempfile::tempdir().unwrap();
    let clone = clones(folder.path(), 1).remove(0);
    let of = |host: &str| Claims::at(&clone, ".", host, "c").unwrap();
    let wanted = [("a".to_owned(), "1".to_owned())];
    assert!(of("one").take(&wanted, AT).unwrap()["a"].is_own);
    assert!(!of("two").take(&wanted, AT).unwrap()["a"].is_own);
    let seen = of("two").look().unwrap().remove("a").unwrap();
    assert_eq!(seen.who, format!("one (clone c) since {AT}"));
    of("one").release(&BTreeMap::from([("a".to_owned(), "1".repeat(40))])).unwrap();
    assert_eq!(of("two").look().unwrap().len(), 1, "not what was claimed");
    of("one").release(&BTreeMap::from([("a".to_owned(), seen.object)])).unwrap();
    assert_eq!(of("two").look().unwrap().len(), 0);
    assert_eq!(hooks_that_ran(&clone), 0);
    // Its worktrees are other coordinators, and see the same.
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let quiet = ["-c", "core.hooksPath=/dev/null"];
    git(&clone, &[&identity[..], &quiet, &["commit", "-q", "--allow-empty", "-m", "x"]].concat());
    git(&clone, &[&quiet[..], &["worktree", "add", "-q", "../worktree"]].concat());
    assert!(of("one").take(&wanted, AT).unwrap()["a"].is_own);
    let worktree = Claims::at(&folder.path().join("worktree"), ".", "one", "w").unwrap();
    assert!(!worktree.take(&wanted, AT).unwrap()["a"].is_own);
    assert_eq!(worktree.look().unwrap().len(), 1);
}

#[test]
fn plans_in_several_folders_of_a_repository_have_tasks_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let clones = clones(folder.path(), 2);
    let inner = clones[1].join("services/api.v2");
    std::fs::create_dir_all(&inner).unwrap();
    let top = Claims::at(&clones[0], "origin", "h", "c0").unwrap();
    let inner = Claims::at(&inner, "origin", "h", "c1").unwrap();
    let wanted = [("a.b".to_owned(), "1".to_owned())];
    assert!(top.take(&wanted, AT).unwrap()["a.b"].is_own);
    assert!(inner.take(&wanted, AT).unwrap()["a.b"].is_own);
    assert_eq!((top.look().unwrap().len(), inner.look().unwrap().len()), (1, 1));
}

#[test]
fn a_rule_of_the_remote_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let clone = clones(folder.path(), 1).remove(0);
    let hook = folder.path().join("remote.git/hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let claims = Claims::at(&clone, "origin", "h", "c").unwrap();
    let error = claims.take(&[("a".to_owned(), "1".to_owned())], AT).unwrap_err().to_string();
    assert!(error.contains("[remote rejected] (pre-receive hook declined)"), "{error}");
}

#[test]
fn what_is_wrong_with_a_remote_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let clone = clones(folder.path(), 1).remove(0);
    let error = Claims::at(&clone, "upstream", "h", "c").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no git remote `upstream`, at which tasks are to be claimed"
    );
    let outside = tempfile::tempdir().unwrap();
    let error = Claims::at(outside.path(), "origin", "h", "c").unwrap_err();
    assert!(error.to_string().starts_with("claims need a git repository in "), "{error}");
    let claims = Claims::at(&clone, "origin", "h", "c").unwrap();
    std::fs::remove_dir_all(folder.path().join("remote.git")).unwrap();
    let error = claims.take(&[("a".to_owned(), "1".to_owned())], AT).unwrap_err().to_string();
    assert!(error.starts_with("failed to claim tasks at the git remote `origin`: "), "{error}");
    let error = claims.look().unwrap_err().to_string();
    assert!(error.starts_with("failed to look for claims at the git remote `origin`: "), "{error}");
}
