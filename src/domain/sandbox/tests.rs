//! What is known of a machine in, arguments out.

use expect_test::{Expect, expect};

use super::{Bwrap, Cover, Places, Strength, argv, is_for_loader, lack, probe};

fn text(paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

fn bwrap(strength: Strength) -> Bwrap {
    Bwrap { program: "/usr/bin/bwrap".to_owned(), strength }
}

/// Puts each option on a line of its own.
#[expect(clippy::needless_pass_by_value, reason = "reads better at the calls")]
fn check(words: &[String], expected: Expect) {
    let lines = words.join(" ").replace(" --", "\n--");
    expected.assert_eq(&format!("{lines}\n"));
}

#[test]
fn what_must_not_be_written_comes_after_what_may_be() {
    let places = Places {
        private: text(&["/run", "/tmp"]),
        kept: text(&["/tmp/repo"]),
        write: text(&["/home/me/.cache", "/tmp/repo"]),
        guarded: text(&["/tmp/repo/.orch", "/tmp/repo/.git"]),
        hidden: vec![
            Cover::Folder("/home/me/.ssh".to_owned()),
            Cover::File("/home/me/.netrc".to_owned()),
        ],
        local: "/tmp/repo/.orch/local".to_owned(),
        shown: text(&["/tmp/repo/.orch/local/prompts/a/1.md"]),
        worktree: "/tmp/repo/.orch/local/worktrees/a".to_owned(),
        link: "/tmp/repo/.orch/local/worktrees/a/.git".to_owned(),
        folder: "/tmp/repo/.orch/local/worktrees/a/sub".to_owned(),
    };
    let variables = [("LD_LIBRARY_PATH".to_owned(), "lib".to_owned())];
    let words = argv(&bwrap(Strength::NoNesting), false, &places, &variables);
    check(
        &words,
        expect![[r#"
            /usr/bin/bwrap
            --unshare-user
            --disable-userns
            --unshare-pid
            --unshare-ipc
            --unshare-uts
            --unshare-cgroup-try
            --unshare-net
            --new-session
            --die-with-parent
            --cap-drop ALL
            --ro-bind / /
            --dev /dev
            --proc /proc
            --remount-ro /proc
            --tmpfs /run
            --tmpfs /tmp
            --ro-bind /tmp/repo /tmp/repo
            --bind /home/me/.cache /home/me/.cache
            --bind /tmp/repo /tmp/repo
            --ro-bind /tmp/repo/.orch /tmp/repo/.orch
            --ro-bind /tmp/repo/.git /tmp/repo/.git
            --tmpfs /home/me/.ssh
            --remount-ro /home/me/.ssh
            --ro-bind /dev/null /home/me/.netrc
            --tmpfs /tmp/repo/.orch/local
            --ro-bind /tmp/repo/.orch/local/prompts/a/1.md /tmp/repo/.orch/local/prompts/a/1.md
            --bind /tmp/repo/.orch/local/worktrees/a /tmp/repo/.orch/local/worktrees/a
            --ro-bind /tmp/repo/.orch/local/worktrees/a/.git /tmp/repo/.orch/local/worktrees/a/.git
            --remount-ro /tmp/repo/.orch/local
            --chdir /tmp/repo/.orch/local/worktrees/a/sub
            --setenv LD_LIBRARY_PATH lib
            --
        "#]],
    );
    let open = argv(&bwrap(Strength::NoNesting), true, &places, &variables);
    let missing: Vec<&String> = words.iter().filter(|word| !open.contains(word)).collect();
    assert_eq!(missing, ["--unshare-net"]);
}

#[test]
fn it_is_tried_out_as_it_is_used() {
    check(
        &probe(&bwrap(Strength::NoNesting)),
        expect![[r#"
            /usr/bin/bwrap
            --unshare-user
            --disable-userns
            --unshare-pid
            --unshare-ipc
            --unshare-uts
            --unshare-cgroup-try
            --unshare-net
            --new-session
            --die-with-parent
            --cap-drop ALL
            --ro-bind / /
            --dev /dev
            --proc /proc
            --remount-ro /proc
            --tmpfs /tmp
            -- /usr/bin/bwrap
            --version
        "#]],
    );
    let n_words: Vec<usize> = Strength::ALL.map(|strength| probe(&bwrap(strength)).len()).to_vec();
    assert_eq!(n_words, [26, 25, 24]);
}

#[test]
fn variables_that_load_code_are_told_from_others() {
    let table = [
        ("LD_PRELOAD", true),
        ("LD_LIBRARY_PATH", true),
        ("GLIBC_TUNABLES", true),
        ("GCONV_PATH", true),
        ("PATH", false),
        ("OLD_PATH", false),
        ("LDFLAGS", false),
    ];
    for (name, expected) in table {
        assert_eq!(is_for_loader(name), expected, "{name}");
    }
}

#[test]
fn what_the_program_says_becomes_advice() {
    let table = [
        ("bwrap: No permissions to create new namespace, likely because the kernel …\n", true),
        ("bwrap: setting up uid map: Permission denied\n", true),
        ("bwrap: Creating new namespace failed: Operation not permitted\n", true),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n", true),
        ("bwrap: Unknown option --new-session\n", false),
        ("\n", false),
    ];
    for (words, is_refusal) in table {
        let lack = lack::refused(words);
        assert_eq!(lack.help.contains("namespaces"), is_refusal, "{words}");
        assert!(!lack.cause.contains("bwrap: bwrap"), "{}", lack.cause);
    }
    expect!["no sandbox can be made here: bwrap: setting up uid map: Permission denied"]
        .assert_eq(&lack::refused(table[1].0).cause);
}
