//! `claims: {remote: …}`: coordinators of several clones work on one plan.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use rustix::process::Signal;

use super::{run::signal, wait_for};
use crate::own::AtEase as _;

fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let command = Command::new("git").current_dir(folder).args(identity).args(arguments).output();
    let output = command.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
}

/// Makes a remote with a plan of `n_tasks` tasks, and two clones of it; returns the clones. What a
/// worker does is told to the file `effects` beside them.
fn clones(folder: &Path, n_tasks: usize, command: &str) -> [PathBuf; 2] {
    git(folder, &["init", "-q", "--bare", "remote.git"]);
    git(folder, &["clone", "-q", "remote.git", "one"]);
    let one = folder.join("one");
    fs::create_dir_all(one.join(".orch/tasks")).unwrap();
    let effects = folder.join("effects");
    let config = format!(
        "max_workers: 3\nclaims: {{remote: origin}}\ngit: {{protect: [], commit_state: false}}\n\
         worker: {{command: 'echo $ORCH_TASK_ID $ORCH_ROOT >> {}; {command}'}}\n\
         retry: {{max_attempts: 1}}\n",
        effects.display()
    );
    fs::write(one.join(".orch/config.yaml"), config).unwrap();
    fs::write(one.join(".orch/.gitignore"), "local/\n").unwrap();
    for n in 0..n_tasks {
        fs::write(one.join(format!(".orch/tasks/t{n}.md")), "---\n---\n").unwrap();
    }
    git(&one, &["add", "-A"]);
    git(&one, &["commit", "-qm", "plan"]);
    git(&one, &["push", "-q", "origin", "HEAD"]);
    git(folder, &["clone", "-q", "remote.git", "two"]);
    [one, folder.join("two")]
}

fn orch(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).at_ease();
    command
}

fn told(output: &Output) -> String {
    let told = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&told).into_owned()
}

fn effects(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(folder.join("effects")).unwrap_or_default();
    let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let (task, root) = line.split_once(' ').unwrap();
        effects.entry(task.to_owned()).or_default().push(root.to_owned());
    }
    effects
}

fn claimed(folder: &Path) -> usize {
    let refs = Command::new("git")
        .current_dir(folder.join("remote.git"))
        .args(["for-each-ref", "refs/orch/claims/"])
        .output()
        .unwrap();
    String::from_utf8(refs.stdout).unwrap().lines().count()
}

