//! `orch pr`, with a remote of its own and stand-ins for `gh` and `glab`.

mod hook;
mod hostile;
mod refused;
mod site;

use std::fs;

use expect_test::expect;

use self::site::{Call, PLAN, STAND_IN, Site};
use super::{Sandbox, planted::git, record};

/// Takes the names of commits out of a text.
fn without_commits(text: &str) -> String {
    let is_commit =
        |word: &str| matches!(word.len(), 9 | 40) && word.bytes().all(|b| b.is_ascii_hexdigit());
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()).map(|part| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_commit(word) { part.replace(word, "COMMIT") } else { part.to_owned() }
    });
    parts.collect()
}

#[test]
fn a_second_call_updates_the_request_that_the_first_one_opened() {
    open_and_update(
        "gh",
        "pull request #12: https://github.com/team/plan/pull/12",
        "edit",
        |call| call.stdin.clone(),
    );
    open_and_update(
        "glab",
        "merge request !12: https://gitlab.com/team/plan/-/merge_requests/12",
        "update",
        |call| {
            let body = call.argv.iter().find_map(|one| one.strip_prefix("--description="));
            body.unwrap().to_owned()
        },
    );
}

/// Makes three calls, with more work before the last; `body` tells what was sent with one.
fn open_and_update(program: &str, request: &str, update: &str, body: fn(&Call) -> String) {
    let site = Site::new(program);
    let head = site.head();
    let short = head.get(..9).unwrap();
    let text = site.orch(&["pr"]).text();
    assert_eq!(text, format!("pushed plan ({short}, 1 commit) to origin\ncreated the {request}\n"));
    assert_eq!(site.at_remote("plan"), head);
    let text = site.orch(&["pr"]).text();
    let expected =
        format!("plan ({short}, 1 commit) is at origin already\nupdated the {request}\n");
    assert_eq!(text, expected);
    site.sandbox.write(".orch/runs/b.1.yaml", &record("b", 1, "succeeded"));
    site.commit("more");
    let text = site.orch(&["pr"]).text();
    assert!(text.ends_with(&format!("updated the {request}\n")), "{text}");
    assert_eq!(site.at_remote("plan"), site.head());
    let calls = site.calls();
    let what: Vec<&str> = calls.iter().map(|call| call.argv[2].as_str()).collect();
    assert_eq!(what, ["list", "create", "list", update, "list", update]);
    assert_eq!(calls[5].argv[3], "12");
    for (call, n_done) in [(&calls[1], 1), (&calls[5], 2)] {
        let title = format!("--title=plan: {n_done} of 4 tasks done");
        assert!(call.argv.contains(&title), "{:?}", call.argv);
        let said = format!("**Plan**: {n_done} of 4 tasks done");
        assert!(body(call).starts_with(&said), "{call:?}");
    }
    // Nobody is asked anything, with the access of the user.
    let quiet = if program == "gh" { "GH_PROMPT_DISABLED=1\n" } else { "GLAB_NO_PROMPT=true\n" };
    for expected in [quiet, "GH_TOKEN=of-the-user\n", "GIT_CONFIG_KEY_0=core.hooksPath\n"] {
        assert!(calls.iter().all(|call| call.env.contains(expected)), "{expected}");
    }
}

