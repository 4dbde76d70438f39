//! `orch watch` against what really happens to files: editors, git, storms.

mod editors;
mod git;
mod modes;
mod random;
mod replay;
mod rewatch;
mod storms;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::cli::Sandbox;

/// No test waits longer for something that must happen.
const PATIENCE: Duration = Duration::from_secs(90);

/// The task that is edited to find out whether everything before was taken in.
const MARK: &str = "mark";

/// No look at everything comes to the aid of lost notices.
const NO_RESCAN: &str = "watch: {rescan: 1h}\n";

/// A running `orch watch --json`, and the plan as it told it.
struct Watched {
    sandbox: Sandbox,
    child: Child,
    lines: Receiver<Value>,
    /// Every line so far.
    told: Vec<Value>,
    /// Path and title of each task, as the lines tell.
    view: BTreeMap<String, (String, String)>,
    n_marks: u32,
}

impl Watched {
    /// Starts to look only.
    fn look(sandbox: Sandbox) -> Self {
        Self::start(sandbox, &["watch", "--no-run", "--json"])
    }

    /// Starts to look and to carry out.
    fn run(sandbox: Sandbox) -> Self {
        Self::start(sandbox, &["watch", "--json", "--here"])
    }

    fn start(sandbox: Sandbox, args: &[&str]) -> Self {
        let command = sandbox.command(args);
        Self::spawn(sandbox, command)
    }

    fn spawn(sandbox: Sandbox, mut command: Command) -> Self {
        if !sandbox.path(".orch/config.yaml").exists() {
            sandbox.write(".orch/config.yaml", NO_RESCAN);
        }
        let view = fresh(&sandbox);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut watched = Self { sandbox, child, lines, told: Vec::new(), view, n_marks: 0 };
        let first = watched.wait("the first line", |line| line["event"].is_string());
        let n_tasks = usize::try_from(first["n_tasks"].as_u64().unwrap()).unwrap();
        assert_eq!(n_tasks, watched.view.len(), "{first}");
        watched
    }

    fn path(&self, path: &str) -> PathBuf {
        self.sandbox.path(path)
    }

    /// Returns the file of a task.
    fn task(&self, id: &str) -> PathBuf {
        self.path(&format!(".orch/tasks/{id}.md"))
    }

