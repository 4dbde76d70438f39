//! What changed in the files of the plan → a line for each task, role and fault.

use super::{
    escape::clean_line,
    figures::{cut, grouped},
    run::Tone,
};
use crate::app::view::change::{FaultView, FieldChange, ItemChange, PlanChange};

/// Lines that one change of the plan takes, but for the one that counts the others.
const CHANGES_MAX: usize = 20;

/// Faults that one event tells, and as many that are gone.
const FAULTS_MAX: usize = 10;

/// Columns that a value takes.
const VALUE_WIDTH: usize = 40;

/// Items of a list that are named.
const ITEMS_MAX: usize = 5;

/// Returns a line for the settings and for each role and task that changed.
pub fn lines(change: &PlanChange) -> Vec<String> {
    let settings = (!change.settings.is_empty())
        .then(|| format!("change    settings: {}", fields(change.settings.iter())));
    let roles = change.roles.iter().map(|role| item("role ", role));
    let tasks = change.tasks.iter().map(|task| item("", task));
    let lines: Vec<String> =
        settings.into_iter().chain(roles).chain(tasks).take(CHANGES_MAX).collect();
    let n_before = usize::from(!change.settings.is_empty());
    let items = change.roles.iter().chain(&change.tasks);
    let untold: Vec<&ItemChange> = items.skip(CHANGES_MAX - n_before).collect();
    lines.into_iter().chain(rest(&untold)).collect()
}