#[test]
fn a_dry_run_tells_all_and_touches_nothing() {
    let site = Site::new("gh");
    let text = site.orch(&["pr", "--milestone", "beta", "--dry-run"]).text();
    expect![[r#"
        would push 1 commit that main has not, to origin (git@github.com:team/plan.git)
          git push origin COMMIT:refs/heads/plan

        would open a pull request, or give title and body to the one that is open
          gh pr list --repo=github.com/team/plan --head=plan --state=open --limit=100 --json=number,url,baseRefName,isDraft,isCrossRepository
          gh pr create --repo=github.com/team/plan --head=plan --base=main '--title=Milestone beta: 1 of 2 tasks done' --body-file=-

        title
          Milestone beta: 1 of 2 tasks done

        body
          **Milestone** `beta`: 1 of 2 tasks done

          **Plan**: 1 of 4 tasks done (1 ready · 1 waiting · 1 hold · 1 done · 1 cancelled)

          - spent: 1 attempt, 1m 00s of work
          - forecast: 2 more tasks in 2m 00s with 4 workers (`orch plan` shows when)

          ### What is left

          #### `beta`: 1 of 2 done

          - **ready** `b` `` Second `$(touch canary)` ``

          #### `alpha`: 0 of 1 done

          - **waiting** `c` `Third`: ``waits for `b`, which is ready``

          #### no milestone: 0 of 1 done

          - **hold** `d` `Fourth`

          ### What it does to the plan

          **Plan** from `COMMIT (shared with origin/main)` to `plan (COMMIT)`: 1 state moved

          #### States (1 attempt, 1m 00s)

          - `a`: ready → done (1 attempt, 1m 00s)

          #### Outlook

          - tasks: 0 of 4 done → 1 of 4 done
          - to run: 3 tasks → 2 tasks
          - critical path: 6h 00m → 2m 00s
          - forecast: 6h 00m → 2m 00s

          *Written by `orch pr`, which writes it anew each time.*

        nothing was pushed or opened
    "#]].assert_eq(&without_commits(&text));
    assert!(site.is_untouched());
    assert_eq!(site.at_remote("plan"), "");
    assert!(!site.git("for-each-ref").contains("origin/plan"));
    // What is sent is what was shown.
    let sent = site.orch(&["pr", "--milestone", "beta", "--json"]).json();
    let shown = site.orch(&["pr", "--milestone", "beta", "--json", "--dry-run"]).json();
    assert_eq!((&sent["title"], &sent["body"]), (&shown["title"], &shown["body"]));
    assert_eq!(sent["body"], site.calls()[1].stdin.as_str());
}

#[test]
fn a_dry_run_works_without_the_program() {
    let site = Site::new("gh");
    fs::remove_file(site.beside("bin/gh")).unwrap();
    let text = site.orch(&["pr", "--dry-run"]).text();
    let expected = "  but `gh` is not installed: it comes from https://cli.github.com\n";
    assert!(text.contains(expected), "{text}");
    let json = site.orch(&["pr", "--dry-run", "--json"]).json();
    assert_eq!(json["program_home"], "https://cli.github.com");
}

#[test]
fn json_says_what_was_done() {
    let site = Site::new("gh");
    let mut json = site.orch(&["pr", "--json", "--title", "Mine", "--draft"]).json();
    assert_eq!(json["commit"], site.head().as_str());
    assert!(json["body"].as_str().unwrap().starts_with("**Plan**: 1 of 4 tasks done"));
    for key in ["commit", "refspec", "body", "commands"] {
        json.as_object_mut().unwrap().remove(key);
    }
    expect![[r##"
        {
          "action": "created",
          "base": "main",
          "branch": "plan",
          "host": "github",
          "is_pushed": true,
          "milestone": null,
          "n_commits": 1,
          "n_uncommitted": 0,
          "noun": "pull request",
          "number": 12,
          "program": "gh",
          "program_home": null,
          "push_url": "git@github.com:team/plan.git",
          "remote": "origin",
          "sign": "#",
          "title": "Mine",
          "url": "https://github.com/team/plan/pull/12"
        }"##]]
    .assert_eq(&format!("{json:#}"));
    let calls = site.calls();
    assert_eq!(calls[1].argv.last().unwrap(), "--draft");
    let json = site.orch(&["pr", "--json"]).json();
    let done = [&json["action"], &json["is_pushed"], &json["number"]];
    assert_eq!(done, [&serde_json::json!("updated"), &false.into(), &12.into()]);
    assert_eq!(json["commands"][0][0], "gh");
    assert_eq!((&json["commands"][1][0], &json["commands"][1][1]), (&"git".into(), &"push".into()));
}

#[test]
fn what_it_is_for_may_be_named() {
    let site = Site::new("gh");
    site.git("update-ref refs/remotes/origin/dev main");
    fs::write(site.beside("two"), "").unwrap();
    site.orch(&["pr"]).text();
    let text = site.orch(&["pr", "--base", "dev"]).text();
    assert!(text.contains("created the pull request"), "{text}");
    let calls = site.calls();
    assert!(calls[1].argv.contains(&"--base=main".to_owned()), "{:?}", calls[1]);
    assert!(calls[3].argv.contains(&"--base=dev".to_owned()), "{:?}", calls[3]);
    // Without the branch that the remote names, `main` is looked for, there and here.
    for gone in ["refs/remotes/origin/HEAD", "refs/remotes/origin/main"] {
        site.git(&format!("update-ref --no-deref -d {gone}"));
        let text = site.orch(&["pr", "--dry-run"]).text();
        assert!(text.contains(" --base=main "), "{gone}: {text}");
    }
}

#[test]
fn requests_of_forks_are_somebody_elses() {
    let site = Site::new("gh");
    let fork = r#"[{"number": 3, "url": "u", "baseRefName": "main", "isDraft": false, "isCrossRepository": true}]"#;
    fs::write(site.beside("open"), fork).unwrap();
    fs::write(site.beside("two"), "").unwrap();
    let text = site.orch(&["pr"]).text();
    assert!(text.contains("created the pull request #12"), "{text}");
}

#[test]
fn a_draft_stays_one_on_gitlab() {
    let site = Site::new("glab");
    let draft = r#"[{"iid": 4, "web_url": "https://u/4", "target_branch": "main", "draft": true, "source_project_id": 1, "target_project_id": 1}]"#;
    fs::write(site.beside("open"), draft).unwrap();
    site.orch(&["pr", "--title", "Mine"]).text();
    let argv = &site.calls()[1].argv;
    assert!(argv.contains(&"--title=Draft: Mine".to_owned()), "{argv:?}");
}

#[test]
fn what_is_not_committed_is_warned_of() {
    let site = Site::new("gh");
    let clean = site.orch(&["pr", "--dry-run"]).text();
    site.sandbox.write(".orch/tasks/new.md", "---\ntitle: New\n---\n");
    site.sandbox.write(".orch/tasks/a.md", "---\ntitle: Other\nmilestone: beta\n---\n");
    // A record is none of it: it is committed in its own time.
    site.sandbox.write(".orch/runs/b.1.yaml", &record("b", 1, "failed"));
    let output = site.orch(&["pr", "--dry-run"]);
    let said = "warning: 2 changes of tasks, roles or settings are not committed, and so not pushed: \
                `orch diff HEAD` shows them\n";
    assert_eq!((output.code, output.stderr.as_str()), (0, said));
    let diff = |text: &str| text.split_once("### What it does to the plan").unwrap().1.to_owned();
    assert_eq!(diff(&output.stdout), diff(&clean));
}
