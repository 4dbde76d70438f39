//! House rules that no lint knows: length and head of files, form of reminders, nothing unused.
//!
//! A check of something that is not there yet holds; it starts to bite once the thing exists.

use crate::{
    properties,
    source::{self, Source},
};

/// Longest file, its unit tests not counted.
const LINES_MAX: usize = 400;

/// The word for things left to do, written so that this file does not trip over itself.
const REMINDER: &str = concat!("TO", "DO");

/// Folders with Rust files.
const RUST: [&str; 5] = ["benches", "fuzz/src", "fuzz/targets", "src", "tests/it"];

#[test]
fn files_are_short_and_say_what_they_are() {
    let sources: Vec<Source> = RUST.iter().flat_map(|folder| source::read_rust(folder)).collect();
    assert_none(&sources.iter().flat_map(file_faults).collect::<Vec<_>>());
}

#[test]
fn reminders_name_a_task_of_the_plan() {
    let plan = source::folders(".orch").contains(&"tasks".to_owned());
    let is_task = |id: &str| !plan || source::read(&format!(".orch/tasks/{id}.md")).is_some();
    let sources: Vec<Source> = RUST.iter().flat_map(|folder| source::read_rust(folder)).collect();
    assert_none(&sources.iter().flat_map(|s| reminder_faults(s, &is_task)).collect::<Vec<_>>());
}

#[test]
fn every_property_has_a_fuzz_target() {
    let targets: Vec<String> =
        source::read_rust("fuzz/targets").iter().map(|s| s.text.clone()).collect();
    let is_tried = |name: &str| targets.iter().any(|text| text.contains(&format!("(\"{name}\"")));
    let untried = properties::ALL.iter().filter(|(name, _)| !is_tried(name));
    let fault = |name: &str| format!("tests/it/properties: no file of fuzz/targets tries `{name}`");
    assert_none(&untried.map(|(name, _)| fault(name)).collect::<Vec<_>>());
}

#[test]
fn every_file_belongs_to_its_crate() {
    for (root, mains) in [("src", &["lib", "main"][..]), ("tests/it", &["main"])] {
        assert_none(&orphans(root, mains, &source::read_rust(root)));
    }
}

#[test]
fn every_fixture_folder_is_named_by_a_test() {
    let sources = [source::read_rust("tests/it"), source::read_rust("src")].concat();
    let is_named = |name: &String| {
        let (path, word) = (format!("fixtures/{name}"), format!("\"{name}\""));
        sources.iter().any(|s| s.text.contains(&path) || s.text.contains(&word))
    };
    let unnamed: Vec<String> =
        source::folders("fixtures").into_iter().filter(|name| !is_named(name)).collect();
    let fault = |name: &String| format!("fixtures/{name}: no test names it");
    assert_none(&unnamed.iter().map(fault).collect::<Vec<_>>());
}

#[test]
fn every_plan_rule_has_a_fixture() {
    let rules = source::read_rust("src/domain/plan/rules");
    let codes: Vec<String> = rule_codes(&rules);
    assert_none(&rules_without_fixture(&codes, &source::folders("fixtures/check")));
}

#[test]
fn every_command_in_the_readme_exists() {
    let Some(readme) = source::read("README.md") else { return };
    let Some(commands) = source::read("src/ui/cli/command/mod.rs") else { return };
    assert_none(&unknown_commands(&readme, &verbs_of(&commands)));
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn file_faults(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    // `lib.rs` takes its first words from a file.
    let has_head =
        ["//!", "#![doc = include_str!("].iter().any(|head| source.text.starts_with(head));
    if source.path != "src/main.rs" && !has_head {
        faults.push(format!("{}:1: does not start with `//!`", source.path));
    }
    let is_test = source.path.starts_with("src/") && source.path.ends_with("/tests.rs");
    let n_lines = source.text.lines().count() - n_test_lines(&source.text);
    if n_lines > LINES_MAX && !is_test {
        faults.push(format!("{}: {n_lines} lines, more than {LINES_MAX}", source.path));
    }
    faults
}

/// Counts the lines of items under `#[cfg(test)]`: those that hold code only with them.
fn n_test_lines(text: &str) -> usize {
    let code = source::code_of(text);
    let without = source::without_tests(&code);
    let first = code.lines().zip(without.lines()).position(|(with, without)| with != without);
    let last = code.lines().zip(without.lines()).filter(|(with, without)| with != without).count();
    match first {
        // Blank lines and comments inside of the tests belong to them.
        Some(first) if without.lines().skip(first).all(|line| line.trim().is_empty()) => {
            text.lines().count() - first
        }
        _ => last,
    }
}

fn reminder_faults(source: &Source, is_task: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        let Some((before, after)) = line.split_once(REMINDER) else { continue };
        let goes_on = |c: char| c.is_alphanumeric() || c == '_';
        if before.ends_with(goes_on) || after.starts_with(goes_on) {
            continue;
        }
        let place = format!("{}:{}", source.path, at + 1);
        let id = after.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(id, _)| id);
        match id {
            None => faults.push(format!("{place}: {REMINDER} without the id of a task")),
            Some(id) if !is_task(id) => faults.push(format!("{place}: no task has the id {id}")),
            Some(_) => {}
        }
    }
    faults
}

