//! No name leads out of the plan: not an id, not a name of a role, template, event or attempt.

use std::{fs, path::Path, process::Command};

use super::{listing, quoted};
use crate::own::AtEase as _;
use crate::{
    cli::{Sandbox, record},
    landing::side_by_side,
};

/// Ways up, or elsewhere, to be written before the name of a file.
const WAYS: [&str; 25] = [
    "../",
    "../../",
    "../../../",
    "../../../../../../../../../../../..",
    "/",
    "//",
    "/proc/self/cwd/../",
    "/proc/self/root/",
    "./../",
    "a/../../",
    "a/b/../../../",
    "....//",
    "..././",
    "..;/",
    "..\\",
    "..\\..\\",
    "C:\\",
    "\\\\host\\share\\",
    "%2e%2e%2f",
    "..%2f",
    "%252e%252e%252f",
    "..%c0%af",
    "\u{ff0e}\u{ff0e}\u{ff0f}",
    "..\u{2215}",
    "~/",
];

/// What is wanted there, at `@` where the folder beside the plan belongs.
const TARGETS: [&str; 8] = [
    "@",
    "@.md",
    "outside/mine",
    "outside/mine.md",
    "etc/passwd",
    "outside/mine.1",
    ".git/config",
    ".orch/config",
];

/// Texts of other kinds.
const OTHERS: [&str; 25] = [
    "",
    ".",
    "..",
    "...",
    "/",
    "\\",
    "~",
    "~root",
    "$HOME/x",
    "${HOME}/x",
    "file:///etc/passwd",
    ".git",
    ".git/hooks/post-checkout",
    ".orch",
    "local/lock",
    "con",
    "NUL",
    "com1.txt",
    "a:stream",
    "a.",
    "a ",
    "a\n../x",
    "a\t/../x",
    "x.lock",
    "*",
];

/// Returns the names to try.
fn names() -> Vec<String> {
    let join = |way: &str| TARGETS.map(|target| format!("{way}{}", target.replace('@', "new")));
    let mut all: Vec<String> = WAYS.iter().flat_map(|way| join(way)).collect();
    all.extend(OTHERS.map(str::to_owned));
    all.extend([
        "a".repeat(65),
        "a".repeat(255),
        "a/".repeat(2000),
        format!("{}x", "../".repeat(500)),
    ]);
    assert!(all.len() >= 200, "{}", all.len());
    all
}

/// A plan in a folder of a folder in which nothing may change.
struct Fenced {
    around: tempfile::TempDir,
}

