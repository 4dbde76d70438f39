//! Real processes.

use std::{
    ffi::OsString,
    fs,
    future::Future,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use orch::{
    domain::model::attempt::{CheckResult, Exit},
    io::process::{
        How, Launch, ProcessError, ProcessIdentity, Stdin,
        check::{CheckTimes, Checked, run_check},
        group_is_alive, kill_group_leftovers,
        leftovers::{find_by_nonce, stop_leftovers},
        log, start, stop_group,
    },
};
use tempfile::TempDir;
use tokio::sync::watch;

use super::{KillOnDrop, wait_for_line, wait_until};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Returns the launch of `argv` in `folder`, with its output in `log`.
fn launch(folder: &TempDir, argv: &[&str]) -> Launch {
    Launch {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        folder: folder.path().to_owned(),
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())],
        stdin: Stdin::Null,
        output: folder.path().join("logs/a/1.log"),
    }
}

fn shell(folder: &TempDir, script: &str) -> Launch {
    launch(folder, &["sh", "-c", script])
}

fn exit_of(launch: &Launch) -> Exit {
    run(async { start(launch).unwrap().wait().await.unwrap() })
}

fn output_of(launch: &Launch) -> String {
    fs::read_to_string(&launch.output).unwrap()
}

/// Says whether `pid` runs; one that ended but was not waited for does not.
fn is_running(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.starts_with(" Z"))
}

#[test]
fn endings_are_told_exactly() {
    let folder = folder();
    for (script, exit) in [
        ("exit 0", Exit::Code(0)),
        ("exit 1", Exit::Code(1)),
        ("exit 255", Exit::Code(255)),
        ("kill -KILL $$", Exit::Signal(9)),
        ("kill -SEGV $$", Exit::Signal(11)),
        ("kill -TERM $$", Exit::Signal(15)),
    ] {
        assert_eq!(exit_of(&shell(&folder, script)), exit, "{script}");
    }
}

#[test]
fn a_process_gets_what_it_was_given_and_nothing_else() {
    let folder = folder();
    fs::write(folder.path().join("prompt"), "the prompt\n").unwrap();
    let mut launch = shell(&folder, "pwd; cat; echo err >&2; env | sort; echo \"$0 $1\"");
    launch.argv.extend(["a b".to_owned(), "$(c)".to_owned()]);
    launch.stdin = Stdin::File(folder.path().join("prompt"));
    launch.env.push(("GIVEN".into(), "x y".into()));
    assert_eq!(exit_of(&launch), Exit::Code(0));
    let path = std::env::var("PATH").unwrap();
    let pwd = folder.path().display();
    let wanted = format!("{pwd}\nthe prompt\nerr\nGIVEN=x y\nPATH={path}\nPWD={pwd}\na b $(c)\n");
    assert_eq!(output_of(&launch), wanted);
    assert_eq!(fs::metadata(&launch.output).unwrap().permissions().mode() & 0o777, 0o600);
    launch.argv = vec!["echo".to_owned(), "more".to_owned()];
    exit_of(&launch);
    assert_eq!(output_of(&launch), format!("{wanted}more\n"));
}

#[test]
fn a_process_leads_a_group_of_its_own() {
    let folder = folder();
    run(async {
        let mut running = start(&shell(&folder, "exec sleep 600")).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", running.pid)).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        assert_eq!(fields.get(2), Some(&&*running.pid.to_string()));
        assert_eq!(fields.get(19), Some(&&*running.identity().start_ticks.to_string()));
        assert!(group_is_alive(running.pid));
        stop_group(running.pid, How::Polite).unwrap();
        assert_eq!(running.wait().await.unwrap(), Exit::Signal(15));
        assert!(!group_is_alive(running.pid));
        stop_group(running.pid, How::Kill).unwrap();
    });
}

#[test]
fn what_cannot_be_started_says_why() {
    let folder = folder();
    let write = |name: &str, text: &str, mode| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("plain", "#!/bin/sh\n", 0o644);
    write("empty", "", 0o755);
    write("lost", "#!/no/such/interpreter\n", 0o755);
    let reason = |launch: &Launch| match run(async { start(launch).map(|r| r.pid) }) {
        Err(ProcessError::Start { reason, .. }) => reason,
        other => format!("{other:?}"),
    };
    for (word, phrase) in [
        ("no-such-program", "no such program `no-such-program` in PATH"),
        ("plain", "`./plain` means the file in the folder"),
        ("./plain", "it is not executable; `chmod +x ./plain` makes it so"),
        ("./none", "no such file in "),
        ("./", "it is a folder"),
        ("./empty", "neither a program nor starts with a `#!` line"),
        ("./lost", "the interpreter that "),
        ("", "the command is empty"),
    ] {
        let reason = reason(&launch(&folder, &[word]));
        assert!(reason.contains(phrase), "{word}: {reason}");
    }
    let mut bad = launch(&folder, &["true"]);
    bad.folder = folder.path().join("none");
    assert!(reason(&bad).ends_with("none does not exist"));
    let mut bad = launch(&folder, &["true"]);
    bad.stdin = Stdin::File(folder.path().join("none"));
    assert!(reason(&bad).starts_with("cannot open its input"));
    let mut bad = launch(&folder, &["true"]);
    bad.env.clear();
    assert_eq!(reason(&bad), "its environment has no PATH");
    let mut bad = launch(&folder, &["true"]);
    std::os::unix::fs::symlink("plain", folder.path().join("link")).unwrap();
    bad.output = folder.path().join("link");
    assert!(reason(&bad).starts_with("cannot open its log"));
}

