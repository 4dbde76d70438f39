//! The view, driven by keys and drawn into a buffer.

use std::{sync::Arc, time::Duration};

use expect_test::{Expect, expect};
use ratatui::{Terminal, backend::TestBackend};

use super::{
    draw::draw,
    input::{Action, Input, Key},
    model::{Model, Page, Purpose},
    update::update,
};
use crate::{
    app::view::{
        board::{Badge, Board, Mode, Row},
        change::FaultView,
        run::{Happened, Live, LiveWorker, RunEvent},
    },
    domain::{model::attempt::Usage, scheduler::phase::TaskState},
};

fn row(id: &str, state: TaskState) -> Row {
    Row {
        id: id.to_owned(),
        title: format!("The task {id}"),
        state,
        path: format!(".orch/tasks/{id}.md"),
        role: (id == "b").then(|| "builder".to_owned()),
        attempt: 0,
        elapsed: None,
        progress: None,
        message: None,
        badges: Vec::new(),
    }
}

fn board() -> Board {
    let mut rows = vec![
        row("a", TaskState::Done),
        row("b", TaskState::Running),
        row("c", TaskState::Review),
        row("d", TaskState::Ready),
        row("e", TaskState::Waiting),
        row("f", TaskState::Hold),
        row("g", TaskState::Verifying),
    ];
    rows[0].badges = vec![Badge::Stale];
    rows[1].attempt = 2;
    rows[1].elapsed = Some(Duration::from_secs(60));
    rows[2].attempt = 1;
    rows[4].title =
        "Bad \u{1b}[31mred\u{202e} and a title that goes on and on and on, far".to_owned();
    rows[6].attempt = 1;
    rows[6].badges = vec![Badge::Removed];
    let fault = FaultView {
        severity: "error",
        code: "unknown-dependency",
        message: "task `e` depends on `x`, which does not exist".to_owned(),
        path: ".orch/tasks/e.md".to_owned(),
        line: 3,
        column: 14,
        help: Some("did you mean `d`?".to_owned()),
    };
    let mode = Mode { is_dispatching: true, branch: Some("main".to_owned()), ..Mode::default() };
    Board { rows, faults: vec![fault], mode }
}

fn live(board: Board) -> Live {
    let worker = |task: &str, stage, progress| LiveWorker {
        task: task.to_owned(),
        attempt: 2,
        title: format!("The task {task}"),
        stage,
        elapsed: Duration::from_secs(62),
        progress,
        message: Some("wiring the middleware".to_owned()),
        unreadable_since: None,
    };
    Live {
        running: vec![worker("b", "running", Some(40)), worker("g", "verifying", None)],
        counts: vec![("running", 1), ("verifying", 1), ("ready", 1), ("done", 1)],
        n_done: 1,
        n_tasks: 7,
        elapsed: Duration::from_secs(130),
        remaining: Some(Duration::from_secs(200)),
        usage: Usage { input_tokens: 1200, cost_usd: 0.25, ..Usage::default() },
        board: Arc::new(board),
        ..Live::default()
    }
}

fn event(happened: Happened) -> RunEvent {
    RunEvent { at: "2026-11-20T10:15:00.000Z".to_owned(), happened }
}

/// A view of a running plan.
fn model(purpose: Purpose, size: (u16, u16)) -> Model {
    let mut model = Model::new(purpose, size);
    update(&mut model, Input::Live(Box::new(live(board()))));
    let started =
        Happened::Started { task: "b".to_owned(), attempt: 2, title: "The task b".to_owned() };
    let gave_up =
        Happened::GaveUp { task: "z".to_owned(), n_failed: 2, of: "attempts", n_blocked: 1 };
    update(&mut model, Input::Happened(vec![event(started), event(gave_up)]));
    model
}

