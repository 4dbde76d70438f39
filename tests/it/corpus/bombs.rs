//! Files that would take much time or memory of a careless reader, made when they are needed.

use std::{ffi::OsString, fmt::Write as _};

use super::commands::Plan;

/// Makes each of them, in a plan of its own beside a task that nothing is wrong with.
pub(super) fn plans() -> Vec<Plan> {
    let heads = heads().into_iter().map(|(name, head)| {
        (name, ".orch/tasks/a.md", format!("---\n{head}\n---\n# Body\n").into_bytes())
    });
    let bodies = bodies().into_iter().map(|(name, body)| {
        (name, ".orch/tasks/a.md", format!("---\ntitle: a\n---\n{body}").into_bytes())
    });
    let plan = |(name, path, bytes): (&str, &str, Vec<u8>)| Plan {
        name: format!("bomb-{name}"),
        files: vec![
            (OsString::from(".orch/tasks/good.md"), b"---\ntitle: Good\n---\n".to_vec()),
            (OsString::from(path), bytes),
        ],
    };
    heads.chain(bodies).chain(others()).map(plan).collect()
}

/// Front matter of 60 KiB and more.
fn heads() -> Vec<(&'static str, String)> {
    let aliases: String = (1..9)
        .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 8].join(", ")))
        .collect();
    let deep: String = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let keys: String = (0..5_000).map(|n| format!("dependz{n}: 1\n")).collect();
    let needs: String = (0..8_000).fold(String::new(), |mut text, n| {
        write!(text, "t{n}, ").unwrap();
        text
    });
    vec![
        ("brackets", "[".repeat(60_000)),
        ("braces", "{a: ".repeat(15_000)),
        ("closed-brackets", format!("x: {}{}", "[".repeat(30_000), "]".repeat(30_000))),
        ("brackets-in-quotes", "[ \"]\", ".repeat(8_000)),
        ("dashes", "- ".repeat(30_000)),
        ("questions", "? ".repeat(30_000)),
        ("colons", "a: ".repeat(20_000)),
        ("quotes", "\"".repeat(60_000)),
        ("tags", "! ".repeat(30_000)),
        ("anchors", "&a ".repeat(20_000)),
        ("carriage-returns", "\r".repeat(60_000)),
        ("aliases", format!("a0: &a0 [x, x, x, x, x, x, x, x]\n{aliases}")),
        (
            "aliases-of-a-long-text",
            format!("a: &a {}\nb: [{}]", "x".repeat(50_000), "*a, ".repeat(3_000)),
        ),
        ("deep-keys", deep),
        ("unknown-keys", keys),
        ("long-key", format!("{}: 1", "k".repeat(60_000))),
        ("long-title", format!("title: {}", "x".repeat(60_000))),
        ("long-value", format!("priority: {}", "9".repeat(60_000))),
        ("long-id", format!("id: {}", "x".repeat(60_000))),
        ("long-line-of-items", format!("tags: [{}]", "a, ".repeat(20_000))),
        ("unknown-needs", format!("depends_on: [{needs}]")),
        ("same-need", format!("depends_on: [{}]", "good, ".repeat(9_000))),
        ("escapes", format!("title: \"{}\"", "\\u001b".repeat(10_000))),
        ("block-text", format!("a: |\n{}", "  [[ x ]]\n".repeat(6_000))),
        ("glob-groups", format!("files: ['{}']", "{a,b}".repeat(80))),
        ("glob-nested-groups", format!("files: ['{}x{}']", "{a,".repeat(120), "}".repeat(120))),
        ("glob-stars", format!("files: ['{}', '{}a']", "**/".repeat(160), "*a".repeat(240))),
        ("globs", format!("files: [{}]", "'**/*a*b*c*/**', ".repeat(3_000))),
        (
            "environment",
            format!(
                "worker: {{env: {{{}}}}}",
                (0..4_000).map(|n| format!("A{n}: b, ")).collect::<String>()
            ),
        ),
        ("larger-than-front-matter-may-be", format!("a: {}", "x".repeat(1_000_000))),
    ]
}

/// Bodies of as many bytes as a file may have, less what stands before them.
fn bodies() -> Vec<(&'static str, String)> {
    let filled = |piece: &str| piece.repeat(4_000_000 / piece.len());
    vec![
        ("body-quotes", filled(">")),
        ("body-quotes-on-lines", filled("> > > > x\n")),
        ("body-brackets", filled("[")),
        ("body-links", filled("[a](b)")),
        ("body-references", filled("[a]: b\n")),
        ("body-stars", filled("*a _b ")),
        ("body-ticks", (1..2_000).map(|n| format!("{} ", "`".repeat(n))).collect()),
        ("body-lists", filled("- ")),
        ("body-deep-lists", (0..2_000).map(|n| format!("{}- x\n", " ".repeat(n))).collect()),
        ("body-boxes", format!("## Acceptance criteria\n{}", filled("- [ ] x\n"))),
        ("body-headings", filled("# x\n")),
        ("body-long-heading", format!("# {}", filled("x"))),
        ("body-script", format!("## Verification\n```sh\n{}", filled("true\n"))),
        ("body-entities", filled("&amp;")),
        ("body-html", filled("<a ")),
        ("body-comments", filled("<!-- ")),
        ("body-fences", filled("```\n")),
        ("body-controls", format!("# {}", filled("\u{1b}[2J"))),
        ("body-one-line", filled("x")),
        ("body-newlines", filled("\n")),
    ]
}

/// Files of other kinds, and one that is too large for any.
fn others() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let filled = |piece: &str| piece.repeat(4_000_000 / piece.len()).into_bytes();
    let status = "---\nstate: working\n---\n";
    let events: String = (0..20_000).map(|n| format!("k{n}: v\n")).collect();
    vec![
        ("too-large", ".orch/tasks/a.md", vec![b'x'; 5_000_000]),
        ("zeros", ".orch/tasks/a.md", vec![0; 4_000_000]),
        ("settings", ".orch/config.yaml", filled("# x\n")),
        ("settings-keys", ".orch/config.yaml", events.clone().into_bytes()),
        ("role", ".orch/roles/a.md", filled("x ")),
        ("status", ".orch/status/good.1.md", [status.as_bytes(), &filled("note\n")].concat()),
        ("status-message", ".orch/status/good.1.md", format!("---\nstate: working\nmessage: {}\n---\n", "x".repeat(60_000)).into_bytes()),
        ("record", ".orch/runs/good.1.yaml", filled("a: b\n")),
        ("record-verify", ".orch/runs/good.1.yaml", format!("task: good\nattempt: 1\nstarted: 2026-11-20T10:15:00Z\noutcome: failed\nreason: {}\nverify: [{}]\n", "x".repeat(10_000), "{command: x}, ".repeat(1_500)).into_bytes()),
        ("event", ".orch/events/a.yaml", events.into_bytes()),
        ("log", ".orch/local/logs/good/1.log", filled("\u{1b}[2Jx")),
        ("lock", ".orch/local/lock", filled("x")),
        ("claims", ".orch/local/claims.json", filled("[")),
        ("ledger", ".orch/local/supervisors/x.jsonl", filled("{")),
    ]
}
