//! Model → screen: pure, and only what is seen.

use std::time::Duration;

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    model::{Layout, Model, Page, Purpose, Tab},
    words,
};
use crate::{
    app::view::{
        board::{Badge, Mode, Row},
        run::LiveWorker,
    },
    domain::{model::time::render_duration, scheduler::phase::TaskState},
    ui::output::{
        escape::clean_line,
        figures::{bar, columns, counted, cut, tokens},
        run::Tone,
        state,
    },
};

/// Columns of the widest word for a state.
const STATE_WIDTH: usize = 11;

/// Terminals that are narrower show states by their sign only.
const WIDTH_ROOMY: usize = 60;

/// Draws everything.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, is_colored: bool) {
    let area = frame.area();
    // The terminal may have another size than the model was told: the next input tells it.
    let layout = model.layout();
    let mut lines = Vec::with_capacity(usize::from(area.height));
    lines.extend([plan_line(model, layout.width), mode_line(model, layout.width)]);
    lines.truncate(layout.head);
    match &model.page {
        Page::Tasks => push_tasks(&mut lines, model, layout),
        page => push_page(&mut lines, model, page, layout),
    }
    let foot = model.foot().into_iter().take(layout.foot);
    lines.extend(foot.map(|(tone, text)| {
        let look = if tone == Tone::Neutral { dim() } else { tone_look(tone) };
        Line::styled(cut(&text, layout.width), look)
    }));
    if !is_colored {
        lines.iter_mut().for_each(bleach);
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    frame.render_widget(Paragraph::new(lines), Rect { height, ..area });
}

/// Takes the colors away; bold, dim and reversed stay.
fn bleach(line: &mut Line<'_>) {
    let spans = line.spans.iter_mut().map(|span| &mut span.style);
    for style in spans.chain(std::iter::once(&mut line.style)) {
        (style.fg, style.bg) = (None, None);
    }
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

fn tone_look(tone: Tone) -> Style {
    match tone {
        Tone::Neutral => Style::new(),
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Uneasy => Style::new().fg(Color::Yellow),
        Tone::Bad => Style::new().fg(Color::Red),
    }
}

fn state_look(state: TaskState) -> Style {
    match state {
        TaskState::Running | TaskState::Verifying | TaskState::Landing => {
            Style::new().fg(Color::Cyan)
        }
        TaskState::Ready => Style::new().fg(Color::Blue),
        TaskState::BackingOff | TaskState::Review => Style::new().fg(Color::Yellow),
        TaskState::Blocked => Style::new().fg(Color::Magenta),
        TaskState::Failed => Style::new().fg(Color::Red),
        TaskState::Done => Style::new().fg(Color::Green),
        TaskState::Draft | TaskState::Hold | TaskState::Waiting | TaskState::Cancelled => dim(),
    }
}

/// The plan: how much is done, and what the rest does.
fn plan_line(model: &Model, width: usize) -> Line<'static> {
    let live = &model.live;
    if live.counts.is_empty() && live.board.rows.is_empty() {
        return Line::styled(cut(" reading the plan…", width), dim());
    }
    let bar_width = if width < WIDTH_ROOMY { 8 } else { 20 };
    let mut parts = vec![format!("{}/{} done", live.n_done, live.n_tasks)];
    let counts = live.counts.iter().filter(|(state, _)| !matches!(*state, "done" | "cancelled"));
    parts.extend(counts.map(|(state, n)| format!("{n} {state}")));
    let bar = format!(" {} ", bar(live.n_done, live.n_tasks, bar_width));
    let rest = width.saturating_sub(bar_width + 2);
    Line::from(vec![
        Span::styled(bar, Style::new().fg(Color::Green)),
        Span::raw(cut(&parts.join(" · "), rest)),
    ])
}

/// How it is carried out, how long it took and takes, and what it used.
fn mode_line(model: &Model, width: usize) -> Line<'static> {
    let mut parts = mode_parts(model);
    parts.extend(figure_parts(model).into_iter().map(|text| (Tone::Neutral, text)));
    let branch = model.live.board.mode.branch.as_ref();
    parts.extend(branch.map(|branch| (Tone::Neutral, format!("on {branch}"))));
    let tone = parts.iter().map(|(tone, _)| *tone).find(|tone| *tone != Tone::Neutral);
    let text = parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" · ");
    let look = tone.map_or_else(dim, tone_look);
    Line::styled(cut(&format!(" {}", clean_line(&text)), width), look)
}

