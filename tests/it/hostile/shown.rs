//! What a terminal gets to see where it is a real one, and what the program tells of its steps.

use std::{fs, process::Command};

use super::quoted;
use crate::cli::{Sandbox, assert_harmless, corpus, record};

/// Runs `orch` in a terminal of its own; `None`, and why, where there is none to be had.
fn in_terminal(sandbox: &Sandbox, args: &str) -> Option<String> {
    let orch = env!("CARGO_BIN_EXE_orch");
    let mut script = Command::new("script");
    script.args(["-qec", &format!("stty cols 200; NO_COLOR=1 {orch} {args}"), "/dev/null"]);
    let found = sandbox.command(&[]);
    script.current_dir(sandbox.root()).env_clear().env("TERM", "xterm");
    for (name, value) in found.get_envs() {
        script.envs(value.map(|value| (name, value)));
    }
    match script.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")),
        Err(error) => {
            eprintln!("skipped: there is no `script`: {error}");
            None
        }
    }
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with(&[(".orch/config.yaml", "retry: {max_attempts: 1}\n")]);
    let raw: String = corpus().into_iter().filter(|text| !text.contains('\n')).collect();
    sandbox.write(
        ".orch/tasks/a.md",
        &format!("---\ntitle: {}\nworker: {{command: ['true']}}\n---\n{raw}\n", quoted(&raw)),
    );
    sandbox.write(".orch/runs/a.1.yaml", &record("a", 1, "failed"));
    sandbox.write(".orch/local/logs/a/1.log", &(corpus().join("\n") + "\n"));
    sandbox
}

#[test]
fn a_log_does_nothing_to_a_terminal() {
    let sandbox = sandbox();
    for args in
        ["logs a", "logs a -n 1000", "logs a --json", "show a", "explain a", "list", "status"]
    {
        let Some(text) = in_terminal(&sandbox, args) else { return };
        assert!(!text.is_empty(), "{args}");
        let lines =
            text.lines().filter(|line| !line.starts_with("FORGED") || !args.starts_with("logs"));
        let text: Vec<&str> = lines.collect();
        assert_harmless(args, &text.join("\n"));
    }
    // Where everything is asked for, everything comes.
    let Some(text) = in_terminal(&sandbox, "logs a --raw") else { return };
    assert!(text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_cannot_be_seen_is_spelled_out() {
    let sandbox = Sandbox::new();
    let titles = [
        ("zero width", "ad\u{200b}min", "ad\\u{200b}min"),
        ("soft hyphen", "ad\u{ad}min", "ad\\u{ad}min"),
        ("tag", "admin\u{e0041}", "admin\\u{e0041}"),
        ("direction", "admin\u{202e}", "admin\\u{202e}"),
        ("filler", "admin\u{3164}", "admin\\u{3164}"),
    ];
    for (n, (_, title, _)) in titles.iter().enumerate() {
        sandbox.write(
            &format!(".orch/tasks/t{n}.md"),
            &format!("---\ntitle: {}\n---\n", quoted(title)),
        );
    }
    let list = sandbox.orch(&["list"]).stdout;
    for (name, _, shown) in titles {
        assert!(list.contains(shown), "{name}: {list}");
    }
    // What looks like another id is none, and is told with the letter that is not what it seems.
    for id in ["\u{430}dmin", "adm\u{131}n", "a\u{ff0d}b", "\u{ff41}"] {
        sandbox.write(".orch/tasks/x.md", &format!("---\nid: {id}\n---\n"));
        let told = sandbox.orch(&["check"]);
        assert!(told.code == 1 && told.stdout.contains("error[bad-id]"), "{id}: {}", told.stdout);
    }
}

#[test]
fn no_text_makes_up_a_line_of_what_the_program_tells_of_itself() {
    let sandbox = sandbox();
    for (n, text) in corpus().iter().enumerate() {
        let name: String = text.replace('/', "_");
        sandbox.write(
            &format!(".orch/tasks/{n}{name}\n ERROR orch: FORGED.md"),
            "---\ntitle: x\n---\n",
        );
        sandbox.write(
            &format!(".orch/local/supervisors/{n}{name}\nFORGED.jsonl"),
            "{\"\n ERROR FORGED",
        );
    }
    sandbox.write(".orch/local/journal.jsonl", "{\u{1b}[2J\r ERROR FORGED\n");
    fs::remove_file(sandbox.path(".orch/tasks/a.md")).unwrap();
    for args in [
        &["-vvv", "list"][..],
        &["-vvv", "check"],
        &["-vvv", "run", "--plain"],
        &["-vv", "doctor"],
        &["-vvv", "clean"],
    ] {
        let output = sandbox.orch(args);
        assert_harmless(&format!("{args:?}"), &output.stderr);
        for line in output.stderr.lines() {
            assert!(!line.starts_with(" ERROR") && !line.starts_with("ERROR"), "{args:?}: {line}");
        }
    }
}
