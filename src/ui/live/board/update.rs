//! What follows from something that the view is told: a changed model, and what it asks for. Pure.

use super::{
    ask::{Question, Reply},
    input::{Action, Input, Key},
    model::{Model, Page, Purpose, Tab, TaskPage},
    pager::Pager,
    words,
};
use crate::{
    app::{
        running::{Request, StopMode},
        view::{
            board::Row,
            run::{Live, RunEvent},
        },
    },
    ui::output::run::Tone,
};

/// Takes something in and returns what follows.
pub(super) fn update(model: &mut Model, input: Input) -> Vec<Action> {
    let actions = match input {
        Input::Key(Key::Interrupt) => interrupt(model),
        Input::Key(key) => press(model, key),
        Input::Resized(width, height) => {
            model.size = (usize::from(width), usize::from(height));
            Vec::new()
        }
        Input::Live(live) => take_live(model, *live),
        Input::Happened(events) => take_events(model, &events),
        Input::Details { id, text } => take_details(model, &id, text),
        Input::LogOpened { id, text } => take_log(model, &id, text),
        Input::LogGrew(text) => {
            if let Page::Task(task) = &mut model.page {
                task.log.push(&text);
            }
            Vec::new()
        }
        Input::Answered(answer) => {
            model.answer = Some(match answer {
                Ok(text) => (Tone::Good, text),
                Err(text) => (Tone::Bad, text),
            });
            Vec::new()
        }
        Input::Ended => {
            model.has_ended = true;
            Vec::new()
        }
    };
    model.arrange();
    actions
}

fn take_live(model: &mut Model, live: Live) -> Vec<Action> {
    let workers = live.running.iter().map(|worker| (worker.task.clone(), worker.clone()));
    model.workers = workers.collect();
    let is_same = std::sync::Arc::ptr_eq(&model.live.board, &live.board);
    model.live = live;
    if is_same {
        return Vec::new();
    }
    model.list.take(&model.live.board);
    let size = model.page_size();
    match &mut model.page {
        Page::Faults(pager) => pager.replace(&words::faults(&model.live.board.faults)),
        Page::Task(task) => return refresh(task, model.list.find(&task.id), size),
        Page::Tasks | Page::History(_) | Page::Help(_) => {}
    }
    Vec::new()
}

/// Has the open task read again where it is not what it was.
fn refresh(task: &mut TaskPage, row: Option<&Row>, size: (usize, usize)) -> Vec<Action> {
    // How long it has been running is no news.
    let timeless = |row: &Row| Row { elapsed: None, ..row.clone() };
    let row = row.map(timeless);
    if row == task.row {
        return Vec::new();
    }
    let attempt = |row: &Option<Row>| row.as_ref().map_or(0, |row| row.attempt);
    let is_next = attempt(&row) > attempt(&task.row);
    task.row = row;
    let mut actions = vec![Action::LoadDetails(task.id.clone())];
    if task.tab == Tab::Log && is_next {
        task.log = Pager::following("", size);
        actions.push(Action::OpenLog(task.id.clone()));
    }
    actions
}

fn take_events(model: &mut Model, events: &[RunEvent]) -> Vec<Action> {
    for event in events {
        for (at, tone, text) in words::told(event) {
            model.tell(&at, tone, text);
        }
    }
    let history = matches!(model.page, Page::History(_)).then(|| words::history(&model.told));
    if let (Page::History(pager), Some(text)) = (&mut model.page, history) {
        pager.replace(&text);
    }
    Vec::new()
}

fn take_details(model: &mut Model, id: &str, text: Result<String, String>) -> Vec<Action> {
    if let Page::Task(task) = &mut model.page
        && task.id == id
    {
        task.details.replace(&text.unwrap_or_else(|fault| fault));
    }
    Vec::new()
}

