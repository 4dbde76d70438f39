//! What `orch pr` does not do, and what it says then.

use std::fs;

use super::Site;

/// How a plan is made unfit: settings that are added, git commands that are run, arguments, and
/// what is said.
struct Case {
    settings: &'static str,
    git: &'static [&'static str],
    args: &'static [&'static str],
    said: &'static str,
}

const CASES: &[Case] = &[
    Case {
        settings: "",
        git: &["checkout -q --detach"],
        args: &[],
        said: "error: a commit is checked out, and no branch that could be pushed\n  \
               = help: `git switch BRANCH` checks one out, `git switch -c NAME` makes one\n",
    },
    Case {
        settings: "",
        git: &["switch -q main"],
        args: &[],
        said: "error: `main` is protected: others are merged into it\n  \
               = help: check out the branch of the plan, or make one: `git switch -c NAME`\n",
    },
    Case {
        settings: "git: {protect: [plan]}\n",
        git: &[],
        args: &[],
        said: "error: `plan` is protected: others are merged into it\n  \
               = help: check out the branch of the plan, or make one: `git switch -c NAME`\n",
    },
    Case {
        settings: "",
        git: &[],
        args: &["--base", "plan"],
        said: "error: `plan` is the branch that it would be merged into\n  \
               = help: check out the branch of the plan, or name what it is for: `--base BRANCH`\n",
    },
    Case {
        settings: "",
        git: &["remote remove origin"],
        args: &[],
        said: "error: there is no git remote `origin`\n  = help: `git remote add origin URL` makes it, \
               `git: {remote: …}` in .orch/config.yaml names another; there is none yet\n",
    },
    Case {
        settings: "git: {remote: upstream}\n",
        git: &[],
        args: &[],
        said: "error: there is no git remote `upstream`\n  = help: `git remote add upstream URL` makes \
               it, `git: {remote: …}` in .orch/config.yaml names another; there is `origin`\n",
    },
    Case {
        settings: "",
        git: &["config branch.plan.remote fork"],
        args: &[],
        said: "error: git pushes `plan` to `fork`, and the settings of the plan name `origin`\n  \
               = help: `git config branch.plan.pushRemote origin` sends it there, or change `git: \
               {remote: …}` in .orch/config.yaml\n",
    },
    Case {
        settings: "",
        git: &["config branch.plan.remote origin", "config remote.pushDefault fork"],
        args: &[],
        said: "error: git pushes `plan` to `fork`, and the settings of the plan name `origin`\n  \
               = help: `git config branch.plan.pushRemote origin` sends it there, or change `git: \
               {remote: …}` in .orch/config.yaml\n",
    },
    Case {
        settings: "git: {push_url: 'https://github.com/team/plan'}\n",
        git: &["config remote.origin.pushurl git@github.com:evil/plan.git"],
        args: &[],
        said: "error: the git remote `origin` leads to `git@github.com:evil/plan.git`, and the \
               settings name `https://github.com/team/plan`\n  = help: `git remote get-url --push \
               origin` shows where it leads; where that is right, change `git: {push_url: …}` in \
               .orch/config.yaml\n",
    },
    Case {
        // Git itself puts another address in its place.
        settings: "git: {push_url: 'git@github.com:team/plan.git'}\n",
        git: &["config url.https://me:token@evil.example/.pushInsteadOf git@github.com:"],
        args: &[],
        said: "error: the git remote `origin` leads to `https://evil.example/team/plan.git`, and the \
               settings name `git@github.com:team/plan.git`\n  = help: `git remote get-url --push \
               origin` shows where it leads; where that is right, change `git: {push_url: …}` in \
               .orch/config.yaml\n",
    },
    Case {
        settings: "",
        git: &["remote set-url --add origin git@github.com:evil/plan.git"],
        args: &[],
        said: "error: the git remote `origin` leads to 2 places, not to one\n  \
               = help: `git remote get-url --push --all origin` shows them\n",
    },
    Case {
        settings: "",
        git: &["remote set-url origin /srv/plan.git"],
        args: &[],
        said: "error: the git remote `origin` leads to `/srv/plan.git`, which is on no host\n  \
               = help: a request needs one that is reached by https or ssh, as in \
               git@github.com:team/plan.git\n",
    },
    Case {
        settings: "",
        git: &["remote set-url origin ext::sh~-c~touch%~canary"],
        args: &[],
        said: "error: the git remote `origin` leads to `ext::sh -c touch% canary`, which is on no \
               host\n  = help: a request needs one that is reached by https or ssh, as in \
               git@github.com:team/plan.git\n",
    },
    Case {
        settings: "",
        git: &["remote set-url origin git@github.com:team/sub/plan.git"],
        args: &[],
        said: "error: `team/sub/plan` is no repository of GitHub: those are OWNER/NAME\n  \
               = help: say what it is on in .orch/config.yaml: `git: {host: gitlab}`\n",
    },
    Case {
        settings: "",
        git: &["reset -q --hard main"],
        args: &[],
        said: "error: `plan` has no commit that `origin/main` has not\n  = help: there is nothing to \
               propose yet; `git status` shows what is not committed\n",
    },
    Case {
        settings: "",
        git: &[],
        args: &["--milestone", "bta"],
        said: "error: no task has the milestone `bta`\n  = help: did you mean `beta`?\n",
    },
    Case {
        settings: "",
        git: &[],
        args: &["--base", "origin/main"],
        said: "error: this clone knows no branch `origin/main` of `origin`\n  \
               = help: did you mean `main`?\n",
    },
    Case {
        settings: "",
        git: &[],
        args: &["--base", "develop"],
        said: "error: this clone knows no branch `develop` of `origin`\n  \
               = help: `git fetch origin` gets those that are new there\n",
    },
    Case {
        settings: "",
        git: &[
            "update-ref --no-deref -d refs/remotes/origin/HEAD",
            "update-ref -d refs/remotes/origin/main",
            "branch -q -D main",
        ],
        args: &[],
        said: "error: nothing tells which branch of `origin` this is for\n  = help: name it: `--base \
               BRANCH`; `git remote set-head origin --auto` asks for it\n",
    },
    Case {
        settings: "",
        git: &[],
        args: &["--title", " "],
        said: "error: the title is empty\n  = help: leave `--title` out\n",
    },
];