fn figure_parts(model: &Model) -> Vec<String> {
    let live = &model.live;
    let mut parts = Vec::new();
    // Nothing is drawn anew while nothing happens, so a clock would stand still.
    if !live.running.is_empty() {
        parts.push(render_duration(live.elapsed));
    }
    if let Some(left) = live.remaining.filter(|left| *left > Duration::ZERO && !live.is_stopping) {
        parts.push(format!("about {} to go", render_duration(left)));
    }
    if live.usage.tokens() > 0 {
        parts.push(format!("{} tokens", tokens(live.usage.tokens())));
    }
    if live.usage.cost_usd > 0.0 {
        parts.push(format!("${:.2}", live.usage.cost_usd));
    }
    parts
}

/// Says how it is carried out: what is out of the ordinary first.
fn mode_parts(model: &Model) -> Vec<(Tone, String)> {
    let live = &model.live;
    let Mode { is_paused, held, polling, coordinator, .. } = &live.board.mode;
    let mut parts = Vec::new();
    if live.is_stopping || model.n_interrupts > 0 {
        let n = counted(live.running.len(), "worker");
        parts.push((Tone::Uneasy, format!("stopping {n} (Ctrl-C again kills)")));
    }
    if *is_paused {
        parts.push((Tone::Uneasy, "PAUSED: starts nothing more (p goes on)".to_owned()));
    }
    if let Some(why) = held {
        parts.push((Tone::Uneasy, format!("held: {why}")));
    }
    if model.purpose == Purpose::Look && !live.counts.is_empty() {
        parts.push((Tone::Neutral, "only looking".to_owned()));
        parts.push((
            Tone::Neutral,
            match coordinator {
                Some(coordinator) => format!("carried out by {coordinator}"),
                None => "nobody carries it out".to_owned(),
            },
        ));
    }
    parts.extend(live.gate.map(|level| (Tone::Neutral, format!("gate of level {level} runs"))));
    if let Some(period) = polling {
        parts.push((Tone::Neutral, format!("looks every {}", render_duration(*period))));
    }
    if parts.is_empty() && !live.counts.is_empty() {
        parts.push((Tone::Neutral, "starts what is ready".to_owned()));
    }
    parts
}

fn push_tasks(lines: &mut Vec<Line<'static>>, model: &Model, layout: Layout) {
    let first = lines.len();
    lines.extend(model.list.seen().map(|(row, is_chosen)| {
        let worker = model.workers.get(&row.id);
        task_line(row, worker, is_chosen, (model.list.id_width, layout.width))
    }));
    if model.list.counts() == (0, 0) && !model.live.counts.is_empty() {
        lines.push(Line::styled(" no tasks: `orch new` makes one", dim()));
    }
    lines.resize(first + layout.list, Line::default());
    if layout.told == 0 {
        return;
    }
    lines.push(rule(&told_title(model), layout.width));
    let n_lines = layout.told - 1;
    let first = lines.len();
    let told = model.told.iter().skip(model.told.len().saturating_sub(n_lines));
    lines.extend(told.map(|(at, tone, text)| {
        let rest = layout.width.saturating_sub(columns(at) + 2);
        let at = Span::styled(format!(" {at} "), dim());
        Line::from(vec![at, Span::styled(cut(text, rest), tone_look(*tone))])
    }));
    lines.resize(first + n_lines, Line::default());
}

/// Says over what happened how many tasks are shown, and what is wrong.
fn told_title(model: &Model) -> String {
    let (n_shown, n_tasks) = model.list.counts();
    let filter = &model.list.filter;
    let mut parts = Vec::new();
    if !filter.is_empty() {
        parts.push(format!("filter `{}`", clean_line(filter)));
    }
    parts.extend(model.list.state.map(|state| format!("only {}", state.as_str())));
    if !parts.is_empty() {
        parts.push(format!("{n_shown} of {}", counted(n_tasks, "task")));
    }
    let faults = words::n_faults(&model.live.board.faults);
    parts.extend(faults.map(|faults| format!("{faults} (e)")));
    parts.join(" · ")
}