/// Returns the line that counts what is not told one by one.
fn rest(untold: &[&ItemChange]) -> Option<String> {
    let counts = ["added", "removed", "renamed", "changed"].map(|kind| {
        let n = untold.iter().filter(|item| item.change == kind).count();
        (n > 0).then(|| format!("{} {kind}", grouped(n)))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    (!untold.is_empty())
        .then(|| format!("change    … and {} more: {}", grouped(untold.len()), counts.join(", ")))
}

fn item(kind: &str, item: &ItemChange) -> String {
    let id = &item.id;
    match (item.change, &item.was) {
        ("added", _) => {
            let title = item.title.as_deref().map(value);
            format!("add       {kind}{id}{}", title.map_or_else(String::new, |t| format!(": {t}")))
        }
        ("removed", _) => format!("remove    {kind}{id}"),
        ("renamed", Some(was)) => {
            let is_task = kind.is_empty();
            let attempts =
                if is_task { format!(": its attempts stay with {was}") } else { String::new() };
            // That the file is another one is what the new name says.
            let others = fields(item.fields.iter().filter(|field| field.field != "path"));
            let separator = if others.is_empty() { "" } else { " · " };
            format!("rename    {kind}{was} → {id}{attempts}{separator}{others}")
        }
        _ => format!("change    {kind}{id}: {}", fields(item.fields.iter())),
    }
}

/// Returns what is different in several keys.
pub(super) fn fields<'a>(fields: impl Iterator<Item = &'a FieldChange>) -> String {
    fields.map(field).collect::<Vec<String>>().join(" · ")
}

/// Returns what is different in one key.
pub(super) fn field(field: &FieldChange) -> String {
    let name = value(&field.field);
    match (&field.from, &field.to) {
        (Some(from), Some(to)) => return format!("{name} {} → {}", value(from), value(to)),
        (None, Some(to)) => return format!("{name} + {}", value(to)),
        (Some(from), None) => return format!("{name} - {}", value(from)),
        (None, None) => {}
    }
    let signs = [('+', &field.added), ('-', &field.removed), ('~', &field.changed)];
    if signs.iter().all(|(_, items)| items.is_empty()) {
        return if field.field == "body" { name } else { format!("{name} in another order") };
    }
    let mut words = vec![name];
    for (sign, items) in signs {
        words.extend(items.iter().take(ITEMS_MAX).map(|item| format!("{sign} {}", value(item))));
        let n_more = items.len().saturating_sub(ITEMS_MAX);
        words.extend((n_more > 0).then(|| format!("{sign} {} more", grouped(n_more))));
    }
    words.join(" ")
}

/// Returns a value as it is shown: on one line, and not too long.
fn value(text: &str) -> String {
    cut(&clean_line(text), VALUE_WIDTH)
}

/// Returns a line for each fault that came up, and for each that is gone.
pub fn faults(new: &[FaultView], gone: &[FaultView]) -> Vec<(Tone, String)> {
    let told = new.iter().take(FAULTS_MAX).map(fault);
    let more_new = more(new.len()).map(|text| (Tone::Bad, format!("error     {text}")));
    let fixed = gone.iter().take(FAULTS_MAX).map(|fault| {
        let message = clean_line(&fault.message);
        (Tone::Good, format!("fixed     {}: {message}", clean_line(&fault.path)))
    });
    let more_fixed = more(gone.len()).map(|text| (Tone::Good, format!("fixed     {text}")));
    told.chain(more_new).chain(fixed).chain(more_fixed).collect()
}

fn more(n: usize) -> Option<String> {
    let n_more = n.checked_sub(FAULTS_MAX).filter(|n| *n > 0)?;
    Some(format!("… and {} more (`orch check`)", grouped(n_more)))
}

fn fault(fault: &FaultView) -> (Tone, String) {
    let tone = match fault.severity {
        "error" => Tone::Bad,
        "warning" => Tone::Uneasy,
        _ => Tone::Neutral,
    };
    let place = match (fault.line, fault.column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    };
    let help = fault.help.as_ref().map_or_else(String::new, |help| format!(" · {help}"));
    let text = format!(
        "{:<9} {}{place}: {} [{}]{help}",
        fault.severity, fault.path, fault.message, fault.code
    );
    (tone, clean_line(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// Reads `a -> b` and `+ a`, `- a`, `~ a` behind the name of a field.
    fn parse_field(text: &str) -> FieldChange {
        let (field, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut read = FieldChange { field: field.to_owned(), ..FieldChange::default() };
        if let Some((from, to)) = rest.split_once(" -> ") {
            let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            (read.from, read.to) = (said(from), said(to));
            return read;
        }
        let words: Vec<&str> = rest.split(' ').collect();
        for pair in words.chunks_exact(2) {
            let list = match pair[0] {
                "+" => &mut read.added,
                "-" => &mut read.removed,
                _ => &mut read.changed,
            };
            list.push(pair[1].to_owned());
        }
        read
    }

    fn item(change: &'static str, id: &str, fields: &[&str]) -> ItemChange {
        let (was, id) = id.split_once('>').map_or((None, id), |(was, id)| (Some(was), id));
        ItemChange {
            id: id.to_owned(),
            change,
            title: (change == "added").then(|| "Count \u{1b}[1mwords".to_owned()),
            was: was.map(str::to_owned),
            path: String::new(),
            fields: fields.iter().map(|text| parse_field(text)).collect(),
        }
    }

    fn check(change: &PlanChange, expected: &Expect) {
        expected.assert_eq(&(lines(change).join("\n") + "\n"));
    }

    #[test]
    fn a_line_tells_what_is_different() {
        let long = format!("title short -> {}", "long ".repeat(20));
        check(
            &PlanChange {
                tasks: vec![
                    item("added", "A-1", &[]),
                    item("removed", "A-2", &[]),
                    item("renamed", "A-3>A-4", &["path a -> b"]),
                    item("renamed", "A-5>A-6", &["path a -> b", "body"]),
                    item(
                        "changed",
                        "A-7",
                        &[
                            "depends_on + B-1 - B-2",
                            "priority medium -> high",
                            "milestone m -> ",
                            "phase  -> p",
                        ],
                    ),
                    item("changed", "A-8", &["worker.env + A ~ B", "completion.verify", "body"]),
                    item("changed", "A-9", &[&long, "signal a\nb -> \u{202e}c"]),
                    item("changed", "B-1", &["tags + a + b + c + d + e + f + g - h"]),
                ],
                roles: vec![item("renamed", "x>y", &[]), item("changed", "z", &["body"])],
                settings: vec![parse_field("max_workers 4 -> 8"), parse_field("levels + 3")],
            },
            &expect![[r#"
                change    settings: max_workers 4 → 8 · levels + 3
                rename    role x → y
                change    role z: body
                add       A-1: Count \x1b[1mwords
                remove    A-2
                rename    A-3 → A-4: its attempts stay with A-3
                rename    A-5 → A-6: its attempts stay with A-5 · body
                change    A-7: depends_on + B-1 - B-2 · priority medium → high · milestone - m · phase + p
                change    A-8: worker.env + A ~ B · completion.verify in another order · body
                change    A-9: title short → long long long long long long long long… · signal a\nb → \u{202e}c
                change    B-1: tags + a + b + c + d + e + 2 more - h
            "#]],
        );
    }

    #[test]
    fn what_is_too_much_for_lines_is_counted() {
        let some = |change, prefix: &str, n| -> Vec<ItemChange> {
            (0..n).map(|n| item(change, &format!("{prefix}-{n}"), &["body"])).collect()
        };
        let tasks =
            [some("added", "A", 4_010), some("removed", "B", 3_980), some("changed", "C", 1)];
        let mut change = PlanChange { tasks: tasks.concat(), ..PlanChange::default() };
        let last = |change: &PlanChange| lines(change).split_off(CHANGES_MAX - 1).join("\n");
        expect![[r#"
            add       A-19: Count \x1b[1mwords
            change    … and 7,971 more: 3,990 added, 3,980 removed, 1 changed"#]]
        .assert_eq(&last(&change));
        change.tasks.truncate(CHANGES_MAX);
        assert_eq!(lines(&change).len(), CHANGES_MAX);
        change.settings.push(parse_field("max_workers 4 -> 8"));
        expect![[r#"
            add       A-18: Count \x1b[1mwords
            change    … and 1 more: 1 added"#]]
        .assert_eq(&last(&change));
    }
}
