//! Addresses, calls and answers.

use expect_test::{Expect, expect};

use super::*;

#[test]
fn addresses_are_read_as_git_reads_them() {
    let table = [
        ("git@github.com:team/plan.git", Some("https://github.com/team/plan")),
        ("github.com:team/plan", Some("https://github.com/team/plan")),
        ("ssh://git@github.com/team/plan.git", Some("https://github.com/team/plan")),
        ("ssh://git@ssh.github.com:443/team/plan.git", Some("https://github.com/team/plan")),
        ("https://GitHub.com/Team/plan/", Some("https://github.com/Team/plan")),
        ("https://ann:secret@github.com/team/plan.git", Some("https://github.com/team/plan")),
        ("https://github.com:443/team/plan", Some("https://github.com/team/plan")),
        ("https://git.lab:8443/a/b/c.git", Some("https://git.lab:8443/a/b/c")),
        ("ssh://git@git.lab:2222/a/b/c.git", Some("https://git.lab/a/b/c")),
        ("http://git.lab/a/b", Some("http://git.lab/a/b")),
        // Nothing on a host, or nothing that git should be asked to reach.
        ("/srv/plan.git", None),
        ("../plan.git", None),
        ("file:///srv/plan.git", None),
        ("ext::sh -c touch% canary", None),
        ("ext::ssh://github.com/team/plan", None),
        ("git://github.com/team/plan", None),
        ("https://github.com/plan", None),
        ("https://github.com/team/../plan", None),
        ("https://github.com/team/-plan", None),
        ("-oProxyCommand=x:team/plan", None),
        ("https://github.com/team/plan?x", None),
        ("https://github.com/team/plan\n", None),
        ("https://host:port/team/plan", None),
        ("", None),
    ];
    for (url, web) in table {
        assert_eq!(Address::parse(url).map(|address| address.web()).as_deref(), web, "{url}");
    }
}

#[test]
fn the_same_repository_is_known_by_either_way() {
    let of = |url| Address::parse(url).unwrap();
    let own = of("git@github.com:team/plan.git");
    assert!(own.is_same(&of("https://token@github.com/Team/Plan")));
    assert!(own.is_same(&of("ssh://git@ssh.github.com:443/team/plan")));
    for other in [
        "http://github.com/team/plan",
        "git@github.com:team/plans",
        "git@github.com.evil.example:team/plan",
        "https://github.com:8443/team/plan",
    ] {
        assert!(!own.is_same(&of(other)), "{other}");
    }
}

#[test]
fn no_secret_of_an_address_is_shown() {
    let table = [
        ("https://ghp_0123@github.com/a/b", "https://github.com/a/b"),
        ("https://ann:pa@ss@github.com/a/b", "https://github.com/a/b"),
        ("ssh://git@github.com/a/b", "ssh://git@github.com/a/b"),
        ("ssh://git:secret@github.com/a/b", "ssh://github.com/a/b"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("https://github.com/a@b", "https://github.com/a@b"),
    ];
    table.iter().for_each(|(url, shown)| assert_eq!(without_secrets(url), *shown));
}

#[test]
fn a_host_is_told_by_its_settings_its_name_or_its_program() {
    let with =
        |installed: &'static [&'static str]| move |name: &'static str| installed.contains(&name);
    let of =
        |word, url: &str, installed| Host::of(word, &Address::parse(url).unwrap(), with(installed));
    let auto = HostWord::Auto;
    let both: &[&str] = &["gh", "glab"];
    assert_eq!(of(auto, "git@github.com:a/b", &["glab"]), Some(Host::GitHub));
    assert_eq!(of(auto, "git@acme.ghe.com:a/b", &[]), Some(Host::GitHub));
    assert_eq!(of(auto, "git@gitlab.acme.org:a/b", &["gh"]), Some(Host::GitLab));
    assert_eq!(of(auto, "git@code.acme.org:a/b", &["gh"]), Some(Host::GitHub));
    assert_eq!(of(auto, "git@code.acme.org:a/b", &["glab"]), Some(Host::GitLab));
    assert_eq!(of(auto, "git@code.acme.org:a/b", both), None);
    assert_eq!(of(auto, "git@code.acme.org:a/b", &[]), None);
    assert_eq!(of(HostWord::GitLab, "git@github.com:a/b", both), Some(Host::GitLab));
    assert_eq!(of(HostWord::GitHub, "git@gitlab.com:a/b", both), Some(Host::GitHub));
}

