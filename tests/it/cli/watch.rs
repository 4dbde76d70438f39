//! `orch watch`, with real workers: what edits do to tasks that run or are done.

use std::{
    cell::{Cell, RefCell},
    io::{BufRead as _, BufReader},
    process::Child,
};

use super::{
    Sandbox,
    run::{plan, read, signal, start, wait_for},
};

/// Returns the attempts of a task, which are on record.
fn n_attempts(sandbox: &Sandbox, task: &str) -> usize {
    let is_there = |n: &usize| !read(sandbox, &format!(".orch/runs/{task}.{n}.yaml")).is_empty();
    (1..).take_while(is_there).count()
}

fn stop(mut child: Child) {
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_worker_that_edits_its_own_task_does_not_run_for_ever() {
    let sandbox = plan(&[("a", "worker: {command: 'echo x >> $ORCH_TASK_FILE'}")]);
    let config = read(&sandbox, ".orch/config.yaml");
    sandbox.write(".orch/config.yaml", &format!("{config}on_change: rerun\n"));
    let child = start(&sandbox, &["watch", "--plain"]);
    for n in 1..=5 {
        wait_for("an attempt", || {
            read(&sandbox, &format!(".orch/runs/a.{n}.yaml")).contains("outcome: succeeded")
        });
        // Another task passes through all that a further attempt would have to pass.
        let id = format!("mark{n}");
        sandbox.write(&format!(".orch/tasks/{id}.md"), "---\nworker: {command: 'true'}\n---\n");
        wait_for("the mark", || {
            read(&sandbox, &format!(".orch/runs/{id}.1.yaml")).contains("outcome: succeeded")
        });
        assert_eq!(n_attempts(&sandbox, "a"), n);
        // What a person writes has it run again.
        let text = read(&sandbox, ".orch/tasks/a.md");
        sandbox.write(".orch/tasks/a.md", &format!("{text}by hand {n}\n"));
    }
    stop(child);
}

#[test]
fn a_task_whose_file_is_renamed_waits_for_its_running_attempt() {
    let command =
        "worker: {command: 'echo $ORCH_TASK_ID >> up; while ! test -e go; do sleep 0.01; done'}";
    let sandbox =
        plan(&[("a", command), ("mark", "status: hold\nworker: {command: touch marked}")]);
    let child = start(&sandbox, &["watch", "--plain"]);
    wait_for("the worker", || read(&sandbox, "up") == "a\n");
    std::fs::rename(sandbox.path(".orch/tasks/a.md"), sandbox.path(".orch/tasks/b.md")).unwrap();
    let mark = read(&sandbox, ".orch/tasks/mark.md").replace("hold", "todo");
    wait_for("the end of the old task", || {
        let list = sandbox.orch(&["list", "--json"]).stdout;
        list.contains("\"b\"") && !list.contains("\"a\"")
    });
    sandbox.write(".orch/tasks/mark.md", &mark);
    wait_for("the mark", || sandbox.path("marked").exists());
    assert_eq!(read(&sandbox, "up"), "a\n");
    sandbox.write("go", "");
    wait_for("the new task", || read(&sandbox, "up") == "a\nb\n");
    stop(child);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    for arguments in [&["watch", "--json"][..], &["watch", "--no-run", "--plain"]] {
        let sandbox = plan(&[("a", "status: hold")]);
        let mut child = start(&sandbox, arguments);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        drop(lines);
        let (child, n) = (RefCell::new(child), Cell::new(0));
        wait_for("its end", || {
            n.set(n.get() + 1);
            let n = n.get();
            sandbox.write(".orch/tasks/b.md", &format!("---\nstatus: hold\ntitle: '{n}'\n---\n"));
            child.borrow_mut().try_wait().unwrap().is_some()
        });
    }
}

#[test]
fn a_faulty_status_file_is_told_and_so_is_its_repair() {
    let sandbox = plan(&[("a", "worker: {command: 'touch up; sleep 60'}")]);
    let mut child = start(&sandbox, &["watch", "--plain"]);
    wait_for("the worker", || sandbox.path("up").exists());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap).filter(|line| line.contains("status/a.1.md"));
    sandbox.write(".orch/status/a.1.md", "---\nstate: wurking\n---\n");
    let line = lines.next().unwrap();
    assert!(line.contains("warning") && line.contains("`wurking` is not a state"), "{line}");
    sandbox.write(".orch/status/a.1.md", "---\nstate: working\n---\n");
    let line = lines.next().unwrap();
    assert!(line.contains("fixed"), "{line}");
    stop(child);
}