#[test]
fn a_grandchild_in_the_group_goes_too() {
    let folder = folder();
    let launch = shell(&folder, "sleep 600 & echo $!; exit 3");
    run(async {
        let mut running = start(&launch).unwrap();
        assert_eq!(running.wait().await.unwrap(), Exit::Code(3));
        let grandchild = wait_for_line(&launch.output);
        assert!(is_running(&grandchild));
        assert!(kill_group_leftovers(running.pid));
        wait_until("the end of the grandchild", || !is_running(&grandchild));
        assert!(!kill_group_leftovers(running.pid));
    });
}

fn check(launch: &Launch, timeout: Duration) -> CheckResult {
    let (_sender, stop) = watch::channel(None);
    let times = CheckTimes { timeout, grace: SHORT };
    match run(run_check("the command", launch, times, stop)).unwrap() {
        Checked::Ended(result) => result,
        Checked::Cancelled => panic!("nobody cancelled it"),
    }
}

#[test]
fn a_check_tells_how_it_went() {
    let folder = folder();
    let mut launch = shell(&folder, "echo fine");
    let result = check(&launch, LONG);
    assert_eq!((result.exit, &*result.output_tail), (Some(Exit::Code(0)), ""));
    launch.argv = shell(&folder, "echo bad; exit 7").argv;
    let result = check(&launch, LONG);
    assert_eq!((result.exit, &*result.output_tail), (Some(Exit::Code(7)), "bad\n"));
    assert_eq!(result.command, "the command");
    launch.argv = vec!["no-such-program".to_owned()];
    let result = check(&launch, LONG);
    assert_eq!(result.exit, None);
    assert_eq!(result.ending(), "no such program `no-such-program` in PATH");
}

#[test]
fn a_check_that_ignores_the_polite_stop_is_killed() {
    let folder = folder();
    let launch = shell(&folder, "trap '' TERM; echo $$; while :; do sleep 600; done");
    let result = check(&launch, Duration::from_millis(100));
    assert_eq!(result.ending(), "timed out after 100ms");
    assert_eq!(result.exit, None);
    assert!(!is_running(&wait_for_line(&launch.output)));
}

#[test]
fn a_check_is_cancelled_politely_or_at_once() {
    let folder = folder();
    let times = CheckTimes { timeout: LONG, grace: LONG };
    for (first, script) in [
        (How::Polite, "trap 'echo bye; exit 0' TERM; echo $$; while :; do sleep 0.01; done"),
        (How::Kill, "trap '' TERM; echo $$; while :; do sleep 0.01; done"),
    ] {
        let launch = shell(&folder, script);
        drop(fs::remove_file(&launch.output));
        let (sender, stop) = watch::channel(None);
        let checked = run(async {
            tokio::join!(run_check("x", &launch, times, stop), async {
                wait_for_line(&launch.output);
                sender.send(Some(first)).unwrap();
            })
            .0
        });
        assert_eq!(checked.unwrap(), Checked::Cancelled);
        assert_eq!(output_of(&launch).ends_with("bye\n"), first == How::Polite);
    }
    // Politely first, which is ignored, then at once.
    let launch = shell(&folder, "trap 'echo no' TERM; echo $$; while :; do sleep 0.01; done");
    drop(fs::remove_file(&launch.output));
    let (sender, stop) = watch::channel(None);
    let checked = run(async {
        tokio::join!(run_check("x", &launch, times, stop), async {
            wait_for_line(&launch.output);
            sender.send(Some(How::Polite)).unwrap();
            while !output_of(&launch).ends_with("no\n") {
                tokio::task::yield_now().await;
            }
            sender.send(Some(How::Kill)).unwrap();
        })
        .0
    });
    assert_eq!(checked.unwrap(), Checked::Cancelled);
}

/// Starts a process that this program does not look after, as one of a dead coordinator.
fn abandon(folder: &Path, script: &str, nonce: &str) -> (KillOnDrop, ProcessIdentity) {
    let child = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .env("ORCH_NONCE", nonce)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let identity = ProcessIdentity {
        pid: child.id(),
        start_ticks: ticks.parse().unwrap(),
        boot_id: boot_id.trim().to_owned(),
    };
    (KillOnDrop(child), identity)
}