fn take_log(model: &mut Model, id: &str, text: Result<String, String>) -> Vec<Action> {
    let size = model.page_size();
    if let Page::Task(task) = &mut model.page
        && task.id == id
    {
        task.log = Pager::following(&text.unwrap_or_else(|fault| fault), size);
    }
    Vec::new()
}

/// Stops politely the first time, at once the second.
fn interrupt(model: &mut Model) -> Vec<Action> {
    model.n_interrupts += 1;
    model.question = None;
    let mode = if model.n_interrupts > 1 { StopMode::Now } else { StopMode::Polite };
    vec![Action::Ask(Request::Stop(mode))]
}

fn press(model: &mut Model, key: Key) -> Vec<Action> {
    if let Some(question) = &model.question {
        let reply = question.reply(key);
        if reply != Reply::Unclear {
            model.question = None;
        }
        return match reply {
            Reply::Do(Action::Ask(Request::Stop(mode))) => {
                // Ctrl-C after it is the second wish to stop.
                model.n_interrupts = model.n_interrupts.max(1);
                vec![Action::Ask(Request::Stop(mode))]
            }
            Reply::Do(action) => vec![action],
            Reply::Drop | Reply::Unclear => Vec::new(),
        };
    }
    model.answer = None;
    if model.is_typing {
        type_filter(model, key);
        return Vec::new();
    }
    if let Some(actions) = press_anywhere(model, key) {
        return actions;
    }
    match model.page {
        Page::Tasks => press_in_list(model, key),
        Page::Task(_) => press_in_task(model, key),
        Page::Faults(_) | Page::History(_) | Page::Help(_) => {
            if matches!(key, Key::Escape | Key::Left | Key::Char('h')) {
                model.page = Page::Tasks;
            } else if let Page::Faults(pager) | Page::History(pager) | Page::Help(pager) =
                &mut model.page
            {
                scroll(pager, key);
            }
            Vec::new()
        }
    }
}

/// Takes the keys that mean the same everywhere.
fn press_anywhere(model: &mut Model, key: Key) -> Option<Vec<Action>> {
    let size = model.page_size();
    match key {
        Key::Char('?') => open(model, |_| Page::Help(Pager::new(words::HELP, size))),
        Key::Char('e') => open(model, |model| {
            Page::Faults(Pager::new(&words::faults(&model.live.board.faults), size))
        }),
        Key::Char('v') => {
            open(model, |model| Page::History(Pager::following(&words::history(&model.told), size)))
        }
        Key::Char('q') => Some(quit(model)),
        Key::Char('p') => Some(pause(model)),
        Key::Char('a') => ask(model, Question::approve),
        Key::Char('r') => ask(model, Question::retry),
        Key::Char('c') => ask(model, Question::cancel),
        Key::Char('h') if model.subject().is_some() => ask(model, Question::hold),
        _ => None,
    }
}

/// Opens a page; the log of the task that was open, if any, is no longer looked at.
fn open(model: &mut Model, page: impl FnOnce(&Model) -> Page) -> Option<Vec<Action>> {
    let page = page(model);
    let was_log = matches!(&model.page, Page::Task(task) if task.tab == Tab::Log);
    model.page = page;
    // The page has more room than the list had.
    model.arrange();
    if let Page::History(pager) = &mut model.page {
        pager.go_last();
    }
    Some(if was_log { vec![Action::CloseLog] } else { Vec::new() })
}

fn ask(model: &mut Model, question: impl FnOnce(&Row) -> Question) -> Option<Vec<Action>> {
    let question = question(model.subject()?);
    model.question = Some(question);
    // The cursor must not slide off the task that is spoken of.
    model.list.follow();
    Some(Vec::new())
}

fn quit(model: &mut Model) -> Vec<Action> {
    let n_running = model.live.running.len();
    if model.purpose == Purpose::Look || n_running == 0 {
        return vec![Action::Ask(Request::Leave)];
    }
    model.question = Some(Question::Quit { n_running });
    Vec::new()
}

