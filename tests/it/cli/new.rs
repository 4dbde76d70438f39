//! `orch new`.

use std::fs;

use super::{Sandbox, record};

#[test]
fn a_task_is_made_and_fits_the_plan() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/API-009.md", "---\n---\n"),
        (".orch/roles/backend.md", "---\n---\n"),
    ]);
    let args = ["new", "It's: `odd`", "--depends-on", "API-009", "--role", "backend"];
    let text = sandbox.orch(&[&args[..], &["--priority", "-3", "--level", "2"]].concat()).text();
    assert_eq!(text, ".orch/tasks/API-010.md\n");
    let made = fs::read_to_string(sandbox.path(".orch/tasks/API-010.md")).unwrap();
    let expected = "title: \"It's: `odd`\"\nstatus: todo\nrole: backend\ndepends_on: [API-009]\n\
                    priority: -3\nlevel: 2\n---\n# It's: `odd`\n";
    assert!(made.contains(expected), "{made}");
    assert_eq!(sandbox.orch(&["check", "--strict"]).text(), "no faults in 2 tasks\n");
    let json = sandbox.orch(&["new", "Next\nline", "--json"]).json();
    let expected = serde_json::json!({
        "id": "API-011", "title": "Next line", "path": ".orch/tasks/API-011.md"
    });
    assert_eq!(json, expected);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/sub/API-9.md", "---\n---\n"),
        (".orch/roles/backend.md", "---\n---\n"),
        (".orch/templates/bug.md", "---\npriority: hgh\n---\n"),
        (".orch/templates/list.md", "---\ntitle: [a]\n---\n"),
        (".orch/runs/old.1.yaml", &record("old", 1, "failed")),
    ]);
    let table: &[(&[&str], &str, &str)] = &[
        (&["--id", "../x"], "task id `../x` starts with `.`", "use letters, digits"),
        (&["--id", "API-9"], "task `API-9` exists already: `.orch/tasks/sub/API-9.md`", "--id"),
        (&["--id", "api-9"], "task `API-9` differs from `api-9` by case only", "--id"),
        (&["--id", "old"], "an earlier task `old` left its record: `.orch/runs/old.1", "--id"),
        (&["--role", "bakend"], "there is no role `bakend`", "did you mean `backend`?"),
        (&["--role", "x"], "there is no role `x`", "known roles: backend"),
        (&["--depends-on", "API-9,API-O9"], "no task has the id `API-O9`", "mean `API-9`?"),
        (&["--priority", "hihg"], "`hihg` is not a priority", "did you mean `high`?"),
        (&["--estimate", "soon"], "`soon` is not an estimate", ""),
        (&["--level", "x"], "`level` ", ""),
        (&["--template", "bgu"], "`.orch/templates/bgu.md` does not exist", "mean `bug`?"),
        (&["--template", "../../x"], "`../../x` is no name of a template", "without `.md`"),
        (&["--template", "bug"], "no task can be made from `.orch/templates/bug.md`: ", "mend"),
        (&["--template", "list"], "no task can be made from `.orch/templates/list.md`: ", "mend"),
    ];
    for (args, message, help) in table {
        let text = sandbox.orch(&[&["new", "A title"], *args].concat()).error(2);
        assert!(text.starts_with(&format!("error: {message}")), "{args:?}: {text}");
        assert!(text.contains("  = help: ") && text.contains(help), "{args:?}: {text}");
    }
    assert!(sandbox.orch(&["new", " \n "]).error(2).starts_with("error: the title is empty\n"));
    let names: Vec<_> = fs::read_dir(sandbox.path(".orch/tasks")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn own_templates_come_first() {
    let sandbox = Sandbox::with(&[
        (".orch/templates/task.md", "# {{id}}: {{title}}\n"),
        (".orch/templates/bug.md", "---\nid: {{id}}\ntags: [bug]\n---\n# Bug: {{title}}\n"),
    ]);
    assert_eq!(sandbox.orch(&["new", "It crashes"]).text(), ".orch/tasks/it-crashes.md\n");
    let text = fs::read_to_string(sandbox.path(".orch/tasks/it-crashes.md")).unwrap();
    assert_eq!(text, "---\ntitle: It crashes\n---\n# it-crashes: It crashes\n");
    let path = sandbox.orch(&["new", "It crashes", "--template", "bug"]).text();
    assert_eq!(path, ".orch/tasks/it-crashes-2.md\n");
    let text = fs::read_to_string(sandbox.path(path.trim())).unwrap();
    let expected =
        "---\nid: it-crashes-2\ntags: [bug]\ntitle: It crashes\n---\n# Bug: It crashes\n";
    assert_eq!(text, expected);
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_name() {
    let sandbox = Sandbox::with(&[(".orch/tasks/x.md", "---\nid: [\n")]);
    assert_eq!(sandbox.orch(&["new", "X"]).text(), ".orch/tasks/x-2.md\n");
    let text = sandbox.orch(&["new", "X", "--id", "x"]).error(2);
    assert!(text.starts_with("error: `.orch/tasks/x.md` exists already\n"), "{text}");
}
