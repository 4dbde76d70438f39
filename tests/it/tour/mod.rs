//! The tour of the README, played as it stands there, on `fixtures/tour`: so it cannot rot.
//!
//! A stand-in for an agent edits real code there: attempts are wrong, changes do not hold together,
//! and meet in the same lines. What comes of it is looked at commit by commit.

mod page;

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use page::Step;

use crate::own::AtEase as _;
use crate::{
    cli::Sandbox,
    fixtures,
    landing::{check_whole, each_commit, git, landings},
    source,
};

/// A user at home, in a clone of this project, before the tour.
struct Home {
    sandbox: Sandbox,
}

/// What a command of the tour left.
struct Played {
    code: i32,
    printed: String,
}

impl Home {
    /// Makes a clone with what the tour needs of it; the program under test is its release build.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let identity = "[user]\nname = Ann\nemail = ann@example.com\n";
        sandbox.write(".gitconfig", identity);
        fixtures::copy(&source::root().join("fixtures/tour"), &sandbox.path("clone/fixtures/tour"));
        fs::create_dir_all(sandbox.path("clone/target/release")).unwrap();
        let program = sandbox.path("clone/target/release/orch");
        symlink(env!("CARGO_BIN_EXE_orch"), program).unwrap();
        Self { sandbox }
    }

    /// The copy that the tour makes.
    fn copy(&self) -> PathBuf {
        self.sandbox.path("hours")
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.copy().join(path)).unwrap_or_default()
    }

    /// Puts another line into a script of the agent; it must be there.
    fn plant(&self, script: &str, line: &str, other: &str) {
        let path = format!("clone/fixtures/tour/agent/{script}");
        let text = fs::read_to_string(self.sandbox.path(&path)).unwrap();
        assert!(text.contains(line), "{path}: {line}");
        fs::write(self.sandbox.path(&path), text.replace(line, other)).unwrap();
    }

    /// Gives all commands to one shell, one after the other, as a user would.
    fn play(&self, steps: &[Step]) -> Vec<Played> {
        let mut script = "code=0\n".to_owned();
        for (at, step) in steps.iter().enumerate() {
            let out = self.sandbox.path(&format!("{at}.out"));
            let (out, command) = (out.display(), &step.command);
            writeln!(script, "{{ (exit $code)\n{command}\n}} >{out} 2>&1").unwrap();
            writeln!(script, "code=$?; echo $code >{out}.code").unwrap();
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(self.sandbox.path("clone")).stdin(Stdio::null());
        shell.env_clear().at_ease().env("HOME", self.sandbox.root());
        shell.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        assert!(shell.status().unwrap().success());
        let read = |name: String| fs::read_to_string(self.sandbox.path(&name)).unwrap();
        let played = |at| Played {
            code: read(format!("{at}.out.code")).trim().parse().unwrap(),
            printed: read(format!("{at}.out")),
        };
        (0..steps.len()).map(played).collect()
    }
}

fn tour() -> Vec<Step> {
    page::steps(&source::read("README.md").unwrap())
}

fn faults(steps: &[Step], played: &[Played]) -> Vec<String> {
    let pairs = steps.iter().zip(played);
    pairs.filter_map(|(step, played)| page::fault(step, played.code, &played.printed)).collect()
}