#[test]
fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    for case in CASES {
        let site = Site::new("gh");
        let config = format!("worker: {{command: 'true'}}\n{}", case.settings);
        site.sandbox.write(".orch/config.yaml", &config);
        case.git.iter().for_each(|command| drop(site.git(command)));
        // A wish without a push is refused in the same words.
        for more in [&[][..], &["--dry-run"]] {
            let args = [&["pr"], case.args, more].concat();
            assert_eq!(site.orch(&args).error(2), case.said);
        }
        assert!(site.is_untouched(), "{}", case.said);
        assert!(!site.sandbox.path("canary").exists(), "{}", case.said);
    }
}

#[test]
fn without_a_repository_or_a_commit_there_is_nothing_to_push() {
    let sandbox = super::Sandbox::with(super::PLAN);
    let said = sandbox.orch(&["pr"]).error(2);
    assert!(said.starts_with("error: the plan lies in no git repository\n"), "{said}");
    super::git(sandbox.root(), "init -q -b plan");
    let said = sandbox.orch(&["pr"]).error(2);
    assert!(said.starts_with("error: the git repository has no commit yet\n"), "{said}");
}

#[test]
fn the_remote_of_the_settings_is_known_by_https_and_by_ssh() {
    let site = Site::new("gh");
    let config = "git: {push_url: 'https://github.com/Team/plan.git'}\n";
    site.sandbox.write(".orch/config.yaml", config);
    site.commit("settings");
    let text = site.orch(&["pr"]).text();
    assert!(text.contains("created the pull request"), "{text}");
}

#[test]
fn nothing_tells_what_a_host_is() {
    let site = Site::new("gh");
    site.install("glab");
    site.git("remote set-url origin git@code.example:team/plan.git");
    let said = "error: nothing tells whether `code.example` is a GitHub or a GitLab\n  = help: say it \
                in .orch/config.yaml: `git: {host: github}` or `git: {host: gitlab}`\n";
    assert_eq!(site.orch(&["pr"]).error(2), said);
    site.sandbox.write(".orch/config.yaml", "git: {host: gitlab}\n");
    site.commit("settings");
    let text = site.orch(&["pr"]).text();
    assert!(text.contains("created the merge request !12"), "{text}");
    assert_eq!(site.calls()[0].argv[3], "--repo=https://code.example/team/plan");
}

#[test]
fn without_the_program_nothing_is_pushed_and_a_way_by_hand_is_named() {
    let site = Site::new("gh");
    fs::remove_file(site.beside("bin/gh")).unwrap();
    let said = "error: `gh` is not installed: nothing was pushed\n  = help: it comes from \
                https://cli.github.com; by hand: `git push origin plan`, then \
                https://github.com/team/plan/compare/main...plan?expand=1\n";
    assert_eq!(site.orch(&["pr"]).error(3), said);
    assert!(site.is_untouched());
}

