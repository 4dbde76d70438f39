//! Large operations of git beside a plan that lands: the plan never seems to lose a task, nothing is
//! started from a checkout that git is changing, and everything lands once.

use std::{cell::RefCell, collections::BTreeSet, fs, process::Child};

use serde_json::Value;

use super::{Repo, git_command, told};
use crate::cli::{Sandbox, start, wait_for};

/// Tasks of the plan.
const N_TASKS: usize = 30;

/// Files that differ between the two branches.
const N_FILES: usize = 1_000;

/// Returns a repository with the branches `plan` and `other`: all tasks on both, with other titles.
fn repo() -> Repo {
    let config = "max_workers: 3\nretry: {max_attempts: 3, backoff: 0s}\nwatch: {rescan: 1h}\n\
                  worker: {command: 'sleep 0.05; echo work > work-$ORCH_TASK_ID'}\n";
    let repo = Repo::make(Sandbox::large(), config, &[], &[("text", "1\n"), ("done/.keep", "")]);
    for (branch, title) in [("plan", "Plan"), ("other", "Other")] {
        if branch == "other" {
            repo.git("checkout -q -b other");
        }
        for n in 0..N_TASKS {
            let task = format!("---\ntitle: {title} {n}\n---\n");
            repo.write(&format!(".orch/tasks/T{n}.md"), &task);
        }
        for n in 0..N_FILES {
            repo.write(&format!("on-{branch}/{}/{n}", n % 50), "1\n");
        }
        repo.git("add -A");
        repo.git(&format!("commit -qm {branch}"));
    }
    repo.git("checkout -q plan");
    repo
}

/// What a person does, step by step; a word that begins with `=` writes that into `text`.
const OPERATIONS: [&[&str]; 9] = [
    &["checkout -q other", "checkout -q plan"],
    &["=stashed", "stash -q", "stash pop -q", "commit -qam stashed"],
    &["=gone", "reset -q --hard"],
    &["checkout -q -b side plan~2", "=side", "commit -qam side", "checkout -q plan"],
    &["rebase -q side"],
    &["bisect start HEAD HEAD^^", "bisect good", "bisect reset"],
    &["clean -qfdx"],
    &["=kept", "commit -qam kept", "reset -q --hard HEAD^", "cherry-pick ORIG_HEAD"],
    &["merge -q -s ours --no-edit other"],
];

impl Repo {
    fn step(&self, step: &str) {
        if let Some(text) = step.strip_prefix('=') {
            return self.write("text", &format!("{text}\n"));
        }
        // `^` stands for itself, as `~` is taken.
        let output = git_command(self.root(), &step.replace("plan~2", "plan^^")).output().unwrap();
        assert!(output.status.success(), "git {step}: {}", told(&output));
    }

    fn n_landed(&self) -> usize {
        self.landings("plan").len()
    }
}

/// Does everything, with landings between.
fn operate(repo: &Repo, run: &RefCell<Child>) -> usize {
    let mut n_beside = 0;
    let has_ended = || run.borrow_mut().try_wait().unwrap().is_some();
    for operation in OPERATIONS {
        let before = repo.n_landed();
        wait_for("a landing", || repo.n_landed() > before || has_ended());
        n_beside += usize::from(!has_ended());
        operation.iter().for_each(|step| repo.step(step));
    }
    n_beside
}

/// Says that no task was ever told to be gone or new, and that nothing was started while the run was
/// held.
fn check_told(lines: &[Value]) {
    let mut n_holds = 0_i32;
    for line in lines {
        match line["event"].as_str().unwrap_or_default() {
            "held" => n_holds += 1,
            "released" => n_holds -= 1,
            "started" => assert_eq!(n_holds, 0, "{line}"),
            "plan-changed" => {
                for task in line["tasks"].as_array().unwrap() {
                    assert_eq!(task["change"], "changed", "{line}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn large_operations_of_git_beside_landings_lose_and_repeat_nothing() {
    let repo = repo();
    let run = RefCell::new(start(&repo.sandbox, &["run", "--json"]));
    let n_beside = operate(&repo, &run);
    let output = run.into_inner().wait_with_output().unwrap();
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    eprintln!("{n_beside} of {} operations ran beside landings", OPERATIONS.len());
    assert!(n_beside * 2 > OPERATIONS.len(), "{n_beside}: {text}");

    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    check_told(&lines);
    let landed: BTreeSet<String> = (0..N_TASKS).map(|n| format!("T{n}.1")).collect();
    let all = repo.landings("plan");
    assert_eq!((all.len(), all.into_iter().collect::<BTreeSet<_>>()), (N_TASKS, landed), "{text}");
    for n in 0..N_TASKS {
        assert_eq!(repo.read(&format!("work-T{n}")), "work\n", "T{n}: {text}");
    }
    assert_eq!(repo.landings("other"), Vec::<String>::new());
    assert_eq!(repo.read("text"), "kept\n");
    assert_eq!(repo.git("status --porcelain"), "", "{text}");
    assert!(!fs::exists(repo.path(".git/index.lock")).unwrap());
    repo.check_whole("operations");
}