/// Returns one line for each file that no `mod` line of its parent names.
fn orphans(root: &str, mains: &[&str], sources: &[Source]) -> Vec<String> {
    let declares = |parent: &Source, name: &str| {
        let declared = source::declared_modules(&source::code_of(&parent.text));
        declared.iter().any(|(known, _)| known == name)
    };
    let is_main = |s: &Source| mains.iter().any(|main| s.path == format!("{root}/{main}.rs"));
    let is_used = |s: &Source| {
        let module = s.module(root);
        let Some((name, parent)) = module.split_last() else { return true };
        sources.iter().any(|p| {
            (parent.is_empty() == is_main(p)) && p.module(root) == parent && declares(p, name)
        })
    };
    let unused = sources.iter().filter(|s| !is_main(s) && !is_used(s));
    unused.map(|s| format!("{}: no `mod` line names it", s.path)).collect()
}

/// Returns the codes of the rules in `rules/`: the names of its files in kebab case, but for the
/// list of rules itself and for what only tests use.
fn rule_codes(files: &[Source]) -> Vec<String> {
    let is_list = |file: &&Source| file.path.ends_with("/mod.rs");
    let list = files.iter().find(is_list).map(|file| source::code_of(&file.text));
    let modules = source::declared_modules(&list.unwrap_or_default());
    let is_rule = |name: &&str| !modules.iter().any(|(known, is_test)| *is_test && known == *name);
    let name = |file: &'_ Source| -> Option<String> {
        let name = file.path.rsplit('/').next()?.strip_suffix(".rs")?;
        Some(name).filter(|name| *name != "mod").filter(is_rule).map(|name| name.replace('_', "-"))
    };
    files.iter().filter_map(name).collect()
}

fn rules_without_fixture(codes: &[String], fixtures: &[String]) -> Vec<String> {
    let is_bare = |code: &&String| !fixtures.iter().any(|f| f.starts_with(code.as_str()));
    let fault = |code: &String| format!("rule {code} has no folder fixtures/check/{code}");
    codes.iter().filter(is_bare).map(fault).collect()
}

/// Returns the verbs of `enum Command`, in kebab case or as its `name = "…"` attribute says.
fn verbs_of(commands: &str) -> Vec<String> {
    let body = commands.split_once("enum Command").map_or("", |(_, body)| body);
    let mut verbs = vec!["help".to_owned()];
    let mut depth = 0_usize;
    let mut named = None;
    for (line, code) in body.lines().zip(source::code_of(body).lines()) {
        let word = code.trim();
        if depth == 1 && word.starts_with("#[") {
            let name = line.split_once("name = \"").and_then(|(_, rest)| rest.split_once('"'));
            named = name.map(|(name, _)| name.to_owned()).or(named);
        } else if depth == 1 && word.starts_with(|c: char| c.is_ascii_uppercase()) {
            let end = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
            verbs.push(named.take().unwrap_or_else(|| kebab(&word[..end])));
        }
        depth += code.matches('{').count();
        depth = depth.saturating_sub(code.matches('}').count());
        if depth == 0 && code.contains('}') {
            break;
        }
    }
    verbs
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// Returns one line for each `orch <verb>` in a code block of `readme` that is no verb.
fn unknown_commands(readme: &str, verbs: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_code = false;
    for (at, line) in readme.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let unknown = verbs_in(line).into_iter().filter(|verb| !verbs.contains(verb));
            faults
                .extend(unknown.map(|v| format!("README.md:{}: `orch {v}` is no command", at + 1)));
        }
    }
    faults
}

