//! Foreign text in every place that it can come from, through every command that shows it.
//!
//! What is shown may hold no control character but line feed and tab, no character that changes
//! the reading order or cannot be seen, and no line that foreign text made up.

use std::{fmt::Write as _, fs, process::Stdio};

use super::{
    Output, Sandbox,
    run::{read, signal, wait_for},
};

/// What a forged line would begin with.
const FORGED: &str = "FORGED";

/// Sequences that begin with an escape, without it.
const ESCAPES: &[&str] = &[
    "[31m",
    "[0m",
    "[1;5;7m",
    "[38;5;196m",
    "[2J",
    "[3J",
    "[H",
    "[10;10H",
    "[1A",
    "[99D",
    "[K",
    "[1K",
    "[2K",
    "[6n",
    "[c",
    "[>c",
    "[5i",
    "[4i",
    "[?25l",
    "[?1049h",
    "[?1000h",
    "[?2004h",
    "[20t",
    "[21t",
    "[8;1;1t",
    "[!p",
    "[r",
    "[s",
    "[u",
    "[4h",
    "[1L",
    "[1M",
    "[1P",
    "[1@",
    "[S",
    "]0;title\x07",
    "]2;title\x1b\\",
    "]4;1;rgb:ff/00/00\x07",
    "]8;;http://evil\x1b\\x\x1b]8;;\x1b\\",
    "]9;note\x07",
    "]10;#000000\x07",
    "]52;c;cm0gLXJm\x07",
    "]104\x07",
    "]1337;File=:AA==\x07",
    "]777;notify;a;b\x07",
    "P1$r0m\x1b\\",
    "P+q544e\x1b\\",
    "_app\x1b\\",
    "^pm\x1b\\",
    "Xsos\x1b\\",
    "c",
    "7",
    "8",
    "D",
    "M",
    "#8",
    "(0",
    ")B",
    "=",
    ">",
    "%G",
    "N",
    "O",
    "n",
    "o",
    "|",
    "}",
    "~",
];

/// Further sequences: other controls, forged lines, direction, what cannot be seen.
const OTHERS: &[&str] = &[
    "\u{9b}31m",
    "\u{9d}0;x\u{9c}",
    "\u{90}q\u{9c}",
    "\u{85}FORGED",
    "\u{80}",
    "\u{9f}x\u{9c}",
    "\x07",
    "\x08\x08\x08",
    "\x0b",
    "\x0c",
    "\x0e",
    "\x0f",
    "\x7f",
    "\x01",
    "\x1a",
    "\x1c\x1d\x1e\x1f",
    "\rFORGED",
    "\nFORGED",
    "\r\nFORGED",
    "\n\nFORGED",
    "\u{2028}FORGED",
    "\u{2029}FORGED",
    "\u{202a}a\u{202c}",
    "\u{202b}a\u{202c}",
    "\u{202d}a",
    "\u{202e}gpj.exe",
    "\u{2066}a\u{2069}",
    "\u{2067}a",
    "\u{2068}a",
    "\u{200e}",
    "\u{200f}",
    "\u{61c}",
    "\u{feff}",
    "\u{200b}",
    "\u{2060}",
    "\u{2063}",
    "\u{ad}",
    "\u{180e}",
    "\u{e0041}\u{e007f}",
    "\u{e0100}",
    "\u{fff9}a\u{fffb}",
    "\u{3164}",
];

/// Sequences that do something to terminals, readers or those who look for lines.
pub(crate) fn corpus() -> Vec<String> {
    let escapes = ESCAPES.iter().map(|tail| format!("\x1b{tail}"));
    let all: Vec<String> = escapes.chain(OTHERS.iter().map(|text| (*text).to_owned())).collect();
    assert!(all.len() >= 100, "{}", all.len());
    all
}

/// Says whether a terminal would do anything but show `c`. Not the list that the program has.
fn is_harmful(c: char) -> bool {
    let code = u32::from(c);
    let ranges = [
        (0x00, 0x08),
        (0x0b, 0x1f),
        (0x7f, 0x9f),
        (0xad, 0xad),
        (0x61c, 0x61c),
        (0x180e, 0x180e),
        (0x200b, 0x200b),
        (0x200e, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x2069),
        (0x3164, 0x3164),
        (0xfeff, 0xfeff),
        (0xfff9, 0xfffb),
        (0xe0000, 0xe0fff),
    ];
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&code))
}

/// Fails where a terminal would do anything with `text` but show it, or a line in it was made up.
pub(crate) fn assert_harmless(what: &str, text: &str) {
    for line in text.lines() {
        let harmful = line.chars().find(|c| is_harmful(*c));
        assert_eq!(harmful, None, "{what}: {line:?}");
        let is_forged = line.trim_start_matches([' ', '|', '"', '│']).starts_with(FORGED);
        assert!(!is_forged, "{what}: {line:?}");
    }
}