#[test]
fn commits_that_are_only_at_the_remote_are_never_lost() {
    let site = Site::new("gh");
    site.orch(&["pr"]).text();
    let theirs = site.at_remote("plan");
    site.git("commit -q --amend -m other");
    let said = "error: `plan` has commits at `origin` that are not here, and is never forced\n  \
                = help: `git pull --no-rebase origin plan` merges them\n";
    assert_eq!(site.orch(&["pr"]).error(3), said);
    // Also where this clone has not heard of them.
    site.git("update-ref -d refs/remotes/origin/plan");
    assert_eq!(site.orch(&["pr"]).error(3), said);
    assert_eq!(site.at_remote("plan"), theirs);
    let what: Vec<String> = site.calls().into_iter().map(|call| call.argv[2].clone()).collect();
    assert_eq!(what, ["list", "create", "list", "list"]);
}

#[test]
fn what_the_remote_says_is_shown() {
    let site = Site::new("gh");
    let hook = "#!/bin/sh\necho 'no \u{1b}[31mway' >&2\nexit 1\n";
    site.script("remote.git/hooks/pre-receive", hook);
    let said = site.orch(&["pr"]).error(3);
    assert!(said.starts_with("error: failed to push `plan` to `origin`\n  | "), "{said}");
    assert!(said.contains("  | remote: no \\x1b[31mway"), "{said}");
    assert!(said.contains("(pre-receive hook declined)\n  = help: nothing may ask"), "{said}");
    fs::remove_dir_all(site.beside("remote.git")).unwrap();
    let said = site.orch(&["pr"]).error(3);
    assert!(said.starts_with("error: failed to push `plan` to `origin`\n  | fatal: "), "{said}");
}

#[test]
fn what_the_program_says_is_shown_and_what_is_so_then() {
    let site = Site::new("gh");
    let words = "To get started, please run:  gh auth login\n\nor \u{1b}[31mset GH_TOKEN\n";
    fs::write(site.beside("fail-list"), words).unwrap();
    let said = "error: `gh` did not say which pull requests are open: exit code 4\n  \
                | To get started, please run:  gh auth login\n  | or \\x1b[31mset GH_TOKEN\n  \
                = help: nothing was pushed; `gh auth status` says who you are there\n";
    assert_eq!(site.orch(&["pr"]).error(3), said);
    assert_eq!(site.at_remote("plan"), "");
    fs::remove_file(site.beside("fail-list")).unwrap();
    fs::write(site.beside("fail-create"), "GraphQL: no\n").unwrap();
    let said = "error: `gh` did not open a pull request: exit code 4\n  | GraphQL: no\n  \
                = help: `plan` is pushed; the same again goes on from there, or \
                https://github.com/team/plan/compare/main...plan?expand=1\n";
    assert_eq!(site.orch(&["pr"]).error(3), said);
    assert_eq!(site.at_remote("plan"), site.head());
    fs::remove_file(site.beside("fail-create")).unwrap();
    site.orch(&["pr"]).text();
    fs::write(site.beside("fail-edit"), "").unwrap();
    let said = site.orch(&["pr"]).error(3);
    assert!(said.starts_with("error: `gh` did not update the pull request #12: exit"), "{said}");
    // It prints what nobody understands.
    fs::write(site.beside("open"), "no requests").unwrap();
    let said = "error: `gh` printed no list of requests\n  = help: nothing was pushed; `gh auth \
                status` says who you are there\n";
    assert_eq!(site.orch(&["pr"]).error(3), said);
}

#[test]
fn a_request_that_is_open_for_another_branch_is_not_doubled_unasked() {
    let site = Site::new("gh");
    let open = r#"[{"number": 3, "url": "u", "baseRefName": "dev", "isDraft": false, "isCrossRepository": false}]"#;
    fs::write(site.beside("open"), open).unwrap();
    let said = "error: the pull request #3 is open for `dev`, and this one would be for `main`\n  \
                = help: `--base=dev` updates it, `--base=main` opens a second one\n";
    assert_eq!(site.orch(&["pr"]).error(2), said);
    assert_eq!(site.at_remote("plan"), "");
    site.git("update-ref refs/remotes/origin/dev main");
    let text = site.orch(&["pr", "--base=dev"]).text();
    assert!(text.contains("updated the pull request #3"), "{text}");
}
