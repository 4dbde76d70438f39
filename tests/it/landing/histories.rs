//! Two coordinators and two people on two branches of one repository: plain `git merge` brings them
//! together without a conflict, and what stands there then is the union of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use fastrand::Rng;
use serde_json::Value;

use super::{Repo, git, git_command, side_by_side, told, whole_machine};
use crate::cli::Sandbox;

/// How many repositories there are, and how often their two branches part and meet again.
const N_REPOSITORIES: u64 = 20;
const N_ROUNDS: u32 = 5;

/// How many gates there are; all of them are run again when work from the other side came below them.
const N_GATES: u32 = 2;

/// Folders that only `orch` and workers write.
const STATE: [&str; 3] = [".orch/runs", ".orch/status", ".orch/events"];

/// One of the two branches, with its checkout, its coordinator and its person.
struct Side<'a> {
    sandbox: &'a Sandbox,
    name: &'static str,
    rng: Rng,
    /// Tasks that nothing depends on.
    leaves: Vec<String>,
}

/// What the reading commands say.
struct Told {
    /// The tasks of `list`.
    tasks: BTreeMap<String, Value>,
    status: Value,
    /// What `log` says of attempts, retries and the like.
    log: BTreeSet<String>,
    /// The files of state that are committed, each with the name of its content.
    files: BTreeSet<String>,
}

impl Side<'_> {
    fn git(&self, arguments: &str) -> String {
        git(self.sandbox.root(), arguments)
    }

    fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {message}"));
    }

    /// Runs the plan until nothing goes on by itself: some of it fails, or waits for a person.
    fn run(&self) {
        let output = self.sandbox.command(&["run", "--plain"]).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {}", self.name, told(&output));
    }

    /// Writes a task of a kind, and returns its id.
    fn add(&mut self, round: u32, number: usize) {
        let id = format!("{}-{round}-{number}", self.name);
        let work = "echo work > file-$ORCH_TASK_ID";
        let usage = "printf -- '---\\nstate: done\\nusage: {input_tokens: 7}\\n---\\nnote\\n' > $ORCH_STATUS_FILE";
        let here = "isolation: none, command";
        let front = match number {
            // Both sides reach the same milestone, and open the same gate.
            0 if round < N_GATES => {
                format!("milestone: m{round}\nlevel: {round}\nworker: {{{here}: 'true'}}")
            }
            0 => format!("milestone: m{round}\nworker: {{command: \"{work}\"}}"),
            _ => match self.rng.u8(..7) {
                0 => format!("worker: {{{here}: exit 3}}\nretry: {{max_attempts: 2}}"),
                1 => format!("worker: {{command: \"test $ORCH_ATTEMPT != 1 && {work}\"}}"),
                2 => format!("worker: {{command: \"{work}\"}}\ncompletion: {{review: true}}"),
                3 => format!("worker: {{{here}: \"{work}\"}}\nwaits_for: [approval]"),
                4 => format!("depends_on: {}-{round}-0\nworker: {{{here}: 'true'}}", self.name),
                _ => format!("worker:\n  command: |-\n    {work}; {usage}"),
            },
        };
        if number > 0 {
            self.leaves.push(id.clone());
        }
        self.sandbox
            .write(&format!(".orch/tasks/{}/{id}.md", self.name), &format!("---\n{front}\n---\n"));
    }

    /// Has a person change the plan, in files that only this side touches or in lines far from those
    /// of the other one.
    fn edit(&mut self, round: u32) {
        for number in 0..self.rng.usize(2..4) {
            self.add(round, number);
        }
        if self.rng.bool() && !self.leaves.is_empty() {
            let gone = self.leaves.swap_remove(self.rng.usize(..self.leaves.len()));
            let path = format!(".orch/tasks/{}/{gone}.md", self.name);
            std::fs::remove_file(self.sandbox.path(&path)).unwrap();
        }
        let shared = self.sandbox.path(".orch/tasks/shared.md");
        let text = std::fs::read_to_string(&shared).unwrap();
        let from = if self.name == "left" { "title: " } else { "last: " };
        let lines = text.lines().map(|line| match line.strip_prefix(from) {
            Some(_) => format!("{from}{round}\n"),
            None => format!("{line}\n"),
        });
        std::fs::write(&shared, lines.collect::<String>()).unwrap();
    }

    /// Has a person answer what waits for them; says whether there was something.
    fn answer(&mut self) -> bool {
        let mut has_answered = false;
        for (id, task) in tasks(self.sandbox) {
            let own = id.starts_with(self.name);
            let command = match task["state"].as_str().unwrap() {
                "review" => ["approve", &id],
                "blocked" if task["why"].as_str().unwrap().contains("approval") => ["approve", &id],
                "failed" => ["retry", &id],
                _ => continue,
            };
            if own && self.rng.bool() {
                self.sandbox.orch(&command).text();
                has_answered = true;
            }
        }
        has_answered
    }

    /// Does all that comes about on this branch until it meets the other one.
    fn go_on(&mut self, round: u32) {
        self.edit(round);
        if self.rng.bool() {
            self.commit("edit");
        }
        self.run();
        // What may go on goes on here, before the other one has it, too.
        if self.rng.bool() && self.answer() {
            self.run();
        }
        // On a busy machine what a run cannot commit any more is left to the next one.
        while !self.git("ls-files --others .orch/runs .orch/status").is_empty() {
            self.run();
        }
        self.commit("end");
    }

    /// Merges what the other side has, as a person would.
    fn take_from(&self, other: &Side<'_>) {
        self.git(&format!("fetch -q {} HEAD", other.sandbox.root().display()));
        let merge = git_command(self.sandbox.root(), "merge -q --no-edit FETCH_HEAD");
        let merged = { merge }.output().unwrap();
        let status = self.git("status --porcelain");
        assert!(merged.status.success(), "{}: {}{status}", self.name, told(&merged));
        assert_eq!(status, "", "{}", self.name);
    }

    fn told(&self) -> Told {
        let log = self.sandbox.orch(&["log", "-n", "0", "--json"]).json();
        let mut said = BTreeSet::new();
        for entry in log["entries"].as_array().unwrap() {
            for fact in ["attempts", "events"].iter().flat_map(|key| entry[key].as_array().unwrap())
            {
                said.insert(fact.to_string());
            }
        }
        let listed = self.git(&format!("ls-tree -r HEAD -- {}", STATE.join(" ")));
        Told {
            tasks: tasks(self.sandbox),
            status: self.sandbox.orch(&["status", "--json"]).json(),
            log: said,
            files: listed.lines().map(str::to_owned).collect(),
        }
    }
}

