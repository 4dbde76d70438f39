//! Edits of files: what was to be changed is changed, and not one byte more.

use orch::domain::{
    format::{
        document::open_markdown,
        edit, front_matter,
        node::{Entry, Kind, Node},
        render,
        status_edit::{self, StatusChange, UsageChange},
        status_file,
        task_file::{self, Reading},
        template::{self, NewTask},
        yaml,
    },
    model::{
        attempt::ReportedState,
        id::{AttemptId, GateName, RoleName, TaskId},
        time::Timestamp,
    },
};

use super::first_line;

/// Keys that are set: known ones and one that is not.
const KEYS: [&str; 4] = ["status", "title", "id", "odd"];

/// The first byte picks a key, the rest of the first line is its value, and then comes the file.
pub(super) fn set_key(bytes: &[u8]) {
    let (line, text) = first_line(bytes);
    let mut value = line.chars();
    let key = value.next().map_or(0, |c| c as usize) % KEYS.len();
    let (key, value) = (KEYS[key], value.as_str());
    let Ok(text) = str::from_utf8(text) else { return };
    // Nobody edits a file that is no text.
    if text.contains('\0') {
        return;
    }
    assert_only_value_changed(text, key, value);
}

/// Sets `key` in `text` and checks that all the rest stays; says whether it was set.
pub(crate) fn assert_only_value_changed(text: &str, key: &str, value: &str) -> bool {
    let Ok(edited) = edit::set_key(text, key, value) else { return false };
    let written = render::text(value);
    assert_eq!(task_file::body(&edited), task_file::body(text), "{text:?}");
    let (before, after) = (open(text), open(&edited));
    let found = after.entry(key).unwrap_or_else(|| panic!("{key} is not in {edited:?}"));
    assert_eq!(found.value.as_text(), Some(value), "{edited:?}");
    // Where it is not sure any more which key that is, it refuses.
    let again = edit::set_key(&edited, key, value);
    assert!(again.is_err() || again.as_ref() == Ok(&edited), "{text:?} {again:?}");
    // One line is another, or is new.
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(text), lines(&edited));
    let n_before = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    if n_before == new.len() {
        return true;
    }
    let is_new = new.len() > old.len();
    assert_eq!(new[n_before + 1..], old[n_before + usize::from(!is_new)..], "{text:?}");
    let line = &*new[n_before];
    if is_new {
        let end = if old[0].ends_with("\r\n") { "\r\n" } else { "\n" };
        assert_eq!(line.trim_start_matches(' '), format!("{key}: {written}{end}"), "{text:?}");
        return true;
    }
    // What stands before the value stays, and so does the comment behind it.
    let at = line.rfind(&*written).unwrap_or_else(|| panic!("{line:?}"));
    let (head, tail) = (line[..at].trim_end_matches(' '), &line[at + written.len()..]);
    let replaced = old[n_before].strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
    let replaced = replaced.unwrap_or_else(|| panic!("{:?} {line:?}", old[n_before]));
    let before = before.entry(key).unwrap();
    let was = yaml::parse(replaced.trim(), 1).unwrap_or_else(|fault| panic!("{fault:?}"));
    assert!(means_same(&was, &before.value), "{replaced:?} {before:?}");
    true
}

/// Returns the front matter of a text that has some.
fn open(text: &str) -> Node<'_> {
    let file = open_markdown(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault:?} {text:?}"));
    file.head.unwrap_or_else(|| panic!("no front matter in {text:?}"))
}

/// Says whether two nodes mean the same: nothing may be written in several ways.
fn means_same(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Sequence(one), Kind::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| means_same(a, b))
        }
        (Kind::Mapping(one), Kind::Mapping(other)) => {
            let is_same = |(a, b): (&Entry<'_>, &Entry<'_>)| {
                means_same(&a.key, &b.key) && means_same(&a.value, &b.value)
            };
            one.len() == other.len() && one.iter().zip(other).all(is_same)
        }
        _ => one.is_same(other) || (one.is_null() && other.is_null()),
    }
}

