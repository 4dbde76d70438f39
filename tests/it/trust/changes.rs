//! What changes after it was approved: by the user's own hand it stays approved; what comes with a
//! commit that is not theirs waits, and everything else goes on.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::Guarded;

/// No test waits longer for something that must happen.
const PATIENCE: Duration = Duration::from_secs(90);

const CONFIG: &str = "\
worker: {command: echo common >> effect, isolation: none}
hooks: {done: echo hook >> effect}
retry: {max_attempts: 1}
git: {commit_state: false}
";
const ROLE: &str = "---\nworker: {command: echo role >> effect}\n---\n";
const ROLED: &str = "---\nrole: r\n---\nRoled.\n";
const PLAIN: &str = "---\ncompletion: {verify: [echo verified >> effect]}\n---\nPlain.\n";

fn plan() -> Guarded {
    Guarded::approved(&[
        (".orch/config.yaml", CONFIG),
        (".orch/roles/r.md", ROLE),
        (".orch/tasks/roled.md", ROLED),
        (".orch/tasks/plain.md", PLAIN),
        (".gitignore", "effect\n.orch/runs\n.orch/status\n"),
    ])
}

/// Edits that change what is executed, and the parts that they reach.
const EDITS: [(&str, &str, &str, &str); 9] = [
    (".orch/config.yaml", "echo common", "echo evil", "defaults, task plain"),
    (".orch/config.yaml", "echo hook", "echo evil", "hook done"),
    (".orch/config.yaml", "max_attempts: 1", "max_attempts: 9", "defaults, task plain, task roled"),
    (".orch/config.yaml", "git:", "env: {pass: [EVIL]}\ngit:", "settings"),
    (
        ".orch/config.yaml",
        "isolation: none",
        "isolation: none, env: {LD_X: evil}",
        "defaults, task plain, task roled",
    ),
    (".orch/roles/r.md", "echo role", "echo evil", "role r, task roled"),
    (".orch/tasks/plain.md", "echo verified", "echo evil", "task plain"),
    (".orch/tasks/plain.md", "Plain.", "Do evil.", "task plain"),
    (".orch/tasks/roled.md", "role: r\n", "worker: {command: echo evil >> effect}\n", "task roled"),
];

fn edit(guarded: &Guarded, (path, from, to, _): (&str, &str, &str, &str)) {
    let text = guarded.read(path);
    assert!(text.contains(from), "{path}: {from}");
    guarded.write(path, &text.replace(from, to));
}

#[test]
fn each_change_that_a_commit_brings_waits_and_the_rest_goes_on() {
    for change in EDITS {
        let guarded = plan();
        guarded.git("checkout -q -b theirs");
        edit(&guarded, change);
        guarded.commit("theirs");
        guarded.git("checkout -q plan");
        // As it was approved.
        assert_eq!(guarded.waiting(), "", "{change:?}");
        guarded.git("merge -q --ff-only theirs");
        assert_eq!(guarded.waiting(), change.3, "{change:?}");
        let run = guarded.run();
        let effect = guarded.read("effect");
        assert!(!effect.contains("evil"), "{change:?}: {effect}");
        if change.3 == "settings" {
            assert!(run.stderr.contains("the settings of this plan wait for approval"), "{run:?}");
            assert_eq!((run.code, &*effect), (3, ""));
        } else {
            assert!(run.stdout.contains(&format!("approval  needed for {}", change.3)), "{run:?}");
        }
        for (name, mark) in
            [("task plain", "common"), ("task roled", "role"), ("hook done", "hook")]
        {
            let goes_on = !change.3.contains(name) && change.3 != "settings";
            let has_tasks = name != "hook done" || !change.3.contains("task plain, task roled");
            assert_eq!(effect.contains(mark), goes_on && has_tasks, "{change:?}: {effect}");
        }
        guarded.approve();
        assert_eq!(guarded.waiting(), "", "{change:?}");
        assert_eq!(guarded.run().code, 0, "{change:?}");
    }
}

#[test]
fn own_edits_stay_approved_or_are_asked_for_where_their_user_says_so() {
    for change in EDITS {
        let guarded = plan();
        edit(&guarded, change);
        assert_eq!(guarded.waiting(), "", "{change:?}");
        assert_eq!(guarded.run().code, 0, "{change:?}");
        guarded.settings("trust: {edits: ask}\n");
        assert_eq!(guarded.waiting(), "", "what ran was approved: {change:?}");
        let guarded = plan();
        guarded.settings("trust: {edits: ask}\n");
        edit(&guarded, change);
        assert_eq!(guarded.waiting(), change.3, "{change:?}");
        guarded.run();
        assert!(!guarded.read("effect").contains("evil"), "{change:?}");
    }
}

