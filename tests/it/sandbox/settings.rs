//! What settings let a worker in a sandbox do, and what they cannot.

use std::{fs, net::TcpListener, os::unix::fs::symlink, process::Command};

use super::{Run, Yard, is_possible, printed};

/// Runs a plan of one task with these keys of its sandbox, and returns how its attempt ended.
fn outcome(yard: &Yard, command: &str, keys: &str) -> String {
    let worker = format!("command: [sh, -c, {command:?}], isolation: sandbox, {keys}");
    let task = format!("---\nworker: {{{worker}}}\nretry: {{max_attempts: 1}}\n---\n");
    yard.sandbox.write(".orch/tasks/a.md", &task);
    yard.commit();
    let output = yard.run();
    let ending = yard.ending("a.1");
    let log = yard.read(".orch/local/logs/a/1.log");
    let expected = ["succeeded: ", "failed: "].iter().any(|word| ending.starts_with(word));
    assert!(expected, "{ending} {} {log}", printed(&output));
    format!("{} {log}", ending.split(':').next().unwrap_or_default())
}

#[test]
fn what_is_named_may_be_written_but_never_what_runs_outside() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("worker: {sandbox: {write: [~/.cache]}}\n", &[]);
    for path in ["home/.cache/a", "home/.ssh/key", "home/.netrc"] {
        yard.write_outside(path, "old\n");
    }
    yard.sandbox.write("shared/file", "old\n");
    let tries = "echo new > ~/.cache/a && echo new > $ORCH_ROOT/shared/file && echo new > $ORCH_ROOT/free\n\
                 for path in .git/config .git/hooks/x .orch/config.yaml .orch/tasks/a.md .orch/local/x; do\n\
                 if echo new 2>/dev/null >> $ORCH_ROOT/$path; then echo wrote $path; exit 1; fi; done\n\
                 test ! -s ~/.netrc && test ! -e ~/.ssh/key && ! echo new > ~/.netrc";
    let told = outcome(&yard, tries, "sandbox: {write: [shared, .]}");
    assert!(told.starts_with("succeeded"), "{told}");
    assert_eq!(fs::read_to_string(yard.home().join(".cache/a")).unwrap(), "new\n");
    assert_eq!(yard.read("shared/file"), "new\n");
    assert_eq!(yard.read("free"), "new\n");
}

#[test]
fn what_is_approved_is_never_in_reach() {
    if !is_possible() {
        return;
    }
    // There is nothing yet that could be hidden.
    let yard = Yard::new("", &[]);
    fs::create_dir_all(yard.home().join(".local")).unwrap();
    let told = outcome(&yard, "mkdir -p ~/.local/share/orch", "sandbox: {write: [~/.local]}");
    let ending = yard.ending("a.1");
    assert!(told.starts_with("failed") && ending.contains("approvals may stand in"), "{ending}");
    let yard = Yard::new("", &[]);
    yard.write_outside("home/.local/share/orch/approvals", "old\n");
    let tries = "touch ~/.local/x && ! ls ~/.local/share/orch/approvals && ! touch ~/.local/share/orch/x \
                 && ! mv ~/.local/share/orch ~/.local/share/other";
    let told = outcome(&yard, tries, "sandbox: {write: [~/.local]}");
    assert!(told.starts_with("succeeded"), "{told}");
}

#[test]
fn a_path_of_the_plan_does_not_lead_out_of_it() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[]);
    symlink(yard.home(), yard.sandbox.path("cache")).unwrap();
    let told = outcome(&yard, "true", "sandbox: {write: [cache]}");
    assert!(told.starts_with("failed"), "{told}");
    let ending = yard.ending("a.1");
    assert!(ending.contains("`cache` leads out of the folder of the plan"), "{ending}");
}

#[test]
fn the_network_is_there_unless_it_is_off() {
    if !is_possible() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!(
        "perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in({port}, inet_aton(q(127.0.0.1)))) or exit 1'"
    );
    for (keys, expected) in [("sandbox: {}", "succeeded"), ("sandbox: {network: off}", "failed")] {
        let told = outcome(&Yard::new("", &[]), &connect, keys);
        assert!(told.starts_with(expected), "{keys}: {told}");
    }
}

#[test]
fn variables_that_load_code_load_none_into_what_makes_the_sandbox() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[]);
    // A library that is none: whoever loads it says so.
    yard.sandbox.write("lib/none.so", "none\n");
    let told = outcome(
        &yard,
        "echo PRELOAD=$LD_PRELOAD; tr '\\\\0' '\\\\n' < /proc/1/environ | grep LD_ && exit 1; exit 0",
        "env: {LD_PRELOAD: lib/none.so, PATH: \"./lib:/usr/bin:/bin\"}",
    );
    assert!(told.contains("PRELOAD=lib/none.so"), "{told}");
    assert!(told.starts_with("succeeded"), "{told}");
}

#[test]
fn the_program_is_never_one_of_the_plan() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[("a", "worker: {command: touch work, isolation: sandbox}")]);
    yard.script("bin/bwrap", "#!/bin/sh\ntouch \"$(dirname \"$0\")/../planted\"\nexit 1\n");
    yard.commit();
    let path = std::env::var("PATH").unwrap();
    let mut command = yard.command(&["run", "--plain"]);
    command.env("PATH", format!("bin:{}:{path}", yard.sandbox.path("bin").display()));
    let text = Run::start(command).end();
    assert_eq!(yard.ending("a.1"), "succeeded: exit code 0", "{text}");
    assert!(!yard.sandbox.path("planted").exists() && yard.sandbox.path("work").exists());
}

#[test]
fn a_folder_that_somebody_left_open_is_no_way_out() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[("a", "worker: {command: touch work, isolation: sandbox}")]);
    yard.commit();
    let plain = yard.command(&["run", "--plain"]);
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" run --plain 7< /"]).arg(plain.get_program());
    command.current_dir(yard.root()).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let text = Run::start(command).end();
    assert!(text.contains("left the folder / open for it (descriptor 7)"), "{text}");
    assert!(!yard.sandbox.path("work").exists());
}

#[test]
fn it_is_told_what_it_cannot_do() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[]);
    let told = outcome(&yard, "cat", "sandbox: {network: off, write: [~/.cache]}");
    for part in ["you cannot commit", "You can write to ~/.cache, too.", "There is no network."] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_plan_below_the_top_of_its_repository_is_enclosed_like_any_other() {
    if !is_possible() {
        return;
    }
    let yard = Yard::new("", &[]);
    let inner = "---\nworker: {command: 'touch work && ! touch ../../x && git status', isolation: sandbox}\n---\n";
    yard.sandbox.write("part/.orch/tasks/a.md", inner);
    yard.sandbox.write("part/.orch/.gitignore", "local/\n");
    yard.commit();
    let output = yard.command(&["-C", "part", "run", "--plain"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    assert!(yard.sandbox.path("part/work").exists());
}
