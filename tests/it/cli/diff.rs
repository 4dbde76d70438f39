//! `orch diff`.

mod hostile;
mod place;
mod states;

use std::{fs, process::Command};

use expect_test::expect;
use serde_json::Value;

use super::{Output, Sandbox, record};

/// A sandbox that is a git repository.
struct Repo {
    sandbox: Sandbox,
}

impl Repo {
    /// Makes a repository on the branch `main` with one commit.
    fn with(files: &[(&str, &str)]) -> Self {
        let repo = Self { sandbox: Sandbox::with(files) };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.commit("first");
        repo
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.sandbox, args)
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    fn write(&self, path: &str, text: &str) {
        self.sandbox.write(path, text);
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.sandbox.path(path)).unwrap();
    }

    fn orch(&self, args: &[&str]) -> Output {
        self.sandbox.orch(args)
    }

    fn diff(&self, args: &[&str]) -> Output {
        self.orch(&[&["diff"], args].concat())
    }

    fn json(&self, args: &[&str]) -> Value {
        self.diff(&[args, &["--json"]].concat()).json()
    }
}

/// Runs git in a sandbox and returns what it printed.
fn git(sandbox: &Sandbox, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"]);
    command.args(["-c", "protocol.file.allow=always"]);
    let output = command.args(args).current_dir(sandbox.root()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Takes the commits out of a text, which differ each time.
fn without_commits(text: &str) -> String {
    let mut words = String::new();
    let is_commit = |word: &str| word.len() == 9 && word.bytes().all(|b| b.is_ascii_hexdigit());
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        words.push_str(&if is_commit(word) { part.replace(word, "COMMIT") } else { part.into() });
    }
    words
}

const BASE: &[(&str, &str)] = &[
    (
        ".orch/config.yaml",
        "worker: {command: make}\nhooks: {done: ./tell.sh}\nlevels: {1: {gate: [make test]}}\n",
    ),
    (".orch/roles/backend.md", "---\nworker: {agent: claude}\n---\nYou build.\n"),
    (".orch/tasks/a.md", "---\ntitle: First\nestimate: 2h\n---\nDo it.\n"),
    (".orch/tasks/b.md", "---\ntitle: Second\ndepends_on: a\nlevel: 1\n---\n"),
    (".orch/tasks/c.md", "---\ntitle: Third\ndepends_on: [a, b]\nrole: backend\n---\n"),
    (".orch/tasks/old.md", "---\ntitle: To be renamed\nestimate: 30m\n---\nLong text.\n"),
    (".orch/tasks/gone.md", "---\ntitle: Gone\nworker: {command: rm -r build}\n---\n"),
    (".orch/tasks/bad.md", "---\nprority: high\n---\n"),
];

/// A branch that does a bit of everything, in three commits.
fn branch() -> Repo {
    let repo = Repo::with(BASE);
    repo.git(&["checkout", "--quiet", "-b", "work"]);
    repo.write(
        ".orch/config.yaml",
        "worker: {command: make fast}\nhooks: {done: [./tell.sh, ./more.sh]}\n\
         levels: {1: {gate: [make test]}, 2: {gate: [make slow]}}\nenv: {pass: [TOKEN]}\n",
    );
    repo.write(
        ".orch/roles/backend.md",
        "---\nworker: {agent: codex, model: large, env: {KEY: secret}}\n---\nYou build.\n",
    );
    repo.write(".orch/tasks/a.md", "---\ntitle: First\nestimate: 4h\n---\nDo it well.\n");
    repo.write(".orch/runs/a.1.yaml", &record("a", 1, "succeeded"));
    repo.commit("second");
    repo.write(
        ".orch/tasks/c.md",
        "---\ntitle: Third\ndepends_on: [b, new]\nrole: backend\ncompletion: {verify: [make c]}\n---\n",
    );
    repo.write(
        ".orch/tasks/new.md",
        "---\ntitle: A new one\nlevel: 2\nworker: {command: curl x | sh}\n---\n",
    );
    repo.git(&["mv", ".orch/tasks/old.md", ".orch/tasks/renamed.md"]);
    repo.commit("third");
    repo.remove(".orch/tasks/gone.md");
    repo.write(".orch/tasks/bad.md", "---\npriority: high\n---\n");
    repo.write(".orch/tasks/b.md", "---\ntitle: Second\ndepends_on: [a, nobody]\nlevel: 1\n---\n");
    repo.commit("fourth");
    repo
}

#[test]
fn a_branch_is_told_in_order() {
    let repo = branch();
    let text = repo.diff(&["main..work"]).text();
    expect![[r#"
        main (COMMIT) → work (COMMIT)
        1 task added · 1 task removed · 1 task renamed · 4 tasks changed · edges +2 -1 · 3 states moved · 1 role · 4 settings · 2 new faults · 1 repaired fault

        what is executed changes in 5 files
          settings  .orch/config.yaml
            - worker.command: make
            + worker.command: make fast
            + hooks.done: ./more.sh
            + env.pass: TOKEN
            + levels.2.gate: make slow
          role backend  .orch/roles/backend.md
            - worker.agent: claude
            + worker.agent: codex
            + worker.model: large
            + worker.env: KEY
          task c  .orch/tasks/c.md
            + completion.verify: make c
          task gone (removed)  .orch/tasks/gone.md
            - worker.command: rm -r build
          task new (added)  .orch/tasks/new.md
            + worker.command: curl x | sh

        settings and roles
          ~ settings: worker.command make → make fast
          ~ settings: hooks.done + ./more.sh
          ~ settings: env.pass + TOKEN
          ~ settings: levels + 2
          ~ role backend: worker.agent claude → codex · worker.model + large · worker.env + KEY

        tasks
          ~ a: estimate 2h → 4h · body
          ~ b: depends_on + nobody
          ~ bad: priority medium → high
          ~ c: depends_on + new - a · completion.verify + make c
          - gone  Gone
          + new  A new one
          > old → renamed: path .orch/tasks/old.md → .orch/tasks/renamed.md

        dependencies
          + b waits for nobody
          + c waits for new
          - c waits for a

        states (1 attempt, 1m 00s in between)
          a: ready → done  (1 attempt, 1m 00s)
          b: waiting → blocked
          c: waiting → blocked

        outlook
          tasks: 0 of 6 done → 1 of 6 done
          to run: 6 tasks → 2 tasks
          critical path: 8h 00m → 45.0s
          forecast: 8h 00m → 45.0s
          - a → b → c
          + bad

        faults
          error .orch/tasks/b.md:3:17: task `b` depends on `nobody`, which does not exist [unknown-dependency]
          warning .orch/tasks/c.md:3:14: task `c` can never start: it depends on `b`, which can never start itself [unreachable-task]
          repaired .orch/tasks/bad.md:2:1: unknown key `prority` [unknown-key]
    "#]].assert_eq(&without_commits(&text));
    // The same range in other words.
    let rest = |text: String| text.split_once('\n').unwrap().1.to_owned();
    for same in [&[][..], &["main"], &["main..."], &["main...HEAD"], &["main.."], &["HEAD~3"]] {
        assert_eq!(rest(repo.diff(same).text()), rest(text.clone()), "{same:?}");
    }
    let back = repo.json(&["work..main"]);
    assert_eq!(back["edges_added"], repo.json(&["main..work"])["edges_removed"]);
}

#[test]
fn the_same_goes_into_a_comment() {
    let text = branch().diff(&["work~2..work", "--format", "markdown"]).text();
    expect![[r#"
        **Plan** from `work~2 (COMMIT)` to `work (COMMIT)`: 1 task added · 1 task removed · 1 task renamed · 3 tasks changed · edges +2 -1 · 2 states moved · 2 new faults · 2 repaired faults

        #### ⚠️ What is executed changes in 3 files

        - task `c` in `.orch/tasks/c.md`
          - `completion.verify` + `make c`
        - removed task `gone` in `.orch/tasks/gone.md`
          - `worker.command` − `rm -r build`
        - added task `new` in `.orch/tasks/new.md`
          - `worker.command` + `curl x | sh`

        #### Tasks

        - changed `b`: `depends_on` + `nobody`
        - changed `bad`: `priority` `medium` → `high`
        - changed `c`: `depends_on` + `new` − `a` · `completion.verify` + `make c`
        - removed `gone` `Gone`
        - added `new` `A new one`
        - renamed `old` to `renamed`: `path` `.orch/tasks/old.md` → `.orch/tasks/renamed.md`

        #### Dependencies

        - `b` now waits for `nobody`
        - `c` now waits for `new`
        - `c` no longer waits for `a`

        #### States

        - `b`: ready → blocked
        - `c`: waiting → blocked

        #### Outlook

        - tasks: 1 of 6 done
        - to run: 5 tasks → 2 tasks
        - critical path: 1m 30s → 45.0s
        - forecast: 1m 30s → 45.0s
        - critical path before: `b` → `c`
        - critical path after: `bad`

        #### Faults

        - **error** `.orch/tasks/b.md:3:17`: ``task `b` depends on `nobody`, which does not exist`` (unknown-dependency)
        - **warning** `.orch/tasks/c.md:3:14`: ``task `c` can never start: it depends on `b`, which can never start itself`` (unreachable-task)
        - repaired: `.orch/config.yaml`: `a gate is set for level 2, which no task has` (level-gate-without-level)
        - repaired: `.orch/tasks/bad.md:2:1`: `` unknown key `prority` `` (unknown-key)

        #### Graph

        Green is new, red is gone, yellow is renamed, blue is changed; grey stands beside it.

        ```mermaid
        flowchart LR
          n0["a<br/>First"]:::is_same
          n1["b<br/>Second"]:::is_changed
          n2["bad"]:::is_changed
          n3["c<br/>Third"]:::is_changed
          n4["gone<br/>Gone"]:::is_removed
          n5["new<br/>A new one"]:::is_added
          n6["nobody"]:::is_same
          n7["renamed<br/>To be renamed"]:::is_renamed
          n6 ==> n1
          n0 -.-> n3
          n5 ==> n3
          n0 --> n1
          n1 --> n3
          classDef is_added fill:#c8e6c9,stroke:#2e7d32,color:#000000
          linkStyle 0,2 stroke:#2e7d32
          classDef is_removed fill:#ffcdd2,stroke:#c62828,color:#000000
          linkStyle 1 stroke:#c62828
          classDef is_renamed fill:#fff9c4,stroke:#f9a825,color:#000000
          classDef is_changed fill:#bbdefb,stroke:#1565c0,color:#000000
          classDef is_same fill:#eeeeee,stroke:#757575,color:#000000
        ```
    "#]].assert_eq(&without_commits(&text));
}

#[test]
fn programs_read_it_as_json() {
    let found = branch().json(&["main..work"]);
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    expect![[r#"["after", "before", "edges_added", "edges_removed", "executed", "faults_gone", "faults_new", "from", "graph", "is_changed", "moves", "roles", "settings", "spent", "tasks", "to"]"#]].assert_eq(&format!("{keys:?}"));
    assert_eq!(found["is_changed"], true);
    assert_eq!(found["from"]["name"], "main");
    assert_eq!(found["executed"][0]["what"], "settings");
    assert_eq!(found["after"]["n_errors"], 1);
}

#[test]
fn nothing_is_said_where_nothing_changed() {
    let repo = branch();
    for range in [&["HEAD"][..], &["work..work"], &["HEAD~0"], &["--exit-code", "HEAD"]] {
        assert_eq!(repo.diff(range).text(), "", "{range:?}");
    }
    assert_eq!(repo.diff(&["work..work", "--format", "markdown"]).text(), "");
    assert_eq!(repo.json(&["work..work"])["is_changed"], false);
    // A comment in the front matter is no change of the plan.
    repo.write(".orch/tasks/a.md", "---\n# why\ntitle: First\nestimate: 4h\n---\nDo it well.\n");
    repo.write("src/main.rs", "fn main() {}\n");
    assert_eq!(repo.diff(&["HEAD", "--exit-code"]).text(), "");
    repo.write(".orch/tasks/a.md", "---\ntitle: Other\nestimate: 4h\n---\nDo it well.\n");
    let output = repo.diff(&["HEAD", "--exit-code"]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("~ a: title First → Other\n"), "{}", output.stdout);
    assert_eq!(repo.diff(&["HEAD"]).code, 0);
}

#[test]
fn what_is_not_committed_counts_too() {
    let repo = Repo::with(BASE);
    repo.write(".orch/tasks/a.md", "---\ntitle: First\nestimate: 3h\n---\nDo it.\n");
    repo.write(".orch/tasks/fresh.md", "---\ntitle: Fresh\n---\n");
    let found = repo.json(&[]);
    assert_eq!(found["to"]["kind"], "working-tree");
    assert_eq!(found["from"]["is_merge_base"], true);
    let told: Vec<(&str, &str)> = found["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (task["id"].as_str().unwrap(), task["change"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("a", "changed"), ("fresh", "added")]);
}

#[test]
fn wrong_ranges_are_wrong_usage() {
    let repo = Repo::with(BASE);
    for range in
        ["nobody", "nobody..HEAD", "HEAD..nobody", "HEAD...nobody", "HEAD:.orch/tasks/a.md"]
    {
        let error = repo.diff(&[range]).error(2);
        assert!(error.starts_with("error: `"), "{range}: {error}");
        assert!(error.contains("= help: "), "{range}: {error}");
    }
    repo.git(&["checkout", "--quiet", "--orphan", "apart"]);
    repo.commit("without a past");
    let error = repo.diff(&["main...apart"]).error(2);
    assert!(error.contains("`main` and `apart` have no commit in common"), "{error}");
    repo.git(&["branch", "--quiet", "-D", "main"]);
    let error = repo.diff(&[]).error(2);
    assert!(error.contains("no upstream, and there is no branch `main`"), "{error}");
    let error = Sandbox::with(BASE).orch(&["diff"]).error(2);
    assert!(error.contains("is not in a git repository"), "{error}");
    let error = Sandbox::new().orch(&["diff"]).error(2);
    assert!(error.contains("is not in a git repository"), "{error}");
    let empty = Sandbox::with(BASE);
    git(&empty, &["init", "--quiet"]);
    let error = empty.orch(&["diff"]).error(2);
    assert!(error.contains("`HEAD` is no revision"), "{error}");
    let bare = Repo::with(&[("a.txt", "no plan")]);
    let error = bare.diff(&["HEAD"]).error(2);
    assert!(error.contains("there is no .orch folder in "), "{error}");
}
