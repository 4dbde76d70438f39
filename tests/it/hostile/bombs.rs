//! Files that are made to take all memory or time: commands that read get by with little.

use std::{fmt::Write as _, fs, process::Output};

use super::after;
use crate::cli::Sandbox;

/// The address space that is enough, in KiB. The program and its threads take most of it.
const MEMORY: u32 = 600_000;

/// Commands that read everything.
const READERS: [&[&str]; 2] = [&["check"], &["list"]];

fn limited(sandbox: &Sandbox, args: &[&str]) -> Output {
    after(&format!("ulimit -v {MEMORY}"), sandbox, args).output().unwrap()
}

/// Checks that all commands that read end as they should, whatever they tell.
fn assert_read(name: &str, sandbox: &Sandbox) {
    for args in READERS {
        let output = limited(sandbox, args);
        let code = output.status.code();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(code, Some(0 | 1)), "{name}: {args:?}: {code:?} {told}");
        assert!(output.stdout.len() < 64 * 1024 * 1024, "{name}: {args:?}");
        let is_good = String::from_utf8_lossy(&output.stdout).contains("good");
        assert!(is_good || args[0] != "list", "{name}: the good task is not shown");
    }
}

fn with(path: &str, text: &str) -> Sandbox {
    Sandbox::with(&[(".orch/tasks/good.md", "---\n---\n"), (path, text)])
}

#[test]
fn files_that_would_fill_the_memory_do_not() {
    let globs = |pattern: &str| {
        format!("---\nfiles: [{}]\n---\n", [pattern; 200].map(|p| format!("'{p}'")).join(", "))
    };
    let aliases = (1..40).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        writeln!(text, "a{n}: &a{n} [*a{}, *a{}]", n - 1, n - 1).unwrap();
        text
    });
    let table = [
        ("braces", globs(&"{a,b}".repeat(40))),
        ("nested braces", globs(&("{".repeat(60) + "a" + &",b}".repeat(60)))),
        ("stars", globs(&"**/*a*".repeat(60))),
        ("classes", globs(&"[a-z]*".repeat(80))),
        ("many globs", format!("---\nfiles: [{}]\n---\n", "a/**, ".repeat(10_000))),
        ("aliases", format!("---\n{aliases}---\n")),
        ("needs", format!("---\ndepends_on: [{}]\n---\n", "x, ".repeat(20_000))),
        ("body", format!("---\n---\n{}", "> - [ ] # `".repeat(300_000))),
        ("links in the body", format!("---\n---\n{}", "[[[](a)".repeat(400_000))),
        ("headings", format!("---\n---\n{}", "# x\n".repeat(900_000))),
    ];
    for (name, text) in table {
        // Two of them, so that what is compared with each other is compared.
        let sandbox = with(".orch/tasks/one.md", &text);
        sandbox.write(".orch/tasks/two.md", &text);
        assert_read(name, &sandbox);
    }
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let paths = [
        "tasks/x.md",
        "config.yaml",
        "roles/x.md",
        "runs/x.1.yaml",
        "status/x.1.md",
        "events/x.yaml",
        "local/claims.json",
        "local/waiting.json",
        "local/lock",
        "templates/task.md",
    ];
    for path in paths {
        let sandbox = with(".orch/tasks/x.md", "---\n---\n");
        sandbox.write(&format!(".orch/{path}"), "---\n");
        let file = fs::OpenOptions::new()
            .write(true)
            .open(sandbox.path(&format!(".orch/{path}")))
            .unwrap();
        if file.set_len(1 << 30).is_err() {
            eprintln!("skipped: this file system takes no file of 1 GiB");
            return;
        }
        assert_read(path, &sandbox);
        limited(&sandbox, &["new", "x"]);
    }
}

#[test]
fn a_hundred_thousand_tasks_and_deep_folders_are_read() {
    let sandbox = Sandbox::large();
    sandbox.write(".orch/tasks/good.md", "---\n---\n");
    // One file under many names, where that can be: that is faster.
    for folder in 0..100 {
        let name = |n: usize| sandbox.path(&format!(".orch/tasks/f{folder}/t{folder}-{n}.md"));
        sandbox.write(&format!(".orch/tasks/f{folder}/t{folder}-0.md"), "---\ntitle: T\n---\n");
        for n in 1..1000 {
            fs::hard_link(name(0), name(n)).unwrap();
        }
    }
    let output = limited(&sandbox, &["list"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let n_lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert!(n_lines > 100_000, "{n_lines} {told}");

    let sandbox = Sandbox::with(&[(".orch/tasks/good.md", "---\n---\n")]);
    let mut folder = sandbox.path(".orch/tasks");
    // As deep as a path can be given.
    for _ in 0..1_000 {
        folder.push("d");
    }
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("x.md"), "---\n---\n").unwrap();
    let output = limited(&sandbox, &["check"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("lies more than 64 folders deep") && told.len() < 2_000, "{told}");
}
