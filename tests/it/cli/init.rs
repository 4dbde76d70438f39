//! `orch init`.

use std::{fs, process::Command};

use super::Sandbox;

const WROTE: &str = "\
wrote .orch/config.yaml
wrote .orch/.gitignore
wrote .orch/roles/worker.md
wrote .orch/tasks/TASK-001.md

next:
  orch check                      # see whether the plan has faults
  orch run                        # carry the first task out; it needs no worker
  $EDITOR .orch/roles/worker.md   # say what works on your tasks
  orch new \"Title\" --role worker  # write a task of your own
";

#[test]
fn a_new_folder_is_a_plan_without_faults() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.orch(&["init", "deep/down"]).text(), WROTE);
    assert_eq!(sandbox.orch(&["-C", "deep/down", "check"]).text(), "no faults in 1 task\n");
    let run = sandbox.orch(&["-C", "deep/down", "run"]).text();
    assert!(run.contains("done: 1 of 1 tasks done · 1 attempt"), "{run}");
    let ignored = fs::read_to_string(sandbox.path("deep/down/.orch/.gitignore")).unwrap();
    assert!(ignored.ends_with("\n/local/\n"), "{ignored}");
}

#[test]
fn nothing_is_overwritten() {
    let files = [(".orch/config.yaml", "max_workers: 7\n"), (".orch/tasks/a/b.md", "---\n---\n")];
    let sandbox = Sandbox::with(&files);
    let text = sandbox.orch(&["init"]).text();
    let expected = "\
kept  .orch/config.yaml
wrote .orch/.gitignore
wrote .orch/roles/worker.md
kept  .orch/tasks/

next:
  orch check                      # see whether the plan has faults
  $EDITOR .orch/roles/worker.md   # say what works on your tasks
  orch new \"Title\" --role worker  # write a task of your own
";
    assert!(text.starts_with(expected), "{text}");
    for (path, text) in files {
        assert_eq!(fs::read_to_string(sandbox.path(path)).unwrap(), text);
    }
    assert_eq!(sandbox.orch(&["init", "--json"]).json()["files"][1]["is_new"], false);
}

#[test]
fn an_outer_plan_is_named() {
    let sandbox = Sandbox::with(&[(".orch/tasks/a.md", "---\n---\n"), ("inner/x", "")]);
    let json = sandbox.orch(&["-C", "inner", "init", "--json"]).json();
    let outer = json["outer"].as_str().unwrap();
    assert!(sandbox.root().ends_with(outer.rsplit('/').next().unwrap()), "{outer}");
    let sandbox = Sandbox::with(&[(".orch/tasks/a.md", "---\n---\n"), ("inner/x", "")]);
    let text = sandbox.orch(&["-C", "inner", "init"]).text();
    assert!(text.contains(" holds an .orch, too; "), "{text}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_a_failure_of_the_world() {
    let text = Sandbox::with(&[(".orch", "")]).orch(&["init"]).error(3);
    assert!(text.starts_with("error: failed to write .orch\n"), "{text}");
}

/// Takes the `#` away from every line that holds a setting: all but those that begin with `# x`.
fn uncommented(text: &str) -> String {
    let is_prose =
        |line: &str| line == "#" || line.strip_prefix("# ").is_some_and(|l| !l.starts_with(' '));
    let kept = text.lines().filter(|line| !is_prose(line));
    kept.map(|line| line.strip_prefix('#').unwrap_or(line).to_owned() + "\n").collect()
}

#[test]
fn the_settings_hold_as_comments_and_without() {
    let sandbox = Sandbox::new();
    sandbox.orch(&["init"]).text();
    let text = fs::read_to_string(sandbox.path(".orch/config.yaml")).unwrap();
    let bare = uncommented(&text);
    let keys: Vec<&str> =
        bare.lines().filter(|l| !l.starts_with(' ')).filter_map(|l| l.split(':').next()).collect();
    let schema = sandbox.orch(&["schema", "config"]).json();
    let known = schema["properties"].as_object().unwrap();
    for key in known.keys() {
        assert!(keys.contains(&key.as_str()), "{key} does not stand in templates/config.yaml");
    }
    sandbox.write(".orch/config.yaml", &bare);
    assert_eq!(sandbox.orch(&["check", "--strict"]).text(), "no faults in 1 task\n");
}

#[test]
fn workflows_are_written_once_and_know_where_the_plan_is() {
    let sandbox = Sandbox::new();
    let git = |args: &[&str]| {
        assert!(
            Command::new("git").args(args).current_dir(sandbox.root()).status().unwrap().success()
        );
    };
    git(&["init", "--quiet"]);
    let read = |path: &str| fs::read_to_string(sandbox.path(path)).unwrap();
    let text = sandbox.orch(&["init", "--ci", "github"]).text();
    assert!(
        text.contains(
            "wrote .github/workflows/orch.yml\nwrote .github/workflows/orch-comment.yml\n"
        )
    );
    let workflow = read(".github/workflows/orch.yml");
    assert!(workflow.contains("\n  ORCH_FOLDER: '.'\n"), "{workflow}");
    // The job that reads what came in may write nothing, and gets no secret.
    assert!(workflow.contains("\npermissions:\n  contents: read\n\n"), "{workflow}");
    assert!(!workflow.contains("secrets.") && !workflow.contains("\n  pull_request_target"));
    assert!(!read(".github/workflows/orch-comment.yml").contains("checkout"));
    sandbox.write(".github/workflows/orch.yml", "mine");
    let text = sandbox.orch(&["init", "--ci", "github"]).text();
    assert!(text.contains("kept  .github/workflows/orch.yml\n"), "{text}");
    assert_eq!(read(".github/workflows/orch.yml"), "mine");

    let text = sandbox.orch(&["init", "it's/deep", "--ci", "gitlab"]).text();
    assert!(text.contains("wrote ../../.gitlab-ci.yml\n"), "{text}");
    assert!(read(".gitlab-ci.yml").contains("\n  ORCH_FOLDER: 'it''s/deep'\n"));
    let text = sandbox.orch(&["init", "it's/deep", "--ci", "gitlab"]).text();
    assert!(text.contains("kept  ../../.gitlab-ci.yml\n") && !text.contains("note: add"), "{text}");
    sandbox.write(".gitlab-ci.yml", "mine");
    let made = sandbox.orch(&["init", "it's/deep", "--ci", "gitlab", "--json"]).json();
    assert_eq!(made["note"], "add to .gitlab-ci.yml: `include: [{local: .gitlab/ci/orch.yml}]`");
    assert_eq!(read(".gitlab-ci.yml"), "mine");
    assert!(read(".gitlab/ci/orch.yml").contains("orch comment:"));
    sandbox.orch(&["init", "--ci", "jenkins"]).error(2);
}