#[test]
fn a_plan_can_ask_for_every_change_but_not_for_less() {
    let guarded = plan();
    guarded.settings("trust: {edits: ask}\n");
    guarded.write(".orch/config.yaml", &format!("{CONFIG}trust: {{edits: always}}\n"));
    assert_eq!(guarded.waiting(), "settings");
    let checked = guarded.orch(&["check"]);
    assert!(checked.stdout.contains("`trust.edits` is `always`"), "{checked:?}");
    let strict = plan();
    strict.write(".orch/config.yaml", &format!("{CONFIG}trust: {{edits: ask}}\n"));
    strict.approve();
    edit(&strict, EDITS[6]);
    assert_eq!(strict.waiting(), "task plain");
}

/// Ways in which git brings a commit, and whether what it changes stays approved.
const WAYS: [(&str, &[&str], bool); 11] = [
    ("own commit", &["checkout -q plan -- .", "commit -q --allow-empty -m x"], true),
    ("fast-forward", &["merge -q --ff-only theirs"], false),
    ("merge", &["commit -q --allow-empty -m mine", "merge -q --no-edit theirs"], false),
    ("checkout", &["checkout -q theirs"], false),
    ("switch to the commit", &["checkout -q --detach theirs"], false),
    ("reset", &["reset -q --hard theirs"], false),
    ("rebase", &["commit -q --allow-empty -m mine", "rebase -q theirs"], false),
    ("cherry-pick", &["cherry-pick theirs"], false),
    ("pull", &["pull -q --ff-only . theirs"], false),
    ("pull with rebase", &["commit -q --allow-empty -m mine", "pull -q --rebase . theirs"], false),
    ("without a word", &["update-ref --no-deref HEAD theirs", "reset -q --hard"], false),
];

#[test]
fn every_way_in_which_git_brings_a_commit_is_told_from_a_commit_made_here() {
    for (what, steps, is_approved) in WAYS {
        let guarded = plan();
        guarded.git("checkout -q -b theirs");
        edit(&guarded, EDITS[0]);
        guarded.commit("theirs");
        guarded.git("checkout -q plan");
        if is_approved {
            edit(&guarded, EDITS[0]);
            guarded.commit("mine");
        }
        for step in steps {
            guarded.git(step);
        }
        let expected = if is_approved { "" } else { EDITS[0].3 };
        if what == "own commit" {
            assert_eq!(guarded.waiting(), expected, "{what}");
            continue;
        }
        assert!(guarded.read(".orch/config.yaml").contains("evil"), "{what}");
        assert_eq!(guarded.waiting(), expected, "{what}");
        // Neither a later edit nor a commit of one's own approves it.
        guarded.write(".orch/tasks/plain.md", &PLAIN.replace("Plain.", "Mine."));
        assert_eq!(guarded.waiting(), expected, "{what}: after an edit");
        guarded.run();
        guarded.commit("mine");
        assert_eq!(guarded.waiting(), expected, "{what}: after a commit");
        assert!(!guarded.read("effect").contains("evil"), "{what}");
    }
}

#[test]
fn a_commit_made_between_two_looks_does_not_hide_one_that_was_pulled() {
    let guarded = plan();
    guarded.git("checkout -q -b theirs");
    edit(&guarded, EDITS[0]);
    guarded.commit("theirs");
    guarded.git("checkout -q plan");
    edit(&guarded, EDITS[5]);
    guarded.commit("mine");
    guarded.git("merge -q --no-edit theirs");
    edit(&guarded, EDITS[7]);
    guarded.commit("mine-again");
    // The role is of a commit made here, but what else decides about its task came with the merge.
    assert_eq!(guarded.waiting(), "defaults, task plain, task roled");
}

/// A run that stays, and what it tells.
pub(super) struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    pub(super) fn start(guarded: &Guarded) -> Self {
        let mut child = guarded.start(&["watch", "--json", "--here"]);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        Self { child, lines }
    }

    /// Waits for an event, and returns it.
    pub(super) fn wait(&mut self, what: &str) -> Value {
        let mut seen = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never came: {what}\n{seen}"));
            let value: Value = serde_json::from_str(&line).unwrap();
            if value["event"] == what {
                return value;
            }
            seen = seen + &line + "\n";
        }
    }
}