/// A template of any form gives a task with the title and the id that were asked for, or none.
pub(super) fn new_task(bytes: &[u8]) {
    let (title, template) = first_line(bytes);
    let Ok(template) = front_matter::text(template) else { return };
    let id = TaskId::parse("API-1").unwrap();
    let task = NewTask {
        title: title.clone(),
        role: title.contains('r').then(|| RoleName("back.end".to_owned())),
        depends_on: title.contains('d').then(|| id.clone()).into_iter().collect(),
        level: title.contains('l').then(|| title.clone()),
        ..NewTask::default()
    };
    let Ok(text) = template::fill(template, &id, &task) else { return };
    let file = task_file::parse(".orch/tasks/API-1.md", text.as_bytes(), Reading::Whole);
    let head = open(&text);
    let written = head.entry("title").and_then(|entry| entry.value.as_text());
    assert_eq!(written, Some(&*template::one_line(&title)), "{text:?}");
    let Some(spec) = file.spec else { return };
    let role = spec.role.map(|role| role.value);
    assert!(task.role.is_none() || role == task.role, "{text:?}");
}

/// A report keeps all that it does not change. The first byte says what is reported.
pub(super) fn status_edit(bytes: &[u8]) {
    const PATH: &str = ".orch/status/a.1.md";
    let Some((what, old)) = bytes.split_first() else { return };
    let (message, old) = first_line(old);
    let attempt = AttemptId::new(TaskId::parse("a").unwrap(), 1);
    let has = |bit: u8| what & (1 << bit) != 0;
    let change = StatusChange {
        state: has(0).then_some(ReportedState::Blocked),
        progress: has(1).then_some(40),
        message: has(2).then_some(message),
        waiting_for: has(3).then(|| GateName("ci/build".to_owned())),
        category: has(4).then(|| "a: b".to_owned()),
        usage: UsageChange::parse(if has(5) { "input=7,cost=0.5" } else { "output=1" }).unwrap(),
        add_usage: UsageChange::default(),
        note: has(6).then(|| "A note.".to_owned()),
    };
    let now = Timestamp::parse("2026-11-20T10:15:00Z").unwrap();
    let Ok(changed) = status_edit::change(PATH, &attempt, Some(old), &change, now) else { return };
    let (report, told) = status_file::parse(PATH, changed.text.as_bytes());
    assert_eq!(report.as_ref(), Some(&changed.report), "{:?}", changed.text);
    assert!(change.message.is_none_or(|message| {
        report.is_some_and(|report| report.message.unwrap_or_default() == message)
    }));
    if changed.is_anew {
        return assert_eq!(told, [], "{:?}", changed.text);
    }
    let file = open_markdown(old).unwrap();
    let (before, after) = (file.head.unwrap(), open(&changed.text));
    let Kind::Mapping(entries) = &before.kind else { panic!("{before:?} was kept") };
    const WRITTEN: [&str; 8] =
        ["task", "attempt", "state", "progress", "message", "updated", "waiting_for", "category"];
    for entry in entries {
        let key = entry.key.as_text().unwrap();
        if !WRITTEN.contains(&key) && key != "usage" {
            let Kind::Mapping(all) = &after.kind else { panic!("{after:?} is no mapping") };
            let is_it = |kept: &&Entry<'_>| means_same(&kept.key, &entry.key);
            let kept = all.iter().find(is_it).unwrap_or_else(|| panic!("{key:?} {all:?}"));
            assert!(means_same(&kept.value, &entry.value), "{entry:?} {kept:?}");
        }
    }
    let body = task_file::body(&changed.text);
    let is_kept = if has(6) { body.contains(file.body.trim_end()) } else { body == file.body };
    assert!(is_kept, "{:?} {body:?}", file.body);
}