/// Returns the words that follow `orch`, or `cargo run … --`, where a command may stand.
fn verbs_in(line: &str) -> Vec<String> {
    let mut verbs = Vec::new();
    for command in line.split(['|', ';', '&']) {
        let words: Vec<&str> = command.split_whitespace().skip_while(|w| *w == "$").collect();
        let is_orch = |word: &str| word.rsplit('/').next() == Some("orch");
        let rest = match &words[..] {
            [first, rest @ ..] if is_orch(first) => rest,
            ["cargo", "run", rest @ ..] => {
                let start = rest.iter().position(|w| *w == "--").map_or(rest.len(), |p| p + 1);
                &rest[start..]
            }
            _ => continue,
        };
        let is_verb = |word: &&&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        verbs.extend(rest.first().filter(is_verb).map(|verb| (*verb).to_owned()));
    }
    verbs
}

fn file(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn long_files_are_found_and_tests_do_not_count() {
    let body = "fn f() {}\n".repeat(LINES_MAX - 1);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(50));
    assert_eq!(file_faults(&file("src/a.rs", &format!("//! A.\n{body}{tests}"))), [""; 0]);
    let faults = file_faults(&file("src/a.rs", &format!("// A.\n{body}fn g() {{}}\n{tests}")));
    let expected = ["src/a.rs:1: does not start with `//!`", "src/a.rs: 401 lines, more than 400"];
    assert_eq!(faults, expected);
}

#[test]
fn loose_reminders_are_found() {
    let lines = ["// @ later", "// @(A-1): x", "// @(A-2): x", "MAS@N", "@_LIST"];
    let text = lines.join("\n").replace('@', REMINDER);
    let faults = reminder_faults(&file("src/a.rs", &text), &|id| id == "A-1");
    let first = format!("src/a.rs:1: {REMINDER} without the id of a task");
    assert_eq!(faults, [first, "src/a.rs:3: no task has the id A-2".to_owned()]);
}

#[test]
fn orphans_are_found() {
    let sources = [
        file("tests/it/main.rs", "mod a;\nmod b;\n"),
        file("tests/it/a.rs", ""),
        file("tests/it/b/mod.rs", "mod c;\n"),
        file("tests/it/b/c.rs", ""),
        file("tests/it/b/d.rs", ""),
        file("tests/it/e.rs", ""),
    ];
    let expected =
        ["tests/it/b/d.rs", "tests/it/e.rs"].map(|p| format!("{p}: no `mod` line names it"));
    assert_eq!(orphans("tests/it", &["main"], &sources), expected);
}

#[test]
fn rules_without_a_fixture_are_found() {
    let rules = [
        file("src/domain/plan/rules/mod.rs", "mod bad_level;\n#[cfg(test)]\nmod testing;\n"),
        file("src/domain/plan/rules/bad_level.rs", ""),
        file("src/domain/plan/rules/testing.rs", ""),
    ];
    let codes = rule_codes(&rules);
    assert_eq!(codes, ["bad-level"]);
    assert_eq!(rules_without_fixture(&codes, &["bad-level-late".to_owned()]), [""; 0]);
    let expected = ["rule bad-level has no folder fixtures/check/bad-level"];
    assert_eq!(rules_without_fixture(&codes, &["cycle".to_owned()]), expected);
}

#[test]
fn unknown_commands_in_the_readme_are_found() {
    let commands = "enum Command {\n    /// Runs.\n    Run(run::Args),\n    #[command(name = \"ls\")]\n    \
                    List { all: bool },\n    DryRun,\n}\nenum Other { Stop }\n";
    let verbs = verbs_of(commands);
    assert_eq!(verbs, ["help", "run", "ls", "dry-run"]);
    let readme = "orch nothing\n```sh\n$ orch run --json | orch view\ncargo run --release -- demo\n\
                  cargo run && ./target/release/orch ls\norch --version\n```\n";
    let expected =
        ["README.md:3: `orch view` is no command", "README.md:4: `orch demo` is no command"];
    assert_eq!(unknown_commands(readme, &verbs), expected);
}
