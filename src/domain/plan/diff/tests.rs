//! Files before, files after → what is told.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::domain::{
    format::{
        config_file, role_file,
        task_file::{self, Reading},
    },
    model::config::Config,
    plan::build,
};

/// Reads files, each below a line `== <path below .orch>`.
fn plan(text: &str, reading: Reading) -> Plan {
    let (mut tasks, mut roles, mut config) = (Vec::new(), Vec::new(), Config::default());
    for file in text.split("== ").skip(1) {
        let (path, text) = file.split_once('\n').unwrap();
        let (path, bytes) = (format!(".orch/{path}"), text.as_bytes());
        if path.starts_with(".orch/tasks/") {
            let mut spec = task_file::parse(&path, bytes, reading).spec.unwrap();
            if reading == Reading::Whole {
                spec.digest = format!("{bytes:?}").into();
            }
            tasks.push(Arc::new(spec));
        } else if path.starts_with(".orch/roles/") {
            roles.extend(role_file::parse(&path, bytes).0);
        } else {
            config = config_file::parse(&path, bytes).0;
        }
    }
    build(tasks, roles, config)
}

fn told(found: &PlanDiff) -> String {
    let mut text = String::new();
    for (kind, items) in [("task", &found.tasks), ("role", &found.roles)] {
        for item in items {
            let title = item.title.as_ref().map_or_else(String::new, |title| format!(" ({title})"));
            writeln!(text, "{kind} {}{title} {:?} {}", item.id, item.fate, item.path).unwrap();
            item.fields.iter().for_each(|field| push_field(&mut text, field));
        }
    }
    if !found.settings.is_empty() {
        text.push_str("settings\n");
        found.settings.iter().for_each(|field| push_field(&mut text, field));
    }
    text
}

fn push_field(text: &mut String, field: &FieldDiff) {
    write!(text, "  {}", field.field).unwrap();
    if field.from.is_some() || field.to.is_some() {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(text, ": {} -> {}", shown(&field.from), shown(&field.to)).unwrap();
    }
    for (sign, items) in [('+', &field.added), ('-', &field.removed), ('~', &field.changed)] {
        items.iter().for_each(|item| write!(text, " {sign} {item}").unwrap());
    }
    text.push('\n');
}

fn check(before: &str, after: &str, expected: &Expect) {
    let [before, after] = [before, after].map(|text| plan(text, Reading::Whole));
    expected.assert_eq(&told(&diff(&before, &after)));
    assert_eq!(diff(&after, &after), PlanDiff::default());
}

