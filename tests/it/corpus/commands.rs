//! Every command that reads, on a plan: it ends in time, with a code, in plain letters.

use std::{
    ffi::OsString,
    fs,
    io::Read as _,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use crate::{
    cli::{self, Sandbox},
    properties::assert_plain,
};

/// After this time a command is taken to hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// Room for all that a program asks for, in KiB: what the program itself takes, and 64 MiB.
const MEMORY_KIB: &str = "262144";

/// The code of a command that was interrupted, as only `watch` is.
const INTERRUPTED: i32 = 130;

/// Paths with their contents.
pub(super) type Files = Vec<(OsString, Vec<u8>)>;

/// Files that are looked at together.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) files: Files,
}

/// What is asked of a plan as a whole.
const OF_PLAN: &[&[&str]] = &[
    &["check"],
    &["check", "--strict", "--format", "json"],
    &["check", "--format", "github"],
    &["check", "--format", "sarif"],
    &["list"],
    &["list", "--json"],
    &["list", "--ready", "--sort", "remaining"],
    &["graph"],
    &["graph", "--format", "dot"],
    &["graph", "--format", "mermaid"],
    &["graph", "--format", "json"],
    &["plan"],
    &["plan", "--json"],
    &["status"],
    &["status", "--json"],
    &["event", "--list"],
    &["event", "--list", "--json"],
    &["conflicts"],
    &["conflicts", "--json"],
    &["log"],
    &["log", "--json"],
    &["diff", "HEAD"],
    &["diff", "HEAD", "--json"],
    &["diff", "HEAD", "--format", "markdown"],
];

/// What is asked of a plan once for each kind of input: it takes its time.
const OF_KIND: &[&[&str]] = &[&["doctor"], &["doctor", "--json"]];

/// What is asked of the tasks in turn.
const OF_TASK: [&[&str]; 2] = [&["show"], &["explain", "--json"]];

/// What is asked of the first tasks of each plan.
const OF_FIRST: &[&[&str]] = &[
    &["show", "--json"],
    &["explain"],
    &["logs"],
    &["logs", "--json"],
    &["log"],
    &["graph", "--up", "1", "--down", "1"],
];

/// How many tasks that are.
const N_FIRST: usize = 2;

/// What a command left.
struct Told {
    stdout: String,
}

/// Runs all commands on each of the plans.
pub(super) fn run_all(plans: &[Plan]) {
    for (n, plan) in plans.iter().enumerate() {
        let sandbox = laid_out(plan);
        let before = paths(sandbox.root());
        let of_kind = OF_KIND.iter().filter(|_| n == 0);
        for args in OF_PLAN.iter().chain(of_kind) {
            run(&sandbox, plan, args, None);
        }
        for (at, id) in ids(&sandbox, plan, None).iter().enumerate() {
            let of_first = OF_FIRST.iter().filter(|_| at < N_FIRST);
            for args in [&OF_TASK[at % OF_TASK.len()]].into_iter().chain(of_first) {
                run(&sandbox, plan, &with_id(args, id), None);
            }
        }
        if n == 0 {
            watch(&sandbox, plan);
        }
        // Who only looks writes nothing, and nobody carried out what stands in a file.
        assert_eq!(paths(sandbox.root()), before, "{}", plan.name);
    }
}

/// Runs a few commands on each of the plans, with so little memory that a file that needs much of
/// it kills them.
pub(super) fn run_within_memory(plans: &[Plan]) {
    let memory = cfg!(target_os = "linux").then_some(MEMORY_KIB);
    for plan in plans {
        let sandbox = laid_out(plan);
        for args in [&["check", "--format", "json"][..], &["list"], &["show", "good"]] {
            run(&sandbox, plan, args, memory);
        }
        if ids(&sandbox, plan, memory).iter().any(|id| id == "a") {
            run(&sandbox, plan, &["show", "a"], memory);
        }
    }
}

fn with_id<'a>(args: &[&'a str], id: &'a str) -> Vec<&'a str> {
    let (command, options) = args.split_first().unwrap();
    [&[*command], options, &["--", id]].concat()
}