pub(super) fn check(sandbox: &Sandbox, args: &[&str]) -> Output {
    let output = sandbox.orch(args);
    assert_harmless(&format!("{args:?}, output"), &output.stdout);
    assert_harmless(&format!("{args:?}, errors"), &output.stderr);
    assert_ne!(output.code, 101, "{args:?}");
    output
}

/// Returns `text` as YAML in quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match u32::from(c) {
            code if c.is_ascii_alphanumeric() || code == 0x20 => quoted.push(c),
            code => write!(quoted, "\\U{code:08x}").unwrap(),
        }
    }
    quoted + "\""
}

/// Makes a plan with one task for some sequences each, which stand in everything that is shown of
/// it, and one task of which nothing can be used.
pub(super) fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let corpus = corpus();
    // A key of YAML has at most 1024 characters.
    let (all, key) = (quoted(&corpus.concat()), quoted(&corpus[30..40].concat()));
    sandbox.write(
        ".orch/config.yaml",
        &format!(
            "max_workers: 1\nretry: {{max_attempts: 1}}\nhooks: {{done: [[sh, -c, 'exit 3', {all}]]}}\n\
             milestones: {{{key}: {{run: 'true'}}}}\n"
        ),
    );
    for (n, sequences) in corpus.chunks(25).enumerate() {
        let (text, key) = (quoted(&sequences.join(" ")), quoted(&sequences[..5].concat()));
        let raw: String = sequences.iter().filter(|s| !s.contains(FORGED)).cloned().collect();
        sandbox.write(
            &format!(".orch/tasks/t{n}.md"),
            &format!(
                "---\ntitle: {text}\nmilestone: {text}\nphase: {text}\nworkstream: {text}\n\
                 tags: [{text}]\nfiles: ['src/{n}/**']\nworker: {{command: [{text}, {text}], env: {{A: {text}}}}}\n\
                 completion: {{signal: {text}, verify: [[{text}]]}}\nodd: {text}\n{key}: odd\n---\n# {raw}\n\n- [ ] {raw}\n"
            ),
        );
        sandbox.write(
            &format!(".orch/runs/t{n}.1.yaml"),
            &format!(
                "task: t{n}\nattempt: 1\noutcome: {}\nreason: {text}\nstarted: 2026-11-20T10:15:00.000Z\n\
                 ended: 2026-11-20T10:16:00.000Z\nworker: {text}\nexecutor: {text}\nnonce: {text}\nlog: {text}\n\
                 verify: [{{command: {text}, exit_code: 1, duration: 1s}}]\n",
                ["failed", "review"][n % 2]
            ),
        );
        sandbox.write(
            &format!(".orch/status/t{n}.1.md"),
            &format!("---\nstate: working\nmessage: {text}\n---\n{raw}\n"),
        );
        sandbox.write(&format!(".orch/local/logs/t{n}/1.log"), &raw);
        let event = format!("kind: retry\ntask: x{n}\nafter: 1\nby: {text}\nnote: {text}\n");
        sandbox.write(&format!(".orch/events/retry/x{n}.1.yaml"), &event);
        sandbox.write(
            &format!(".orch/tasks/x{n}.md"),
            &format!("---\ntitle: {text}\ndepends_on: [t{n}]\nwaits_for: [ci]\nworker: {{command: [{text}]}}\n---\n"),
        );
    }
    sandbox
}

#[test]
fn nothing_that_is_read_reaches_a_terminal_as_it_is() {
    let sandbox = sandbox();
    let table: &[&[&str]] = &[
        &["check"],
        &["check", "--format", "json"],
        &["check", "--format", "github"],
        &["check", "--format", "sarif"],
        &["list"],
        &["list", "--json"],
        &["list", "--state", "failed"],
        &["status"],
        &["status", "--json"],
        &["plan"],
        &["plan", "--json"],
        &["graph"],
        &["graph", "--format", "dot"],
        &["graph", "--format", "mermaid"],
        &["graph", "--format", "json"],
        &["doctor"],
        &["doctor", "--json"],
        &["event", "--list"],
        &["event", "--list", "--json"],
    ];
    for args in table {
        let output = check(&sandbox, args);
        assert!(!output.stdout.is_empty(), "{args:?}: {}", output.stderr);
    }
    for n in 0..corpus().len().div_ceil(25) {
        for id in [format!("t{n}"), format!("x{n}")] {
            for command in ["show", "explain"] {
                assert_eq!(check(&sandbox, &[command, &id]).code, 0);
                assert_eq!(check(&sandbox, &[command, &id, "--json"]).code, 0);
            }
        }
        let id = format!("t{n}");
        let log = check(&sandbox, &["logs", &id]).stdout;
        check(&sandbox, &["logs", &id, "--json"]);
        let raw = fs::read(sandbox.path(&format!(".orch/local/logs/{id}/1.log"))).unwrap();
        let asked = sandbox.command(&["logs", &id, "--raw"]).output().unwrap().stdout;
        assert!(asked == raw && log.as_bytes() != raw, "{id}");
    }
}

