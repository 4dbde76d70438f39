//! Tables: what a change concerns, and what is ruled of it.

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::domain::{
    format::{
        config_file, role_file,
        task_file::{self, Reading},
    },
    model::ceiling::Edits,
    plan::{self, Plan},
};

const CONFIG: &str = "\
max_workers: 3
worker: {command: ./work.sh, timeout: 1h, env: {SHARED: s}}
retry: {max_attempts: 2}
env: {pass: [TOKEN], secret: [TOKEN]}
claims: {remote: origin}
git: {protect: [main]}
hooks: {done: ./told.sh}
milestones: {beta: {trigger: all, run: ./party.sh}}
levels: {1: {gate: [./lint.sh], timeout: 5m}}
";

const ROLE: &str = "---\nworker: {command: ./cook.sh}\n---\nYou cook.\n";

const OWN: &str = "\
---
title: Own
role: cook
priority: high
depends_on: []
tags: [a]
worker: {command: ./own.sh, timeout: 5m, isolation: none, env: {A: b}, grace: 3s}
completion: {verify: [make check], signal: DONE}
retry: {max_attempts: 4}
budget: {tokens: 200k}
waits_for: [approval]
---
Do it.
";

fn built(files: [&str; 5]) -> Plan {
    let [config, role, own, roled, plain] = files;
    let task = |path: &str, text: &str| {
        let file = task_file::parse(path, text.as_bytes(), Reading::Whole);
        Arc::new(file.spec.unwrap())
    };
    plan::build(
        vec![task("t/own.md", own), task("t/roled.md", roled), task("t/plain.md", plain)],
        role_file::parse(".orch/roles/cook.md", role.as_bytes()).0,
        config_file::parse(".orch/config.yaml", config.as_bytes()).0,
    )
}

fn base() -> [&'static str; 5] {
    [CONFIG, ROLE, OWN, "---\nrole: cook\n---\nRoled.\n", "---\ntitle: Plain\n---\nPlain.\n"]
}

fn parts(files: [&str; 5]) -> BTreeMap<String, Part> {
    let parts = of_plan(&built(files), &Arc::from(".orch/config.yaml"));
    parts.into_iter().map(|part| (part.name.to_string(), part)).collect()
}

#[test]
fn a_change_concerns_what_it_reaches_and_nothing_else() {
    let all = "defaults, gate 1, hook done, milestone beta, role cook, settings, \
               task own, task plain, task roled";
    let before = parts(base());
    assert_eq!(before.keys().cloned().collect::<Vec<_>>().join(", "), all);
    // File, what stands there, what it becomes, and which parts are others then.
    let table = [
        (0, "max_workers: 3", "max_workers: 4", "settings"),
        (0, "pass: [TOKEN]", "pass: [TOKEN, HOME2]", "settings"),
        (0, "secret: [TOKEN]", "secret: []", "settings"),
        (0, "remote: origin", "remote: other", "settings"),
        (0, "[main]", "[]", "settings"),
        (0, "./work.sh", "./work2.sh", "defaults, task plain"),
        (0, "./work.sh", "[./work.sh]", "defaults, task plain"),
        (0, "timeout: 1h", "timeout: 2h", "defaults, task plain, task roled"),
        (0, "SHARED: s", "SHARED: t", "defaults, task own, task plain, task roled"),
        (0, "SHARED: s", "LD_PRELOAD: s", "defaults, task own, task plain, task roled"),
        (0, "max_attempts: 2", "max_attempts: 3", "defaults, task plain, task roled"),
        (0, "./told.sh", "./tell.sh", "hook done"),
        (0, "done: ./told.sh", "failed: ./told.sh", "hook done, hook failed"),
        (0, "./party.sh", "./gift.sh", "milestone beta"),
        (0, "trigger: all", "trigger: first-failure", "settings"),
        (0, "./lint.sh", "./lint2.sh", "gate 1"),
        (0, "timeout: 5m", "timeout: 6m", "gate 1"),
        (0, "max_workers: 3", "# nothing but words\nmax_workers: 3", ""),
        (1, "./cook.sh", "./bake.sh", "role cook, task roled"),
        (1, "You cook.", "You bake.", "role cook, task own, task roled"),
        (2, "./own.sh", "./own.sh x", "task own"),
        (2, "timeout: 5m", "timeout: 6m", "task own"),
        (2, "grace: 3s", "grace: 4s", "task own"),
        (2, "isolation: none", "isolation: worktree", "task own"),
        (2, "A: b", "A: c", "task own"),
        (2, "A: b", "B: b", "task own"),
        (2, "make check", "make", "task own"),
        (2, "verify: [make check], ", "", "task own"),
        (2, "DONE", "OK", "task own"),
        (2, "max_attempts: 4", "max_attempts: 5", "task own"),
        (2, "200k", "201k", "task own"),
        (2, "waits_for: [approval]", "waits_for: []", "task own"),
        (2, "role: cook\n", "", "task own"),
        (2, "title: Own", "title: Mine", "task own"),
        (2, "Do it.", "Do that.", "task own"),
        (2, "---\ntitle", "---\nid: other\ntitle", "task other, task own"),
        // What only decides when it is started, not what.
        (2, "priority: high", "priority: low", ""),
        (2, "tags: [a]", "tags: [b]", ""),
        (2, "depends_on: []", "depends_on: [plain]", ""),
    ];
    for (file, from, to, expected) in table {
        let mut files = base();
        let text = files[file];
        assert!(text.contains(from), "{from}");
        let edited = text.replacen(from, to, 1);
        files[file] = &edited;
        let after = parts(files);
        let print = |parts: &BTreeMap<String, Part>, name: &String| {
            parts.get(name).map(|part| part.fingerprint)
        };
        let names: BTreeMap<&String, ()> =
            before.keys().chain(after.keys()).map(|name| (name, ())).collect();
        let changed: Vec<String> = names
            .into_keys()
            .filter(|name| print(&before, name) != print(&after, name))
            .cloned()
            .collect();
        assert_eq!(changed.join(", "), expected, "{from} → {to}");
        let total = |parts: &BTreeMap<String, Part>| {
            fingerprint(&parts.values().cloned().collect::<Vec<_>>())
        };
        assert_eq!(total(&before) == total(&after), expected.is_empty(), "{from} → {to}");
    }
}

