//! Whole runs with stand-ins: scripts with the names of the agents, first on `PATH`, that note how
//! they are started and replay recorded output.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use orch::domain::model::agent::Agent;

use crate::{cli::Sandbox, source};

/// Notes arguments, prompt and environment of call number `n`, and replays the output of that
/// call, or else of the first one.
const STAND_IN: &str = r#"#!/bin/sh
here=$(dirname "$0")
if [ "$1" = --version ]; then echo "1.2.3"; exit 0; fi
n=1; while [ -e "$here/$n.argv" ]; do n=$((n + 1)); done
printf '%s\n' "$@" > "$here/$n.argv"
for last; do :; done
case "$1" in --yes-always) cat "$last" ;; *) cat ;; esac > "$here/$n.prompt"
env | sed 's/=.*//' | sort > "$here/$n.env"
[ -e "$here/$n.output" ] || n=1
cat "$here/$n.output"
exit "$(cat "$here/$n.exit")"
"#;

/// A plan with one task for `agent`, whose stand-in replays `calls`: recorded outputs with exit
/// codes.
pub(super) fn plan(agent: Agent, worker: &str, calls: &[(&str, &str)]) -> Sandbox {
    let worker = format!("worker: {{agent: {}{worker}}}\n", agent.as_str());
    let sandbox = Sandbox::with(&[
        (".orch/config.yaml", "retry: {max_attempts: 1, backoff: 0s}\n"),
        (".orch/roles/agent.md", &format!("---\n{worker}---\nBe brief.\n")),
        (".orch/tasks/a.md", "---\nrole: agent\n---\nPaint it blue.\n"),
    ]);
    for (at, (case, exit)) in calls.iter().enumerate() {
        let folder = source::root().join("fixtures/agents").join(agent.as_str()).join(case);
        let output = ["output.jsonl", "output.txt"]
            .iter()
            .find_map(|name| fs::read_to_string(folder.join(name)).ok())
            .unwrap();
        sandbox.write(&format!("bin/{}.output", at + 1), &output);
        sandbox.write(&format!("bin/{}.exit", at + 1), exit);
    }
    let program = sandbox.path(&format!("bin/{}", agent.program()));
    fs::write(&program, STAND_IN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox
}

/// Runs `orch` with the stand-ins first on `PATH`, and returns exit code and output.
pub(super) fn orch(sandbox: &Sandbox, args: &[&str], env: &[(&str, &str)]) -> (i32, String) {
    let path = std::env::var("PATH").unwrap();
    let mut command = sandbox.command(args);
    command.env("PATH", format!("{}:{path}", sandbox.path("bin").display()));
    let output = command.envs(env.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Returns how the README says that `agent` is started.
fn documented(agent: Agent) -> String {
    let readme = source::read("README.md").unwrap();
    let row = format!("| `{}` | `{}", agent.as_str(), agent.program());
    let line = readme.lines().find(|line| line.starts_with(&row)).unwrap();
    line.split('`').nth(3).unwrap().to_owned()
}

/// Starts `agent` for a task that it does, and checks how.
fn runs_as_documented(agent: Agent, worker: &str, model: &str) {
    let sandbox = plan(agent, worker, &[("done", "0")]);
    let (code, text) = orch(&sandbox, &["run"], &[]);
    assert_eq!(code, 0, "{text}");
    let argv = read(&sandbox.path("bin/1.argv"));
    let started: Vec<&str> = argv.lines().collect();
    let documented = documented(agent);
    let mut expected: Vec<&str> = documented.split(' ').skip(1).collect();
    if !model.is_empty() {
        let n_behind = match agent {
            Agent::Codex => 1,
            Agent::Aider => 2,
            _ => 0,
        };
        let at = expected.len() - n_behind;
        expected.splice(at..at, ["--model", model]);
    }
    if agent == Agent::Aider {
        assert_eq!(expected.pop(), Some("PROMPT"));
        let prompt = sandbox.path(".orch/local/prompts/a.1.md");
        let named = *started.last().unwrap();
        assert_eq!(fs::canonicalize(named).unwrap(), fs::canonicalize(prompt).unwrap());
        expected.push(named);
    }
    assert_eq!(started, expected);
    let prompt = read(&sandbox.path("bin/1.prompt"));
    assert!(prompt.contains("Paint it blue.") && prompt.contains("Be brief."), "{prompt}");
    assert!(!argv.contains("Paint"), "the prompt must not be seen by all users: {argv}");
    let record = read(&sandbox.path(".orch/runs/a.1.yaml"));
    assert!(record.contains("outcome: succeeded"), "{record}");
    assert!(record.contains(&format!("worker: agent {}\n", agent.as_str())), "{record}");
}

#[test]
fn claude_is_started_as_documented() {
    runs_as_documented(Agent::Claude, "", "");
    runs_as_documented(Agent::Claude, ", model: opus", "opus");
}

#[test]
fn codex_is_started_as_documented() {
    runs_as_documented(Agent::Codex, "", "");
    runs_as_documented(Agent::Codex, ", model: gpt-5", "gpt-5");
}

#[test]
fn gemini_is_started_as_documented() {
    runs_as_documented(Agent::Gemini, "", "");
    runs_as_documented(Agent::Gemini, ", model: gemini-2.5-pro", "gemini-2.5-pro");
}

#[test]
fn aider_is_started_as_documented() {
    runs_as_documented(Agent::Aider, "", "");
    runs_as_documented(Agent::Aider, ", model: sonnet", "sonnet");
}

#[test]
fn opencode_is_started_as_documented() {
    runs_as_documented(Agent::Opencode, "", "");
    runs_as_documented(Agent::Opencode, ", model: openai/gpt-5", "openai/gpt-5");
}

#[test]
fn copilot_is_started_as_documented() {
    runs_as_documented(Agent::Copilot, "", "");
    runs_as_documented(Agent::Copilot, ", model: gpt-5", "gpt-5");
}

#[test]
fn cursor_is_started_as_documented() {
    runs_as_documented(Agent::Cursor, "", "");
    runs_as_documented(Agent::Cursor, ", model: auto", "auto");
}

#[test]
fn an_agent_gets_its_keys_and_no_others() {
    let sandbox = plan(Agent::Claude, "", &[("done", "0")]);
    let env = [("ANTHROPIC_API_KEY", "a"), ("OPENAI_API_KEY", "b"), ("SECRET", "c")];
    let (code, text) = orch(&sandbox, &["run"], &env);
    assert_eq!(code, 0, "{text}");
    let names = read(&sandbox.path("bin/1.env"));
    let has = |name: &str| names.lines().any(|known| known == name);
    assert!(has("ANTHROPIC_API_KEY"), "{names}");
    assert!(!has("OPENAI_API_KEY") && !has("SECRET"), "{names}");
}

#[test]
fn a_command_goes_before_how_the_agent_is_started() {
    let worker = ", command: [bin/claude, --my, way]";
    let sandbox = plan(Agent::Claude, worker, &[("done", "0")]);
    let (code, text) = orch(&sandbox, &["run"], &[]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(read(&sandbox.path("bin/1.argv")), "--my\nway\n");
}

#[test]
fn the_nearest_word_says_what_is_started() {
    let sandbox = plan(Agent::Codex, "", &[("done", "0")]);
    // Both are meant for tasks that say nothing of their own.
    sandbox.write(".orch/config.yaml", "worker: {command: exit 7, model: opus}\n");
    let (code, text) = orch(&sandbox, &["run"], &[]);
    assert_eq!(code, 0, "{text}");
    assert!(!read(&sandbox.path("bin/1.argv")).contains("opus"));
    let (_, shown) = orch(&sandbox, &["show", "a"], &[]);
    assert!(shown.contains("agent") && shown.contains("codex"), "{shown}");
    assert!(!shown.contains("exit 7"), "{shown}");
}

#[test]
fn doctor_tells_which_agents_are_there() {
    let sandbox = plan(Agent::Claude, "", &[("done", "0")]);
    sandbox.write(".orch/tasks/b.md", "---\nworker: {agent: cursor}\n---\n");
    let (_, text) = orch(&sandbox, &["doctor"], &[("PATH", "/usr/bin:/bin")]);
    assert!(
        text.contains("agents        agent `claude` cannot be started: no such program `claude`"),
        "{text}"
    );
    let (_, text) = orch(&sandbox, &["doctor"], &[]);
    assert!(
        text.contains("agents        `claude` is there: 1.2.3 (1 role, 1 open task)"),
        "{text}"
    );
    assert!(
        text.contains(
            "agents        agent `cursor` cannot be started: no such program `cursor-agent` in \
             PATH (1 open task)"
        ),
        "{text}"
    );
}

#[test]
fn a_slip_in_the_name_of_an_agent_is_told() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\nworker: {agent: cladue}\n---\n"),
        (".orch/tasks/b.md", "---\nworker: {agent: codex, model: --yolo}\n---\n"),
        (".orch/tasks/c.md", "---\nworker: {agnet: codex}\n---\n"),
    ]);
    let text = sandbox.orch(&["check"]).stdout;
    for told in [
        "`cladue` is not an agent",
        "did you mean `claude`?",
        "`--yolo` is not the name of a model",
        "did you mean `agent`?",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}
