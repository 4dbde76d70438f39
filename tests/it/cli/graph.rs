//! `orch graph`.

use expect_test::expect;

use super::Sandbox;

#[test]
fn the_plan_is_drawn_as_a_tree() {
    let sandbox = Sandbox::with_plan();
    expect![[r#"
        ✓ base  done  Base
        └─ ✗ build  failed  Build it
           └─ ■ test  blocked  Test it
              └─ ■ ship  blocked  Ship it
        ○ docs  ready  Write
        └─ ■ ship  ↑ shown above
        ‖ later  hold  Later
        ○ lint  ready  Lint

        7 tasks, 4 edges
    "#]]
    .assert_eq(&sandbox.orch(&["graph"]).text());
    expect![[r#"
        ✗ build  failed  Build it
        └─ ■ test  blocked  Test it
           └─ ■ ship  blocked  Ship it

        3 tasks, 2 edges (4 tasks of the plan not shown)
    "#]]
    .assert_eq(&sandbox.orch(&["graph", "test", "--up", "1", "--down", "1"]).text());
    expect![[r#"
        ✗ build  failed  Build it
        └─ ■ test  blocked  Test it
           └─ ■ ship  blocked  Ship it

        3 tasks, 2 edges (4 tasks of the plan not shown)
    "#]]
    .assert_eq(&sandbox.orch(&["graph", "build", "--open"]).text());
}

#[test]
fn other_formats_have_every_task_and_edge() {
    let sandbox = Sandbox::with_plan();
    let graph = sandbox.orch(&["graph", "--json"]).json();
    let count = |key: &str| graph[key].as_array().unwrap().len();
    assert_eq!((count("tasks"), count("edges")), (7, 4));
    let dot = sandbox.orch(&["graph", "--format", "dot"]).text();
    assert_eq!(dot.matches(" -> ").count(), 4);
    assert!(dot.contains("\"base\" -> \"build\";"), "{dot}");
    let mermaid = sandbox.orch(&["graph", "--format", "mermaid"]).text();
    assert_eq!(mermaid.matches(" --> ").count(), 4);
}

#[test]
fn cycles_are_drawn_and_unknown_tasks_are_wrong_usage() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\ndepends_on: b\n---\n"),
        (".orch/tasks/b.md", "---\ndepends_on: a\n---\n"),
    ]);
    let output = sandbox.orch(&["graph"]);
    assert_eq!(output.code, 0);
    expect![[r#"
        ■ a  blocked  a
        └─ ■ b  blocked  b
           └─ ■ a  ↑ shown above

        2 tasks, 2 edges
    "#]]
    .assert_eq(&output.stdout);
    let output = sandbox.orch(&["graph", "c"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert!(output.stderr.contains("no task has the id `c`"), "{}", output.stderr);
}
