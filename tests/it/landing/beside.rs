//! Many git commands beside a plan that runs: none fails, and nothing gets lost.

use std::{fs, time::Duration};

use super::{Repo, git_command, told, whole_machine};

/// Returns a repository with `n` tasks that each change a file of their own.
fn repo(n: usize) -> Repo {
    let ids: Vec<String> = (0..n).map(|n| format!("T{n}")).collect();
    let front = "worker: {command: 'echo work > file-$ORCH_TASK_ID; sleep 0.05'}";
    let tasks: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), front)).collect();
    Repo::new("max_workers: 3\nretry: {max_attempts: 1}\n", &tasks, &[("text", "1\n")])
}

#[test]
fn none_of_a_thousand_commands_of_a_user_fails() {
    let _machine = whole_machine();
    let repo = repo(60);
    let mut run = repo.start();
    let mut rng = fastrand::Rng::new();
    let (mut n_commands, mut n_beside) = (0, 0);
    while n_commands < 1_000 {
        repo.write("text", &format!("{n_commands}\n"));
        repo.write(&format!("user-{n_commands}"), "mine\n");
        let commands: [&str; 10] = [
            "status --porcelain",
            "add -A -- text",
            "commit -qm text",
            "stash -qu",
            "stash pop -q",
            "diff --stat",
            "checkout -q -b side",
            "checkout -q plan",
            "branch -q -D side",
            "log -1 --format=%H",
        ];
        for command in commands {
            let output = git_command(repo.root(), command).output().unwrap();
            let context = || {
                let mut story = told(&output);
                for command in ["status", "diff HEAD", "diff", "log --oneline --all -5 --stat"] {
                    story += &told(&git_command(repo.root(), command).output().unwrap());
                }
                story
            };
            assert!(output.status.success(), "git {command}: {}", context());
            n_commands += 1;
            n_beside += usize::from(run.try_wait().unwrap().is_none());
        }
        // Now another one follows at once, now somebody thinks first.
        let pause = if rng.u8(..) < 40 { 1_000 + rng.u64(0..400) } else { rng.u64(0..20) };
        std::thread::sleep(Duration::from_millis(pause));
        fs::remove_file(repo.path(&format!("user-{}", n_commands - 10))).unwrap();
    }
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan").len(), 60, "{}", told(&output));
    assert!(n_beside > 100, "only {n_beside} commands ran beside the plan");
    eprintln!("{n_beside} of {n_commands} commands ran beside the plan");
    assert_eq!(repo.git("status --porcelain"), "", "{}", told(&output));
    repo.check_whole("a thousand commands");
}

#[test]
fn nothing_is_lost_while_git_tidies_up_all_the_time() {
    let repo = repo(30);
    let mut run = repo.start();
    let mut n = 0;
    while run.try_wait().unwrap().is_none() {
        for command in ["gc -q --prune=now", "worktree prune", "pack-refs --all --prune"] {
            let output = git_command(repo.root(), command).output().unwrap();
            let text = told(&output);
            // A ref that moves while it is packed is left to the next time, whoever moves it.
            let is_left = text.contains("cannot lock ref");
            assert!(output.status.success() || is_left, "git {command}: {text}");
            n += 1;
        }
    }
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan").len(), 30, "{}", told(&output));
    assert!(n > 3, "git tidied up {n} times");
    assert_eq!(repo.git("status --porcelain"), "");
    repo.check_whole("gc");
}

#[test]
fn a_lock_of_somebody_is_waited_for() {
    let repo = repo(2);
    let lock = repo.path(".git/index.lock");
    let run = repo.start();
    repo.wait_for_start();
    fs::write(&lock, "").unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(fs::read(&lock).unwrap(), b"", "it is left alone");
    fs::remove_file(&lock).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(repo.landings("plan").len(), 2, "{}", told(&output));
    repo.check_whole("lock");
}

impl Repo {
    fn wait_for_start(&self) {
        crate::cli::wait_for("a worktree", || {
            fs::read_dir(self.path(".orch/local/worktrees"))
                .is_ok_and(|mut all| all.next().is_some())
        });
    }
}
