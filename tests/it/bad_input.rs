//! Input that no repository can hold: too large, too deep, too many, or no file at all. It is made
//! here; what can be committed lies in `fixtures/input`.

use std::{
    fmt::Write as _, fs, io::Read as _, os::unix, process::Stdio, sync::mpsc, time::Duration,
};

use crate::cli::{Output, Sandbox};

/// After this time a command is taken to hang.
const DEADLINE: Duration = Duration::from_secs(20);

/// A task that nothing is wrong with.
const GOOD: (&str, &str) = (".orch/tasks/good.md", "---\ntitle: Good\n---\n");

/// Runs `orch` and fails where it does not end.
fn orch(sandbox: &Sandbox, args: &[&str]) -> Output {
    let mut command = sandbox.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, texts) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        out.read_to_string(&mut stdout).unwrap();
        err.read_to_string(&mut stderr).unwrap();
        // Where nobody listens any more, the test has failed already.
        drop(sender.send((stdout, stderr)));
    });
    let Ok((stdout, stderr)) = texts.recv_timeout(DEADLINE) else {
        child.kill().unwrap();
        panic!("orch {args:?} hangs");
    };
    Output { code: child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
}

/// Checks what `orch check` tells, word by word.
fn check(sandbox: &Sandbox, code: i32, expected: &str) {
    let output = orch(sandbox, &["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{}", output.stdout);
    assert_eq!(output.stdout, expected);
    let listed = orch(sandbox, &["list"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let is_good = |line: &str| line.split_whitespace().take(2).eq(["ready", "good"]);
    assert!(listed.stdout.lines().any(is_good), "{}", listed.stdout);
}

/// What is told of something that is not a file.
fn unreadable(path: &str, why: &str) -> String {
    format!(
        "error[unreadable-file]: `{path}` {why}\n  --> {path}\n   = help: put a regular file in its \
         place, or move it out of `.orch`\n\n1 error in 1 task\n"
    )
}

#[test]
fn what_is_no_file_is_named() {
    let sandbox = Sandbox::with(&[GOOD, (".orch/tasks/x.md/inner.txt", "")]);
    check(&sandbox, 1, &unreadable(".orch/tasks/x.md", "is a folder"));

    let sandbox = Sandbox::with(&[GOOD]);
    let pipe = sandbox.path(".orch/tasks/x.md");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    check(&sandbox, 1, &unreadable(".orch/tasks/x.md", "is a named pipe"));

    let sandbox = Sandbox::with(&[GOOD]);
    let listener = unix::net::UnixListener::bind(sandbox.path(".orch/tasks/x.md")).unwrap();
    check(&sandbox, 1, &unreadable(".orch/tasks/x.md", "is a socket"));
    drop(listener);
}

#[test]
fn links_are_not_followed() {
    let outside = Sandbox::with(&[("secret.md", "---\ntitle: [secret\n---\n")]);
    for target in [outside.path("secret.md"), outside.path("nothing.md"), "/dev/zero".into()] {
        let sandbox = Sandbox::with(&[GOOD]);
        unix::fs::symlink(target, sandbox.path(".orch/tasks/x.md")).unwrap();
        check(&sandbox, 1, &unreadable(".orch/tasks/x.md", "is a symbolic link"));
    }
    let sandbox = Sandbox::with(&[GOOD]);
    unix::fs::symlink(outside.root(), sandbox.path(".orch/tasks/sub")).unwrap();
    check(&sandbox, 1, &unreadable(".orch/tasks/sub", "is a symbolic link"));
    let sandbox = Sandbox::with(&[GOOD]);
    unix::fs::symlink(".", sandbox.path(".orch/tasks/loop")).unwrap();
    check(&sandbox, 1, &unreadable(".orch/tasks/loop", "is a symbolic link"));
}

#[test]
fn a_file_of_100_megabytes_is_not_read() {
    let sandbox = Sandbox::with(&[GOOD]);
    let file = fs::File::create(sandbox.path(".orch/tasks/x.md")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    check(&sandbox, 1, &unreadable(".orch/tasks/x.md", "is larger than 4 MiB"));
}

#[test]
fn a_name_that_is_not_text_is_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::with(&[GOOD]);
    let name = std::ffi::OsStr::from_bytes(b"x\xff\x1b[31m.md");
    if fs::write(sandbox.path(".orch/tasks").join(name), "---\n---\n").is_err() {
        eprintln!("skipped: this file system takes no such name");
        return;
    }
    let output = orch(&sandbox, &["check"]);
    assert_eq!(output.code, 1);
    let first =
        "error[unreadable-file]: `.orch/tasks/x\u{fffd}\\x1b[31m.md` has a name that is not";
    assert!(output.stdout.starts_with(first), "{}", output.stdout);
}

#[test]
fn front_matter_is_bounded_before_it_is_parsed() {
    let too_deep = "\
error[yaml-too-deep]: lists and mappings are nested deeper than 32\n";
    let too_large = "\
error[front-matter-too-large]: the front matter has ";
    let table = [
        (format!("---\n{}\n---\n", "[".repeat(60_000)), too_deep),
        (format!("---\ntags: {}\n---\n", "[".repeat(70_000)), too_large),
        (format!("---\n{}\n---\n", "- ".repeat(30_000)), too_deep),
        (format!("---\n{}---\n", "k: v\n".repeat(20_000)), too_large),
    ];
    for (text, expected) in table {
        let sandbox = Sandbox::with(&[GOOD, (".orch/tasks/x.md", &text)]);
        let output = orch(&sandbox, &["check"]);
        assert_eq!(output.code, 1);
        assert!(output.stdout.starts_with(expected), "{}", output.stdout);
        assert!(output.stdout.ends_with("\n\n1 error in 1 task\n"), "{}", output.stdout);
        assert!(output.stdout.len() < 1000, "{}", output.stdout.len());
    }
}

/// Makes a plan of `n` tasks; `head` returns the front matter of each.
fn plan(n: usize, head: impl Fn(usize) -> String) -> Sandbox {
    let sandbox = Sandbox::with(&[GOOD]);
    for i in 0..n {
        let text = format!("---\n{}---\n", head(i));
        fs::write(sandbox.path(&format!(".orch/tasks/t-{i}.md")), text).unwrap();
    }
    sandbox
}

#[test]
fn a_chain_of_10_000_tasks_is_no_recursion() {
    let needs_previous = |i: usize| match i {
        0 => String::new(),
        i => format!("depends_on: [t-{}]\n", i - 1),
    };
    let sandbox = plan(10_000, needs_previous);
    check(&sandbox, 0, "no faults in 10001 tasks\n");
    let text = orch(&sandbox, &["cancel", "t-0"]).stdout;
    assert!(text.contains(" and 9991 more; take it out of "), "{text}");
    // And as one large cycle.
    let mut first = String::from("---\n");
    writeln!(first, "depends_on: [t-9999]\n---").unwrap();
    sandbox.write(".orch/tasks/t-0.md", &first);
    let output = orch(&sandbox, &["check"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.starts_with("error[dependency-cycle]: "), "{}", output.stdout);
    assert!(output.stdout.len() < 10_000, "{}", output.stdout.len());
}

#[test]
fn a_task_with_10_000_dependents_is_no_burden() {
    let needs_first = |i: usize| match i {
        0 => String::new(),
        _ => "depends_on: [t-0]\n".to_owned(),
    };
    check(&plan(10_001, needs_first), 0, "no faults in 10002 tasks\n");
    // A slip in each of them is told, and told quickly.
    let output = orch(&plan(10_001, |_| "depends_on: [t-O]\n".to_owned()), &["check"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("10001 errors"), "{}", output.stdout.len());
}
