//! The list of tasks: what is shown, in which order, and where the cursor is.

use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

use crate::{
    app::view::board::{Board, Row},
    domain::scheduler::phase::TaskState,
};

/// Columns of the id of a task, where ids are long.
const ID_WIDTH_MAX: usize = 24;

/// The tasks that are shown. Order and filter are worked out when something changes, not when it
/// is drawn.
#[derive(Debug, Default)]
pub(super) struct List {
    board: Arc<Board>,
    /// Positions in the board, in the order in which they are shown.
    shown: Vec<usize>,
    /// Position of the cursor among those that are shown.
    cursor: usize,
    /// The first line that is seen.
    top: usize,
    height: usize,
    /// The task that the cursor follows; none before it was moved for the first time.
    followed: Option<String>,
    /// What a task must contain to be shown.
    pub(super) filter: String,
    /// The state that a task must have to be shown.
    pub(super) state: Option<TaskState>,
    /// Columns that the widest id takes.
    pub(super) id_width: usize,
}

impl List {
    /// Takes the tasks as they are now.
    pub(super) fn take(&mut self, board: &Arc<Board>) {
        self.board = Arc::clone(board);
        self.arrange();
    }

    /// Works out what is shown; the cursor stays with its task, and the task on its line.
    pub(super) fn arrange(&mut self) {
        let needle = self.filter.to_lowercase();
        let rows = self.board.rows.iter().enumerate();
        let is_shown =
            |row: &Row| self.state.is_none_or(|state| row.state == state) && contains(row, &needle);
        self.shown = rows.filter(|(_, row)| is_shown(row)).map(|(at, _)| at).collect();
        let rank = |at: &usize| self.board.rows.get(*at).map(|row| rank(row.state));
        self.shown.sort_by_key(rank);
        self.id_width = self.ids().map(UnicodeWidthStr::width).max().unwrap_or(0).min(ID_WIDTH_MAX);
        let place = self.followed.as_deref().and_then(|id| self.place_of(id));
        let before = self.cursor;
        self.cursor = place.unwrap_or(self.cursor).min(self.shown.len().saturating_sub(1));
        self.top = (self.top + self.cursor).saturating_sub(before);
        self.settle();
    }

    /// Takes another height.
    pub(super) fn resize(&mut self, height: usize) {
        self.height = height;
        self.settle();
    }

    /// Moves the cursor down by so many lines; up where it is negative.
    pub(super) fn move_by(&mut self, n_lines: isize) {
        let last = self.shown.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(n_lines).min(last);
        self.settle();
        self.follow();
    }

    /// Moves the cursor down by so many screens.
    pub(super) fn page_by(&mut self, n_pages: isize) {
        let page = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        self.move_by(page.saturating_mul(n_pages));
    }

    /// Has the cursor stay with the task that it is on.
    pub(super) fn follow(&mut self) {
        self.followed = self.chosen().map(|row| row.id.clone());
    }

    /// Returns the task under the cursor.
    pub(super) fn chosen(&self) -> Option<&Row> {
        self.row(*self.shown.get(self.cursor)?)
    }

    /// Returns a task by its id, shown or not.
    pub(super) fn find(&self, id: &str) -> Option<&Row> {
        self.board.rows.iter().find(|row| row.id == id)
    }

    /// Returns the tasks that are seen, and whether the cursor is on each.
    pub(super) fn seen(&self) -> impl Iterator<Item = (&Row, bool)> {
        let lines = self.shown.iter().enumerate().skip(self.top).take(self.height);
        lines.filter_map(|(line, at)| Some((self.row(*at)?, line == self.cursor)))
    }

    /// Returns how many tasks are shown, and how many there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.shown.len(), self.board.rows.len())
    }

    /// Shows the tasks of the next state that any task has; all of them after the last.
    pub(super) fn next_state(&mut self) {
        let after = self.state.map_or(0, |state| rank(state) + 1);
        let has = |state: &TaskState| self.board.rows.iter().any(|row| row.state == *state);
        self.state = TaskState::ALL.into_iter().skip(after).find(has);
        self.arrange();
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.shown.iter().filter_map(|at| Some(self.row(*at)?.id.as_str()))
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.ids().position(|shown| shown == id)
    }

    fn row(&self, at: usize) -> Option<&Row> {
        self.board.rows.get(at)
    }

    /// Keeps the cursor in sight.
    fn settle(&mut self) {
        let last = self.shown.len().saturating_sub(self.height);
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self.top.min(last).max(lowest).min(self.cursor);
    }
}

/// Returns the place of a state in the order in which states are shown.
fn rank(state: TaskState) -> usize {
    TaskState::ALL.iter().position(|known| *known == state).unwrap_or(TaskState::ALL.len())
}

fn contains(row: &Row, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    needle.is_empty()
        || has(&row.id)
        || has(&row.title)
        || has(row.state.as_str())
        || row.role.as_deref().is_some_and(has)
}