#[test]
fn two_coordinators_share_a_plan_and_run_each_task_once() {
    let folder = tempfile::tempdir().unwrap();
    let clones = clones(folder.path(), 24, "sleep 0.05");
    let runs = clones.each_ref().map(|clone| {
        let mut run = orch(clone, &["run", "--plain"]);
        run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let ended = runs.map(|run| run.wait_with_output().unwrap());
    let text = ended.each_ref().map(told).join("\n---\n");
    let effects = effects(folder.path());
    assert_eq!(effects.len(), 24, "{text}");
    assert!(effects.values().all(|roots| roots.len() == 1), "{effects:?}\n{text}");
    // Each left to the other what that one had, and says so.
    for (clone, output) in clones.iter().zip(&ended) {
        let root = fs::canonicalize(clone).unwrap();
        let n_own = effects.values().filter(|roots| Path::new(&roots[0]) == root).count();
        assert!((1..24).contains(&n_own), "{n_own} of 24: {text}");
        let said = told(output);
        assert_eq!(said.matches(": claimed by ").count(), 24 - n_own, "{text}");
        assert_eq!(output.status.code(), Some(1), "{text}");
    }
    assert_eq!(claimed(folder.path()), 24, "{text}");
}

#[test]
fn what_another_has_is_named_and_started_when_it_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let hold = folder.path().join("hold");
    fs::write(&hold, "").unwrap();
    let command = format!("while [ -e {} ]; do sleep 0.02; done; exit 3", hold.display());
    let [one, two] = clones(folder.path(), 1, &command);
    let first = orch(&one, &["run", "--plain"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for("the first worker", || effects(folder.path()).len() == 1);
    let output = orch(&two, &["run", "--plain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("leave     t0: claimed by "), "{}", told(&output));
    let explained = orch(&two, &["explain", "t0"]).output().unwrap();
    let text = told(&explained);
    assert!(text.contains("`t0` is claimed by ") && text.contains("refs/orch/claims/"), "{text}");
    // It dies, its worker goes on; the claim holds, and is known again by the next run.
    let (mut first, mut killed) = (first, false);
    signal(&first, Signal::KILL);
    killed |= first.wait().is_ok();
    assert!(killed);
    let output = orch(&two, &["run", "--plain"]).output().unwrap();
    assert!(told(&output).contains("leave     t0: claimed by "), "{}", told(&output));
    fs::remove_file(&hold).unwrap();
    let output = orch(&one, &["run", "--plain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("fail      t0"), "{}", told(&output));
    assert_eq!(effects(folder.path())["t0"].len(), 1);
}

#[test]
fn the_claim_of_a_task_that_was_not_begun_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let hold = folder.path().join("hold");
    fs::write(&hold, "").unwrap();
    let command = format!("while [ -e {} ]; do sleep 0.02; done", hold.display());
    let [one, two] = clones(folder.path(), 2, &command);
    // Both are claimed at once, and then the second has to wait for the first.
    for task in ["t0", "t1"] {
        let path = format!(".orch/tasks/{task}.md");
        for clone in [&one, &two] {
            fs::write(clone.join(&path), "---\nworkstream: w\n---\n").unwrap();
        }
    }
    let first = orch(&one, &["run", "--plain"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for("both claims", || claimed(folder.path()) == 2);
    wait_for("the first worker", || effects(folder.path()).len() == 1);
    signal(&first, Signal::INT);
    let output = first.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    assert_eq!(claimed(folder.path()), 1);
    fs::remove_file(&hold).unwrap();
    let output = orch(&two, &["run", "--plain"]).output().unwrap();
    assert!(told(&output).contains("done      t1"), "{}", told(&output));
    assert!(told(&output).contains("leave     t0: claimed by "), "{}", told(&output));
}

#[test]
fn a_remote_that_is_not_there_ends_a_run_and_one_that_is_away_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let [one, _] = clones(folder.path(), 1, "true");
    let path = one.join(".orch/config.yaml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("origin", "upstream")).unwrap();
    let output = orch(&one, &["run", "--plain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    assert!(told(&output).contains("there is no git remote `upstream`"), "{}", told(&output));
    assert!(told(&output).contains("= help: `git remote` shows which there are"));
    fs::write(&path, config.replace("origin", "'ext::sh -c x'")).unwrap();
    let output = orch(&one, &["check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("is not the name of a git remote"), "{}", told(&output));
    fs::write(&path, &config).unwrap();
    let away = folder.path().join("away.git");
    fs::rename(folder.path().join("remote.git"), &away).unwrap();
    let log = fs::File::create(folder.path().join("told")).unwrap();
    let mut run = orch(&one, &["run", "--plain"]).stdout(log).spawn().unwrap();
    let told = || fs::read_to_string(folder.path().join("told")).unwrap();
    wait_for("the pause", || told().contains("failed to claim tasks at the git remote `origin`"));
    fs::rename(away, folder.path().join("remote.git")).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0), "{}", told());
    assert_eq!(effects(folder.path()).len(), 1, "{}", told());
}

#[test]
fn a_record_that_came_with_a_pull_is_left_to_its_coordinator() {
    let folder = tempfile::tempdir().unwrap();
    let hold = folder.path().join("hold");
    fs::write(&hold, "").unwrap();
    let command = format!("while [ -e {} ]; do sleep 0.02; done", hold.display());
    let [one, two] = clones(folder.path(), 1, &command);
    let first = orch(&one, &["run", "--plain"]).stdout(Stdio::piped()).spawn().unwrap();
    wait_for("the first worker", || effects(folder.path()).len() == 1);
    git(&one, &["add", "-A", ".orch"]);
    git(&one, &["commit", "-qm", "state"]);
    git(&one, &["push", "-q", "origin", "HEAD"]);
    git(&two, &["pull", "-q"]);
    let record = fs::read_to_string(two.join(".orch/runs/t0.1.yaml")).unwrap();
    let output = orch(&two, &["run", "--plain"]).output().unwrap();
    let text = told(&output);
    assert!(text.contains("leave     t0: claimed by "), "{text}");
    assert!(!text.contains("lost") && !text.contains("stopped"), "{text}");
    assert_eq!(fs::read_to_string(two.join(".orch/runs/t0.1.yaml")).unwrap(), record);
    fs::remove_file(&hold).unwrap();
    let output = first.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(effects(folder.path())["t0"].len(), 1);
}

#[test]
fn a_remote_that_does_not_answer_is_told_and_not_waited_for_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let [one, _] = clones(folder.path(), 1, "true");
    git(&one, &["remote", "set-url", "origin", "ssh://nowhere.invalid/x.git"]);
    let ssh = folder.path().join("ssh.sh");
    fs::write(&ssh, "#!/bin/sh\necho $$ > \"$0.pid\"\nexec sleep 600\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&ssh, mode).unwrap();
    // Said in the settings of git, which hold.
    git(&one, &["config", "core.sshCommand", ssh.to_str().unwrap()]);
    let log = fs::File::create(folder.path().join("told")).unwrap();
    let mut run = orch(&one, &["run", "--plain"]);
    let run = run.env_remove("GIT_SSH_COMMAND").env_remove("GIT_SSH").stdout(log).spawn().unwrap();
    let told = || fs::read_to_string(folder.path().join("told")).unwrap();
    wait_for("the pause", || told().contains("the git remote of the claims does not answer"));
    signal(&run, Signal::INT);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told());
    let pid = fs::read_to_string(folder.path().join("ssh.sh.pid")).unwrap();
    let is_gone = || !Path::new(&format!("/proc/{}/cwd", pid.trim())).exists();
    wait_for("the end of ssh", is_gone);
}