/// Reads keys as they are written in the tables: letters, or `<name>`.
fn keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((name, more)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            keys.push(match name {
                "enter" => Key::Enter,
                "esc" => Key::Escape,
                "bs" => Key::Backspace,
                "tab" => Key::Tab,
                "up" => Key::Up,
                "down" => Key::Down,
                "left" => Key::Left,
                "right" => Key::Right,
                "pgup" => Key::PageUp,
                "pgdn" => Key::PageDown,
                "home" => Key::Home,
                "end" => Key::End,
                "ctrl-c" => Key::Interrupt,
                other => panic!("no key is called {other}"),
            });
            rest = more;
        } else {
            keys.push(Key::Char(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    keys
}

fn press(model: &mut Model, text: &str) -> Vec<Action> {
    keys(text).into_iter().flat_map(|key| update(model, Input::Key(key))).collect()
}

/// Says in a line where the person is after these keys, and what they asked for.
fn after(purpose: Purpose, text: &str) -> String {
    let mut model = model(purpose, (80, 24));
    let actions = press(&mut model, text);
    let page = match &model.page {
        Page::Tasks => "tasks".to_owned(),
        Page::Task(task) => format!("{} {:?}", task.id, task.tab),
        Page::Faults(_) => "faults".to_owned(),
        Page::History(_) => "history".to_owned(),
        Page::Help(_) => "help".to_owned(),
    };
    let on = model.list.chosen().map_or("-", |row| row.id.as_str());
    let (n, _) = model.list.counts();
    let asks = model.question.as_ref().map(|question| format!(" [{}]", question.lines()[0]));
    let actions = if actions.is_empty() { String::new() } else { format!(" {actions:?}") };
    format!("{text:<16} {page}, on {on} of {n}{}{actions}\n", asks.unwrap_or_default())
}

fn check(purpose: Purpose, table: &[&str], expected: &Expect) {
    expected.assert_eq(&table.iter().map(|keys| after(purpose, keys)).collect::<String>());
}

/// Returns the screen as text.
fn screen(model: &Model) -> String {
    let (width, height) = (model.size.0 as u16, model.size.1 as u16);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, frame, true)).unwrap();
    let shown = terminal.backend().to_string();
    let lines = shown.lines().map(|line| line.trim_matches('"').trim_end());
    lines.map(|line| format!("|{line}\n")).collect()
}

