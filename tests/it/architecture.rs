//! Who may use whom, and where each outside crate lives.
//!
//! The two tables are the architecture: a new arrow between folders or a new crate changes a line
//! here, with its reason in the commit.

use crate::source::{self, Source};

/// Which room may use which rooms or floors below it. Each room may use itself.
///
/// `floor/*` speaks for all rooms of a floor that have no line of their own; a bare floor speaks
/// for its `mod.rs`, which lists the rooms.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("domain/model", &[]),
    ("domain/format", &["domain/model"]),
    ("domain/agent", &["domain/model"]),
    ("domain/host", &["domain/model"]),
    ("domain/sandbox", &["domain/model"]),
    ("domain/plan", &["domain/model"]),
    ("domain/scheduler", &["domain/model", "domain/plan"]),
    ("domain/calibrate", &["domain/model", "domain/plan"]),
    ("domain/settle", &["domain/model"]),
    ("domain/standstill", &["domain/model"]),
    ("domain/trust", &["domain/format", "domain/model", "domain/plan"]),
    ("domain/occasion", &["domain/model", "domain/plan", "domain/scheduler"]),
    ("domain/forecast", &["domain/model", "domain/plan", "domain/scheduler"]),
    ("io", &["io"]),
    ("io/*", &["domain"]),
    // It is about processes: how they are started and ended is told there.
    ("io/process", &["domain", "io/beneath", "io/shortage"]),
    ("io/store", &["domain", "io/beneath", "io/shortage"]),
    // What git gets of the environment is told there.
    ("io/git", &["domain", "io/environment", "io/shortage"]),
    (
        "io/supervisor",
        &["domain", "io/beneath", "io/clock", "io/event_loop", "io/process", "io/shortage"],
    ),
    ("app", &["domain", "io"]),
    ("ui", &["ui"]),
    ("ui/*", &["domain", "app", "ui/output"]),
    ("ui/output", &["domain", "app"]),
    ("ui/cli", &["domain", "app", "ui/output", "ui/live"]),
    ("lib", &["domain", "app", "ui"]),
    ("main", &["ui"]),
];

/// The floors, top to bottom.
const FLOORS: [&str; 4] = ["ui", "app", "io", "domain"];

/// For crates that may be named in every file.
const ANYWHERE: &[&str] = &[""];

/// For crates that are named in tests only.
const TESTS: &[&str] = &[];

/// Where below `src/` each outside crate may be named.
const HOMES: &[(&str, &[&str])] = &[
    ("anstream", &["main", "ui/cli", "ui/output"]),
    ("anstyle", &["main", "ui/cli", "ui/output"]),
    ("clap", &["ui/cli"]),
    ("clap_complete", &["ui/cli"]),
    ("expect_test", TESTS),
    ("fastrand", TESTS),
    ("git2", &["io/git"]),
    ("gray_matter", &["domain/format"]),
    ("jiff", &["domain/model", "io/clock", "ui/output"]),
    ("notify", &["io/watch"]),
    ("petgraph", &["domain/plan"]),
    ("pulldown_cmark", &["domain/format"]),
    ("ratatui", &["ui/live"]),
    ("rustix", &["io"]),
    ("schemars", &["domain/format"]),
    ("serde", &["app/view", "domain/format", "io/store", "io/supervisor", "ui/output"]),
    (
        "serde_json",
        &[
            "app",
            "domain/agent",
            "domain/format",
            "domain/host",
            "io/store",
            "io/supervisor",
            "io/trust",
            "ui/output",
        ],
    ),
    ("sha2", &["domain/trust"]),
    ("serde_yaml", &["domain/format"]),
    ("strsim", &["domain/model"]),
    ("tempfile", &["app/use_case"]),
    ("thiserror", &["app", "domain/format", "io"]),
    ("tokio", &["app", "io", "main", "ui/cli"]),
    ("tracing", ANYWHERE),
    ("tracing_subscriber", &["main", "ui/cli"]),
    ("unicode_width", &["ui"]),
    ("walkdir", &["io/store"]),
];