impl Watch {
    /// Waits until it was told that these parts wait, at once or one after the other, and no others.
    fn wait_until_waiting(&mut self, parts: &[&str]) {
        let mut told: Vec<String> = Vec::new();
        while told.len() < parts.len() {
            let event = self.wait("waits-for-approval");
            told.extend(
                event["parts"].as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned()),
            );
        }
        told.sort();
        assert_eq!(told, parts);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        crate::cli::signal(&self.child, rustix::process::Signal::INT);
        self.child.wait().unwrap();
    }
}

#[test]
fn a_checkout_under_a_running_watch_waits_until_it_is_approved() {
    let guarded = plan();
    guarded.git("checkout -q -b theirs");
    edit(&guarded, EDITS[0]);
    guarded.write(".orch/tasks/new.md", "---\nrole: r\n---\nNew.\n");
    guarded.commit("theirs");
    guarded.git("checkout -q plan");
    guarded.write(".orch/tasks/plain.md", &PLAIN.replace("---\nc", "---\nstatus: hold\nc"));
    guarded.commit("mine");
    let mut watch = Watch::start(&guarded);
    assert_eq!(watch.wait("ended")["task"], "roled");
    guarded.git("merge -q --no-edit theirs");
    watch.wait_until_waiting(&["defaults", "task new", "task plain"]);
    guarded.wait_for_head();
    guarded.write(".orch/tasks/plain.md", PLAIN);
    guarded.write(".orch/tasks/own.md", ROLED);
    // What is edited meanwhile goes on.
    assert_eq!(watch.wait("ended")["task"], "own");
    let why = guarded.orch(&["explain", "new"]).text();
    assert!(why.contains("`new` waits for approval: it c"), "{why}");
    assert!(guarded.orch(&["status"]).text().contains("3 parts of the plan wait for approval"));
    assert!(!guarded.read("effect").contains("evil"));
    guarded.approve();
    watch.wait("approved");
    let ended = [watch.wait("ended")["task"].clone(), watch.wait("ended")["task"].clone()];
    assert!(ended.contains(&"new".into()) && ended.contains(&"plain".into()), "{ended:?}");
    assert!(guarded.read("effect").contains("evil"));
}

#[test]
fn files_that_git_changes_before_it_says_of_which_commit_they_are_are_no_edits() {
    let guarded = plan();
    guarded.git("checkout -q -b theirs");
    edit(&guarded, EDITS[0]);
    guarded.commit("theirs");
    guarded.git("checkout -q plan");
    guarded.write(".orch/tasks/plain.md", &PLAIN.replace("---\nc", "---\nstatus: hold\nc"));
    guarded.commit("mine");
    let mut watch = Watch::start(&guarded);
    assert_eq!(watch.wait("ended")["task"], "roled");
    // As `git checkout` does it, but for the pause between both.
    guarded.git("read-tree -m -u plan theirs");
    let index = std::fs::File::options().append(true).open(guarded.root().join(".git/index"));
    let index = index.unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // However long the pause is on a busy machine, git was at work just now.
        scope.spawn(|| {
            let begun = SystemTime::now();
            while !is_done.load(Ordering::Relaxed) && begun.elapsed().unwrap() < PATIENCE {
                index.set_modified(SystemTime::now()).unwrap();
                std::thread::yield_now();
            }
        });
        watch.wait("plan-changed");
        guarded.git("symbolic-ref HEAD refs/heads/theirs");
        is_done.store(true, Ordering::Relaxed);
    });
    watch.wait_until_waiting(&["defaults", "task plain"]);
    assert!(!guarded.read("effect").contains("evil"));
}

#[test]
fn settings_that_wait_leave_those_that_are_approved_in_place() {
    let guarded = plan();
    guarded.git("checkout -q -b theirs");
    edit(&guarded, EDITS[3]);
    guarded.write(
        ".orch/config.yaml",
        &guarded.read(".orch/config.yaml").replace("echo hook", "echo evil"),
    );
    guarded.commit("theirs");
    guarded.git("checkout -q plan");
    let mut watch = Watch::start(&guarded);
    watch.wait("ended");
    watch.wait("ended");
    guarded.git("merge -q --ff-only theirs");
    watch.wait_until_waiting(&["settings"]);
    guarded.wait_for_head();
    guarded
        .write(".orch/tasks/own.md", "---\nworker: {command: 'echo env $EVIL >> effect'}\n---\n");
    assert_eq!(watch.wait("ended")["task"], "own");
    assert!(!guarded.read("effect").contains("evil"), "{}", guarded.read("effect"));
}