#[test]
fn every_key_of_a_task_is_told() {
    check(
        "== tasks/a.md\n---\n---\n",
        "== tasks/a.md\n---\ntitle: T\ndepends_on: [b, c]\nrole: r\npriority: high\nestimate: 90m\n\
         milestone: m\nphase: p\nworkstream: w\ntags: [x]\nlevel: 2\nfiles: [src/**]\n\
         worker: {command: [a, b c], timeout: 90s, heartbeat: 1m, heartbeat_limit: 2m,\n\
         \x20 heartbeat_from: output, provider: p, grace: 1500ms, env: {A: b}, isolation: none,\n\
         \x20 sandbox: {network: off, write: [b, a], hide: c}}\n\
         completion: {verify: [make, [b, c]], signal: DONE, timeout: 1h, review: true}\n\
         retry: {max_attempts: 4, backoff: 2s, max_crashes: 5}\n\
         budget: {tokens: 2k, cost_usd: 1.5, time: 3h, attempts: 6}\nloop: {max_iterations: 7}\n\
         waits_for: [approval]\nstatus: hold\n---\nText.\n",
        &expect![[r#"
            task a (T) Changed .orch/tasks/a.md
              title: nothing -> T
              depends_on + b + c
              role: nothing -> r
              priority: medium -> high
              estimate: nothing -> 1h30m
              milestone: nothing -> m
              phase: nothing -> p
              workstream: nothing -> w
              tags + x
              level: nothing -> 2
              files + src/**
              worker.command: nothing -> ["a", "b c"]
              worker.timeout: nothing -> 1m30s
              worker.heartbeat: nothing -> 1m
              worker.heartbeat_limit: nothing -> 2m
              worker.heartbeat_from: nothing -> output
              worker.provider: nothing -> p
              worker.grace: nothing -> 1s500ms
              worker.env + A
              worker.isolation: nothing -> none
              worker.sandbox.network: nothing -> off
              worker.sandbox.write + b + a
              worker.sandbox.hide + c
              completion.verify + make + ["b", "c"]
              completion.signal: nothing -> DONE
              completion.timeout: nothing -> 1h
              completion.review: false -> true
              retry.max_attempts: nothing -> 4
              retry.backoff: nothing -> 2s
              retry.max_crashes: nothing -> 5
              budget.tokens: nothing -> 2000
              budget.cost_usd: nothing -> 1.5
              budget.time: nothing -> 3h
              budget.attempts: nothing -> 6
              loop.until: nothing -> verify
              loop.max_iterations: nothing -> 7
              waits_for + approval
              status: todo -> hold
              body
        "#]],
    );
}

#[test]
fn what_was_said_before_is_told_beside_what_is_said_now() {
    check(
        "== tasks/a.md\n---\ntitle: T\ndepends_on: [b, c]\npriority: 7\nestimate: S\nmilestone: m\n\
         worker: {command: a b, env: {A: secret, B: x, C: y}}\ncompletion: {verify: [a, b, b]}\n---\n- [ ] one\n",
        "== tasks/a.md\n---\ntitle: U\ndepends_on: [d, c, e]\npriority: 50\nestimate: XL\n\
         worker: {command: [a, b], env: {A: other, C: y, D: z}}\ncompletion: {verify: [b, a]}\n---\n- [x] one\n",
        &expect![[r#"
            task a (U) Changed .orch/tasks/a.md
              title: T -> U
              depends_on + d + e - b
              priority: 7 -> medium
              estimate: S -> XL
              milestone: m -> nothing
              worker.command: a b -> ["a", "b"]
              worker.env + D - B ~ A
              completion.verify - b
              body
        "#]],
    );
}

#[test]
fn places_and_order_are_no_change_but_the_order_of_commands_is() {
    check(
        "== tasks/a.md\n---\ndepends_on: [b, c]\ntags: [x, y]\nstatus: todo\n---\n\
         == tasks/b.md\n---\ncompletion: {verify: [x, y]}\n---\n",
        "== tasks/a.md\n---\n# A comment.\nstatus: todo\ntags: [y, x]\ndepends_on:\n- c\n- b\n---\n\
         == tasks/b.md\n---\ncompletion: {verify: [y, x]}\n---\n",
        &expect![[r#"
            task b Changed .orch/tasks/b.md
              completion.verify
        "#]],
    );
}

#[test]
fn what_the_body_says_for_a_key_is_told_under_both_names() {
    check(
        "== tasks/a.md\n---\n---\n# Old\n\n## Verification\n```sh\nmake\n```\n",
        "== tasks/a.md\n---\n---\n# New\n\n## Verification\n```sh\nmake test\n```\n",
        &expect![[r#"
            task a (New) Changed .orch/tasks/a.md
              title: Old -> New
              completion.verify + make test - make
              body
        "#]],
    );
}

#[test]
fn a_body_that_was_not_read_is_no_change() {
    let text = "== tasks/a.md\n---\nid: a\n---\n# T\n\n## Verification\n```sh\nmake\n```\n";
    let (head, whole) = (plan(text, Reading::Head), plan(text, Reading::Whole));
    assert_eq!(told(&diff(&head, &whole)), "");
    assert_eq!(told(&diff(&whole, &head)), "");
}

#[test]
fn tasks_come_go_and_move() {
    check(
        "== tasks/b.md\n---\ntitle: B\n---\n== tasks/c.md\n---\n---\n== tasks/d.md\n---\n---\n",
        "== tasks/a.md\n---\ntitle: A\n---\n== tasks/deep/c.md\n---\nstatus: done\n---\n\
         == tasks/d.md\n---\n---\n== tasks/e.md\n---\n---\n",
        &expect![[r#"
            task a (A) Added .orch/tasks/a.md
            task b (B) Removed .orch/tasks/b.md
            task c Changed .orch/tasks/deep/c.md
              status: todo -> done
              path: .orch/tasks/c.md -> .orch/tasks/deep/c.md
            task e Added .orch/tasks/e.md
        "#]],
    );
}

#[test]
fn a_renamed_task_is_known_by_its_file_or_by_its_content() {
    check(
        "== tasks/one.md\n---\nid: A-1\npriority: low\n---\n\
         == tasks/B-1.md\n---\nrole: x\n---\nSame.\n\
         == tasks/C-1.md\n---\nid: C-1\ntitle: C\n---\n",
        "== tasks/one.md\n---\nid: A-2\npriority: high\n---\n\
         == tasks/B-2.md\n---\nrole: x\n---\nSame.\n\
         == tasks/C-2.md\n---\nid: C-2\ntitle: C\n---\n",
        &expect![[r#"
            task A-2 Renamed { was: "A-1" } .orch/tasks/one.md
              priority: low -> high
            task B-2 Renamed { was: "B-1" } .orch/tasks/B-2.md
              path: .orch/tasks/B-1.md -> .orch/tasks/B-2.md
            task C-2 (C) Renamed { was: "C-1" } .orch/tasks/C-2.md
              path: .orch/tasks/C-1.md -> .orch/tasks/C-2.md
        "#]],
    );
}

#[test]
fn nothing_is_renamed_on_suspicion() {
    check(
        // Two like the new one; other words; nothing said at all.
        "== tasks/a.md\n---\n---\nSame.\n== tasks/b.md\n---\n---\nSame.\n\
         == tasks/d.md\n---\nrole: x\n---\nText.\n== tasks/f.md\n---\n---\n",
        "== tasks/c.md\n---\n---\nSame.\n\
         == tasks/e.md\n---\nrole: y\n---\nText.\n== tasks/g.md\n---\n---\n",
        &expect![[r#"
            task a Removed .orch/tasks/a.md
            task b Removed .orch/tasks/b.md
            task c Added .orch/tasks/c.md
            task d Removed .orch/tasks/d.md
            task e Added .orch/tasks/e.md
            task f Removed .orch/tasks/f.md
            task g Added .orch/tasks/g.md
        "#]],
    );
}

#[test]
fn roles_and_settings_are_told_key_by_key() {
    check(
        "== roles/x.md\n---\nmax_workers: 2\n---\nYou build.\n== roles/old.md\n---\n---\nYou test.\n\
         == config.yaml\nmax_workers: 4\nenv: {pass: [HOME]}\nestimates: {S: 30m}\n\
         levels: {1: {gate: a}, 2: {gate: b}}\n",
        "== roles/x.md\n---\nworker: {timeout: 1h}\ncompletion: {review: true}\nretry: {max_attempts: 1}\nloop: {}\n---\nYou fix.\n\
         == roles/new.md\n---\n---\nYou test.\n\
         == config.yaml\nmax_workers: 8\nworker: {command: w}\nretry: {backoff: 1s}\nbudget: {tokens: 5}\n\
         run: {budget: {time: 8h}}\nmilestones: {beta: {trigger: all, run: say, budget: {tokens: 9}}}\nbreaker: {crashes: 3}\n\
         env: {pass: [PATH, HOME], secret: [KEY]}\nestimates: {S: 1h}\n\
         levels: {1: {gate: [a, c], required: false, timeout: 1m}, 3: {gate: b}}\ndurability: power\n\
         on_change: rerun\nwatch: {rescan: 1s, mode: poll}\nhooks: {done: [a, [b, c]]}\n\
         git: {landing: merge, commit_state: false, protect: [main], \
         remote: fork, push_url: u, host: gitlab}\nlog: {max_size: 1MiB}\n",
        &expect![[r#"
            role new Renamed { was: "old" } .orch/roles/new.md
              path: .orch/roles/old.md -> .orch/roles/new.md
            role x Changed .orch/roles/x.md
              max_workers: 2 -> nothing
              worker.timeout: nothing -> 1h
              retry.max_attempts: nothing -> 1
              completion.review: false -> true
              loop.until: nothing -> verify
              body
            settings
              max_workers: 4 -> 8
              worker.command: nothing -> w
              retry.backoff: nothing -> 1s
              budget.tokens: nothing -> 5
              run.budget.time: nothing -> 8h
              milestones + beta (tokens: 9)
              milestones.trigger + beta: all
              milestones.run + beta: say
              hooks.done + a + ["b", "c"]
              breaker.crashes: 5 -> 3
              env.pass + PATH
              env.secret + KEY
              log.max_size: 67108864 -> 1048576
              estimates.S: 30m -> 1h
              levels + 3 - 2
              durability: process -> power
              git.landing: squash -> merge
              git.commit_state: true -> false
              git.protect - master
              git.remote: origin -> fork
              git.push_url: nothing -> u
              git.host: auto -> gitlab
              on_change: keep -> rerun
              watch.rescan: 30s -> 1s
              watch.mode: auto -> poll
              levels.1.gate + c
              levels.1.required: true -> false
              levels.1.timeout: 30m -> 1m
        "#]],
    );
}

#[test]
fn what_would_be_executed_is_picked_out() {
    let before = "== roles/x.md\n---\nworker: {command: old}\nmax_workers: 2\n---\n\
        == roles/gone.md\n---\ncompletion: {verify: [check]}\n---\n\
        == config.yaml\nlevels: {1: {gate: one}, 2: {gate: two}}\n\
        == tasks/a.md\n---\nrole: x\npriority: high\n---\n== tasks/b.md\n---\nworker: {command: b}\n---\n\
        == tasks/c.md\n---\n---\n## Verification\n```sh\nmake c\n```\n";
    let after = "== roles/x.md\n---\nworker: {command: new, env: {A: b}}\nmax_workers: 3\n---\n\
        == config.yaml\nlevels: {2: {gate: [two, more]}, 3: {gate: three}}\nworker: {isolation: none, sandbox: {write: [~/.cache]}}\n\
        == tasks/a.md\n---\nrole: y\npriority: low\n---\n== tasks/d.md\n---\nrole: x\nworker: {agent: codex}\n---\n\
        == tasks/c.md\n---\n---\n## Verification\n```sh\nmake all\n```\n";
    let [before, after] = [before, after].map(|text| plan(text, Reading::Whole));
    let told = executed(&diff(&before, &after), &before, &after);
    let mut text = String::new();
    for item in &told {
        let path = item.path.as_deref().unwrap_or("-");
        writeln!(text, "{:?} {} {} {path}", item.subject, item.id, item.fate.as_str()).unwrap();
        item.fields.iter().for_each(|field| push_field(&mut text, field));
    }
    expect![[r#"
        Settings  changed -
          worker.isolation: nothing -> none
          worker.sandbox.write + ~/.cache
          levels.2.gate + more
          levels.1.gate - one
          levels.3.gate + three
        Role gone removed .orch/roles/gone.md
          completion.verify - check
        Role x changed .orch/roles/x.md
          worker.command: old -> new
          worker.env + A
        Task a changed .orch/tasks/a.md
          role: x -> y
        Task b removed .orch/tasks/b.md
          worker.command: b -> nothing
        Task c changed .orch/tasks/c.md
          completion.verify + make all - make c
        Task d added .orch/tasks/d.md
          worker.agent: nothing -> codex
    "#]]
    .assert_eq(&text);
    assert_eq!(executed(&diff(&after, &after), &after, &after), []);
}

#[test]
fn ten_thousand_changes_are_matched_without_comparing_each_with_each() {
    // Otherwise this takes minutes.
    let of = |prefix: &str, text: &str| {
        let specs = (0..10_000).map(|n| {
            let path = format!(".orch/tasks/{prefix}{n}.md");
            let text = text.replace('N', &n.to_string());
            Arc::new(task_file::parse(&path, text.as_bytes(), Reading::Whole).spec.unwrap())
        });
        build(specs.collect(), [], Config::default())
    };
    let text = "---\nrole: x\npriority: N\n---\nThe same words in every task.\n";
    let (old, new) = (of("A-", text), of("B-", text));
    let other = of("C-", "---\nrole: x\n---\nThe same words in every task.\n");
    let renamed = diff(&old, &new);
    let replaced = diff(&new, &other);
    let n_renamed = renamed.tasks.iter().filter(|task| matches!(task.fate, Fate::Renamed { .. }));
    assert_eq!((n_renamed.count(), replaced.tasks.len()), (10_000, 20_000));
}