#[test]
fn every_folder_uses_only_what_lies_below_it() {
    let sources = source::read_rust("src");
    assert!(!sources.is_empty(), "no source was found");
    let tests = test_only_modules(&sources);
    let is_shipped = |s: &&Source| !tests.iter().any(|t| s.module("src").starts_with(t));
    let faults: Vec<String> = sources.iter().filter(is_shipped).flat_map(faults_in).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dependency_has_a_home() {
    let faults = dependency_faults(&source::read("Cargo.toml").unwrap());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns the paths of modules that `#[cfg(test)] mod name;` keeps out of the program.
fn test_only_modules(sources: &[Source]) -> Vec<Vec<String>> {
    let of = |source: &Source| {
        let parent = source.module("src");
        let declared = source::declared_modules(&source::code_of(&source.text));
        let names = declared.into_iter().filter(|(_, is_test)| *is_test).map(|(name, _)| name);
        names.map(|name| [parent.clone(), vec![name]].concat()).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

/// Returns one line for each use in `source` that the tables do not allow.
fn faults_in(source: &Source) -> Vec<String> {
    let path = &source.path;
    let code = source::without_tests(&source::code_of(&source.text));
    let tokens = tokens_of(&code);
    let Some(room) = room_of_file(source) else {
        return vec![format!("{path}:1: belongs to no floor")];
    };
    let Some(allowed) = allowed_to(&room) else {
        return vec![format!("{path}:1: {room} has no line in MAY_USE")];
    };
    let mut faults = Vec::new();
    for name in names_in(&tokens, path == "src/main.rs") {
        let fault = match &name.path[..] {
            [first, ..] if !is_own(first) => homeless(path, first),
            own => forbidden(&room, allowed, &resolved(own, source.module("src"))),
        };
        faults.extend(fault.map(|fault| format!("{path}:{}: {fault}", name.line)));
    }
    faults.dedup();
    faults
}

/// Says why the file at `path` may not name the crate `name`; `None` where it may.
fn homeless(path: &str, name: &str) -> Option<String> {
    let (_, homes) = HOMES.iter().find(|(known, _)| *known == name)?;
    let key = path.strip_prefix("src/").unwrap_or(path);
    let key = key.strip_suffix(".rs").unwrap_or(key);
    let is_home =
        |home: &&str| home.is_empty() || key == *home || key.starts_with(&format!("{home}/"));
    (!homes.iter().any(is_home)).then(|| format!("{name} lives in {homes:?}"))
}

/// Says why `room` may not use the module `target`; `None` where it may.
fn forbidden(room: &str, allowed: &[&str], target: &[String]) -> Option<String> {
    let target = room_of(target).unwrap_or_else(|| "lib".to_owned());
    let is_below = |below: &&str| target == **below || target.starts_with(&format!("{below}/"));
    if target == room || allowed.iter().any(is_below) {
        return None;
    }
    let (floor, other) = (floor_of(room), floor_of(&target));
    let shown = if floor == other { &target } else { other };
    Some(format!("{room} may not use {shown}"))
}

fn floor_of(room: &str) -> &str {
    room.split('/').next().unwrap_or(room)
}

fn allowed_to(room: &str) -> Option<&'static [&'static str]> {
    let line = |key: &str| MAY_USE.iter().find(|(known, _)| *known == key).map(|(_, may)| *may);
    line(room).or_else(|| line(&format!("{}/*", floor_of(room))))
}

fn room_of_file(source: &Source) -> Option<String> {
    match source.path.as_str() {
        "src/main.rs" => Some("main".to_owned()),
        "src/lib.rs" => Some("lib".to_owned()),
        _ => room_of(&source.module("src")),
    }
}

/// Returns the room that a module lies in; `app` is one room, the other floors have several.
fn room_of(module: &[String]) -> Option<String> {
    let floor = module.first().filter(|first| FLOORS.contains(&first.as_str()))?;
    let is_module = |name: &&String| name.starts_with(|c: char| c.is_ascii_lowercase());
    match module.get(1).filter(is_module) {
        Some(room) if floor != "app" => Some(format!("{floor}/{room}")),
        _ => Some(floor.clone()),
    }
}

fn is_own(first: &str) -> bool {
    matches!(first, "crate" | "orch" | "self" | "super")
}

/// Returns `path` from the root of the crate, as seen from `module`.
fn resolved(path: &[String], module: Vec<String>) -> Vec<String> {
    let mut from = module;
    for (place, segment) in path.iter().enumerate() {
        match segment.as_str() {
            "crate" | "orch" if place == 0 => from.clear(),
            "self" | "*" => {}
            "super" => drop(from.pop()),
            _ => from.push(segment.clone()),
        }
    }
    from
}

/// A path that a file names, and where.
struct Name {
    line: usize,
    path: Vec<String>,
}

struct Token<'a> {
    line: usize,
    text: &'a str,
}

fn tokens_of(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (at, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let (token, tail) = rest.split_at(length);
            tokens.push(Token { line: at + 1, text: token });
            rest = tail.trim_start();
        }
    }
    tokens
}

/// Returns every path that starts in this crate or in an outside crate of the table.
fn names_in(tokens: &[Token<'_>], is_main: bool) -> Vec<Name> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut names = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = text(at);
        let is_first = at == 0 || !matches!(text(at - 1), "::" | ".");
        let is_path = text(at + 1) == "::";
        let is_own_path = is_path && is_own(word) && (is_main || word != "orch");
        let is_import = at > 0 && matches!(text(at - 1), "use" | "crate");
        let is_crate = HOMES.iter().any(|(name, _)| *name == word) && (is_path || is_import);
        at = match is_first && (is_own_path || is_crate) {
            true => read_tree(tokens, at, &[], &mut names),
            false => at + 1,
        };
    }
    names
}

/// Reads the path or use tree at `at`, below `prefix`, and returns where it ends.
fn read_tree(tokens: &[Token<'_>], at: usize, prefix: &[String], names: &mut Vec<Name>) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut path = prefix.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    let mut at = at;
    loop {
        if text(at) == "{" && path.len() > prefix.len() {
            at += 1;
            while !matches!(text(at), "}" | "") {
                at = if text(at) == "," { at + 1 } else { read_tree(tokens, at, &path, names) };
            }
            return at + 1;
        }
        path.push(text(at).to_owned());
        at += 1;
        let goes_on = |c: char| c.is_alphabetic() || matches!(c, '_' | '{' | '*');
        if text(at) != "::" || !text(at + 1).starts_with(goes_on) {
            names.push(Name { line, path });
            return if text(at) == "as" { at + 2 } else { at };
        }
        at += 1;
    }
}

/// Returns one line for each dependency without a home, and for each home without a dependency.
fn dependency_faults(manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut section = "";
    let mut found = Vec::new();
    for (at, line) in manifest.lines().enumerate() {
        let name = match line.trim().strip_prefix('[') {
            Some(header) => {
                section = header.trim_end_matches(']');
                section.split_once("dependencies.").map(|(_, name)| name)
            }
            None if section.ends_with("dependencies") => line.split_once('=').map(|(n, _)| n),
            None => None,
        };
        let Some(name) = name.map(|name| name.trim().replace('-', "_")) else { continue };
        if name.starts_with('#') {
            continue;
        }
        if !HOMES.iter().any(|(known, _)| *known == name) {
            faults.push(format!("Cargo.toml:{}: {name} has no line in HOMES", at + 1));
        }
        found.push(name);
    }
    let is_gone = |name: &&str| !found.iter().any(|f| f == *name);
    let gone = HOMES.iter().map(|(name, _)| *name).filter(is_gone);
    faults.extend(gone.map(|name| format!("Cargo.toml:1: {name} in HOMES is no dependency")));
    faults
}

/// Checks the faults of a planted file.
fn check(path: &str, text: &str, expected: &[&str]) {
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    assert_eq!(faults_in(&source), expected, "{text}");
}

#[test]
fn planted_faults_are_found_where_they_stand() {
    check(
        "src/domain/plan/mod.rs",
        "//! Plan.\nuse crate::io::store;\nuse crate::domain::scheduler::Phase;\n\nuse notify::Watcher;\n",
        &[
            "src/domain/plan/mod.rs:2: domain/plan may not use io",
            "src/domain/plan/mod.rs:3: domain/plan may not use domain/scheduler",
            "src/domain/plan/mod.rs:5: notify lives in [\"io/watch\"]",
        ],
    );
    check(
        "src/domain/scheduler/ready.rs",
        "use crate::{\n    domain::{forecast, model::{id::TaskId, task}, plan::Plan},\n    app::view,\n};\n",
        &[
            "src/domain/scheduler/ready.rs:2: domain/scheduler may not use domain/forecast",
            "src/domain/scheduler/ready.rs:3: domain/scheduler may not use app",
        ],
    );
    check(
        "src/io/git/worktree.rs",
        "use super::super::process;\nuse super::revision;\nfn f() { super::super::store::read() }\n",
        &[
            "src/io/git/worktree.rs:1: io/git may not use io/process",
            "src/io/git/worktree.rs:3: io/git may not use io/store",
        ],
    );
    check(
        "src/ui/live/draw.rs",
        "use crate::ui::{cli, output};\nlet x = crate::io::clock::now();\n",
        &[
            "src/ui/live/draw.rs:1: ui/live may not use ui/cli",
            "src/ui/live/draw.rs:2: ui/live may not use io",
        ],
    );
    check(
        "src/domain/model/id.rs",
        "use crate::Front;\n#[derive(serde::Serialize)]\nstruct A;\nuse git2 as g;\n",
        &[
            "src/domain/model/id.rs:1: domain/model may not use lib",
            "src/domain/model/id.rs:2: serde lives in [\"app/view\", \"domain/format\", \"io/store\", \"io/supervisor\", \"ui/output\"]",
            "src/domain/model/id.rs:4: git2 lives in [\"io/git\"]",
        ],
    );
    check("src/main.rs", "orch::app::f();\n", &["src/main.rs:1: main may not use app"]);
    check("src/util.rs", "", &["src/util.rs:1: belongs to no floor"]);
    check("src/domain/x.rs", "", &["src/domain/x.rs:1: domain/x has no line in MAY_USE"]);
}

#[test]
fn what_is_allowed_is_left_alone() {
    check(
        "src/domain/plan/build.rs",
        "// crate::io\nconst A: &str = \"crate::io\"; /* notify::x */\nuse super::graph;\nuse petgraph::graph;\n\
         use crate::domain::{self, model::*};\n#[cfg(test)]\nmod tests {\n use crate::io::store;\n}\n",
        &["src/domain/plan/build.rs:5: domain/plan may not use domain"],
    );
    check("src/io/git/mod.rs", "pub(crate) fn f(x: crate::domain::model::A) {}\n", &[]);
    check("src/app/use_case/demo.rs", "use tempfile::tempdir;\nuse crate::io::git;\n", &[]);
    check("src/app/view.rs", "use serde::Serialize;\n", &[]);
    check("src/ui/cli/mod.rs", "use crate::ui::{live, output};\nuse clap::Parser;\n", &[]);
    check("src/main.rs", "fn main() -> ExitCode { orch::ui::cli::main() }\n", &[]);
}

#[test]
fn planted_dependencies_are_found() {
    let known: String = HOMES.iter().map(|(name, _)| format!("{name} = \"1\"\n")).collect();
    let manifest = format!("[dependencies]\n{known}left-pad = \"1\"\n[profile.dev]\ndebug = 1\n");
    let line = HOMES.len() + 2;
    let expected = format!("Cargo.toml:{line}: left_pad has no line in HOMES");
    assert_eq!(dependency_faults(&manifest), [expected]);
    let faults = dependency_faults(&manifest.replace("git2 =", "# git2 ="));
    assert!(faults.contains(&"Cargo.toml:1: git2 in HOMES is no dependency".to_owned()));
}
