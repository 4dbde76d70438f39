//! A list of tasks as a table.

use super::{
    Style, state,
    table::{self, Cell, Column},
};
use crate::app::view::list::ListedTask;

/// Renders tasks, one per line. With a `width`, long titles and reasons are cut to fit.
pub fn render(tasks: &[ListedTask], width: Option<usize>, style: Style) -> String {
    let column = |head, may_be_cut| Column { head, may_be_cut };
    let table = [
        column("STATE", false),
        column("ID", false),
        column("TITLE", true),
        column("ROLE", false),
        column("PRIORITY", false),
        column("WHY / PROGRESS", true),
    ];
    let rows: Vec<Vec<Cell>> = tasks.iter().map(row).collect();
    table::render(&table, &rows, width, style)
}

fn row(task: &ListedTask) -> Vec<Cell> {
    vec![
        Cell::painted(task.state, state::look(task.state)),
        Cell::new(&task.id),
        Cell::new(&task.title),
        Cell::new(task.role.as_deref().unwrap_or_default()),
        Cell::new(&task.priority),
        Cell::new(&why(task)),
    ]
}

/// Says how far a running task is, and why another one is not running.
fn why(task: &ListedTask) -> String {
    let progress = task.progress.map(|percent| format!("{percent}%"));
    let parts = [progress, task.message.clone(), task.why.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
