//! The whole terminal, taken and given back: on return, on errors and on panics.

use std::{
    io::{self, Stdout},
    mem::ManuallyDrop,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        execute,
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
};

/// The terminal in raw mode, on its alternate screen. Dropping it gives the terminal back.
pub(super) struct Guard {
    /// Not dropped: it would print about a terminal that is gone, to that terminal, and panic.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
    taken: Taken,
}

/// Whether the terminal is taken; whoever finds that it is may give it back, once.
#[derive(Debug, Clone, Default)]
struct Taken(Arc<AtomicBool>);

impl Taken {
    /// Gives the terminal back, where it is still taken.
    fn give_back(&self, restore: impl FnOnce() -> io::Result<()>) {
        if self.0.swap(false, Ordering::SeqCst)
            && let Err(error) = restore()
        {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

impl Guard {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Where it cannot be controlled; then it is as it was.
    pub(super) fn take() -> io::Result<Self> {
        let taken = Taken::default();
        give_back_on_panic(taken.clone(), restore);
        enable_raw_mode()?;
        taken.0.store(true, Ordering::SeqCst);
        let opened = execute!(io::stdout(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match opened {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal), taken }),
            Err(error) => {
                taken.give_back(restore);
                Err(error)
            }
        }
    }

    /// Returns columns and lines.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Draws. Nothing is drawn any more once the terminal was given back.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if self.taken.0.load(Ordering::SeqCst) {
            self.terminal.draw(draw)?;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.taken.give_back(restore);
    }
}

fn restore() -> io::Result<()> {
    // One that fails must not keep the other from being done.
    let left = execute!(io::stdout(), LeaveAlternateScreen, Show);
    disable_raw_mode().and(left)
}

/// Has a panic of any thread give the terminal back first, so that its message is seen.
fn give_back_on_panic(taken: Taken, restore: impl Fn() -> io::Result<()> + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        taken.give_back(&restore);
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn a_panic_gives_the_terminal_back_once() {
        let n_times = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&n_times);
        let restore = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let taken = Taken(Arc::new(AtomicBool::new(true)));
        give_back_on_panic(taken.clone(), restore.clone());
        let ended = std::thread::spawn(|| panic!("planted")).join();
        assert!(ended.is_err());
        assert_eq!(n_times.load(Ordering::SeqCst), 1);
        taken.give_back(restore);
        assert_eq!(n_times.load(Ordering::SeqCst), 1);
    }
}
