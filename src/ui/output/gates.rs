//! Gates as a table.

use anstyle::Style as Look;

use super::{
    Style, state,
    table::{self, Cell, Column},
};
use crate::app::view::event::{GateTask, GateView};

/// Renders gates, one per line. With a `width`, long lists of tasks are cut to fit.
pub fn render(gates: &[GateView], width: Option<usize>, style: Style) -> String {
    if gates.is_empty() {
        return "no task waits for a gate\n".to_owned();
    }
    let column = |head, may_be_cut| Column { head, may_be_cut };
    let table = [
        column("GATE", false),
        column("STATE", false),
        column("OPEN FOR", true),
        column("FAILED FOR", true),
        column("WAITED FOR BY", true),
    ];
    let rows: Vec<Vec<Cell>> = gates.iter().map(row).collect();
    table::render(&table, &rows, width, style)
}

fn row(gate: &GateView) -> Vec<Cell> {
    let look = match gate.state {
        "open" => state::look("done"),
        "failed" => state::look("failed"),
        _ => Look::new(),
    };
    let tasks = |wanted: &str| {
        let names = gate.tasks.iter().filter(|task| task.gate == wanted).map(name);
        Cell::new(&names.collect::<Vec<_>>().join(", "))
    };
    vec![
        Cell::new(&gate.gate),
        Cell::painted(gate.state, look),
        tasks("open"),
        tasks("failed"),
        tasks("shut"),
    ]
}

fn name(task: &GateTask) -> String {
    format!("{} ({})", task.task, task.state)
}
