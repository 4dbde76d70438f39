//! What was removed, or would be, and what stays.

use anstyle::AnsiColor;

use super::{
    Style,
    escape::clean_line,
    figures::{counted, room},
    table::{self, Cell, Column},
};
use crate::app::view::clean::{CleanThing, CleanView, Fate};

/// Renders what was found: what goes, what could not, what stays, and one line about all of it.
pub fn render(found: &CleanView, style: Style) -> String {
    let mut text = String::new();
    let goes = if found.is_done { "removed" } else { "would be removed" };
    let parts: [(&str, &[Fate]); 3] = [
        (goes, &[Fate::Removable, Fate::Removed]),
        ("could not be removed", &[Fate::Failed]),
        ("stays", &[Fate::Kept]),
    ];
    for (head, fates) in parts {
        let things: Vec<&CleanThing> =
            found.things.iter().filter(|thing| fates.contains(&thing.fate)).collect();
        if !things.is_empty() {
            let color = if fates == [Fate::Failed] { AnsiColor::Red } else { AnsiColor::Cyan };
            text += &style.paint(color.on_default().bold(), head);
            text.push('\n');
            text += &indented(&table_of(&things, style));
            text.push('\n');
        }
    }
    text + &last_line(found) + "\n"
}

fn table_of(things: &[&CleanThing], style: Style) -> String {
    let column = |head| Column { head, may_be_cut: false };
    let table = [column("WHAT"), column("NAME"), column("ROOM"), column("WHY")];
    let cells = |thing: &&CleanThing| {
        let bytes = if thing.bytes > 0 { room(thing.bytes) } else { String::new() };
        let (kind, name) = (thing.kind.as_str(), &thing.name);
        [kind, name, &bytes, &thing.why].map(Cell::new).to_vec()
    };
    let rows: Vec<Vec<Cell>> = things.iter().map(cells).collect();
    table::render(&table, &rows, None, style)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn last_line(found: &CleanView) -> String {
    let things = counted(found.n_removed, "thing");
    let bytes = room(found.bytes);
    let failed = match found.n_failed {
        0 => String::new(),
        n => format!("; {} could not be removed", counted(n, "thing")),
    };
    let told = match (&found.branch, found.n_removed, found.is_done) {
        (None, ..) => "there is nothing to clean: no task works in git here".to_owned(),
        (_, 0, _) => "there is nothing to clean".to_owned(),
        (_, _, true) => format!("{things} removed, {bytes} freed"),
        (_, _, false) => {
            format!("{things} would be removed, {bytes} freed: `orch clean --yes` does it")
        }
    };
    clean_line(&(told + &failed)).into_owned()
}
