//! Holding and releasing tasks: no command, but what a live view does for its keys.

use std::fs;

use orch::{
    AppError, Repository,
    app::{
        use_case::hold::{hold, release},
        view::write::Held,
    },
};

use super::{
    Sandbox, record,
    run::{start, wait_for},
};

fn told(result: Result<Vec<Held>, AppError>) -> String {
    let line = |held: Held| {
        let Held { task, edited, is_running, state, is_live } = held;
        let edited = edited.unwrap_or_else(|| "nothing".to_owned());
        format!("{task} is {state}: edited {edited}, running {is_running}, live {is_live}")
    };
    match result {
        Ok(held) => held.into_iter().map(line).collect::<Vec<_>>().join("\n"),
        Err(AppError::Usage { message, help }) => {
            format!("{message} | {}", help.unwrap_or_default())
        }
        Err(error) => panic!("{error}"),
    }
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

#[test]
fn a_held_task_is_released_and_its_file_keeps_every_other_byte() {
    let file = |status: &str| format!("---\r\n# mine\r\ntags: [ x ]\r\n{status}---\r\nbody");
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", &file("")),
        (".orch/tasks/b.md", "---\nstatus: hold # not yet\n---\n"),
    ]);
    let repository = Repository::open(sandbox.root()).unwrap();
    let read =
        |id: &str| fs::read_to_string(sandbox.path(&format!(".orch/tasks/{id}.md"))).unwrap();
    assert_eq!(
        told(hold(&repository, &ids(&["a", "b", "a"]))),
        "a is hold: edited .orch/tasks/a.md, running false, live false\n\
         b is hold: edited nothing, running false, live false"
    );
    assert_eq!(read("a"), file("status: hold\r\n"));
    assert_eq!(
        told(release(&repository, &ids(&["a", "b"]))),
        "a is ready: edited .orch/tasks/a.md, running false, live false\n\
         b is ready: edited .orch/tasks/b.md, running false, live false"
    );
    assert_eq!(read("a"), file("status: todo\r\n"));
    assert_eq!(read("b"), "---\nstatus: todo # not yet\n---\n");
    assert_eq!(
        told(release(&repository, &ids(&["a"]))),
        "a is ready: edited nothing, running false, live false"
    );
}

#[test]
fn what_is_settled_or_a_draft_is_not_held_and_nothing_else_is_either() {
    let sandbox = Sandbox::with(&[
        (".orch/tasks/a.md", "---\n---\n"),
        (".orch/tasks/done.md", "---\n---\n"),
        (".orch/runs/done.1.yaml", &record("done", 1, "succeeded")),
        (".orch/tasks/gone.md", "---\nstatus: cancelled\n---\n"),
        (".orch/tasks/draft.md", "---\nstatus: draft\n---\n"),
        (".orch/tasks/late.md", "---\nstatus: hold\n---\n"),
        (".orch/runs/late.1.yaml", &record("late", 1, "succeeded")),
    ]);
    let repository = Repository::open(sandbox.root()).unwrap();
    let table = [
        ("done", "task `done` is done | to have it done once more: `orch retry done --force`"),
        ("gone", "task `gone` is cancelled | to have it done after all: `orch retry gone`"),
        (
            "draft",
            "task `draft` is a draft, which keeps it from starting | \
             when it is ready, write `status: todo` in .orch/tasks/draft.md",
        ),
        ("nobody", "no task has the id `nobody` | `orch list` shows all tasks"),
    ];
    for (id, expected) in table {
        assert_eq!(told(hold(&repository, &ids(&["a", id]))), expected);
        assert_eq!(told(release(&repository, &ids(&["a", id]))), expected);
    }
    let file = fs::read_to_string(sandbox.path(".orch/tasks/a.md")).unwrap();
    assert_eq!(file, "---\n---\n");
    // It was held while it ran, and then it ended well.
    assert_eq!(
        told(release(&repository, &ids(&["late"]))),
        "late is done: edited .orch/tasks/late.md, running false, live false"
    );
}

#[test]
fn a_held_task_that_runs_goes_on() {
    let sandbox = Sandbox::with(&[
        (
            ".orch/config.yaml",
            "worker: {command: \"touch up; for i in $(seq 600); do test -e end && exit 0; sleep 0.1; done; exit 1\"}\n",
        ),
        (".orch/tasks/a.md", "---\n---\n"),
    ]);
    let mut child = start(&sandbox, &["run"]);
    wait_for("the worker", || sandbox.path("up").exists());
    let repository = Repository::open(sandbox.root()).unwrap();
    assert_eq!(
        told(hold(&repository, &ids(&["a"]))),
        "a is running: edited .orch/tasks/a.md, running true, live true"
    );
    sandbox.write("end", "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = sandbox.orch(&["show", "a", "--json"]).json();
    assert_eq!(shown["state"], "done");
}
