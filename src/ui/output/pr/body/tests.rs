//! Requests: what hostile text comes to, and how long they get.

use super::*;
use crate::app::view::{
    change::ItemChange,
    diff::DiffView,
    status::{Group, StatusView},
};

/// What a hostile title tries: to end a span, to call somebody, to close something, to command.
const HOSTILE: &str =
    "`a` @team fixes #1 <img src=x>\n\n/merge\n# head\n- [x](http://e.vil) \u{202e}\u{1b}[31m";

fn status() -> StatusView {
    StatusView {
        approval: None,
        coordinator: None,
        n_tasks: 3,
        n_done: 1,
        states: Vec::new(),
        roles: Vec::new(),
        milestones: vec![Group {
            name: HOSTILE.to_owned(),
            n_tasks: 2,
            n_done: 1,
            ..Group::default()
        }],
        workstreams: Vec::new(),
        levels: Vec::new(),
        running: Vec::new(),
        needs: Vec::new(),
        n_attempts: 0,
        n_crashes: 0,
        worker_seconds: 0.0,
        tokens: 0,
        cost_usd: 0.0,
        n_to_run: 0,
        end_seconds: 0.0,
        max_workers: 1,
    }
}

fn group(name: &str, n_left: usize) -> LeftGroup {
    let task = |n| LeftTask {
        id: format!("task-{n}"),
        title: HOSTILE.to_owned(),
        state: "failed",
        why: HOSTILE.to_owned(),
    };
    let tasks = (0..n_left).map(task).collect();
    LeftGroup { milestone: Some(name.to_owned()), n_tasks: n_left, n_done: 0, tasks }
}

fn proposal(left: Vec<LeftGroup>, n_changed: usize) -> ProposalView {
    let item = |n| ItemChange {
        id: format!("task-{n}"),
        change: "added",
        title: Some(HOSTILE.to_owned()),
        was: None,
        path: String::new(),
        fields: Vec::new(),
    };
    let tasks = (0..n_changed).map(item).collect();
    ProposalView {
        branch: "plan".to_owned(),
        milestone: Some(HOSTILE.to_owned()),
        diff: DiffView { is_changed: n_changed > 0, tasks, ..DiffView::default() },
        status: status(),
        n_uncommitted: 0,
        left,
    }
}

#[test]
fn foreign_text_is_code_and_stays_on_its_line() {
    let proposal = proposal(vec![group(HOSTILE, 1)], 1);
    let body = body(&proposal);
    let hidden = |c: char| c != '\n' && crate::domain::model::hidden::is_hidden(c);
    assert!(!body.contains(hidden), "{body}");
    for line in body.lines() {
        assert!(!line.starts_with('/') && !line.starts_with("# "), "{line}");
        // With all code spans taken out, nothing of it is left.
        let outside: String = line.split("``").step_by(2).collect();
        assert!(!outside.contains("@team") && !outside.contains("<img"), "{line}");
    }
    let title = title(&proposal);
    assert!(title.starts_with("Milestone `a` @team") && !title.contains('\n'), "{title}");
    assert!(title.ends_with(": 1 of 2 tasks done"), "{title}");
}

#[test]
fn a_request_is_never_too_long_and_says_what_is_left_out() {
    let many: Vec<LeftGroup> = (0..1_000).map(|n| group(&format!("m{n}"), 2)).collect();
    let cases = [
        (vec![group("beta", 4_000)], 4_000, "more lines are left out"),
        (many, 4_000, "tasks of other milestones.*"),
        (Vec::new(), 4_000, "more lines are left out"),
    ];
    for (left, n_changed, expected) in cases {
        let body = body(&proposal(left, n_changed));
        assert!(body.len() <= BYTES_MAX, "{}", body.len());
        // What the branch does has its room, whatever is left.
        assert!(body.len() > BYTES_MAX - 3_000, "{}", body.len());
        assert!(body.contains(expected), "{}", body.get(..3_000).unwrap());
        assert!(body.ends_with(FOOTER) && body.contains("### What it does to the plan"));
    }
}

#[test]
fn a_long_name_leaves_the_figures_of_a_title() {
    let proposal =
        ProposalView { branch: "x".repeat(400), milestone: None, ..proposal(Vec::new(), 0) };
    let title = title(&proposal);
    assert!(title.ends_with("…: 1 of 3 tasks done") && title.chars().count() < 230, "{title}");
    assert!(body(&proposal).contains("Nothing of the plan is different.\n"));
}