fn tasks(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let listed = sandbox.orch(&["list", "--json"]).json();
    let tasks = listed.as_array().unwrap().iter();
    tasks.map(|task| (task["id"].as_str().unwrap().to_owned(), task.clone())).collect()
}

/// Counts the tasks in each state, and adds up what only grows.
fn figures(status: &Value) -> BTreeMap<String, i64> {
    let mut figures = BTreeMap::new();
    for key in ["n_tasks", "n_done", "n_attempts", "tokens"] {
        figures.insert(key.to_owned(), status[key].as_i64().unwrap());
    }
    for state in status["states"].as_array().unwrap() {
        let name = state["state"].as_str().unwrap().to_owned();
        figures.insert(name, state["n_tasks"].as_i64().unwrap());
    }
    figures
}

/// Returns when each milestone was reached.
fn reached(status: &Value) -> BTreeMap<String, String> {
    let all = status["milestones"].as_array().unwrap().iter();
    let reached = all.filter_map(|one| {
        Some((one["name"].as_str()?.to_owned(), one["reached"].as_str()?.to_owned()))
    });
    reached.collect()
}

/// Says that what is told of two branches that met is what was told of each, from where they parted.
fn check_union(base: &Told, [left, right]: [&Told; 2], met: &Told) {
    let mut tasks = BTreeMap::new();
    for (name, side) in [("left", left), ("right", right)] {
        let own = side.tasks.iter().filter(|(id, _)| id.starts_with(name));
        tasks.extend(own.map(|(id, task)| (id.clone(), task.clone())));
    }
    // The title is changed on the left, the body on the right.
    tasks.insert("shared".to_owned(), left.tasks["shared"].clone());
    assert_eq!(met.tasks, tasks);

    let [base, left_n, right_n, met_n] = [base, left, right, met].map(|told| figures(&told.status));
    let of = |from: &BTreeMap<String, i64>, key: &str| from.get(key).copied().unwrap_or(0);
    for key in left_n.keys().chain(right_n.keys()).chain(met_n.keys()) {
        let expected = of(&left_n, key) + of(&right_n, key) - of(&base, key);
        assert_eq!(of(&met_n, key), expected, "{key}: {base:?} {left_n:?} {right_n:?} {met_n:?}");
    }
    // What was reached on both was reached when it was first.
    let mut first = reached(&left.status);
    for (name, when) in reached(&right.status) {
        let known = first.entry(name).or_insert_with(|| when.clone());
        *known = when.min(known.clone());
    }
    assert_eq!(reached(&met.status), first);
    assert_eq!(met.log, &left.log | &right.log);
    assert_eq!(met.files, &left.files | &right.files);
}

