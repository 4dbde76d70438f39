//! Tests: no bytes, however odd, make a parser panic, hang or slow.

use super::{
    config_file, edit, event_file, role_file, run_record, status_file,
    task_file::{self, Reading},
};

const GOOD: &str = include_str!("../../../fixtures/format/task.md");

/// Gives `bytes` to every parser; returns the codes that the task parser tells.
fn parse_all(bytes: &[u8]) -> Vec<&'static str> {
    let file = task_file::parse(".orch/tasks/a.md", bytes, Reading::Whole);
    task_file::parse(".orch/tasks/a.md", bytes, Reading::Head);
    role_file::parse(".orch/roles/a.md", bytes);
    config_file::parse(".orch/config.yaml", bytes);
    status_file::parse(".orch/status/a.1.md", bytes);
    event_file::parse(".orch/events/a.yaml", bytes);
    run_record::parse(".orch/runs/a.1.yaml", bytes);
    edit::set_key(&String::from_utf8_lossy(bytes), "status", "done").ok();
    run_record::parse_gate(".orch/runs/@level-1.1.yaml", bytes);
    file.diagnostics.iter().map(|d| d.code).collect()
}

/// Files that are hard on a parser, with a name each.
fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let wrap = |yaml: &str| format!("---\n{yaml}\n---\n").into_bytes();
    let bomb: String = (1..9)
        .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 8].join(", ")))
        .collect();
    let unknown: String = (0..3_000).map(|n| format!("dependz{n}: 1\n")).collect();
    let deep: String = (0..300).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    vec![
        ("brackets", wrap(&"[".repeat(60_000))),
        ("brackets in quotes", wrap(&"[ \"]\", ".repeat(9_000))),
        ("braces", wrap(&"{a: ".repeat(16_000))),
        (
            "body brackets",
            [b"---\nid: a\n---\n".to_vec(), "[".repeat(60_000).into_bytes()].concat(),
        ),
        ("body quotes", [b"---\nid: a\n---\n".to_vec(), ">".repeat(60_000).into_bytes()].concat()),
        ("alias bomb", wrap(&format!("a0: &a0 x\n{bomb}"))),
        ("items", wrap(&format!("tags: [{}]", "a, ".repeat(20_000)))),
        ("odd items", wrap(&format!("tags: [{}]", "'\\', ".repeat(12_000)))),
        ("keys", wrap(&unknown)),
        ("nested items", wrap(&"- ".repeat(30_000))),
        ("nested keys", wrap(&"? ".repeat(30_000))),
        ("deep", wrap(&deep)),
        ("tags", wrap(&"! ".repeat(30_000))),
        ("anchors", wrap(&"&a ".repeat(20_000))),
        ("colons", wrap(&"a: ".repeat(20_000))),
        ("quotes", wrap(&"\"".repeat(60_000))),
        ("long line", wrap(&format!("title: {}", "x".repeat(100_000)))),
        ("long value", wrap(&format!("priority: {}", "x".repeat(60_000)))),
        ("long id", wrap(&format!("id: {}", "x".repeat(300)))),
        ("NULs", vec![0; 100_000]),
        ("no text", vec![0xff; 100_000]),
        ("empty lines", "\n".repeat(100_000).into_bytes()),
        ("carriage returns", wrap(&"\r".repeat(60_000))),
        ("dashes", "---\n".repeat(20_000).into_bytes()),
        ("block scalar", wrap(&format!("a: |\n{}", "  [[ x ]]\n".repeat(5_000)))),
        ("folded misses", wrap(&format!("a: &b {{}}\n{}", "k: \"x\\x41\"\n".repeat(5_000)))),
    ]
}

#[test]
fn hostile_files_are_refused() {
    let table = hostile_files();
    let told: String = table
        .iter()
        .map(|(name, bytes)| {
            let mut codes = parse_all(bytes);
            let n_codes = codes.len();
            codes.dedup();
            format!("{name}: {n_codes} {}\n", codes.join(" "))
        })
        .collect();
    expect_test::expect![[r#"
        brackets: 1 yaml-too-deep
        brackets in quotes: 1 yaml-too-deep
        braces: 1 yaml-too-deep
        body brackets: 0 
        body quotes: 0 
        alias bomb: 1 yaml-syntax
        items: 0 
        odd items: 0 
        keys: 100 unknown-key
        nested items: 1 yaml-too-deep
        nested keys: 1 yaml-too-deep
        deep: 1 yaml-syntax
        tags: 1 yaml-syntax
        anchors: 1 yaml-syntax
        colons: 1 yaml-syntax
        quotes: 1 yaml-syntax
        long line: 1 front-matter-too-large
        long value: 1 bad-priority
        long id: 1 bad-id
        NULs: 1 nul-byte
        no text: 1 not-utf8
        empty lines: 1 no-front-matter
        carriage returns: 0 
        dashes: 0 
        block scalar: 1 yaml-too-deep
        folded misses: 1 duplicate-key
    "#]]
    .assert_eq(&told);
}

#[test]
fn mutations_never_panic() {
    let mut rng = fastrand::Rng::with_seed(42);
    let pieces: [&[u8]; 16] = [
        b"---\n",
        b"[",
        b"{",
        b": ",
        b"- ",
        b"\"",
        b"'",
        b"\t",
        b"\r\n",
        b"#",
        b"&a ",
        b"*a",
        b"|\n",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\0",
    ];
    for _ in 0..2_000 {
        let mut bytes = GOOD.as_bytes().to_vec();
        for _ in 0..rng.usize(1..6) {
            if bytes.is_empty() {
                break;
            }
            let at = rng.usize(..bytes.len());
            match rng.u8(..5) {
                0 => bytes[at] = rng.u8(..),
                1 => drop(bytes.remove(at)),
                2 => drop(bytes.splice(at..at, pieces[rng.usize(..pieces.len())].iter().copied())),
                3 => bytes.truncate(at.max(1)),
                _ => {
                    let end = rng.usize(at..bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = rng.usize(..bytes.len());
                    drop(bytes.splice(to..to, piece));
                }
            }
        }
        parse_all(&bytes);
    }
}
