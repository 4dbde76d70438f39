//! The keyboard, read in a thread of its own.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    time::Duration,
};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::input::{Input, Key};

/// How long it may take until the thread notices that the view is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends what is typed and how large the terminal is, until the view is over. The thread is not
/// waited for: it may sleep for a while longer, and touches nothing then.
pub(super) fn listen(inputs: Sender<Input>, is_over: Arc<AtomicBool>) -> io::Result<()> {
    let work = move || {
        while !is_over.load(Ordering::Relaxed) {
            match read() {
                Ok(None) => {}
                Ok(Some(input)) => {
                    if inputs.send(input).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the keyboard is gone");
                    return;
                }
            }
        }
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(work).map(drop)
}

fn read() -> io::Result<Option<Input>> {
    if !event::poll(PATIENCE)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) => key_of(key).map(Input::Key),
        Event::Resize(columns, lines) => Some(Input::Resized(columns, lines)),
        _ => None,
    })
}

/// Returns the key that was pressed, where the view knows it.
fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let is_control = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(match event.code {
        KeyCode::Char('c' | 'C') if is_control => Key::Interrupt,
        KeyCode::Char(_) if is_control => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Tab | KeyCode::BackTab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