/// Writes a plan into a repository with one commit from before it.
fn laid_out(plan: &Plan) -> Sandbox {
    let sandbox = Sandbox::with(&[(".orch/.gitignore", "local/\n")]);
    let folder = sandbox.root();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(folder).args(["-c", "user.name=A", "-c", "user.email=a@b"]).args(args);
        let told = command.stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(told.success(), "{}: git {args:?}", plan.name);
    };
    git(&["init", "-q", "-b", "plan"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "begin"]);
    for (path, bytes) in &plan.files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Not every file system takes every name.
        if let Err(error) = fs::write(&path, bytes) {
            eprintln!("skipped: {}: {error}", path.display());
        }
    }
    sandbox
}

/// Returns the ids of all tasks that the plan has.
fn ids(sandbox: &Sandbox, plan: &Plan, memory: Option<&str>) -> Vec<String> {
    let listed = run(sandbox, plan, &["list", "--json"], memory);
    let tasks: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
    let tasks = tasks.as_array().cloned().unwrap_or_default();
    tasks.iter().map(|task| task["id"].as_str().unwrap().to_owned()).collect()
}

/// Runs one command and checks all that it left.
fn run(sandbox: &Sandbox, plan: &Plan, args: &[&str], memory: Option<&str>) -> Told {
    let mut command = sandbox.command(args);
    if let Some(memory) = memory {
        let mut limited = Command::new("sh");
        let words = ["-c", "ulimit -v \"$0\" && exec \"$@\"", memory, env!("CARGO_BIN_EXE_orch")];
        limited.args(words).args(args).current_dir(sandbox.root()).stdin(Stdio::null());
        limited.env("HOME", sandbox.root()).env("MALLOC_ARENA_MAX", "1");
        command = limited;
    }
    finish(command, &format!("{}: orch {}", plan.name, args.join(" ")), |_| {})
}

/// Looks at the plan until the first line is told.
fn watch(sandbox: &Sandbox, plan: &Plan) {
    let command = sandbox.command(&["watch", "--no-run", "--plain"]);
    finish(command, &format!("{}: orch watch", plan.name), |child| {
        let mut first = [0];
        let stdout = child.stdout.as_mut().unwrap();
        assert!(stdout.read_exact(&mut first).is_ok(), "{}: watch tells nothing", plan.name);
        cli::signal(child, rustix::process::Signal::INT);
    });
}

/// Waits for the end of a command, and checks what it left; `meanwhile` is done before.
fn finish(mut command: Command, what: &str, meanwhile: impl Fn(&mut std::process::Child)) -> Told {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    meanwhile(&mut child);
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, texts) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut stderr = Vec::new();
        err.read_to_end(&mut stderr).unwrap();
        stderr
    });
    std::thread::spawn(move || {
        let mut stdout = Vec::new();
        out.read_to_end(&mut stdout).unwrap();
        // Where nobody listens any more, the test has failed already.
        drop(sender.send((stdout, reader.join().unwrap())));
    });
    let Ok((stdout, stderr)) = texts.recv_timeout(DEADLINE) else {
        child.kill().unwrap();
        panic!("{what} hangs");
    };
    let status = child.wait().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|_| panic!("{what} tells no text"));
    let (stdout, stderr) = (text(stdout), text(stderr));
    let code = status.code().unwrap_or_else(|| panic!("{what}: {status}: {stderr}"));
    assert!((0..=3).contains(&code) || code == INTERRUPTED, "{what}: {code}: {stderr}");
    for told in [&stdout, &stderr] {
        let is_plain = std::panic::catch_unwind(|| assert_plain(told, &['\n', '\t'])).is_ok();
        assert!(is_plain, "{what}: {told:?}");
    }
    if what.ends_with("json") && code < 2 {
        let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
        assert!(is_json(&stdout) || stdout.lines().all(is_json), "{what}: {stdout}");
    }
    Told { stdout }
}

/// Returns the paths of everything below a folder but what git and `.orch/local` hold.
fn paths(root: &Path) -> Vec<Vec<u8>> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_passed_over = path == root.join(".git") || path == root.join(".orch/local");
            if !is_passed_over {
                found.push(path.as_os_str().as_bytes().to_vec());
                if path.is_dir() && !path.is_symlink() {
                    open.push(path);
                }
            }
        }
    }
    found.sort();
    found
}