fn check(host: Host, url: &str, expected: &Expect) {
    let address = Address::parse(url).unwrap();
    let request = Request {
        address: &address,
        branch: "-x/$(touch canary)",
        base: "main",
        title: "-t \"quoted\"",
        body: "- body\n",
        is_draft: true,
    };
    let open = Open { number: 7, url: String::new(), base: "main".to_owned(), is_draft: true };
    let calls = [host.list(&request), host.create(&request), host.update(&request, &open)];
    let shown =
        calls.map(|call| format!("{}\n  < {:?}\n", call.arguments.join("\n  "), call.input));
    expected.assert_eq(&format!("{}{}\n", shown.concat(), host.compare_url(&request)));
}

#[test]
fn no_value_stands_where_an_option_could() {
    check(
        Host::GitHub,
        "git@github.com:team/plan.git",
        &expect![[r#"
            pr
              list
              --repo=github.com/team/plan
              --head=-x/$(touch canary)
              --state=open
              --limit=100
              --json=number,url,baseRefName,isDraft,isCrossRepository
              < ""
            pr
              create
              --repo=github.com/team/plan
              --head=-x/$(touch canary)
              --base=main
              --title=-t "quoted"
              --body-file=-
              --draft
              < "- body\n"
            pr
              edit
              7
              --repo=github.com/team/plan
              --title=-t "quoted"
              --body-file=-
              < "- body\n"
            https://github.com/team/plan/compare/main...-x%2F%24%28touch%20canary%29?expand=1
        "#]],
    );
    check(
        Host::GitLab,
        "git@gitlab.com:team/sub/plan.git",
        &expect![[r#"
            mr
              list
              --repo=https://gitlab.com/team/sub/plan
              --source-branch=-x/$(touch canary)
              --per-page=100
              --output=json
              < ""
            mr
              create
              --repo=https://gitlab.com/team/sub/plan
              --head=https://gitlab.com/team/sub/plan
              --source-branch=-x/$(touch canary)
              --target-branch=main
              --title=-t "quoted"
              --description=- body

              --yes
              --draft
              < ""
            mr
              update
              7
              --repo=https://gitlab.com/team/sub/plan
              --title=Draft: -t "quoted"
              --description=- body

              < ""
            https://gitlab.com/team/sub/plan/-/merge_requests/new?merge_request%5Bsource_branch%5D=-x%2F%24%28touch%20canary%29&merge_request%5Btarget_branch%5D=main
        "#]],
    );
}

#[test]
fn only_requests_of_the_repository_itself_are_taken_up() {
    let printed = r#"[
        {"number": 3, "url": "https://github.com/a/b/pull/3", "baseRefName": "main", "isDraft": false, "isCrossRepository": true},
        {"number": 4, "url": "https://github.com/a/b/pull/4", "baseRefName": "dev", "isDraft": true, "isCrossRepository": false}
    ]"#;
    let url = "https://github.com/a/b/pull/4".to_owned();
    let open = Open { number: 4, url, base: "dev".to_owned(), is_draft: true };
    assert_eq!(Host::GitHub.read_list(printed), Ok(vec![open]));
    let printed = r#"[
        {"iid": 5, "web_url": "https://g/a/-/merge_requests/5", "target_branch": "main", "source_project_id": 1, "target_project_id": 2},
        {"iid": 6, "web_url": "https://g/a/-/merge_requests/6", "target_branch": "main", "source_project_id": 2, "target_project_id": 2, "draft": true}
    ]"#;
    let url = "https://g/a/-/merge_requests/6".to_owned();
    let open = Open { number: 6, url, base: "main".to_owned(), is_draft: true };
    assert_eq!(Host::GitLab.read_list(printed), Ok(vec![open]));
    assert_eq!(Host::GitHub.read_list("[]"), Ok(Vec::new()));
    assert_eq!(Host::GitLab.read_list("null\n"), Ok(Vec::new()));
    for strange in ["", "{}", "[{}]", "[1]", "no open requests"] {
        let said = Host::GitLab.read_list(strange);
        assert_eq!(said, Err("`glab` printed no list of requests".to_owned()), "{strange}");
    }
}

#[test]
fn the_address_of_a_new_request_is_found() {
    let table = [
        ("https://github.com/a/b/pull/12\n", Some(12)),
        ("!7 Title (plan)\n https://g/a/-/merge_requests/7\n", Some(7)),
        ("Warning: see https://x/y\nhttps://github.com/a/b/pull/3/\n", Some(3)),
        ("nothing", None),
        ("", None),
    ];
    for (printed, number) in table {
        assert_eq!(created(printed).map(|(_, number)| number), number, "{printed}");
    }
}
