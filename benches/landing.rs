//! How long worktrees, landings and commits of state take.
//!
//! `cargo bench --bench landing`. A worktree is compared with `git worktree add` on the same files, in
//! turn; the others with what is promised.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

#[expect(dead_code, unused_imports, reason = "other benches use the rest of it")]
mod floor;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use floor::{
    Failure,
    table::{self, Goal},
};
use orch::{
    domain::model::landing::LandingMode,
    io::git::{Advanced, Built, CommitRange, Ground, Integrated, Landing, Origin, StateFile, Step},
};

/// Files of the repository, and records of the plan in it.
const FILES: usize = 10_000;
const RECORDS: usize = 10_000;

/// How often each is done.
const ROUNDS: usize = 30;

/// What is promised.
const LANDING: Duration = Duration::from_millis(50);
const STATE: Duration = Duration::from_millis(15);

fn main() -> Result<(), Failure> {
    if !floor::is_bench() {
        println!("a bench: run it with `cargo bench --bench landing`");
        return Ok(());
    }
    for n in [1_000, 20_000] {
        worktrees(n)?;
    }
    landings()
}

/// Compares a worktree with that of the program.
fn worktrees(n: usize) -> Result<(), Failure> {
    let scratch = floor::scratch()?;
    let root = scratch.path();
    begin(root, n, 0)?;
    let ground = Ground::find(root)?.ok_or("no repository")?;
    let tip = ground.tip("plan")?.ok_or("no commit")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..5 {
        let (task, name) = (format!("T{round}"), format!("other-{round}"));
        let folder = root.join(".orch/local/worktrees").join(&task);
        let begun = Instant::now();
        ground.prepare_worktree(&task, &folder, &tip, Origin::Before)?;
        ours.push(begun.elapsed());
        let folder = root.join(".orch/local/worktrees").join(&name);
        let begun = Instant::now();
        git(root, &["worktree", "add", "-q", "-b", &name, &folder.display().to_string()])?;
        theirs.push(begun.elapsed());
    }
    table::heading(&format!("a worktree of {n} files, beside `git worktree add`"));
    let goal = Goal { ratio: Some(1.0), time: None };
    table::time("worktree", median(ours), ("git", median(theirs)), goal, "");
    Ok(())
}

/// Measures landings without verify, and commits of one changed record.
fn landings() -> Result<(), Failure> {
    let scratch = floor::scratch()?;
    let root = scratch.path();
    begin(root, FILES, RECORDS)?;
    let ground = Ground::find(root)?.ok_or("no repository")?;
    let (mut landed, mut saved) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let task = format!("T{round}");
        let tip = ground.tip("plan")?.ok_or("no commit")?;
        let folder = root.join(".orch/local/worktrees").join(&task);
        ground.prepare_worktree(&task, &folder, &tip, Origin::Before)?;
        fs::write(folder.join(format!("src/d{round:03}/f{}.rs", round * 100)), "changed\n")?;
        // Somebody else landed meanwhile.
        let begun = Instant::now();
        let (old, new) = state(&ground, round)?;
        go_on(&ground, root, &old, &new)?;
        saved.push(begun.elapsed());
        let begun = Instant::now();
        land(&ground, root, &task)?;
        landed.push(begun.elapsed());
        ground.remove_worktree(&task, &folder)?;
        ground.delete_branch(&task)?;
    }
    table::heading(&format!("{FILES} files, {RECORDS} records in one folder, p50 of {ROUNDS}"));
    let goal = Goal { ratio: Some(1.0), time: None };
    table::time("landing without verify", median(landed), ("promised", LANDING), goal, "");
    table::time("commit of one record", median(saved), ("promised", STATE), goal, "");
    Ok(())
}

type Ids = (orch::domain::model::commit::CommitId, orch::domain::model::commit::CommitId);

/// Makes the commit of one changed record.
fn state(ground: &Ground, round: usize) -> Result<Ids, Failure> {
    let path = format!(".orch/runs/task-{round}.1.yaml");
    let files = [StateFile { path, bytes: Some(format!("changed: {round}\n").into_bytes()) }];
    Ok(ground.build_state("plan", &files, "state")?.ok_or("nothing has changed")?)
}

fn go_on(
    ground: &Ground,
    root: &Path,
    old: &orch::domain::model::commit::CommitId,
    new: &orch::domain::model::commit::CommitId,
) -> Result<(), Failure> {
    let own = [".orch/runs".to_owned(), ".orch/status".to_owned()];
    let scratch = root.join(".orch/local/landing");
    let step = Step {
        branch: "plan",
        old,
        new,
        scratch: &scratch,
        own: &own,
        fresh: &[],
        quiet: Duration::ZERO,
        busy: &|_| None,
    };
    match ground.advance(&step)? {
        Advanced::Done => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

/// Commits, merges and lands the work of a task.
fn land(ground: &Ground, root: &Path, task: &str) -> Result<(), Failure> {
    ground.commit_leftovers(task, "work")?;
    let base = ground.tip("plan")?.ok_or("no commit")?;
    let Integrated::Clean { head } = ground.integrate(task, &base, "merge")? else {
        return Err("a conflict".into());
    };
    let verified = CommitRange { base, head };
    let landing = Landing {
        branch: "plan".to_owned(),
        works: vec![verified.clone()],
        verified,
        files: vec![StateFile {
            path: format!(".orch/runs/{task}.1.yaml"),
            bytes: Some(b"outcome: succeeded\n".to_vec()),
        }],
        kept: vec![".orch/runs".to_owned(), ".orch/status".to_owned()],
        unverified: vec![".orch/events".to_owned()],
        message: format!("{task}\n\nOrch-Task: {task}\nOrch-Attempt: 1\n"),
        mode: LandingMode::Squash,
    };
    match ground.build_landing(&landing)? {
        Built::Commit { old, new } => go_on(ground, root, &old, &new),
        Built::Moved => Err("the branch has moved".into()),
    }
}

/// Makes a repository with so many files and records, packed as a clone has it.
fn begin(root: &Path, n_files: usize, n_records: usize) -> Result<(), Failure> {
    for n in 0..n_files {
        let folder = root.join(format!("src/d{:03}", n / 100));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("f{n}.rs")), "let x = 1;\n".repeat(50 + n % 100))?;
    }
    fs::create_dir_all(root.join(".orch/runs"))?;
    fs::write(root.join(".orch/.gitignore"), "local/\n")?;
    for n in 0..n_records {
        fs::write(root.join(format!(".orch/runs/task-{n}.1.yaml")), format!("record: {n}\n"))?;
    }
    for arguments in [
        &["init", "-q", "-b", "plan"][..],
        &["config", "gc.auto", "0"],
        &["config", "user.name", "bench"],
        &["config", "user.email", "bench@localhost"],
        &["add", "--all"],
        &["commit", "-qm", "begin"],
        &["gc", "--quiet"],
    ] {
        git(root, arguments)?;
    }
    Ok(())
}

fn git(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new("git");
    command.current_dir(root).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    match command.status()?.success() {
        true => Ok(()),
        false => Err(format!("git {arguments:?} failed").into()),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
