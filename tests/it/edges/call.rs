//! Programs that are called and answer, or do not.

use std::{path::Path, time::Duration};

use orch::{
    domain::model::attempt::Exit,
    io::process::call::{Answer, Call},
};

fn call(script: &str, input: &str, timeout: Duration) -> Answer {
    let arguments = ["-c".to_owned(), script.to_owned()];
    let variables =
        [("GIVEN".into(), Some("given".into())), ("HOME".into(), None::<std::ffi::OsString>)];
    let call = Call {
        program: Path::new("/bin/sh"),
        arguments: &arguments,
        folder: Path::new("/"),
        variables: &variables,
        input,
        timeout,
    };
    call.answer().unwrap()
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn an_answer_is_whole_however_long_it_is() {
    let input = "x".repeat(300_000);
    let answer = call("cat; cat /dev/null; echo \"$GIVEN ${HOME-gone}\" >&2; exit 3", &input, LONG);
    assert_eq!(answer.exit, Some(Exit::Code(3)));
    assert_eq!(answer.stdout.len(), input.len());
    assert_eq!(answer.stderr, "given gone\n");
}

#[test]
fn a_program_that_reads_nothing_or_leaves_something_running_is_not_waited_for() {
    let input = "x".repeat(300_000);
    let answer = call("sleep 600 & echo $!", &input, LONG);
    assert_eq!(answer.exit, Some(Exit::Code(0)));
    let pid = answer.stdout.trim().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_program_that_does_not_answer_is_killed() {
    let answer = call("exec sleep 600", "", Duration::from_millis(200));
    assert_eq!(answer.exit, None);
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let call = Call {
        program: Path::new("/no/such/program"),
        arguments: &[],
        folder: Path::new("/"),
        variables: &[],
        input: "",
        timeout: LONG,
    };
    let said = call.answer().unwrap_err().to_string();
    assert!(said.starts_with("failed to start `/no/such/program`: "), "{said}");
}