#[test]
fn leftovers_are_found_wherever_they_went_and_stopped() {
    let folder = folder();
    let nonce = orch::io::entropy::Nonces::new().give();
    // One stays in the group without the nonce, one leaves the group with it, and the leader
    // ignores the polite stop.
    let script = "trap '' TERM
        env -i sh -c 'echo $$ > bare; while :; do sleep 0.01; done' &
        setsid sh -c 'echo $$ > away; exec sleep 600' &
        while :; do sleep 0.01; done";
    let (mut leader, identity) = abandon(folder.path(), script, &nonce);
    let bare = wait_for_line(&folder.path().join("bare"));
    let away = wait_for_line(&folder.path().join("away"));
    let found: Vec<String> = find_by_nonce(std::slice::from_ref(&nonce))
        .into_iter()
        .map(|leftover| leftover.pid.to_string())
        .collect();
    assert!(found.contains(&leader.0.id().to_string()), "{found:?}");
    assert!(found.contains(&away), "{found:?}");
    assert!(!found.contains(&bare), "{found:?}");
    let stopped = run(stop_leftovers(&[(nonce, Some(identity))], Duration::from_millis(50)));
    assert_eq!(stopped.survivors, [0; 0]);
    assert!(stopped.n_stopped >= 3, "{stopped:?}");
    assert!(!is_running(&away) && !is_running(&bare));
    assert!(!leader.0.wait().unwrap().success());
}

#[test]
fn a_stranger_with_the_same_number_is_left_alone() {
    let folder = folder();
    let (mut child, identity) = abandon(folder.path(), "exec sleep 600", "another");
    let nonce = || orch::io::entropy::Nonces::new().give();
    let other_start = ProcessIdentity { start_ticks: identity.start_ticks + 1, ..identity.clone() };
    let other_boot = ProcessIdentity { boot_id: "before".to_owned(), ..identity.clone() };
    let unknown = ProcessIdentity { start_ticks: 0, boot_id: String::new(), ..identity };
    let attempts =
        [other_start, other_boot, unknown].map(|identity| (nonce(), Some(identity))).to_vec();
    let stopped = run(stop_leftovers(&attempts, LONG));
    assert_eq!((stopped.n_stopped, stopped.survivors), (0, Vec::new()));
    assert_eq!(child.0.try_wait().unwrap(), None);
}

#[test]
fn the_end_of_a_log_is_cut_at_a_line_or_a_character() {
    let folder = folder();
    let path = folder.path().join("log");
    let write = |bytes: &[u8]| fs::write(&path, bytes).unwrap();
    let tail = |from, max| log::tail(&path, from, max).unwrap();
    assert_eq!(tail(0, 10), "");
    write(b"one\ntwo\nthree\n");
    assert_eq!(tail(0, 100), "one\ntwo\nthree\n");
    assert_eq!(tail(0, 8), "three\n");
    assert_eq!(tail(0, 10), "two\nthree\n");
    assert_eq!(tail(8, 100), "three\n");
    assert_eq!(tail(8, 3), "ee\n");
    assert_eq!(tail(100, 5), "");
    write("ééé".as_bytes());
    assert_eq!(tail(0, 3), "é");
    write(b"\xff\xfeab");
    assert_eq!(tail(0, 100), "\u{fffd}\u{fffd}ab");
}

#[test]
fn a_log_is_read_line_by_line_whatever_stands_in_it() {
    let folder = folder();
    let path = folder.path().join("log");
    let lines = |max| {
        let mut found: Vec<Vec<u8>> = Vec::new();
        log::each_line(&path, max, |line| found.push(line.to_vec())).unwrap();
        found
    };
    assert_eq!(lines(10), [b""; 0]);
    fs::write(&path, b"one\n\n0123456789\n0123456789x\n\xff\r\nlast").unwrap();
    assert_eq!(lines(10), [&b"one"[..], b"", b"0123456789", b"\xff\r", b"last"]);
    fs::write(&path, b"01234567890").unwrap();
    assert_eq!(lines(10), [b""; 0]);
    // Lines that lie across the edges of chunks, among them one that is too long.
    let long = [vec![b'a'; 65_530], b"\nacross the edge\n".to_vec(), vec![b'b'; 200_000]].concat();
    fs::write(&path, [&long[..], b"\nend\n"].concat()).unwrap();
    assert_eq!(lines(100), [&b"across the edge"[..], b"end"]);
}

#[test]
fn a_log_is_followed_also_when_it_starts_anew() {
    let folder = folder();
    let path = folder.path().join("log");
    assert_eq!(log::read_from(&path, 0, 10).unwrap(), (Vec::new(), 0));
    fs::write(&path, "hello world").unwrap();
    assert_eq!(log::read_from(&path, 0, 5).unwrap(), (b"hello".to_vec(), 5));
    assert_eq!(log::read_from(&path, 5, 50).unwrap(), (b" world".to_vec(), 11));
    assert_eq!(log::read_from(&path, 11, 50).unwrap(), (Vec::new(), 11));
    fs::write(&path, "new").unwrap();
    assert_eq!(log::read_from(&path, 11, 50).unwrap(), (b"new".to_vec(), 3));
}

#[test]
fn a_variable_may_hold_any_bytes() {
    let folder = folder();
    let mut launch = shell(&folder, "printf %s \"$RAW\"");
    let raw = <OsString as std::os::unix::ffi::OsStringExt>::from_vec(b"a\xffb\n".to_vec());
    launch.env.push(("RAW".into(), raw));
    exit_of(&launch);
    assert_eq!(fs::read(&launch.output).unwrap(), b"a\xffb\n");
}
