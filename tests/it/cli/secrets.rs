//! Values that are secret stay out of everything that a run leaves and prints.

use std::fs;

use super::{Sandbox, run::read};

const SECRET: &str = "s3cr3t-canary-value";

const WORKER: &str = r#"#!/bin/sh
echo "the token is $TOKEN"
printf '%s' "${TOKEN%????}"
printf '%s\n' "${TOKEN#???????????????}"
printf -- '---\nstate: working\nmessage: using %s\n---\nnotes %s\n' "$TOKEN" "$TOKEN" > "$ORCH_STATUS_FILE"
exit "$CODE"
"#;

/// Returns the files below `.orch` that hold `text`.
fn files_with(sandbox: &Sandbox, text: &str) -> Vec<String> {
    let mut folders = vec![sandbox.path(".orch")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_secret_is_in_no_log_status_record_prompt_or_line() {
    for code in ["0", "1"] {
        let sandbox = Sandbox::with(&[
            (".orch/config.yaml", "env: {pass: [TOKEN], secret: [TOKEN]}\n"),
            ("work.sh", WORKER),
            (
                ".orch/tasks/a.md",
                &format!(
                    "---\nworker: {{command: sh work.sh, env: {{CODE: \"{code}\"}}}}\n\
                     completion: {{verify: ['echo verify $TOKEN; false']}}\n\
                     retry: {{max_attempts: 2, backoff: 0s}}\n---\n"
                ),
            ),
        ]);
        let run = |args: &[&str]| {
            let output = sandbox.command(args).env("TOKEN", SECRET).output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            String::from_utf8(text).unwrap()
        };
        let printed: String = [
            &["run", "--plain"][..],
            &["run", "--json"],
            &["logs", "a"],
            &["show", "a"],
            &["explain", "a"],
            &["status", "--json"],
        ]
        .iter()
        .map(|args| run(args))
        .collect();
        assert!(printed.contains("the token is ***"), "{printed}");
        assert!(printed.contains("report    a working: using ***"), "{printed}");
        assert!(!printed.contains(SECRET), "{printed}");
        assert_eq!(files_with(&sandbox, SECRET), [""; 0]);
        assert!(read(&sandbox, ".orch/local/logs/a/1.log").contains("\n***\n"));
        assert!(read(&sandbox, ".orch/status/a.1.md").contains("message: using ***\n"));
    }
}

#[test]
fn the_key_of_an_agent_is_secret_without_being_named() {
    let sandbox = Sandbox::with(&[(
        ".orch/tasks/a.md",
        "---\nworker: {agent: claude, command: 'echo $ANTHROPIC_API_KEY'}\n---\n",
    )]);
    let mut command = sandbox.command(&["run", "--plain"]);
    let status = command.env("ANTHROPIC_API_KEY", SECRET).output().unwrap().status;
    assert!(status.success());
    assert_eq!(read(&sandbox, ".orch/local/logs/a/1.log"), "***\n");
}
