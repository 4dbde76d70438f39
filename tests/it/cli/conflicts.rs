//! `orch conflicts`.

use expect_test::expect;

use super::{
    Sandbox,
    planted::{Planted, git},
};

/// Four tasks that work, two that are ready and name files, one that is done.
fn planted() -> Planted {
    let planted = Planted::new(&[
        (".orch/config.yaml", "worker: {command: 'true'}\n"),
        (".orch/tasks/up.md", "---\n---\n"),
        (".orch/tasks/down.md", "---\n---\n"),
        (".orch/tasks/end.md", "---\n---\n"),
        (".orch/tasks/own.md", "---\n---\n"),
        (".orch/tasks/over.md", "---\nstatus: done\n---\n"),
        (".orch/tasks/x.md", "---\nfiles: [src/**, doc/a]\n---\n"),
        (".orch/tasks/y.md", "---\nfiles: ['src/*.rs', doc/b]\n---\n"),
        (".orch/tasks/z.md", "---\nfiles: [doc/b]\nstatus: hold\n---\n"),
    ]);
    planted.work("up", "a", "one\n2\n3\n4\n5\n");
    planted.work("down", "a", "eins\n2\n3\n4\n5\n");
    // The same file, but not the same lines.
    planted.work("end", "a", "1\n2\n3\n4\nfive\n");
    planted.work("own", "b", "own\n");
    planted.work("over", "a", "over\n");
    planted
}

#[test]
fn what_does_not_merge_is_foretold_and_nothing_is_written() {
    let planted = planted();
    planted.sandbox.write("b", "plan\n");
    planted.commit("plan goes on");
    let before = planted.git("count-objects -v");
    let text = planted.sandbox.orch(&["conflicts"]).text();
    expect![[r#"
        own does not merge with plan: b
            = help: `git merge plan` in .orch/local/worktrees/own shows the conflict; its next attempt gets it to resolve
        down and up do not merge: a
            = help: whichever lands second gets the conflict to resolve, as an attempt more; `depends_on` or `files` keep such tasks apart
        x and y may touch the same files: src/**, src/*.rs
            = help: they never run at once; `depends_on` in one of them says which goes first, narrower `files` let both go on

        3 conflicts ahead: 4 branches of tasks, plan, 6 ready tasks
    "#]]
    .assert_eq(&text);
    assert_eq!(planted.git("count-objects -v"), before);
    let json = planted.sandbox.orch(&["conflicts", "--json"]).json();
    let kinds: Vec<&str> =
        json["conflicts"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["landing", "merge", "files"]);
    assert_eq!((&json["branch"], &json["n_branches"]), (&"plan".into(), &4.into()));
}

#[test]
fn files_and_folders_and_what_is_gone_are_seen() {
    let none = "no conflicts ahead: 2 branches of tasks, plan, 2 ready tasks";
    let table = [
        // (of one, of the other, the files in conflict)
        ("rm -q a", "mv b c", none),
        ("rm -q a", "rm -q a", none),
        ("mv a c", "mv b c", "a, b, c"),
        ("mv a d/e", "mv b d", "d"),
    ];
    for (one, other, expected) in table {
        let planted = Planted::new(&[
            (".orch/config.yaml", "worker: {command: 'true'}\n"),
            (".orch/tasks/one.md", "---\n---\n"),
            (".orch/tasks/other.md", "---\n---\n"),
        ]);
        planted.sandbox.write("b", "entirely different\n");
        planted.commit("b");
        for (task, change) in [("one", one), ("other", other)] {
            let folder = planted.begin(task);
            std::fs::create_dir_all(folder.join("d")).unwrap();
            if change.ends_with(" d") {
                std::fs::remove_dir(folder.join("d")).unwrap();
            }
            git(&folder, change);
            git(&folder, "commit -qm change");
        }
        let text = planted.sandbox.orch(&["conflicts"]).text();
        let line = text.lines().next().unwrap().replace("one and other do not merge: ", "");
        assert_eq!(line, expected, "{one}, {other}");
    }
}

#[test]
fn where_everything_goes_together_it_says_so() {
    let planted = Planted::new(&[
        (".orch/config.yaml", "worker: {command: 'true'}\n"),
        (".orch/tasks/x.md", "---\n---\n"),
    ]);
    planted.work("x", "a", "x\n");
    let text = planted.sandbox.orch(&["conflicts"]).text();
    assert_eq!(text, "no conflicts ahead: 1 branch of a task, plan, 1 ready task\n");
    let sandbox = Sandbox::with_plan();
    assert_eq!(sandbox.orch(&["conflicts"]).text(), "no conflicts ahead: 2 ready tasks\n");
    assert_eq!(sandbox.orch(&["-C", "/", "conflicts"]).code, 2);
}