/// Lets two branches part and meet again, round for round.
fn part_and_meet(seed: u64) {
    let mut config = "max_workers: 3\nretry: {max_attempts: 2, backoff: 0s}\n".to_owned();
    let gates: Vec<String> = (0..N_GATES).map(|n| format!("{n}: {{gate: ['true']}}")).collect();
    let milestones: Vec<String> =
        (0..N_ROUNDS).map(|n| format!("m{n}: {{trigger: {{percent: 50}}}}")).collect();
    config += &["levels: {", &gates.join(", "), "}\nmilestones: {", &milestones.join(", "), "}\n"]
        .concat();
    let middle = "- a line\n".repeat(12);
    let left = Repo::make(Sandbox::large(), &config, &[], &[]);
    left.write(
        ".orch/tasks/shared.md",
        &format!("---\ntitle: 0\nstatus: hold\n---\n{middle}last: 0\n"),
    );
    left.git("add -A");
    left.git("commit -qm shared");
    let (left, right) = (&left.sandbox, &Sandbox::large());
    let is_clone = seed.is_multiple_of(2);
    if is_clone {
        git(right.root(), &format!("clone -q {} .", left.root().display()));
    } else {
        git(left.root(), &format!("worktree add -q -b other {}", right.root().display()));
    }
    let new =
        |sandbox, name, seed| Side { sandbox, name, rng: Rng::with_seed(seed), leaves: Vec::new() };
    let mut sides = [new(left, "left", seed), new(right, "right", !seed)];
    let mut base = sides[0].told();
    for round in 0..N_ROUNDS {
        thread::scope(|scope| {
            sides.iter_mut().for_each(|side| drop(scope.spawn(|| side.go_on(round))));
        });
        let [on_left, on_right] = [sides[0].told(), sides[1].told()];
        // Once the one takes what the other has, once the other way round.
        let (here, there) = if round.is_multiple_of(2) { (0, 1) } else { (1, 0) };
        sides[here].take_from(&sides[there]);
        let met = sides[here].told();
        check_union(&base, [&on_left, &on_right], &met);
        sides[here].sandbox.orch(&["check"]).text();
        sides[there].take_from(&sides[here]);
        assert_eq!(tasks(sides[there].sandbox), met.tasks, "round {round}");
        base = met;
    }
    git(left.root(), "fsck --strict");
}

#[test]
fn a_hundred_pairs_of_histories_merge_into_the_union_of_both() {
    let _machine = whole_machine();
    let seed = std::env::var("ORCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    eprintln!("ORCH_SEED={seed}");
    let seeds: Vec<u64> = (0..N_REPOSITORIES).map(|n| seed.wrapping_add(n)).collect();
    side_by_side(&seeds, part_and_meet);
}
