//! The full-screen view of `orch watch`, in a real terminal: a detached tmux session.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

use super::{
    Sandbox,
    run::{PATIENCE, plan, read, wait_for},
};
use crate::own::AtEase as _;

/// Time between two looks at the screen.
const PERIOD: Duration = Duration::from_millis(50);

/// A terminal of 80x24 in which `orch` runs; it is gone after the test, with all that runs in it.
struct Screen<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Screen<'a> {
    /// Runs `orch` with these arguments; `None` where there is no tmux.
    fn open(sandbox: &'a Sandbox, args: &str) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: tmux is not installed");
            return None;
        }
        let orch = env!("CARGO_BIN_EXE_orch");
        let script = format!(
            "stty -g > before\nsh -c 'echo $$ > pid; exec \"{orch}\" {args}'\n\
             echo \"CODE $?\"\nstty -g > after\necho ENDED\nexec sh\n"
        );
        sandbox.write("screen.sh", &script);
        let screen = Self { sandbox };
        let size = ["-x", "80", "-y", "24"];
        screen.tmux(
            &[&["-f", "/dev/null", "new-session", "-d"], &size[..], &["sh screen.sh"]].concat(),
        );
        Some(screen)
    }

    /// Asks the tmux server of this test, and of no other.
    fn tmux(&self, args: &[&str]) -> String {
        let root = self.sandbox.root();
        let mut command = Command::new("tmux");
        command.args(["-u", "-S"]).arg(root.join("tmux")).args(args).current_dir(root);
        command
            .env_clear()
            .at_ease()
            .env("HOME", root)
            .env("LANG", "C.UTF-8")
            .env("TERM", "screen");
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen shows this, and returns it.
    fn until(&self, what: &str) -> String {
        self.until_it(what, |text| text.contains(what))
    }

    fn until_it(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text();
            if holds(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "never came: {what}\n{text}");
            thread::sleep(PERIOD);
        }
    }

    /// Presses a key, and waits until the screen shows what follows.
    fn press(&self, key: &str, follows: &str) -> String {
        self.tmux(&["send-keys", key]);
        self.until(follows)
    }

    /// Sends a signal to `orch`, and to nothing else.
    fn signal(&self, signal: Signal) {
        let pid = read(self.sandbox, "pid").trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    fn resize(&self, columns: &str, lines: &str) {
        self.tmux(&["resize-window", "-x", columns, "-y", lines]);
    }

    /// Waits for the end of `orch`, which must leave the terminal as it was.
    fn assert_ended(&self, code: i32) -> String {
        let text = self.until("ENDED");
        assert!(text.contains(&format!("CODE {code}\n")), "{text}");
        let terminal = |name| read(self.sandbox, name);
        assert_eq!(terminal("after"), terminal("before"), "the terminal has other settings");
        let flags = self.tmux(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
        assert_eq!(flags.trim(), "0 1", "the alternate screen is on, or the cursor is off");
        text
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// A plan whose first task prints a line and ends only when it is told to.
fn slow_plan() -> Sandbox {
    plan(&[
        ("slow", "title: Take long\nworker: {command: 'echo $$ > worker; echo one; sleep 600'}"),
        ("gated", "title: Wait for me\nwaits_for: approval\nworker: {command: 'true'}"),
        ("last", "depends_on: [slow]\nworker: {command: 'true'}"),
    ])
}

#[test]
fn a_plan_is_watched_acted_on_and_left() {
    let sandbox = plan(&[
        ("a", "title: First\nworker: {command: echo hello from a}"),
        ("b", "title: Second\nwaits_for: approval\nworker: {command: 'true'}"),
    ]);
    let Some(screen) = Screen::open(&sandbox, "watch") else { return };
    screen.until("1/2 done");
    let text = screen.until("q quit");
    assert!(text.contains(" ✓ a ") && text.contains("done      a in"), "{text}");
    // Its details, its log, and back.
    screen.press("G", "✓ a");
    screen.press("Enter", "── a: task");
    screen.press("Tab", "hello from a");
    screen.press("Escape", "q quit");
    screen.press("g", "q quit");
    // The smallest screen, and back.
    screen.resize("40", "10");
    screen.until_it("a small screen", |text| {
        text.lines().count() == 10 && text.contains("░ 1/2 done") && text.contains("q quit")
    });
    screen.resize("80", "24");
    screen.until("c cance").lines().for_each(|line| assert!(line.chars().count() <= 80, "{line}"));
    // What is approved is carried out.
    screen.press("a", "approve b: writes .orch/events/approval/b.yaml? y/n");
    screen.press("y", "`b` is approved");
    screen.until("2/2 done");
    // A new file is a new task; a broken one is a fault with its place.
    sandbox.write(".orch/tasks/c.md", "---\ntitle: Third\nworker: {command: 'true'}\n---\n");
    screen.until("3/3 done");
    sandbox.write(".orch/tasks/d.md", "---\ntitle: [\n---\n");
    screen.until("1 error (e)");
    screen.press("e", ".orch/tasks/d.md:");
    screen.press("Escape", "q quit");
    screen.tmux(&["send-keys", "q"]);
    screen.assert_ended(0);
}

#[test]
fn workers_are_left_or_stopped() {
    for (key, code) in [("l", 0), ("s", 130)] {
        let sandbox = slow_plan();
        let Some(screen) = Screen::open(&sandbox, "watch") else { return };
        screen.until("1 running");
        wait_for("the worker", || !read(&sandbox, "worker").is_empty());
        screen.press("q", "1 worker still runs");
        screen.press("Escape", "q quit");
        screen.press("q", "1 worker still runs");
        screen.tmux(&["send-keys", key]);
        screen.assert_ended(code);
        let worker = read(&sandbox, "worker");
        let worker = Pid::from_raw(worker.trim().parse().unwrap()).unwrap();
        let is_alive = test_kill_process(worker).is_ok();
        assert_eq!(is_alive, key == "l");
        if is_alive {
            kill_process_group(worker, Signal::KILL).unwrap();
        }
    }
}

#[test]
fn every_way_to_stop_gives_the_terminal_back() {
    for signal in [None, Some(Signal::TERM), Some(Signal::HUP)] {
        let sandbox = slow_plan();
        let Some(screen) = Screen::open(&sandbox, "watch") else { return };
        screen.until("1 running");
        let (code, expected) = match signal {
            None => {
                screen.tmux(&["send-keys", "C-c"]);
                (130, "`orch run` goes on from here")
            }
            Some(signal) => {
                screen.signal(signal);
                (0, "1 worker goes on: `orch run` takes up what runs")
            }
        };
        let text = screen.assert_ended(code);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_removed_task_that_runs_is_stopped_by_a_key() {
    let sandbox = slow_plan();
    let Some(screen) = Screen::open(&sandbox, "watch") else { return };
    screen.until("1 running");
    std::fs::remove_file(sandbox.path(".orch/tasks/slow.md")).unwrap();
    screen.until("[removed, still running: c stops it]");
    screen.press("c", "file is gone: writes .orch/events/cancel/slow.1.yaml? y/n");
    screen.press("y", "attempt 1 of `slow` is being stopped");
    screen.until("cancelled slow");
    screen.until_it("an idle run", |text| !text.contains("running"));
    screen.tmux(&["send-keys", "q"]);
    screen.assert_ended(0);
}

#[test]
fn one_who_only_looks_starts_nothing() {
    let sandbox = slow_plan();
    let Some(screen) = Screen::open(&sandbox, "watch --no-run") else { return };
    screen.until("0/3 done");
    screen.until("only looking · nobody carries it out");
    screen.press("p", "this view only looks");
    screen.press("?", "These ask before they write");
    screen.press("Escape", "q quit");
    screen.tmux(&["send-keys", "q"]);
    screen.assert_ended(0);
    assert_eq!(read(&sandbox, "worker"), "");
}

#[test]
fn lines_are_printed_where_they_are_asked_for() {
    let sandbox = slow_plan();
    let Some(screen) = Screen::open(&sandbox, "watch --plain") else { return };
    screen.until("start     slow: Take long");
    assert_eq!(screen.tmux(&["display-message", "-p", "#{alternate_on}"]).trim(), "0");
    screen.signal(Signal::INT);
    screen.assert_ended(130);
}

#[test]
fn the_end_of_a_terminal_stops_no_worker() {
    for command in ["run", "watch"] {
        let worker = "worker: {command: 'touch up; while test ! -e go; do sleep 0.01; done'}";
        let sandbox = plan(&[("a", worker), ("b", "depends_on: [a]\nworker: {command: 'true'}")]);
        let Some(screen) = Screen::open(&sandbox, command) else { return };
        wait_for("the worker", || sandbox.path("up").exists());
        drop(screen);
        let pid = read(&sandbox, "pid");
        let pid = Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        if command == "watch" {
            wait_for("the end of the view", || test_kill_process(pid).is_err());
        }
        assert!(sandbox.orch(&["status"]).text().contains("1 running"));
        sandbox.write("go", "");
        if command == "watch" {
            assert!(sandbox.orch(&["run", "--plain"]).text().contains("done: 2 of 2 tasks done"));
        }
        let waited = sandbox.orch(&["wait", "--timeout", "1m"]).text();
        assert!(waited.contains("2 of 2 tasks done"), "{command}: {waited}");
        assert!(!sandbox.path(".orch/runs/a.2.yaml").exists(), "{command}");
    }
}
