//! How long `orch diff` takes between two revisions with 10,000 tasks, 100 of them different.
//!
//! `cargo bench --bench diff`. The limit is the time that is promised; beside it stands
//! `orch list --ready`, which reads as many files from disk and has one plan to understand.
#![expect(clippy::print_stdout, reason = "a bench reports by printing")]

#[expect(dead_code, unused_imports, reason = "other benches use the rest of it")]
mod floor;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use floor::{
    Failure, ORCH,
    measure::{self, Samples},
    plan::{Plan, Shape, id},
    table::{self, Goal},
};

/// Tasks of the plan, and how many of them are different.
const TASKS: usize = 10_000;
const DIFFERENT: usize = 100;

/// What is promised for it.
const LIMIT: Duration = Duration::from_millis(150);

fn main() -> Result<(), Failure> {
    if !floor::is_bench() {
        println!("a bench: run it with `cargo bench --bench diff`");
        return Ok(());
    }
    let scratch = floor::scratch()?;
    let plan = Plan::write(scratch.path().join("plan"), TASKS, Shape::Layered)?;
    let root = plan.root.as_path();
    // Without a command nothing would be carried out, and there were no forecast.
    fs::write(root.join(".orch/config.yaml"), "worker: {command: make}\n")?;
    for arguments in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "-qm", "before"]] {
        git(root, arguments)?;
    }
    change(root)?;
    git(root, &["add", "--all"])?;
    git(root, &["commit", "-qm", "after"])?;
    // As a clone has it.
    git(root, &["gc", "--quiet"])?;
    check(root)?;
    table::heading(&format!("diff, {TASKS} tasks, {DIFFERENT} of them different, packed"));
    let cases: [(&str, &[&str], Option<u8>); 5] = [
        ("list --ready", &["list", "--ready"], None),
        ("diff, two revisions", &["diff", "HEAD~1..HEAD"], Some(1)),
        ("diff, two revisions, JSON", &["diff", "HEAD~1..HEAD", "--json"], Some(1)),
        ("diff, the working tree", &["diff", "HEAD~1"], None),
        ("diff, nothing different", &["diff", "HEAD..HEAD"], Some(1)),
    ];
    let mut samples: Vec<Samples> = cases.iter().map(|_| Samples::default()).collect();
    for _ in 0..9 {
        for ((_, arguments, _), samples) in cases.iter().zip(&mut samples) {
            samples.add(|| measure::run(Command::new(ORCH).args(*arguments).current_dir(root)));
        }
    }
    for ((what, _, goal), samples) in cases.iter().zip(&samples) {
        match samples.median() {
            Ok(cost) => {
                let goal = Goal { ratio: goal.map(f64::from), time: None };
                let note = format!("cpu {} ms", cost.cpu.as_millis());
                table::time(what, cost.wall, ("promised", LIMIT), goal, &note);
            }
            Err(why) => table::missing(what, &why),
        }
    }
    Ok(())
}

/// Edits, adds and removes tasks: mostly words, some dependencies.
fn change(root: &Path) -> Result<(), Failure> {
    for n in 0..DIFFERENT {
        let at = n * (TASKS / DIFFERENT) + 55;
        let path = root.join(format!(".orch/tasks/part-{:03}/{}.md", at / 1_000, id(at)));
        let text = fs::read_to_string(&path)?;
        match n % 10 {
            0 => {
                let copy = text.replace(&id(at), &format!("{}-b", id(at)));
                fs::write(path.with_extension("b.md"), copy)?;
            }
            1 => fs::write(&path, text.replace("depends_on: [", "depends_on: [T-000000, "))?,
            2 if at + 100 > TASKS => fs::remove_file(&path)?,
            3 => fs::write(&path, text.replace("estimate: ", "estimate: 1"))?,
            _ => fs::write(&path, text.replace("it builds", "it builds quickly"))?,
        }
    }
    Ok(())
}

fn git(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]);
    let status = command.args(arguments).current_dir(root).stdout(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {arguments:?}: {status}").into()) }
}

/// Says whether the command works at all: all that is different must be told.
fn check(root: &Path) -> Result<(), Failure> {
    let output = Command::new(ORCH).args(["diff", "HEAD~1..HEAD"]).current_dir(root).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.lines().filter(|line| line.starts_with("  ~ T-") || line.starts_with("  + T-"));
    match told.filter(|line| !line.contains(" waits for ") && !line.contains(" → T-")).count() {
        DIFFERENT => Ok(()),
        n => Err(format!("{n} tasks told instead of {DIFFERENT}: {text}").into()),
    }
}
