//! Files that people own and `orch` edits: only the value differs, byte by byte.
//!
//! `SEED` tries others.

use std::fs;

use orch::{
    Repository,
    app::use_case::hold::{hold, release},
};

use crate::{cli::Sandbox, properties::assert_only_value_changed};

/// Lines that may stand in the front matter of a task that nothing is wrong with.
const LINES: &[&str] = &[
    "title: A title",
    "title: \"quoted: \\\"yes\\\"\"   # why",
    "title: 'it''s'",
    "# a comment",
    "",
    "   # an indented comment",
    "odd: [ 1,2 , 3 ]  # kept as it is",
    "other: {a: b,   c: 'd'}",
    "long: |\n  status: not this one\n  # nor this",
    "folded: >-\n  a\n  b",
    "tags:\n- x\n-   y # z",
    "worker: {command: [make, \"a b\"]}",
    "completion:\n    verify:   [ \"true\" ]",
    "\"quoted key\": ~",
    "priority:    high",
    "\u{fc}nicode: \u{6f22}\u{5b57}   # \u{1f44d}",
    "anchor: &a x",
    "alias: *a",
];

/// Ways to say the status, with the value to be replaced.
const STATUS: &[&str] = &[
    "status: todo",
    "status:   todo   # not yet",
    "status: \"todo\"",
    "status: 'todo' # so",
    "status:",
    "status: # nothing",
    "status: ~",
    "\"status\": todo",
    "status : todo",
    "status:\ttodo",
];

const BODIES: &[&str] = &[
    "",
    "# Title\n",
    "\n\nstatus: todo\n---\n  trailing  \n\n\n",
    "no newline",
    "- [ ] a\n\t- [x] b\n",
];

/// Makes a task file up, and says where its status stands, if anywhere.
fn random_file(random: &mut fastrand::Rng) -> String {
    let mut lines: Vec<&str> = LINES.iter().copied().filter(|_| random.u8(..3) == 0).collect();
    let has_title = |line: &&str| line.starts_with("title");
    while lines.iter().filter(|line| has_title(line)).count() > 1 {
        let at = lines.iter().position(has_title).unwrap();
        lines.remove(at);
    }
    // An alias needs its anchor before it.
    lines.retain(|line| !line.starts_with("alias") || random.bool());
    random.shuffle(&mut lines);
    let place = |word: &str| lines.iter().position(|line| line.starts_with(word));
    if place("alias") < place("anchor") || place("anchor").is_none() {
        lines.retain(|line| !line.starts_with("alias"));
    }
    if random.u8(..4) > 0 {
        let status = *random.choice(STATUS).unwrap();
        lines.insert(random.usize(..=lines.len()), status);
    }
    let head: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mark = if random.u8(..5) == 0 { "\u{feff}" } else { "" };
    let text = format!("{mark}---\n{head}---\n{}", random.choice(BODIES).unwrap());
    if random.u8(..3) == 0 { text.replace('\n', "\r\n") } else { text }
}

fn seed() -> u64 {
    std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5)
}

#[test]
fn only_the_value_of_the_key_is_another() {
    let mut random = fastrand::Rng::with_seed(seed());
    let values = ["done", "a: b # c", "", "true", "\u{6f22}\u{5b57} \u{1b}\n", "it's \"so\""];
    let mut n_edited = 0;
    for _ in 0..3_000 {
        let text = random_file(&mut random);
        let key = *random.choice(&["status", "status", "title", "new-key"]).unwrap();
        let value = *random.choice(&values).unwrap();
        n_edited += usize::from(assert_only_value_changed(&text, key, value));
    }
    assert!(n_edited > 2_500, "only {n_edited} files were edited");
}

#[test]
fn a_task_that_is_held_and_released_has_its_old_bytes_but_for_the_status() {
    let mut random = fastrand::Rng::with_seed(seed());
    let sandbox = Sandbox::with(&[(".orch/config.yaml", "max_workers: 1\n")]);
    let mut texts = Vec::new();
    for n in 0..40 {
        let text = random_file(&mut random);
        sandbox.write(&format!(".orch/tasks/t{n}.md"), &text);
        texts.push(text);
    }
    let repository = Repository::open(sandbox.root()).unwrap();
    let read =
        |n: usize| fs::read_to_string(sandbox.path(&format!(".orch/tasks/t{n}.md"))).unwrap();
    let mut n_held = 0;
    for (n, before) in texts.iter().enumerate() {
        let id = [format!("t{n}")];
        if hold(&repository, &id).is_err() {
            // Nothing is written where it is not sure what to write.
            assert_eq!(read(n), *before);
            continue;
        }
        n_held += 1;
        let held = read(n);
        assert_one_line(before, &held, "hold");
        release(&repository, &id).unwrap();
        let released = read(n);
        assert_one_line(&held, &released, "todo");
        // Who had written it before has it back as it was, but for quotes around it.
        let head = before.split("\n---").next().unwrap();
        if head.contains("status: todo") && !head.contains("\"status\"") {
            let plain = |text: &str| text.replace(['"', '\''], "");
            assert_eq!(plain(&released), plain(before));
        }
    }
    assert!(n_held > 30, "only {n_held} tasks were held");
}

/// Checks that both texts are the same but for one line, which says `status` in the later one.
fn assert_one_line(before: &str, after: &str, status: &str) {
    let (old, new): (Vec<_>, Vec<_>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let n_same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let line = new[n_same];
    assert!(line.contains("status") && line.contains(status), "{before:?} {after:?}");
    let n_old = if old.len() == new.len() { 1 } else { 0 };
    assert_eq!(old[n_same + n_old..], new[n_same + 1..], "{before:?} {after:?}");
}
