//! Names that try to be options or commands, and what workers may have planted in git.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Site;

/// Branches that git takes, and a shell would not leave alone.
const BRANCHES: [&str; 4] =
    ["-x", "--force", "a'b\"$(touch${IFS}canary)`touch${IFS}canary`;|&", "@"];

#[test]
fn no_name_is_an_option_or_a_command() {
    let title = "-t \"quoted\" '$(touch canary)'\nsecond \u{202e}line";
    let shown = "-t \"quoted\" '$(touch canary)'\\nsecond \\u{202e}line";
    for program in ["gh", "glab"] {
        for branch in BRANCHES {
            let site = Site::new(program);
            // Git itself refuses to make such a branch for a user, but has it.
            let tip = site.head();
            let name = format!("refs/heads/{branch}");
            site.git(&format!("update-ref {name} {tip}"));
            site.git(&format!("symbolic-ref HEAD {name}"));
            let title = format!("--title={title}");
            let json = site.orch(&["pr", "--json", &title, "--base=main"]).json();
            assert_eq!((&json["branch"], &json["title"]), (&branch.into(), &shown.into()));
            assert_eq!(site.at_remote(branch), tip, "{branch}");
            let argv = &site.calls()[1].argv;
            let option = if program == "gh" { "--head=" } else { "--source-branch=" };
            assert!(argv.contains(&format!("{option}{branch}")), "{argv:?}");
            assert!(argv.contains(&format!("--title={shown}")), "{argv:?}");
            let is_known = |one: &&String| one.starts_with("--") && !one.contains("=");
            let flags: Vec<&String> = argv.iter().filter(is_known).collect();
            assert!(flags.iter().all(|flag| *flag == "--yes"), "{flags:?}");
            let text = site.orch(&["pr", "--dry-run"]).text();
            assert!(text.contains("refs/heads/"), "{text}");
            for place in [site.sandbox.root(), site.beside.path()] {
                assert!(!place.join("canary").exists(), "{branch}");
            }
        }
    }
}

#[test]
fn nothing_that_was_planted_in_git_runs() {
    let site = Site::new("gh");
    let trap = site.beside("trap");
    site.script("trap", "#!/bin/sh\ntouch \"$0.sprung\"\n");
    let hooks = site.sandbox.path(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["pre-push", "reference-transaction", "post-index-change"] {
        fs::copy(&trap, hooks.join(hook)).unwrap();
    }
    let text = fs::read_to_string(&trap).unwrap();
    for hook in fs::read_dir(&hooks).unwrap() {
        let path = hook.unwrap().path();
        fs::write(&path, text.replace("$0", trap.to_str().unwrap())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    site.git(&format!("config core.fsmonitor {}", trap.display()));
    site.git(&format!("config core.hooksPath {}", hooks.display()));
    site.git("config protocol.ext.allow always");
    // The program of the host calls git, too.
    let stand_in = super::STAND_IN.replace(
        "case \"$2\" in\n  list)",
        "(cd \"$HOME\"; git status >&2)\ncase \"$2\" in\n  list)",
    );
    assert_ne!(stand_in, super::STAND_IN);
    site.script("bin/gh", &stand_in);
    fs::remove_file(site.beside("trap.sprung")).unwrap_or_default();
    site.orch(&["pr"]).text();
    site.orch(&["pr"]).text();
    assert!(!site.beside("trap.sprung").exists());
    assert_eq!(site.at_remote("plan"), site.head());
}

#[test]
fn a_remote_that_is_reached_by_a_helper_is_not_reached() {
    let site = Site::new("gh");
    site.script("tools/git-remote-trap", "#!/bin/sh\ntouch \"$0.sprung\"\n");
    site.git("config remote.origin.vcs trap");
    site.git("config protocol.trap.allow always");
    let said = site.orch(&["pr"]).error(3);
    assert!(said.contains("transport 'trap' not allowed"), "{said}");
    assert!(!site.beside("tools/git-remote-trap.sprung").exists());
}

#[test]
fn no_token_of_an_address_is_shown() {
    let site = Site::new("gh");
    site.git("remote set-url origin https://ann:ghp_0123@github.com/team/plan.git");
    for args in [&["pr", "--dry-run"][..], &["pr", "--dry-run", "--json"]] {
        let text = site.orch(args).text();
        assert!(text.contains("https://github.com/team/plan.git"), "{text}");
        assert!(!text.contains("ghp_0123") && !text.contains("ann"), "{text}");
    }
}

/// Settings by which a push takes more with it, or is another one.
const PUSHES: [&str; 8] = [
    "push.default matching",
    "push.followTags true",
    "push.gpgSign if-asked",
    "push.recurseSubmodules on-demand",
    "remote.origin.push +refs/*:refs/*",
    "remote.pushDefault origin",
    "branch.plan.merge refs/heads/main",
    "branch.plan.remote origin",
];

#[test]
fn nothing_is_pushed_but_the_branch_whatever_the_settings_say() {
    let site = Site::new("gh");
    site.git("tag -am v1 v1");
    site.git("branch other");
    site.git("update-ref refs/orch/claims/x HEAD");
    for setting in PUSHES {
        site.git(&format!("config {setting}"));
    }
    site.git("remote add elsewhere git@github.com:else/plan.git");
    site.script(
        "remote.git/hooks/update",
        "#!/bin/sh\necho \"$1 $2\" >> \"$GIT_DIR/../updates\"\n",
    );
    let before = site.at_remote("main");
    for _ in 0..2 {
        site.orch(&["pr"]).text();
    }
    let updates = fs::read_to_string(site.beside("updates")).unwrap();
    assert_eq!(updates, format!("refs/heads/plan {}\n", "0".repeat(40)));
    assert_eq!((site.at_remote("main"), site.at_remote("other")), (before, String::new()));
    // Where the remote went on, nothing is forced: neither of the branch, nor of the protected one.
    site.git("commit -q --amend -m another");
    assert_ne!(site.orch(&["pr"]).code, 0);
    assert_eq!(fs::read_to_string(site.beside("updates")).unwrap(), updates);
}
