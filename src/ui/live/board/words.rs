//! The words of the view: what happened, what is wrong, what keys do.

use std::collections::VecDeque;

use super::model::{Model, Page, Tab};
use crate::{
    app::view::{
        change::FaultView,
        run::{Happened, RunEvent},
    },
    ui::output::{
        escape::clean_line,
        figures::counted,
        run::{self, Tone},
    },
};

/// What the keys do.
pub(super) const HELP: &str = "  j k ↑ ↓           one task or line down, up
  PgDn Space, PgUp  one screen down, up
  g G, Home End     to the first, to the last
  /                 filter by id, title, state or role
  s                 only tasks of one state; again: of the next
  Esc               back; in the list: all tasks again
  Enter l →         open the task: why it is where it is
  o Tab             its log, and back to the task

  These ask before they write:
  a                 approve: open its gate, accept its review
  r                 retry: attempts up to now no longer count
  c                 cancel: drop it, and stop its worker
  h                 hold it back; again: let it go on

  p                 start nothing more; again: go on
  e                 faults in the files, with their places
  v                 what happened, further back
  q                 quit: leave workers running, or stop them
  Ctrl-C            stop workers and quit; twice: kill them
";

/// Returns what keys do here, in one line, the most useful first.
pub(super) fn hints(model: &Model) -> String {
    if model.is_typing {
        return format!("/{}▏ Enter keeps it · Esc clears it", clean_line(&model.list.filter));
    }
    let hints = match &model.page {
        Page::Tasks => {
            "q quit · ? keys · Enter open · o log · / filter · a approve · r retry · c cancel · \
             h hold · p pause · s state · e faults · v history"
        }
        Page::Task(task) if task.tab == Tab::Log => {
            "Esc back · Tab task · G follow · ? keys · a approve · r retry · c cancel · h hold"
        }
        Page::Task(_) => "Esc back · Tab log · ? keys · a approve · r retry · c cancel · h hold",
        Page::Faults(_) | Page::History(_) | Page::Help(_) => "Esc back · q quit",
    };
    hints.to_owned()
}

/// Returns what happened as lines: time, tone, text; none for what the list itself shows.
pub(super) fn told(event: &RunEvent) -> Vec<(String, Tone, String)> {
    if matches!(event.happened, Happened::Progress { .. } | Happened::Verifying { .. }) {
        return Vec::new();
    }
    let at = run::time_of_day(&event.at).to_owned();
    let lines = run::words(&event.happened).into_iter();
    lines.map(|(tone, text)| (at.clone(), tone, clean_line(&text).into_owned())).collect()
}

/// Returns all that happened as a text.
pub(super) fn history(told: &VecDeque<(String, Tone, String)>) -> String {
    if told.is_empty() {
        return "nothing happened yet".to_owned();
    }
    let lines = told.iter().map(|(at, _, text)| format!("{at} {text}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns how many faults there are: `2 errors, 1 warning`; nothing where there are none.
pub(super) fn n_faults(faults: &[FaultView]) -> Option<String> {
    let count = |word| faults.iter().filter(|fault| fault.severity == word).count();
    let parts = ["error", "warning", "note"].map(|word| (count(word), word));
    let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| counted(n, word));
    let text = parts.collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then_some(text)
}

/// Returns all faults as a text, each with its place and what to do.
pub(super) fn faults(faults: &[FaultView]) -> String {
    if faults.is_empty() {
        return "nothing is wrong with the files".to_owned();
    }
    let mut lines = Vec::new();
    for fault in faults {
        let FaultView { severity, code, message, path, line, column, help } = fault;
        let place = match (line, column) {
            (0, _) => String::new(),
            (line, 0) => format!(":{line}"),
            (line, column) => format!(":{line}:{column}"),
        };
        lines.push(format!("{}{place}", clean_line(path)));
        lines.push(format!("  {severity}[{code}]: {}", clean_line(message)));
        lines.extend(help.as_ref().map(|help| format!("  = help: {}", clean_line(help))));
    }
    lines.join("\n")
}
