//! Real shortages, and their end: a full disk, one that is read-only for a while, few descriptors,
//! few processes.

use std::{collections::BTreeSet, fs, process::Command, thread};

use super::{Field, told::Told};

/// Says whether mounts of one's own can be had here; says loudly where not.
fn has_mounts() -> bool {
    let probe =
        Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "x", "/mnt"]).output();
    let has = probe.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("SKIPPED: no namespace with mounts of its own, so nothing was tested here");
    }
    has
}

/// Runs `orch` in a namespace where `.orch` is a tmpfs, mounted with `options`, into which `mend`
/// is run once the file `go` is there.
fn in_tmpfs(field: &Field, options: &str, before: &str, mend: &str) -> String {
    let program = env!("CARGO_BIN_EXE_orch");
    let script = format!(
        "cp -r .orch plan && mount -t tmpfs -o {options} x .orch && cp -r plan/. .orch/ && {before}\n\
         (while [ ! -e go ]; do sleep 0.02; done; {mend}) &\n\
         '{program}' run --plain 2>&1\ncode=$?\nrm -rf ../kept; cp -r .orch kept\nexit $code"
    );
    fs::write(field.sandbox.path("script.sh"), script).unwrap();
    "exec unshare -Urm sh script.sh".to_owned()
}

/// Takes what stood in the tmpfs as the folder, and checks it.
fn check_kept(field: &Field, code: Option<i32>, text: &str) {
    assert_eq!(code, Some(0), "{text}");
    let root = field.sandbox.root();
    fs::remove_dir_all(root.join(".orch")).unwrap();
    fs::rename(root.join("kept"), root.join(".orch")).unwrap();
    field.check_no_false_failure();
    field.checker().check_end();
}

fn count(text: &str, what: &str) -> usize {
    text.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn a_full_disk_is_waited_out() {
    if !has_mounts() {
        return;
    }
    // Full from the start, full after a few files, out of inodes.
    let fill = |n_free: u32| {
        format!(
            "dd if=/dev/zero of=.orch/fill bs=4096 2>/dev/null; \
             truncate -s $(($(stat -c %s .orch/fill) - {n_free} * 4096)) .orch/fill"
        )
    };
    let cases: Vec<(&str, String)> =
        [6, 8, 9, 10, 11, 12, 14].into_iter().map(|n_free| ("size=1m", fill(n_free))).collect();
    thread::scope(|scope| {
        for (options, before) in &cases {
            scope.spawn(move || {
                let field = Field::new("");
                let script = in_tmpfs(&field, options, before, "rm -f .orch/fill");
                let mut told = Told::start(&script, &field);
                let is_held = told.waits_for("No space left on device");
                fs::write(field.sandbox.path("go"), "").unwrap();
                let (code, text) = told.end();
                assert!(is_held, "{text}");
                // It may still be full, or full again, for the next file: another pause.
                let told = |line: &str| line.split_once("pause ").map(|(_, why)| why.to_owned());
                let pauses: Vec<String> = text.lines().filter_map(told).collect();
                let once: BTreeSet<&String> = pauses.iter().collect();
                assert_eq!(once.len(), pauses.len(), "told more than once: {text}");
                check_kept(&field, code, &text);
            });
        }
    });
}

#[test]
fn a_supervisor_that_cannot_begin_loses_no_worker() {
    if !super::has("strace", "--version") {
        return;
    }
    let field = Field::new("");
    let program = env!("CARGO_BIN_EXE_orch");
    // Only a supervisor asks the system first of all for the children of its children.
    let inject = "-e trace=prctl -e inject=prctl:error=ENOMEM:when=1";
    let script =
        format!("exec strace -D -f -qq -o /dev/null {inject} '{program}' run --plain 2>&1");
    let mut told = Told::start(&script, &field);
    assert!(told.waits_for("the supervisor of the workers could not begin"), "{:?}", told.seen);
    // Until it was tried again.
    assert!(told.waits_for("start "), "{:?}", told.seen);
    crate::cli::signal(&told.child, rustix::process::Signal::INT);
    let (code, text) = told.end();
    assert_eq!(code, Some(130), "{text}");
    assert_eq!(count(&text, "pause "), 1, "told once: {text}");
    let again = field.run("exec");
    assert_eq!(again.code, Some(0), "{}", again.text);
    field.check_no_false_failure();
    field.checker().check_end();
}

#[test]
fn a_disk_that_is_read_only_for_a_while_is_waited_out() {
    if !has_mounts() {
        return;
    }
    let field = Field::new("");
    fs::write(field.outside.path().join("effects.txt.hold"), "").unwrap();
    let close = "while ! grep -q begin \"$EFFECTS\" 2>/dev/null; do sleep 0.02; done; \
                 mount --bind .orch .orch; mount -o remount,bind,ro .orch; rm \"$EFFECTS.hold\"";
    let script = in_tmpfs(&field, "size=8m", &format!("{{ ({close}) & }}"), "umount .orch");
    let mut told = Told::start(&script, &field);
    let is_held = told.waits_for("Read-only file system");
    fs::write(field.sandbox.path("go"), "").unwrap();
    let (code, text) = told.end();
    assert!(is_held, "{text}");
    check_kept(&field, code, &text);
}

#[test]
fn a_run_needs_few_descriptors() {
    // Too few to begin with, and enough; with what lies between a run pauses, as for any shortage.
    let cases = [(12, 3), (32, 0), (40, 0)];
    for (limit, code) in cases {
        let field = Field::new("");
        let ended = field.run(&format!("ulimit -n {limit}; exec"));
        assert_eq!(ended.code, Some(code), "{limit}: {}", ended.text);
        if code != 0 {
            assert!(ended.text.contains("Too many open files"), "{limit}: {}", ended.text);
            let again = field.run("exec");
            assert_eq!(again.code, Some(0), "{limit}: {}", again.text);
        }
        field.check_no_false_failure();
        field.checker().check_end();
    }
}