#[test]
fn a_person_reads_what_is_executed() {
    let told: String = parts(base())
        .into_values()
        .map(|part| {
            format!("{} <- {}\n  {}\n", part.name, part.sources.join(" "), part.lines.join("\n  "))
        })
        .collect();
    expect_test::expect![[r#"
        defaults <- .orch/config.yaml
          run: ./work.sh
          env: SHARED (3068caa34859)
          timeout: 1h
        gate 1 <- .orch/config.yaml
          run: ./lint.sh
          timeout: 5m
        hook done <- .orch/config.yaml
          run: ./told.sh
          timeout: 30s
        milestone beta <- .orch/config.yaml
          run: ./party.sh
          timeout: 30s
        role cook <- .orch/roles/cook.md
          run: ./cook.sh
          persona: 1 line (dc3f3cc760f5)
        settings <- .orch/config.yaml
          max_workers: 3
          milestones: beta ()
          milestones.trigger: beta: all
          claims.remote: origin
          env.pass: TOKEN
          env.secret: TOKEN
          git.protect: main
        task own <- t/own.md .orch/roles/cook.md .orch/config.yaml
          run: ./own.sh
          isolation: none
          env: A (1af4648d195d)
          env: SHARED (3068caa34859)
          verify: make check
          signal: DONE
          timeout: 5m
          budget in tokens: 200000
          waits for: approval
          title: Own
          prompt: 1 line (040f4785689e)
          role: cook
          persona: 1 line (dc3f3cc760f5)
        task plain <- t/plain.md .orch/config.yaml
          run: ./work.sh
          env: SHARED (3068caa34859)
          timeout: 1h
          title: Plain
          prompt: 1 line (3e918fabaf19)
        task roled <- t/roled.md .orch/roles/cook.md .orch/config.yaml
          run: ./cook.sh
          env: SHARED (3068caa34859)
          timeout: 1h
          title: roled
          prompt: 1 line (faa6dfae7076)
          role: cook
          persona: 1 line (dc3f3cc760f5)
    "#]]
    .assert_eq(&told);
}

#[test]
fn what_waits_goes_on_waiting_until_it_is_approved_or_as_it_was() {
    let (old, new) = (parts(base()), {
        let mut files = base();
        let edited = OWN.replace("./own.sh", "./evil.sh");
        files[2] = &edited;
        parts(files)
    });
    let name = "task own";
    let (old, new) = (&old[name], &new[name]);
    let ruling = |book: &Book, part: &Part, edits, had_workers, moved: &str| {
        let came_with_commit = |path: &str| path == moved;
        let came_with_commit = &came_with_commit;
        let around = Circumstances { edits, had_workers, came_with_commit, made_from: None };
        Ruling::of(part, book, &around)
    };
    let mut book = Book::default();
    assert_eq!(ruling(&book, old, Edits::Always, false, ""), Ruling::Waits(Why::New));
    book.note(Book::approval(old));
    assert_eq!(ruling(&book, old, Edits::Ask, true, "t/own.md"), Ruling::Approved);
    let table = [
        (Edits::Accept, false, "", Ruling::OwnEdit),
        (Edits::Accept, true, "", Ruling::Waits(Why::Worker)),
        (Edits::Always, true, "", Ruling::OwnEdit),
        (Edits::Ask, false, "", Ruling::Waits(Why::Edit)),
        // The files of other tasks say nothing.
        (Edits::Accept, false, "t/roled.md", Ruling::OwnEdit),
        (Edits::Accept, false, "t/own.md", Ruling::Waits(Why::Commit)),
        (Edits::Always, false, ".orch/roles/cook.md", Ruling::Waits(Why::Commit)),
        (Edits::Always, false, ".orch/config.yaml", Ruling::Waits(Why::Commit)),
    ];
    for (edits, had_workers, moved, expected) in table {
        let found = ruling(&book, new, edits, had_workers, moved);
        assert_eq!(found, expected, "{edits:?} {had_workers} {moved}");
    }
    let waits = Line::Waits { part: name.to_owned(), why: Some(Why::Worker) };
    book.note(waits);
    assert_eq!(ruling(&book, new, Edits::Always, false, ""), Ruling::Waits(Why::Worker));
    assert_eq!(ruling(&book, old, Edits::Accept, false, ""), Ruling::Approved);
    book.note(Book::approval(new));
    assert_eq!(ruling(&book, new, Edits::Accept, false, ""), Ruling::Approved);
    book.note(Line::Revoked);
    assert_eq!(ruling(&book, old, Edits::Accept, false, ""), Ruling::Waits(Why::New));
}

#[test]
fn a_digest_is_read_as_it_is_written() {
    let print = Fingerprint::of(["a", "b"]);
    assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
    assert_ne!(print, Fingerprint::of(["ab"]));
    assert_ne!(print, Fingerprint::of(["a", "b", ""]));
    for text in ["", "12", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
        assert_eq!(Fingerprint::parse(text), None, "{text}");
    }
}