/// Returns a line across the screen with a title in it.
fn rule(title: &str, width: usize) -> Line<'static> {
    let title = if title.is_empty() { String::new() } else { format!(" {title} ") };
    let title = cut(&title, width.saturating_sub(2));
    let rest = width.saturating_sub(columns(&title) + 2);
    Line::from(vec![
        Span::styled("──", dim()),
        Span::raw(title),
        Span::styled("─".repeat(rest), dim()),
    ])
}

fn task_line(
    row: &Row,
    worker: Option<&LiveWorker>,
    is_chosen: bool,
    (id_width, width): (usize, usize),
) -> Line<'static> {
    let word = worker.map_or_else(|| row.state.as_str(), |worker| worker.stage);
    let look = state_look(row.state);
    let id = cut(&clean_line(&row.id), id_width);
    let gap = " ".repeat(id_width.saturating_sub(id.width()));
    let mut spans = vec![
        Span::styled(format!(" {} ", state::sign(row.state.as_str())), look),
        Span::raw(format!("{id}{gap} ")),
    ];
    if width >= WIDTH_ROOMY {
        spans.push(Span::styled(format!(" {word:<STATE_WIDTH$} "), look));
    }
    if let Some(text) = figures(row, worker) {
        spans.push(Span::raw(text));
    }
    spans.extend(row.badges.iter().map(|badge| {
        let words = match badge {
            Badge::Removed => "removed, still running: c stops it",
            other => other.as_str(),
        };
        Span::styled(format!("[{words}] "), Style::new().fg(Color::Yellow))
    }));
    let said = worker.and_then(|worker| worker.message.as_ref()).or(row.message.as_ref());
    let is_running =
        matches!(row.state, TaskState::Running | TaskState::Verifying | TaskState::Landing);
    let text = said.filter(|_| is_running).unwrap_or(&row.title);
    spans.push(Span::raw(clean_line(text).into_owned()));
    if let Some(role) = row.role.as_ref().filter(|_| width >= WIDTH_ROOMY) {
        spans.push(Span::styled(format!("  {}", clean_line(role)), dim()));
    }
    let mut line = fit(spans, width, is_chosen);
    if is_chosen {
        line.style = line.style.add_modifier(Modifier::REVERSED);
    }
    line
}

/// Returns attempt, time and percent of what runs.
fn figures(row: &Row, worker: Option<&LiveWorker>) -> Option<String> {
    let elapsed = worker.map(|worker| worker.elapsed).or(row.elapsed)?;
    let attempt = worker.map_or(row.attempt, |worker| worker.attempt);
    let attempt = if attempt > 1 { format!("#{attempt} ") } else { String::new() };
    let percent = worker.and_then(|worker| worker.progress).or(row.progress);
    let percent = percent.map_or_else(String::new, |percent| format!("{percent}% "));
    Some(format!("{attempt}{} {percent} ", render_duration(elapsed)))
}

/// Cuts spans to `width` columns; the line of the cursor goes all the way.
fn fit(spans: Vec<Span<'static>>, width: usize, is_filled: bool) -> Line<'static> {
    let mut rest = width;
    let mut kept = Vec::with_capacity(spans.len() + 1);
    for span in spans {
        if rest == 0 {
            break;
        }
        let text = cut(&span.content, rest);
        rest = rest.saturating_sub(columns(&text));
        kept.push(Span::styled(text, span.style));
    }
    if is_filled {
        kept.push(Span::raw(" ".repeat(rest)));
    }
    Line::from(kept)
}

fn push_page(lines: &mut Vec<Line<'static>>, model: &Model, page: &Page, layout: Layout) {
    let (title, pager) = match page {
        Page::Tasks => return,
        Page::Task(task) => {
            let id = clean_line(&task.id);
            match task.tab {
                Tab::Details => (format!("{id}: task"), &task.details),
                Tab::Log => (format!("{id}: log"), &task.log),
            }
        }
        Page::Faults(pager) => {
            let n = words::n_faults(&model.live.board.faults);
            (n.map_or_else(|| "faults".to_owned(), |n| format!("faults: {n}")), pager)
        }
        Page::History(pager) => ("what happened".to_owned(), pager),
        Page::Help(pager) => ("keys".to_owned(), pager),
    };
    let first = lines.len();
    let place = pager.place().map_or_else(String::new, |place| format!(" · {place}"));
    lines.push(rule(&format!("{title}{place}"), layout.width));
    lines.extend(pager.seen().map(|line| Line::raw(line.to_owned())));
    lines.resize(first + layout.list + layout.told, Line::default());
}