impl Fenced {
    fn new(files: &[(&str, &str)]) -> Self {
        let fenced = Self { around: tempfile::tempdir().unwrap() };
        for (path, text) in
            [("outside/mine", "mine"), ("outside/mine.md", "mine"), ("home/x", "mine")]
        {
            fenced.write(path, text);
        }
        for (path, text) in files {
            fenced.write(&format!("plan/{path}"), text);
        }
        fenced
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.around.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn plan(&self) -> std::path::PathBuf {
        self.around.path().join("plan")
    }

    /// Returns the call of a command in the plan, with the variables that `orch` has in a sandbox.
    fn command(&self, sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = sandbox.command(args);
        command.current_dir(self.plan()).env("HOME", self.around.path().join("home"));
        command
    }

    /// Returns what lies beside the plan.
    fn beside(&self) -> Vec<std::collections::BTreeMap<std::path::PathBuf, (u64, u32, i64, i64)>> {
        ["outside", "home"].map(|folder| listing(&self.around.path().join(folder))).to_vec()
    }

    /// Returns the names of what lies around the plan.
    fn around(&self) -> Vec<std::ffi::OsString> {
        let mut names: Vec<_> = fs::read_dir(self.around.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    }
}

fn fenced() -> Fenced {
    Fenced::new(&[
        (
            ".orch/config.yaml",
            "max_workers: 4\nworker: {command: 'true'}\nretry: {max_attempts: 1}\n",
        ),
        (".orch/tasks/good.md", "---\n---\n"),
        (".orch/runs/good.1.yaml", &record("good", 1, "failed")),
    ])
}

#[test]
fn no_name_that_is_typed_leads_out_of_the_plan() {
    let (fenced, sandbox) = (fenced(), Sandbox::new());
    let (beside, around) = (fenced.beside(), fenced.around());
    let system = fs::read_to_string("/etc/passwd").unwrap();
    let try_one = |(n, name): (usize, &String)| {
        let id = format!("--id={name}");
        let template = format!("--template={name}");
        let role = format!("--role={name}");
        let task = format!("--task={name}");
        let all = [
            &["logs", "--", name][..],
            &["event", "--", name],
            &["new", &id, "title"],
            &["new", &template, "title"],
            &["report", &task, "--message=x"],
            &["new", &role, "title"],
            &["show", "--", name],
            &["retry", "--", name],
            &["event", &task, "ci"],
        ];
        // The last ones find what is named in the way that the ones before do.
        for args in &all[..if n % 10 == 0 { all.len() } else { 4 }] {
            let output = fenced.command(&sandbox, args).output().unwrap();
            let said = [&output.stdout[..], &output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let code = output.status.code().unwrap_or(-1);
            assert!((0..=3).contains(&code), "{args:?}: {code} {said}");
            assert!(!said.contains("mine") || name.contains("mine"), "{args:?}: {said}");
            assert!(!said.contains(system.lines().next().unwrap()), "{args:?}: {said}");
        }
    };
    let names = names();
    let numbered: Vec<(usize, &String)> = names.iter().enumerate().collect();
    side_by_side(&numbered, try_one);
    assert_eq!((fenced.beside(), fenced.around()), (beside, around));
    // What was written, was written where it belongs: below the folders of the plan.
    let rooms = ["config.yaml", "events", "local", "runs", "status", "tasks"];
    for entry in fs::read_dir(fenced.plan().join(".orch")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(rooms.contains(&&*name), "{name}");
    }
    let names: Vec<_> =
        fs::read_dir(fenced.plan()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, [".orch"]);
}

#[test]
fn no_name_in_a_file_leads_out_of_the_plan() {
    let (fenced, sandbox) = (fenced(), Sandbox::new());
    for (n, name) in names().iter().enumerate().filter(|(_, name)| name.len() < 200) {
        let text = quoted(name);
        for (what, front) in [
            ("id", format!("id: {text}")),
            ("role", format!("role: {text}")),
            ("needs", format!("depends_on: [{text}]")),
            ("gate", format!("waits_for: [{text}]")),
        ] {
            fenced
                .write(&format!("plan/.orch/tasks/{what}{n}.md"), &format!("---\n{front}\n---\n"));
        }
        // These are not about a fault: they are carried out.
        let good = format!(
            "---\nmilestone: {text}\nworkstream: {text}\ntitle: {text}\ntags: [{text}]\n\
             worker: {{command: ['true', {text}]}}\nretry: {{max_attempts: 2}}\n---\n"
        );
        fenced.write(&format!("good/.orch/tasks/x{n}.md"), &good);
        let id = format!("x{n}");
        let log = format!("log: .orch/local/logs/{id}/1.log");
        let run = record(&id, 1, "failed").replace(&log, &format!("log: {text}"));
        fenced.write(&format!("good/.orch/runs/{id}.1.yaml"), &run);
    }
    fenced.write("good/.orch/config.yaml", "max_workers: 4\nretry: {max_attempts: 1}\n");
    let (beside, around) = (fenced.beside(), fenced.around());
    for args in
        [&["check"][..], &["list"], &["run"], &["status"], &["doctor"], &["event", "--list"]]
    {
        fenced.command(&sandbox, args).output().unwrap();
    }
    let good = fenced.around.path().join("good");
    let traced = fenced.around.path().join("home/trace");
    for args in [&["logs", "x1"][..], &["show", "x1"], &["run", "--plain"], &["clean"], &["status"]]
    {
        let orch = fenced.command(&sandbox, args);
        let mut command = Command::new("strace");
        command.args([
            "-D",
            "-f",
            "-qq",
            "-e",
            "trace=/^(open|creat|mkdir|rename|link|symlink|unlink|truncate|chmod|chown|mknod).*",
        ]);
        command.arg("-o").arg(&traced).arg(orch.get_program()).args(orch.get_args());
        command
            .current_dir(&good)
            .env_clear()
            .at_ease()
            .env("HOME", fenced.around.path().join("home"));
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let Ok(output) = command.output() else {
            eprintln!("skipped in part: strace is not installed");
            let output = fenced.command(&sandbox, args).current_dir(&good).output().unwrap();
            assert_ne!(output.status.code(), Some(101), "{args:?}");
            continue;
        };
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("root:x:0:0"), "{args:?}: {said}");
        if args[0] == "run" {
            assert!(said.contains("tasks done"), "{said}");
        }
        assert_writes_below(&good, &fs::read_to_string(&traced).unwrap(), args);
        fs::remove_file(&traced).unwrap();
    }
    assert_eq!((fenced.beside()[0].clone(), fenced.around()), (beside[0].clone(), around));
}

/// Checks that all that was opened by a full path to be written, or made so, lies below `folder`.
fn assert_writes_below(folder: &Path, trace: &str, args: &[&str]) {
    let writes = [
        "O_WRONLY", "O_RDWR", "O_CREAT", "mkdir", "rename", "link", "truncate", "chmod", "chown",
        "mknod", "creat(",
    ];
    let mut n_seen = 0;
    for line in trace.lines().filter(|line| writes.iter().any(|write| line.contains(write))) {
        n_seen += 1;
        let paths = line.split('"').skip(1).step_by(2);
        for path in paths.filter(|path| !line.contains("readlink") && !path.is_empty()) {
            let is_fine = match Path::new(path).is_absolute() {
                true => {
                    Path::new(path).starts_with(folder)
                        || ["/dev/", "/proc/", "/sys/fs/cgroup/"]
                            .iter()
                            .any(|own| path.starts_with(own))
                }
                // Below the folder that was opened: no way up is on it.
                false => !path.split('/').any(|part| part == ".."),
            };
            assert!(is_fine, "{args:?}: {line}");
        }
    }
    assert!(n_seen > 0 || args[0] != "run", "the trace holds nothing");
}