    /// Waits for a line, and takes in all before it.
    fn wait(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("never came: {what}\n{}", self.story(0)),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended before it told {what}\n{}", self.story(0))
                }
            };
            self.apply(&line);
            self.told.push(line.clone());
            if is_it(&line) {
                return line;
            }
        }
    }

    /// Applies a line to the view: what comes must not be there, what goes must.
    fn apply(&mut self, line: &Value) {
        for task in changed_tasks(line) {
            let id = text(&task["id"]);
            let title = task["title"].as_str().unwrap_or(&id).to_owned();
            let is_lost = match text(&task["change"]).as_str() {
                "added" => self.view.contains_key(&id),
                "renamed" => self.view.remove(&text(&task["was"])).is_none(),
                "removed" => self.view.remove(&id).is_none(),
                _ => !self.view.contains_key(&id),
            };
            assert!(!is_lost, "does not fit to what was told before: {line}");
            if task["change"] != "removed" {
                self.view.insert(id, (text(&task["path"]), title));
            }
        }
    }

    /// Waits until everything is taken in that happened to files until now, faults included.
    fn settle(&mut self) {
        self.n_marks += 1;
        let ghost = format!("ghost-{}", self.n_marks);
        let file = format!("---\ndepends_on: [{ghost}]\n---\n");
        fs::write(self.task(MARK), file).unwrap();
        // Faults are looked for when nothing is left to be read.
        self.wait(&format!("a fault that names {ghost}"), |line| {
            let is_it = |fault: &Value| text(&fault["message"]).contains(&format!("`{ghost}`"));
            line["new"].as_array().is_some_and(|new| new.iter().any(is_it))
        });
    }

    /// Checks that the plan as it was told is the plan that the files hold.
    #[track_caller]
    fn assert_is_fresh(&mut self) {
        self.settle();
        let fresh = fresh(&self.sandbox);
        if self.view != fresh {
            let (told, found): (BTreeSet<_>, BTreeSet<_>) =
                (self.view.iter().collect(), fresh.iter().collect());
            let shown = |set: Vec<_>| format!("{} {:?}", set.len(), &set[..set.len().min(5)]);
            panic!(
                "only told: {}\nonly found: {}",
                shown(told.difference(&found).collect()),
                shown(found.difference(&told).collect())
            );
        }
    }

    /// Returns how many lines there are.
    fn now(&self) -> usize {
        self.told.len()
    }

    /// Returns what was told since, the mark left out: one line for each change of a task, each
    /// fault and whatever else.
    fn story(&self, since: usize) -> String {
        let lines = self.told.iter().skip(since).flat_map(told_in);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns the lines of one kind since.
    fn events<'a>(&'a self, since: usize, event: &'a str) -> impl Iterator<Item = &'a Value> {
        self.told.iter().skip(since).filter(move |line| line["event"] == event)
    }

    /// Sends a signal.
    fn signal(&self, signal: rustix::process::Signal) {
        crate::cli::signal(&self.child, signal);
    }

    /// Ends it, and returns its exit code.
    fn end(mut self) -> i32 {
        self.signal(rustix::process::Signal::INT);
        self.wait("its end", |line| line["event"] == "run-ended");
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Nothing to do where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Returns path and title of each task, read anew.
fn fresh(sandbox: &Sandbox) -> BTreeMap<String, (String, String)> {
    let listed: Value = serde_json::from_str(&sandbox.orch(&["list", "--json"]).stdout).unwrap();
    let tasks = listed.as_array().unwrap().iter();
    let place = |task: &Value| (text(&task["path"]), text(&task["title"]));
    tasks.map(|task| (text(&task["id"]), place(task))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn changed_tasks(line: &Value) -> impl Iterator<Item = &Value> {
    let tasks = line["tasks"].as_array().filter(|_| line["event"] == "plan-changed");
    tasks.into_iter().flatten()
}

/// Returns the names of the changed fields.
fn fields(item: &Value) -> Vec<String> {
    item["fields"].as_array().unwrap().iter().map(|field| text(&field["field"])).collect()
}

/// Returns what a line tells, in short.
fn told_in(line: &Value) -> Vec<String> {
    match text(&line["event"]).as_str() {
        "look-started" | "run-started" => Vec::new(),
        "plan-changed" => {
            let change = |item: &Value| {
                let (id, change) = (text(&item["id"]), text(&item["change"]));
                format!("{id} {change} {}", fields(item).join(" ")).trim_end().to_owned()
            };
            let tasks = changed_tasks(line).filter(|task| task["id"] != MARK).map(change);
            let roles = line["roles"].as_array().unwrap().iter().map(change);
            let settings = line["settings"].as_array().unwrap().iter();
            let settings = settings.map(|field| format!("setting {}", text(&field["field"])));
            tasks.chain(roles).chain(settings).collect()
        }
        "faults-changed" => {
            let of = |key: &str| line[key].as_array().cloned().unwrap_or_default();
            let told = |prefix: &'static str, faults: Vec<Value>| {
                let real = faults.into_iter().filter(|f| !text(&f["message"]).contains("`ghost-"));
                real.map(move |fault| {
                    format!("{prefix} {} {}", text(&fault["code"]), fault["message"])
                })
            };
            told("fault", of("new")).chain(told("repaired", of("gone"))).collect()
        }
        _ => vec![line.to_string()],
    }
}

/// Writes a task whose title is `title`.
fn with_title(title: &str) -> String {
    format!("---\ntitle: {title}\nestimate: 2h\n---\nDo it.\n\nAnd then some more.\n")
}

/// Runs a program that must end well.
fn program(folder: &Path, words: &[&str]) {
    let output = Command::new(words[0]).args(&words[1..]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}
