//! What the page shows: the commands of its tour, in order, and what each of them prints.

/// The heading of the tour.
const HEADING: &str = "## A five-minute tour";

/// Stands for any lines, or at the end of a line for any text.
const ANYTHING: &str = "…";

/// A command, and what is shown of what it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Of the page, from 1.
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) shown: Vec<String>,
    /// The exit code that the page tells or implies.
    pub(super) code: i32,
}

/// Returns the steps of the tour: what stands behind `$ ` in its blocks of the console.
///
/// A command ends well, unless it is shown with a fault, or the next one tells its exit code.
pub(super) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_console = false;
    let start = page.lines().position(|line| line == HEADING).map_or(usize::MAX, |at| at + 1);
    let lines = page.lines().enumerate().skip(start);
    for (at, line) in lines.take_while(|(_, line)| !line.starts_with("## ")) {
        if line.starts_with("```") {
            is_console = line == "```console";
        } else if let (true, Some(command)) = (is_console, line.strip_prefix("$ ")) {
            let (command, shown) = (command.to_owned(), Vec::new());
            steps.push(Step { line: at + 1, command, shown, code: 0 });
        } else if let (true, Some(step)) = (is_console, steps.last_mut()) {
            step.shown.push(line.to_owned());
        }
    }
    for at in 0..steps.len() {
        let told = steps.get(at + 1).filter(|next| next.command == "echo $?");
        let told = told.and_then(|next| next.shown.first()?.parse().ok());
        let is_fault = steps[at].shown.first().is_some_and(|line| line.starts_with("error["));
        steps[at].code = told.unwrap_or(i32::from(is_fault));
    }
    steps
}

/// Says what is shown and not printed, or printed and not shown; `None` where all is as shown.
pub(super) fn fault(step: &Step, code: i32, printed: &str) -> Option<String> {
    let place = format!("README.md:{}: `{}`", step.line, step.command);
    if code != step.code {
        return Some(format!("{place} ends with {code}, not {}:\n{printed}", step.code));
    }
    let printed_lines: Vec<&str> = printed.lines().collect();
    let blocks: Vec<&[String]> = step.shown.split(|line| line == ANYTHING).collect();
    let mut rest = &printed_lines[..];
    for (at, block) in blocks.iter().enumerate() {
        let fits = |from: &usize| rest[*from..].iter().zip(*block).all(|(p, s)| is_like(s, p));
        let last = rest.len().checked_sub(block.len());
        // What no `…` stands before or behind begins or ends what is printed.
        let found = last.and_then(|last| match (at == 0, at + 1 == blocks.len()) {
            (true, true) => (last == 0).then_some(0).filter(fits),
            (true, false) => Some(0).filter(fits),
            (false, true) => Some(last).filter(fits),
            (false, false) => (0..=last).find(fits),
        });
        let Some(from) = found else {
            let block = block.join("\n");
            return Some(format!("{place} does not print\n{block}\nthere, but\n{printed}"));
        };
        rest = &rest[from + block.len()..];
    }
    None
}

/// Returns whether a line is the shown one, whatever times, lengths of time and commits are in it.
fn is_like(shown: &str, printed: &str) -> bool {
    match shown.strip_suffix(ANYTHING) {
        Some(start) => same(printed).starts_with(&same(start)),
        None => same(shown) == same(printed),
    }
}

/// Returns a line with a sign for each thing in it that is another one each time; one without such
/// things stays as it is, with its spaces.
fn same(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut is_fixed = true;
    for word in line.split_whitespace() {
        let core = word.trim_matches(|c: char| "(),:;".contains(c));
        let Some(kind) = kind(core) else {
            words.push(word.to_owned());
            continue;
        };
        is_fixed = false;
        let word = word.replace(core, kind);
        // `1m 05s` is one length.
        match words.last_mut() {
            Some(last) if kind == "<length>" && last.ends_with(kind) => {
                last.truncate(last.len() - kind.len());
                last.push_str(&word);
            }
            _ => words.push(word),
        }
    }
    if is_fixed { line.to_owned() } else { words.join(" ") }
}

/// Returns what kind of thing a word is that is another one each time.
fn kind(word: &str) -> Option<&'static str> {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let number = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let is_unit = ["ms", "s", "m", "h", "d"].contains(&&word[number.len()..]);
    match shape.as_str() {
        "00:00:00" => Some("<time>"),
        "0000-00-00" => Some("<date>"),
        _ if is_unit && number.parse::<f64>().is_ok() => Some("<length>"),
        // As git and `orch` shorten them; git makes them longer where it must.
        _ if (7..=12).contains(&word.len()) && word.chars().all(is_hex) => Some("<commit>"),
        _ => None,
    }
}

#[test]
fn steps_are_read_with_their_exit_codes() {
    let page = "## Before\n```console\n$ no\n```\n## A five-minute tour\n\ntext\n```console\n$ a b\n\
                one\n…\n$ c\n```\n```yaml\n$ no\n```\n```console\n$ d\nerror[e]: f\n$ g\n$ echo $?\n3\n\
                ```\n## After\n```console\n$ no\n```\n";
    let step = |line, command: &str, shown: &[&str], code| Step {
        line,
        command: command.to_owned(),
        shown: shown.iter().map(|line| (*line).to_owned()).collect(),
        code,
    };
    let expected = [
        step(9, "a b", &["one", "…"], 0),
        step(12, "c", &[], 0),
        step(18, "d", &["error[e]: f"], 1),
        step(20, "g", &[], 3),
        step(21, "echo $?", &["3"], 0),
    ];
    assert_eq!(steps(page), expected);
}

#[test]
fn what_differs_each_time_is_the_same() {
    let same_lines = [
        ("10:00:01 done  a in 1.2s", "23:59:59 done a in  2m 05s"),
        ("land on plan as 22e5c0d85", "land on plan as abcdefabc"),
        ("x (2 attempts, 1.5s, 3.0k tokens)", "x (2 attempts, 20ms, 3.0k tokens)"),
        ("got …", "got anything"),
    ];
    for (shown, printed) in same_lines {
        assert!(is_like(shown, printed), "{shown}: {printed}");
    }
    let others = [
        ("  indented", "indented"),
        ("2 attempts", "3 attempts"),
        ("12000 tokens in 1s", "12001 tokens in 1s"),
        ("$0.16 in 1s", "$0.18 in 1s"),
        ("got …", "gets it"),
        ("done in 1s", "done in 1x"),
    ];
    for (shown, printed) in others {
        assert!(!is_like(shown, printed), "{shown}: {printed}");
    }
}

#[test]
fn what_is_shown_must_be_printed_in_order() {
    let fits = |shown: &str, printed: &str| {
        let shown = shown.lines().map(str::to_owned).collect();
        let step = Step { line: 1, command: "x".to_owned(), shown, code: 0 };
        fault(&step, 0, printed).is_none()
    };
    for shown in
        ["a\nb\nc", "…", "a\n…", "…\nc", "…\nb\n…", "a\n…\nc", "…\na\n…\nc\n…", "a\nb\nc\n…"]
    {
        assert!(fits(shown, "a\nb\nc\n"), "{shown}");
    }
    for shown in
        ["", "a", "a\nc", "a\nb", "…\nb", "b\n…", "…\nc\n…\na\n…", "a\nb\nc\nd", "…\na\n…\na\n…"]
    {
        assert!(!fits(shown, "a\nb\nc\n"), "{shown}");
    }
    assert!(fits("", ""));
}