fn pause(model: &mut Model) -> Vec<Action> {
    if model.purpose == Purpose::Look {
        model.answer = Some((Tone::Uneasy, "this view only looks: it starts nothing".to_owned()));
        return Vec::new();
    }
    let request = if model.live.board.mode.is_paused { Request::Resume } else { Request::Pause };
    vec![Action::Ask(request)]
}

fn press_in_list(model: &mut Model, key: Key) -> Vec<Action> {
    match key {
        Key::Char('/') => model.is_typing = true,
        Key::Char('s') => model.list.next_state(),
        Key::Escape => {
            model.list.filter.clear();
            model.list.state = None;
            model.list.arrange();
        }
        Key::Enter | Key::Char('l') | Key::Right => return open_task(model, Tab::Details),
        Key::Char('o') | Key::Tab => return open_task(model, Tab::Log),
        Key::Up | Key::Char('k') => model.list.move_by(-1),
        Key::Down | Key::Char('j') => model.list.move_by(1),
        Key::PageUp => model.list.page_by(-1),
        Key::PageDown | Key::Char(' ') => model.list.page_by(1),
        Key::Home | Key::Char('g') => model.list.move_by(isize::MIN),
        Key::End | Key::Char('G') => model.list.move_by(isize::MAX),
        Key::Backspace | Key::Left | Key::Interrupt | Key::Char(_) => {}
    }
    Vec::new()
}

fn open_task(model: &mut Model, tab: Tab) -> Vec<Action> {
    model.list.follow();
    let Some(row) = model.list.chosen() else { return Vec::new() };
    let (id, row) = (row.id.clone(), Row { elapsed: None, ..row.clone() });
    let mut actions = vec![Action::LoadDetails(id.clone())];
    if tab == Tab::Log {
        actions.push(Action::OpenLog(id.clone()));
    }
    let (details, log) = (Pager::default(), Pager::default());
    model.page = Page::Task(Box::new(TaskPage { id, row: Some(row), tab, details, log }));
    actions
}

fn press_in_task(model: &mut Model, key: Key) -> Vec<Action> {
    let Page::Task(task) = &mut model.page else { return Vec::new() };
    match (key, task.tab) {
        (Key::Escape | Key::Left | Key::Backspace, tab) => {
            model.page = Page::Tasks;
            if tab == Tab::Log { vec![Action::CloseLog] } else { Vec::new() }
        }
        (Key::Tab | Key::Char('o'), Tab::Details) => {
            task.tab = Tab::Log;
            vec![Action::OpenLog(task.id.clone())]
        }
        (Key::Tab | Key::Char('o') | Key::Enter | Key::Char('l'), Tab::Log) => {
            task.tab = Tab::Details;
            vec![Action::CloseLog]
        }
        (key, Tab::Details) => {
            scroll(&mut task.details, key);
            Vec::new()
        }
        (key, Tab::Log) => {
            scroll(&mut task.log, key);
            Vec::new()
        }
    }
}

fn scroll(pager: &mut Pager, key: Key) {
    match key {
        Key::Up | Key::Char('k') => pager.move_by(-1),
        Key::Down | Key::Char('j') => pager.move_by(1),
        Key::PageUp => pager.page_by(-1),
        Key::PageDown | Key::Char(' ') => pager.page_by(1),
        Key::Home | Key::Char('g') => pager.go_first(),
        Key::End | Key::Char('G') => pager.go_last(),
        _ => {}
    }
}

fn type_filter(model: &mut Model, key: Key) {
    match key {
        Key::Char(c) => model.list.filter.push(c),
        Key::Backspace => drop(model.list.filter.pop()),
        Key::Enter => model.is_typing = false,
        Key::Escape => {
            model.is_typing = false;
            model.list.filter.clear();
        }
        Key::Up => model.list.move_by(-1),
        Key::Down => model.list.move_by(1),
        _ => {}
    }
    model.list.arrange();
}