#[test]
fn nothing_that_is_typed_comes_back_as_it_is() {
    let sandbox = sandbox();
    let all = corpus().concat();
    // How a usage error is laid out is not ours.
    let line: String = corpus().into_iter().filter(|sequence| !sequence.contains('\n')).collect();
    let typed: &[&[&str]] = &[
        &["show", &all],
        &["explain", &all],
        &["logs", &all],
        &["list", "--role", &all],
        &["list", "--state", &line],
        &["list", "--milestone", &all],
        &["event", &line],
        &["event", "ci", "--task", &all],
        &["approve", "x0", "--gate", &all],
        &["retry", &all],
        &["report", "--task", &all, "--heartbeat"],
        &["report", "--usage", &line],
        &["run", "--worker", "x", "-j", &line],
        &["graph", "--focus", &all],
        &["-C", &all, "list"],
        &[&line],
    ];
    for args in typed {
        assert_ne!(check(&sandbox, args).code, 0, "{args:?}");
    }
    check(&sandbox, &["new", &all]);
    check(&sandbox, &["event", "ci", "--note", &all]);
    check(&sandbox, &["approve", "t1", "--note", &all]);
    check(&sandbox, &["retry", "t0", "--note", &all]);
    check(&sandbox, &["cancel", "t2"]);
}

#[test]
fn broken_files_and_odd_names_are_told_in_plain_letters() {
    let sandbox = Sandbox::new();
    let names = corpus();
    for (n, sequence) in names.iter().enumerate() {
        let name = sequence.replace('/', "_");
        sandbox.write(
            &format!(".orch/tasks/{n}{name}.md"),
            &format!("---\npriority: x{sequence}\n---\n"),
        );
        sandbox.write(
            &format!(".orch/tasks/raw{n}.md"),
            &format!("---\ntitle: {sequence}\ndepends_on: [a{sequence}]\n---\n"),
        );
        sandbox.write(
            &format!(".orch/roles/r{n}{name}.md"),
            &format!("---\nmax_workers: {sequence}\n---\n"),
        );
        sandbox.write(
            &format!(".orch/events/e{n}{name}.yaml"),
            &format!("state: {}\n", quoted(sequence)),
        );
    }
    for format in ["text", "json", "github", "sarif"] {
        assert_eq!(check(&sandbox, &["check", "--format", format]).code, 1);
    }
    for args in [&["list"][..], &["status"], &["plan"], &["graph"], &["run"], &["event", "--list"]]
    {
        check(&sandbox, args);
    }
}

#[test]
fn a_run_tells_what_happens_in_plain_letters() {
    let sandbox = Sandbox::new();
    let (all, key) = (quoted(&corpus().concat()), quoted(&corpus()[30..40].concat()));
    sandbox.write(
        ".orch/config.yaml",
        &format!("retry: {{max_attempts: 1}}\nhooks: {{started: [[no-such-program, {all}]]}}\nmilestones: {{{key}: {{trigger: first-failure}}}}\n"),
    );
    sandbox.write("report", &format!("---\nstate: working\nmessage: {all}\n---\n"));
    for (id, keys) in [
        ("a", "worker: {command: 'cp report $ORCH_STATUS_FILE; exit 3'}".to_owned()),
        ("b", format!("worker: {{command: [{all}]}}")),
        (
            "c",
            format!(
                "worker: {{command: 'true'}}\ncompletion: {{verify: [[sh, -c, 'exit 1', {all}]]}}"
            ),
        ),
    ] {
        let text = format!("---\ntitle: {all}\nmilestone: {key}\n{keys}\n---\n");
        sandbox.write(&format!(".orch/tasks/{id}.md"), &text);
    }
    let text = check(&sandbox, &["run", "--plain"]).stdout;
    for expected in ["report ", "milestone ", "hook ", "verify `sh -c"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    check(&sandbox, &["retry", "a", "b", "c"]);
    check(&sandbox, &["run", "--json"]);
}

#[test]
fn a_watch_tells_what_changes_in_plain_letters() {
    let sandbox = sandbox();
    let out = fs::File::create(sandbox.path("out")).unwrap();
    let mut command = sandbox.command(&["watch", "--no-run", "--plain"]);
    let mut child = command.stdout(out).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the first line", || read(&sandbox, "out").contains("look: "));
    let all = quoted(&corpus().concat());
    sandbox.write(".orch/tasks/t0.md", &format!("---\ntitle: new {all}\nphase: {all}\n---\n"));
    sandbox.write(".orch/tasks/t1.md", &format!("---\npriority: {all}\n---\n"));
    wait_for("the change and the fault", || {
        let text = read(&sandbox, "out");
        text.contains("change    t0") && text.contains("error     .orch/tasks/t1.md")
    });
    signal(&child, rustix::process::Signal::INT);
    child.wait().unwrap();
    assert_harmless("watch", &read(&sandbox, "out"));
}
