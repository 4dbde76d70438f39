//! Where the program starts others, and with what: a table that a new place must be added to, and
//! that says why it is safe.

use crate::source::{self, Source};

/// Every place that starts a program, as it is written there, and why no foreign text decides what it
/// is. Arguments are always given one by one.
const STARTS: [(&str, &str, &str); 6] = [
    ("src/io/git/program.rs", "Command::new(\"git\")", "a fixed name"),
    ("src/io/process/background.rs", "Command::new(std::env::current_exe()?)", "this program"),
    ("src/io/process/call.rs", "Command::new(self.program)", "`gh` or `glab`, found in PATH"),
    ("src/io/process/start.rs", "Command::new(&file)", "the command that a user wrote, found"),
    ("src/io/process/version.rs", "Command::new(program)", "the same, asked for its version"),
    (
        "src/io/supervisor/mod.rs",
        "Command::new(own_program().map_err(SupervisorError::Start)?)",
        "this program",
    ),
];

/// The one place that gives text to a shell: a command that a user wrote as one text, as it stands.
const SHELL: (&str, &str) =
    ("src/domain/model/command.rs", "vec![\"sh\".to_owned(), \"-c\".to_owned(), text.clone()]");

/// Where commands are made of text, all of which a user wrote as a command.
const COMMANDS: [(&str, &str); 3] = [
    ("src/domain/format/command.rs", "Ok(Command(CommandLine::Text(text.to_owned())))"),
    // The fenced block under *Verification*.
    (
        "src/domain/format/task_body.rs",
        "script.filter(|script| !script.is_empty()).map(CommandLine::Text)",
    ),
    ("src/ui/cli/command/run.rs", "self.worker.clone().map(CommandLine::Text)"),
];

/// Returns the lines of the program, without tests and comments, in which `is_it` holds.
fn lines(is_it: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let of = |source: &Source| {
        // What is blank in the one is a comment, a literal or a test there.
        let code = source::without_tests(&source::code_of(&source.text));
        let shipped: Vec<(String, String)> = code
            .lines()
            .zip(source.text.lines())
            .filter(|(code, line)| !code.trim().is_empty() && is_it(line))
            .map(|(_, line)| (source.path.clone(), line.trim().to_owned()))
            .collect();
        shipped
    };
    let sources = source::read_rust("src");
    sources.iter().filter(|source| !source.path.ends_with("tests.rs")).flat_map(of).collect()
}

/// Checks that every one of `found` is told in `table`, and the other way round.
fn assert_told(found: &[(String, String)], table: &[(&str, &str)]) {
    for (path, line) in found {
        let is_told = table.iter().any(|(at, text)| at == path && line.contains(text));
        assert!(is_told, "{path}: `{line}` stands in no table of tests/it/hostile/source.rs");
    }
    for (at, text) in table {
        let is_there = found.iter().any(|(path, line)| at == path && line.contains(text));
        assert!(is_there, "{at}: no `{text}` there any more");
    }
}

#[test]
fn programs_are_started_in_known_places() {
    let found = lines(|line| line.contains("Command::new(") || line.contains("process::Command("));
    assert_told(&found, &STARTS.map(|(path, text, _)| (path, text)));
}

#[test]
fn text_reaches_a_shell_in_one_place() {
    let shells = ["\"sh\".", "\"/bin/sh\"", "\"bash\".", "\"bash\")", "\"sh\")", "\"sh\","];
    let found = lines(|line| shells.iter().any(|shell| line.contains(shell)));
    let known = |(path, _): &&(String, String)| {
        // These only ask whether there is one.
        path != "src/app/use_case/doctor/workers.rs" && path != "src/domain/format/task_body.rs"
    };
    let found: Vec<_> = found.iter().filter(known).cloned().collect();
    assert_told(&found, &[SHELL]);
    let made = lines(|line| {
        let is_made = line.contains("CommandLine::Text(") || line.contains("(CommandLine::Text)");
        let is_read = line.contains("if let") || line.trim().starts_with("CommandLine::Text(");
        is_made && !is_read
    });
    assert_told(&made, &COMMANDS);
}

#[test]
fn operands_of_git_stand_behind_two_dashes() {
    // All calls of git, as lists of words; where something foreign follows, `--` stands before it.
    let calls = lines(|line| {
        [".args([\"", "self.git(&[\"", "const PUSH", "\"fetch\""].iter().any(|it| line.contains(it))
    });
    let of_git: Vec<_> =
        calls.into_iter().filter(|(path, _)| path.starts_with("src/io/git/")).collect();
    assert!(of_git.len() >= 4, "{of_git:?}");
    for (path, line) in of_git {
        let is_setting = line.contains("args([\"-c\", setting])");
        let is_safe = line.contains("\"--\"")
            || is_setting
            || line.ends_with('[')
            || line.starts_with("const");
        let is_fetch = line.contains("let fetch = ") && line.contains("\"--\", &self.remote");
        assert!(is_safe || is_fetch, "{path}: {line}");
    }
    let pushes = source::read("src/io/git/claims.rs").unwrap();
    assert!(pushes.contains("arguments.extend([\"--\".to_owned(), self.remote.clone()]);"));
    let push = source::read("src/io/git/push.rs").unwrap();
    assert!(push.contains("\"--no-follow-tags\", \"--\"];"));
}