#[test]
fn keys_move_open_and_go_back() {
    check(
        Purpose::Run,
        &[
            "",
            "j",
            "jjk",
            "G",
            "Gg",
            "<pgdn>",
            "<end><up>",
            "<enter>",
            "jl",
            "jo",
            "<tab><tab>",
            "<enter><esc>",
            "o<esc>",
            "?",
            "?<esc>",
            "e",
            "v",
            "v<left>",
            "?jjG",
            "<enter>q",
        ],
        &expect![[r#"
                             tasks, on b of 7
            j                tasks, on g of 7
            jjk              tasks, on g of 7
            G                tasks, on a of 7
            Gg               tasks, on b of 7
            <pgdn>           tasks, on a of 7
            <end><up>        tasks, on f of 7
            <enter>          b Details, on b of 7 [LoadDetails("b")]
            jl               g Details, on g of 7 [LoadDetails("g")]
            jo               g Log, on g of 7 [LoadDetails("g"), OpenLog("g")]
            <tab><tab>       b Details, on b of 7 [LoadDetails("b"), OpenLog("b"), CloseLog]
            <enter><esc>     tasks, on b of 7 [LoadDetails("b")]
            o<esc>           tasks, on b of 7 [LoadDetails("b"), OpenLog("b"), CloseLog]
            ?                help, on b of 7
            ?<esc>           tasks, on b of 7
            e                faults, on b of 7
            v                history, on b of 7
            v<left>          tasks, on b of 7
            ?jjG             help, on b of 7
            <enter>q         b Details, on b of 7 [2 workers still run: [l]eave running · [s]top · Esc goes back] [LoadDetails("b")]
        "#]],
    );
}

#[test]
fn tasks_are_filtered_while_one_types() {
    check(
        Purpose::Run,
        &[
            "/buil",
            "/buil<enter>j",
            "/x",
            "/x<bs>e",
            "/REVIEW<enter>",
            "/b<esc>",
            "/b<enter><esc>",
            "s",
            "ss",
            "sssssss",
            "ssssssss",
            "/q<enter>",
            "j/task f",
        ],
        &expect![[r#"
            /buil            tasks, on b of 1
            /buil<enter>j    tasks, on b of 1
            /x               tasks, on - of 0
            /x<bs>e          tasks, on b of 7
            /REVIEW<enter>   tasks, on c of 1
            /b<esc>          tasks, on b of 7
            /b<enter><esc>   tasks, on b of 7
            s                tasks, on b of 1
            ss               tasks, on g of 1
            sssssss          tasks, on a of 1
            ssssssss         tasks, on b of 7
            /q<enter>        tasks, on - of 0
            j/task f         tasks, on f of 1
        "#]],
    );
}

#[test]
fn whatever_writes_asks_first() {
    check(
        Purpose::Run,
        &[
            "/review<enter>a",
            "/review<enter>ay",
            "/review<enter>an",
            "/review<enter>ax",
            "a",
            "r",
            "/review<enter>r",
            "/hold<enter>r",
            "/hold<enter>hy",
            "h",
            "hy",
            "c",
            "cy",
            "jc",
            "jc<esc>",
            "<enter>cy",
            "ea",
            "ay",
        ],
        &expect![[r#"
            /review<enter>a  tasks, on c of 1 [approve c: writes .orch/events/accept/c.1.yaml? y/n]
            /review<enter>ay tasks, on c of 1 [Approve("c")]
            /review<enter>an tasks, on c of 1
            /review<enter>ax tasks, on c of 1 [approve c: writes .orch/events/accept/c.1.yaml? y/n]
            a                tasks, on b of 7 [approve b: writes .orch/events/approval/b.yaml? y/n]
            r                tasks, on b of 7 [retry b: writes .orch/events/retry/b.2.yaml? y/n]
            /review<enter>r  tasks, on c of 1 [retry c: writes .orch/events/retry/c.1.yaml? y/n]
            /hold<enter>r    tasks, on f of 1 [retry f: sets `status: todo` in .orch/tasks/f.md? y/n]
            /hold<enter>hy   tasks, on f of 1 [Release("f")]
            h                tasks, on b of 7 [hold b: sets `status: hold` in .orch/tasks/b.md? y/n]
            hy               tasks, on b of 7 [Hold("b")]
            c                tasks, on b of 7 [cancel b: sets `status: cancelled` in .orch/tasks/b.md and stops its worker? y/n]
            cy               tasks, on b of 7 [Cancel("b")]
            jc               tasks, on g of 7 [stop g, whose file is gone: writes .orch/events/cancel/g.1.yaml? y/n]
            jc<esc>          tasks, on g of 7
            <enter>cy        b Details, on b of 7 [LoadDetails("b"), Cancel("b")]
            ea               faults, on b of 7
            ay               tasks, on b of 7 [Approve("b")]
        "#]],
    );
}

#[test]
fn quitting_asks_what_becomes_of_workers() {
    let table = [
        "q",
        "ql",
        "qs",
        "q<esc>",
        "qx",
        "p",
        "<ctrl-c>",
        "<ctrl-c><ctrl-c>",
        "qs<ctrl-c>",
        "c<ctrl-c>",
    ];
    check(
        Purpose::Run,
        &table,
        &expect![[r#"
        q                tasks, on b of 7 [2 workers still run: [l]eave running · [s]top · Esc goes back]
        ql               tasks, on b of 7 [Ask(Leave)]
        qs               tasks, on b of 7 [Ask(Stop(Polite))]
        q<esc>           tasks, on b of 7
        qx               tasks, on b of 7 [2 workers still run: [l]eave running · [s]top · Esc goes back]
        p                tasks, on b of 7 [Ask(Pause)]
        <ctrl-c>         tasks, on b of 7 [Ask(Stop(Polite))]
        <ctrl-c><ctrl-c> tasks, on b of 7 [Ask(Stop(Polite)), Ask(Stop(Now))]
        qs<ctrl-c>       tasks, on b of 7 [Ask(Stop(Polite)), Ask(Stop(Now))]
        c<ctrl-c>        tasks, on b of 7 [Ask(Stop(Polite))]
    "#]],
    );
    check(
        Purpose::Look,
        &["q", "p", "<ctrl-c>"],
        &expect![[r#"
        q                tasks, on b of 7 [Ask(Leave)]
        p                tasks, on b of 7
        <ctrl-c>         tasks, on b of 7 [Ask(Stop(Polite))]
    "#]],
    );
    let mut idle = model(Purpose::Run, (80, 24));
    update(&mut idle, Input::Live(Box::new(Live { running: Vec::new(), ..live(board()) })));
    expect!["[Ask(Leave)]"].assert_eq(&format!("{:?}", press(&mut idle, "q")));
}

#[test]
fn a_pause_is_taken_back_by_the_same_key() {
    let mut paused = board();
    paused.mode.is_paused = true;
    let mut model = model(Purpose::Run, (80, 24));
    update(&mut model, Input::Live(Box::new(live(paused))));
    assert_eq!(press(&mut model, "p"), [Action::Ask(crate::app::running::Request::Resume)]);
    assert!(screen(&model).contains("PAUSED: starts nothing more"));
}

#[test]
fn the_cursor_stays_with_its_task() {
    let on = |model: &Model| model.list.chosen().map(|row| row.id.clone()).unwrap();
    let mut model = model(Purpose::Run, (80, 24));
    press(&mut model, "jj");
    assert_eq!(on(&model), "d");
    let mut next = board();
    next.rows[3].state = TaskState::Done;
    update(&mut model, Input::Live(Box::new(live(next.clone()))));
    assert_eq!(on(&model), "d");
    // A task that is gone leaves the cursor where it was.
    next.rows.remove(3);
    update(&mut model, Input::Live(Box::new(live(next))));
    assert_eq!(on(&model), "a");
}

#[test]
fn an_open_task_is_read_again_when_it_changed_and_only_then() {
    let mut model = model(Purpose::Run, (80, 24));
    press(&mut model, "o");
    let mut next = board();
    next.rows[1].elapsed = Some(Duration::from_secs(70));
    assert_eq!(update(&mut model, Input::Live(Box::new(live(next.clone())))), []);
    next.rows[1].progress = Some(50);
    let actions = update(&mut model, Input::Live(Box::new(live(next.clone()))));
    assert_eq!(actions, [Action::LoadDetails("b".to_owned())]);
    // The next attempt has a log of its own.
    next.rows[1].attempt = 3;
    let actions = update(&mut model, Input::Live(Box::new(live(next))));
    let expected = [Action::LoadDetails("b".to_owned()), Action::OpenLog("b".to_owned())];
    assert_eq!(actions, expected);
}

#[test]
fn what_became_of_an_action_is_told_until_the_next_key() {
    let mut model = model(Purpose::Run, (80, 10));
    update(&mut model, Input::Answered(Err("task `b` is running\nhelp: cancel it".to_owned())));
    assert!(screen(&model).contains("|task `b` is running\n|help: cancel it\n|q quit"));
    press(&mut model, "j");
    assert!(!screen(&model).contains("help: cancel it"));
}

#[test]
fn the_list_is_drawn_on_a_common_screen() {
    expect![[r#"
        | ██░░░░░░░░░░░░░░░░░░ 1/7 done · 1 running · 1 verifying · 1 ready
        | starts what is ready · 2m 10s · about 3m 20s to go · 1.2k tokens · $0.25 · on …
        | ▶ b  running     #2 1m 02s 40%  wiring the middleware  builder
        | ◎ g  verifying   #2 1m 02s  [removed, still running: c stops it] wiring the mi…
        | ○ d  ready       The task d
        | · e  waiting     Bad \x1b[31mred\u{202e} and a title that goes on and on and o…
        | ? c  review      The task c
        | ‖ f  hold        The task f
        | ✓ a  done        [stale] The task a
        |
        |
        |
        |
        |
        |
        |
        |
        |── 1 error (e) ─────────────────────────────────────────────────────────────────
        | 10:15:00 start     b #2: The task b
        | 10:15:00 give up   z after 2 attempts; 1 task waits for it
        |
        |
        |
        |q quit · ? keys · Enter open · o log · / filter · a approve · r retry · c cance…
    "#]]
    .assert_eq(&screen(&model(Purpose::Run, (80, 24))));
}

#[test]
fn the_list_is_drawn_on_a_small_screen() {
    expect![[r#"
        | █░░░░░░░ 1/7 done · 1 running · 1 veri…
        | starts what is ready · 2m 10s · about …
        | ▶ b #2 1m 02s 40%  wiring the middlewa…
        | ◎ g #2 1m 02s  [removed, still running…
        | ○ d The task d
        | · e Bad \x1b[31mred\u{202e} and a titl…
        | ? c The task c
        |── 1 error (e) ─────────────────────────
        | 10:15:00 give up   z after 2 attempts;…
        |q quit · ? keys · Enter open · o log · …
    "#]]
    .assert_eq(&screen(&model(Purpose::Run, (40, 10))));
}

#[test]
fn the_list_is_drawn_on_a_large_screen() {
    expect![[r#"
        | ██░░░░░░░░░░░░░░░░░░ 1/7 done · 1 running · 1 verifying · 1 ready
        | only looking · nobody carries it out · 2m 10s · about 3m 20s to go · 1.2k tokens · $0.25 · on main
        | ▶ b  running     #2 1m 02s 40%  wiring the middleware  builder
        | ◎ g  verifying   #2 1m 02s  [removed, still running: c stops it] wiring the middleware
        | ○ d  ready       The task d
        | · e  waiting     Bad \x1b[31mred\u{202e} and a title that goes on and on and on, far
        | ? c  review      The task c
        | ‖ f  hold        The task f
        | ✓ a  done        [stale] The task a
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |── 1 error (e) ─────────────────────────────────────────────────────────────────────────────────────────────────────────
        | 10:15:00 start     b #2: The task b
        | 10:15:00 give up   z after 2 attempts; 1 task waits for it
        |
        |
        |
        |
        |
        |
        |q quit · ? keys · Enter open · o log · / filter · a approve · r retry · c cancel · h hold · p pause · s state · e fault…
    "#]].assert_eq(&screen(&model(Purpose::Look, (120, 40))));
}

/// Returns the screen after these keys.
fn screen_after(text: &str, size: (u16, u16)) -> String {
    let mut model = model(Purpose::Run, size);
    press(&mut model, text);
    screen(&model)
}

#[test]
fn questions_are_drawn() {
    expect![[r#"
        | ██░░░░░░░░░░░░░░░░░░ 1/7 done · 1 running · 1 verifying · 1 ready
        | starts what is ready · 2m 10s · about 3m 20s to go · 1.2k tokens · $0.25 · on …
        | ▶ b  running     #2 1m 02s 40%  wiring the middleware  builder
        | ◎ g  verifying   #2 1m 02s  [removed, still running: c stops it] wiring the mi…
        | ○ d  ready       The task d
        | · e  waiting     Bad \x1b[31mred\u{202e} and a title that goes on and on and o…
        | ? c  review      The task c
        | ‖ f  hold        The task f
        | ✓ a  done        [stale] The task a
        |
        |
        |
        |
        |
        |── 1 error (e) ─────────────────────────────────────────────────────────────────
        | 10:15:00 start     b #2: The task b
        | 10:15:00 give up   z after 2 attempts; 1 task waits for it
        |
        |
        |
        |2 workers still run: [l]eave running · [s]top · Esc goes back
        |leaving: workers go on by themselves, and how they end is written down; the next
        |`orch run` or `orch watch` takes them up, `orch stop` stops them
        |stopping: workers get SIGTERM, and are killed after their grace
    "#]]
    .assert_eq(&screen_after("q", (80, 24)));
    expect![[r#"
        | █░░░░░░░ 1/7 done · 1 running · 1 veri…
        | starts what is ready · 2m 10s · about …
        | ▶ b #2 1m 02s 40%  wiring the middlewa…
        | ◎ g #2 1m 02s  [removed, still running…
        | ○ d The task d
        |── 1 error (e) ─────────────────────────
        | 10:15:00 give up   z after 2 attempts;…
        |cancel b: sets `status: cancelled` in
        |.orch/tasks/b.md and stops its worker?
        |y/n
    "#]]
    .assert_eq(&screen_after("c", (40, 10)));
}

#[test]
fn pages_are_drawn() {
    expect![[r#"
        | ██░░░░░░░░░░░░░░░░░░ 1/7 done · 1 running · 1 verifying · 1 ready
        | starts what is ready · 2m 10s · about 3m 20s to go · 1.2k tokens · $0.25 · on …
        |── keys ────────────────────────────────────────────────────────────────────────
        |  j k ↑ ↓           one task or line down, up
        |  PgDn Space, PgUp  one screen down, up
        |  g G, Home End     to the first, to the last
        |  /                 filter by id, title, state or role
        |  s                 only tasks of one state; again: of the next
        |  Esc               back; in the list: all tasks again
        |  Enter l →         open the task: why it is where it is
        |  o Tab             its log, and back to the task
        |
        |  These ask before they write:
        |  a                 approve: open its gate, accept its review
        |  r                 retry: attempts up to now no longer count
        |  c                 cancel: drop it, and stop its worker
        |  h                 hold it back; again: let it go on
        |
        |  p                 start nothing more; again: go on
        |  e                 faults in the files, with their places
        |  v                 what happened, further back
        |  q                 quit: leave workers running, or stop them
        |  Ctrl-C            stop workers and quit; twice: kill them
        |Esc back · q quit
    "#]]
    .assert_eq(&screen_after("?", (80, 24)));
    expect![[r#"
        | █░░░░░░░ 1/7 done · 1 running · 1 veri…
        | starts what is ready · 2m 10s · about …
        |── faults: 1 error ─────────────────────
        |.orch/tasks/e.md:3:14
        |  error[unknown-dependency]: task `e`
        |  depends on `x`, which does not exist
        |  = help: did you mean `d`?
        |
        |
        |Esc back · q quit
    "#]]
    .assert_eq(&screen_after("e", (40, 10)));
}

#[test]
fn a_log_is_followed() {
    let mut open = model(Purpose::Run, (40, 10));
    press(&mut open, "o");
    let text = Ok("one\ntwo \\x1b[31m\nthree\nfour\nfive\nsix\nseven\neight\n".to_owned());
    update(&mut open, Input::LogOpened { id: "b".to_owned(), text });
    update(&mut open, Input::LogGrew("nine\n".to_owned()));
    expect![[r#"
        | █░░░░░░░ 1/7 done · 1 running · 1 veri…
        | starts what is ready · 2m 10s · about …
        |── b: log · 4-9 of 9 ───────────────────
        |four
        |five
        |six
        |seven
        |eight
        |nine
        |Esc back · Tab task · G follow · ? keys…
    "#]]
    .assert_eq(&screen(&open));
}

#[test]
fn no_size_is_too_small() {
    for keys in ["", "q", "?", "e", "<enter>", "o", "/x", "c"] {
        let mut model = model(Purpose::Run, (80, 24));
        press(&mut model, keys);
        for (width, height) in [(1, 1), (2, 3), (5, 2), (10, 4), (39, 7), (300, 5), (80, 24)] {
            update(&mut model, Input::Resized(width, height));
            drop(screen(&model));
            press(&mut model, "<down><pgdn><up>");
        }
    }
}

#[test]
fn nothing_of_a_file_reaches_the_terminal_as_a_control() {
    let shown = screen(&model(Purpose::Run, (120, 40)));
    assert!(shown.contains(r"Bad \x1b[31mred\u{202e}"), "{shown}");
}

#[test]
fn without_colors_none_are_drawn() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let model = model(Purpose::Run, (80, 24));
    terminal.draw(|frame| draw(&model, frame, false)).unwrap();
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
}

#[test]
fn ten_thousand_tasks_are_drawn_as_fast_as_ten() {
    let mut large = board();
    large.rows = (0..10_000).map(|n| row(&format!("t{n:05}"), TaskState::Waiting)).collect();
    let mut model = model(Purpose::Run, (80, 24));
    update(&mut model, Input::Live(Box::new(live(large))));
    press(&mut model, "G");
    assert_eq!(model.list.seen().count(), 15);
    assert!(screen(&model).contains("t09999"));
}