/// Runs a command of the code base in one of its copies, and returns how it ends and what it prints.
fn call(folder: &Path, command: &str, input: &str) -> (bool, String) {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{command} <<'END' 2>&1\n{input}END\n")]).current_dir(folder);
    let output = shell.output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_tour_of_the_readme_goes_as_it_shows() {
    let (home, steps) = (Home::new(), tour());
    assert!(steps.len() > 10, "the tour is not found: {steps:?}");
    let played = home.play(&steps);
    let faults = faults(&steps, &played);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    check_planted_lines(&steps, &played);
    check_record(&home);
    check_code(&home);
    check_whole(&home.copy(), "the tour");
}

/// Checks that no line of the page can be another one, none can be left out, and no exit code can.
fn check_planted_lines(steps: &[Step], played: &[Played]) {
    for (step, played) in steps.iter().zip(played) {
        let is_found = |step: &Step| page::fault(step, played.code, &played.printed).is_some();
        for at in (0..step.shown.len()).filter(|at| step.shown[*at] != "…") {
            let mut planted = step.clone();
            planted.shown[at].insert(0, '!');
            assert!(is_found(&planted), "README.md:{}: {planted:?}", step.line);
        }
        assert!(is_found(&Step { code: step.code + 1, ..step.clone() }));
    }
}

/// Checks what is on record, and how each task came to the branch.
fn check_record(home: &Home) {
    let expected = ["midnight.2", "clock.1", "bill.2", "projects.1", "days.2", "release.1"];
    assert_eq!(landings(&home.copy(), "plan"), expected);
    let records = git(&home.copy(), "ls-tree --name-only plan:.orch/runs");
    let outcomes: Vec<(&str, String)> = records
        .lines()
        .map(|name| {
            let record = git(&home.copy(), &format!("show plan:.orch/runs/{name}"));
            let value = |key: &str| {
                let line = record.lines().find_map(|line| line.strip_prefix(key));
                line.unwrap_or_default().trim().to_owned()
            };
            (name, value("outcome:"))
        })
        .collect();
    let failed: Vec<(&str, &str)> = outcomes
        .iter()
        .map(|(name, outcome)| (*name, outcome.as_str()))
        .filter(|(_, outcome)| *outcome != "succeeded")
        .collect();
    let expected =
        [("bill.1.yaml", "failed"), ("days.1.yaml", "conflict"), ("midnight.1.yaml", "failed")];
    assert_eq!((outcomes.len(), &failed[..]), (9, &expected[..]));
    assert!(home.read(".orch/runs/days.1.yaml").contains("- hours\n"));
    // It held alone, and not with what had landed meanwhile.
    let log = home.read(".orch/local/logs/bill/1.log");
    assert!(log.contains("4 tests, 0 failed") && log.contains("5 tests, 1 failed"), "{log}");
    assert_eq!(git(&home.copy(), "status --porcelain"), "");
}

/// Checks that the tests of the code base hold at each commit, and what the code does in the end.
fn check_code(home: &Home) {
    each_commit(&home.copy(), "plan", |folder| {
        let (holds, told) = call(folder, "tests/run", "");
        assert!(holds, "{told}");
    });
    let changes = "# 1.0\n\n- `total`: all hours together\n\
        - `bill`: the same, each span up to the next quarter of an hour\n\
        - `days`: the hours of each day\n- `projects`: the hours of each project\n\
        - `help`: this text\n";
    assert_eq!(home.read("CHANGES.md"), changes);
    let sheet = "2026-11-21 22:00-01:30 watch\n2026-11-20 09:00-10:05 garden\n";
    for (command, expected) in [
        ("version", "hours 1.0\n"),
        ("total", "4:35\n"),
        ("bill", "4:45\n"),
        ("days", "2026-11-20 1:05\n2026-11-21 3:30\n"),
        ("projects", "1:05 garden\n3:30 watch\n"),
    ] {
        let told = call(&home.copy(), &format!("./hours {command}"), sheet);
        assert_eq!(told, (true, expected.to_owned()), "{command}");
    }
}

#[test]
fn a_resolution_that_drops_what_another_did_does_not_go_as_shown() {
    let (home, mut steps) = (Home::new(), tour());
    let run = steps.iter().position(|step| step.command.starts_with("orch run")).unwrap();
    steps.truncate(run + 1);
    home.plant("days.sh", "keep_both hours", "git checkout -q --ours hours");
    let faults = faults(&steps, &home.play(&steps));
    let is_told = |part: &str| faults.iter().any(|fault| fault.contains(part));
    assert!(is_told("`orch run --branch plan` does not print"), "{}", faults.join("\n"));
    assert!(!landings(&home.copy(), "plan").iter().any(|at| at.starts_with("days")));
    let log = home.read(".orch/local/logs/days/2.log");
    assert!(log.contains("tests/projects.test: spans of a project are one line"), "{log}");
}
