//! The live view of a run: a few lines at the bottom of the terminal, drawn anew in place, with
//! everything that happened scrolling by above them.

pub mod board;
mod draw;

use std::{io::Stdout, mem::ManuallyDrop};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    widgets::{Paragraph, Widget as _},
};

use crate::app::view::run::{Live, RunEvent};

/// Lines that the view takes at most.
const HEIGHT_MAX: u16 = 12;

/// The bottom of the terminal. Where that cannot be drawn on, lines are still printed.
#[derive(Debug)]
pub struct Screen {
    /// Not dropped: it would print about a terminal that is gone, to that terminal, and panic.
    terminal: Option<ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>>,
}

impl Screen {
    /// Takes the bottom lines of the terminal.
    pub fn open() -> Self {
        let size = ratatui::crossterm::terminal::size().unwrap_or((80, 24));
        // A terminal that is too low keeps room for at least some lines above.
        let height = HEIGHT_MAX.min(size.1.saturating_sub(4)).max(3);
        let options = TerminalOptions { viewport: Viewport::Inline(height) };
        let terminal = Terminal::with_options(CrosstermBackend::new(std::io::stdout()), options)
            .inspect_err(|error| tracing::debug!(%error, "no live view"))
            .ok()
            .map(ManuallyDrop::new);
        Self { terminal }
    }

    /// Says whether the view can be drawn.
    pub fn is_drawn(&self) -> bool {
        self.terminal.is_some()
    }

    /// Draws the state of things.
    pub fn draw(&mut self, live: &Live) {
        let Some(terminal) = &mut self.terminal else { return };
        let drawn = terminal.draw(|frame| {
            let area = frame.area();
            let lines = draw::lines(live, usize::from(area.width), usize::from(area.height));
            frame.render_widget(Paragraph::new(lines), area);
        });
        if let Err(error) = drawn {
            tracing::debug!(%error, "the live view is gone");
            self.terminal = None;
        }
    }

    /// Prints what happened above the view.
    pub fn print_above(&mut self, event: &RunEvent) {
        let Some(terminal) = &mut self.terminal else { return };
        let lines = draw::event_lines(event);
        if lines.is_empty() {
            return;
        }
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let printed = terminal
            .insert_before(height, |buffer| Paragraph::new(lines).render(buffer.area, buffer));
        if let Err(error) = printed {
            tracing::debug!(%error, "the live view is gone");
            self.terminal = None;
        }
    }
}

/// Returns the width of the terminal, where that is known.
pub fn columns() -> Option<usize> {
    let (columns, _) = ratatui::crossterm::terminal::size().ok()?;
    (columns > 0).then_some(usize::from(columns))
}

impl Drop for Screen {
    /// Removes the view, and leaves the terminal as it was.
    fn drop(&mut self) {
        let Some(terminal) = &mut self.terminal else { return };
        if let Err(error) = terminal.clear().and_then(|()| terminal.show_cursor()) {
            tracing::debug!(%error, "the live view is gone");
        }
    }
}
