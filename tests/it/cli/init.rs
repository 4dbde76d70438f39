//! `orch init`.

use std::fs;

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
