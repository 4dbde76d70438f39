//! Comments: what hostile text comes to, and how long they get.

use expect_test::expect;

use super::*;
use crate::app::view::diff::{ChangedEdge, ChangedGraph, ChangedTask, End, Outlook, Spent};

/// What a hostile title tries: to end a cell, a span, a tag, a block; to call somebody.
const HOSTILE: &str =
    "a|b `c` ``` @team #1 <img src=x> </details>\n\n# head\n- [x](http://e.vil) \u{202e}\u{1b}[31m";

fn item_of(change: &'static str, id: &str, title: &str) -> ItemChange {
    ItemChange {
        id: id.to_owned(),
        change,
        title: Some(title.to_owned()),
        was: None,
        path: format!(".orch/tasks/{id}.md"),
        fields: Vec::new(),
    }
}

fn hostile() -> DiffView {
    let end = |name: &str| End {
        kind: "commit",
        name: name.to_owned(),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        is_merge_base: false,
    };
    let both = |field: &str| FieldChange {
        field: field.to_owned(),
        from: Some(HOSTILE.to_owned()),
        to: Some("``".to_owned()),
        ..FieldChange::default()
    };
    DiffView {
        from: end("a`b"),
        to: end("main"),
        is_changed: true,
        executed: vec![ExecutedChange {
            what: "task",
            id: Some("a".to_owned()),
            change: "changed",
            path: ".orch/tasks/`a`|.md".to_owned(),
            fields: vec![both("worker.command")],
        }],
        tasks: vec![
            item_of("added", "a", HOSTILE),
            ItemChange { fields: vec![both("title")], ..item_of("changed", "b", HOSTILE) },
        ],
        moves: vec![StateMove {
            id: "a".to_owned(),
            title: Some(HOSTILE.to_owned()),
            from: Some("ready"),
            to: Some("done"),
            spent: Spent { n_attempts: 2, seconds: 90.0, tokens: 12_300, cost_usd: 0.5 },
        }],
        before: Some(Outlook { critical_path: vec!["a".to_owned()], ..Outlook::default() }),
        after: Some(Outlook::default()),
        faults_new: vec![FaultView {
            severity: "error",
            code: "unknown-role",
            message: HOSTILE.to_owned(),
            path: "a`.md".to_owned(),
            line: 2,
            column: 3,
            help: None,
        }],
        graph: ChangedGraph {
            tasks: vec![
                ChangedTask { id: "a".to_owned(), title: HOSTILE.to_owned(), change: "added" },
                ChangedTask { id: "b".to_owned(), title: "b".to_owned(), change: "same" },
            ],
            edges: vec![ChangedEdge {
                task: "a".to_owned(),
                depends_on: "b".to_owned(),
                change: "added",
            }],
            n_hidden: 0,
        },
        ..DiffView::default()
    }
}

#[test]
fn foreign_text_stays_in_its_span() {
    expect![[r#"
        **Plan** from ``a`b (012345678)`` to `main (012345678)`: 1 task added · 1 task changed · 1 state moved · 1 new fault

        #### ⚠️ What is executed changes in 1 file

        - task `a` in ``.orch/tasks/`a`|.md``
          - `worker.command` ````a|b `c` ``` @team #1 <img src=x> </details>\n\n# head\n- [x](http://e.vil) \u{202e}\x1b[31m```` → ``` `` ```

        #### Tasks

        - added `a` ````a|b `c` ``` @team #1 <img src=x> </details>\n\n# head\n- [x](http://e.vil) \u{202e}\x1b[31m````
        - changed `b`: `title` ````a|b `c` ``` @team #1 <img src=x> </details>\n\n# head\n- [x](http://e.vil) \u{202e}\x1b[31m```` → ``` `` ```

        #### States

        - `a`: ready → done (2 attempts, 1m 30s, 12.3k tokens, 0.50 USD)

        #### Outlook

        - tasks: 0 of 0 done
        - to run: 0 tasks
        - critical path: 0ms
        - forecast: 0ms
        - critical path before: `a`
        - critical path after: nothing to run

        #### Faults

        - **error** ``a`.md:2:3``: ````a|b `c` ``` @team #1 <img src=x> </details>\n\n# head\n- [x](http://e.vil) \u{202e}\x1b[31m```` (unknown-role)

        #### Graph

        Green is new, red is gone, yellow is renamed, blue is changed; grey stands beside it.

        ```mermaid
        flowchart LR
          n0["a<br/>a#124;b #96;c#96; #96;#96;#96; #64;team #35;1 #60;img src#61;x#62; #60;/deta…"]:::is_added
          n1["b"]:::is_same
          n1 ==> n0
          classDef is_added fill:#c8e6c9,stroke:#2e7d32,color:#000000
          linkStyle 0 stroke:#2e7d32
          classDef is_same fill:#eeeeee,stroke:#757575,color:#000000
        ```
    "#]].assert_eq(&render(&hostile()));
}

/// Reads code spans as the rules of markdown say, and returns what is left outside of them.
fn outside_of_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let after = &rest[at + run..];
        let mut place = 0;
        let end = loop {
            let Some(next) = after[place..].find('`') else { break None };
            let start = place + next;
            let length = after[start..].len() - after[start..].trim_start_matches('`').len();
            if length == run {
                break Some(start + length);
            }
            place = start + length;
        };
        match end {
            Some(end) => rest = &after[end..],
            None => {
                outside.push_str(&rest[at..at + run]);
                rest = after;
            }
        }
    }
    outside + rest
}

#[test]
fn no_text_gets_out_of_a_span() {
    let pieces = ["`", "``", "```", " ", "|", "<b>", "@x", "\n", "\\", "a", "$"];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..5_000 {
        let n = random.usize(0..8);
        let text: String = (0..n).map(|_| pieces[random.usize(0..pieces.len())]).collect();
        let line = format!("- {} and {}", code(&text, 100), code("b", 100));
        let outside = outside_of_code(&line);
        assert!(!line.contains('\n'), "{line:?}");
        assert!(
            ["-  and ", "- (blank) and "].contains(&&*outside),
            "{text:?} {line:?} {outside:?}"
        );
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let tasks: Vec<ItemChange> =
        (0..5_000).map(|n| item_of("added", &format!("T-{n}"), &"`long` ".repeat(30))).collect();
    let long = DiffView { tasks, ..hostile() };
    let text = render(&long);
    assert!(text.len() <= BYTES_MAX, "{}", text.len());
    assert!(text.contains("more lines are left out"), "{}", &text[text.len() - 2_000..]);
    assert_eq!(text.matches("<details>").count(), text.matches("\n</details>\n").count());
    let executed = vec![hostile().executed[0].clone(); 5_000];
    let text = render(&DiffView { executed, ..hostile() });
    assert!(text.len() <= BYTES_MAX, "{}", text.len());
}

#[test]
fn nothing_is_said_of_nothing() {
    assert_eq!(render(&DiffView::default()), "");
}
