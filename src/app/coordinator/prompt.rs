//! What a worker is told: who it is, what to do, when that is done, how to report, and what went
//! wrong before.

use std::fmt::Write as _;

use crate::domain::{
    model::{sandbox::SandboxSpec, task::Isolation},
    scheduler::effect::{Assignment, Previous},
};

/// How a worker reports; part of every prompt.
const HOW_TO_REPORT: &str = include_str!("../../../templates/report.md");

/// What a worker in a worktree is told of it.
const WHERE_APART: &str = "You are in a git worktree of your own, on a branch of your own: nobody \
    else works here. Change files as you need; commit or leave that: what you leave is committed \
    for you. Then it is merged with what the others did, checked as that, and put on the branch of \
    the plan. Do not push, and do not change other branches.";

/// What a worker in a sandbox is told of it.
const WHERE_ENCLOSED: &str = "You are in a git worktree of your own, in a sandbox: it is all that you \
    can write to, beside `/tmp`, which is empty and goes with you. Git can be asked there, but can \
    write nothing: you cannot commit. Leave your changes in the files, they are committed for you. \
    Then they are merged with what the others did, checked as that, and put on the branch of the \
    plan.";

/// What the last attempt left behind, beside its record.
#[derive(Debug, Clone, Default)]
pub(super) struct Leavings {
    /// The end of its output.
    pub log_tail: String,
    /// The notes in its status file.
    pub notes: String,
}

/// Returns the prompt of an attempt.
pub(super) fn prompt(assignment: &Assignment, leavings: &Leavings) -> String {
    let spec = &assignment.spec;
    let mut text = String::with_capacity(spec.body.len() + 2048);
    push(&mut text, format_args!("# Task {}: {}\n", spec.id.value, spec.title));
    push(
        &mut text,
        format_args!(
            "\nAttempt {}. The task file is `{}`.\n",
            assignment.attempt.number, spec.path
        ),
    );
    if let Some(role) = &assignment.role {
        section(&mut text, &format!("Your role: {}", role.name), &role.persona);
    }
    section(&mut text, "What to do", &spec.body);
    match assignment.isolation {
        Isolation::None => {}
        Isolation::Worktree => section(&mut text, "Where you work", WHERE_APART),
        Isolation::Sandbox => {
            section(&mut text, "Where you work", &enclosed(&assignment.policy.sandbox));
        }
    }
    section(&mut text, "When it is done", &completion(assignment));
    section(&mut text, "How to report", HOW_TO_REPORT);
    if let Some(previous) = &assignment.previous {
        section(&mut text, "What happened before", &before(previous, leavings));
    }
    text
}

fn enclosed(sandbox: &SandboxSpec) -> String {
    let mut text = WHERE_ENCLOSED.to_owned();
    if !sandbox.write.is_empty() {
        push(&mut text, format_args!(" You can write to {}, too.", sandbox.write.join(", ")));
    }
    if !sandbox.has_network() {
        text.push_str(" There is no network.");
    }
    text
}

fn completion(assignment: &Assignment) -> String {
    let completion = &assignment.policy.completion;
    let mut lines = vec!["- You end with exit code 0.".to_owned()];
    if let Some(signal) = &completion.signal {
        lines.push(format!("- Your output contains `{signal}`."));
    }
    for command in &completion.verify {
        let command = command.to_string();
        if command.contains('\n') {
            lines.push(format!(
                "- This script then ends with exit code 0:\n\n```sh\n{command}\n```\n"
            ));
        } else {
            lines.push(format!("- This command then ends with exit code 0: `{command}`"));
        }
    }
    if completion.review {
        lines.push("- A person approves the result.".to_owned());
    }
    lines.join("\n")
}

fn before(previous: &Previous, leavings: &Leavings) -> String {
    let mut text = format!(
        "Attempt {} ended as *{}*: {}.\n",
        previous.number,
        previous.outcome.as_str(),
        previous.reason.trim_end_matches('.')
    );
    text.push_str("It may have left part of its work behind; look before you start over.\n");
    if let Some(note) = &previous.note {
        push(&mut text, format_args!("\nA person asks for this attempt and says: {note}\n"));
    }
    if !leavings.notes.trim().is_empty() {
        push(&mut text, format_args!("\nIts notes:\n\n{}\n", leavings.notes.trim()));
    }
    output(&mut text, "The end of its output", &leavings.log_tail);
    // What a check prints goes to the same log, behind what the worker printed.
    if !leavings.log_tail.contains(previous.check_tail.trim_end()) {
        output(&mut text, "The end of what the failed command printed", &previous.check_tail);
    }
    text
}

/// Adds what the worker is to resolve before anything else.
pub(super) fn push_conflicts(text: &mut String, files: &[String]) {
    if files.is_empty() {
        return;
    }
    let list: String = files.iter().map(|file| format!("- `{file}`\n")).collect();
    let body = format!(
        "What landed on the branch meanwhile and the work of the attempt before changed the same \
         places. A merge of both is under way in your worktree; `git status` shows it. These files \
         are in conflict:\n\n{list}\nResolve them so that both intentions hold, and leave no \
         conflict marks. You need not commit: what you leave is committed for you, as the merge."
    );
    section(text, "A conflict to resolve", &body);
}

fn output(text: &mut String, title: &str, tail: &str) {
    if !tail.trim().is_empty() {
        let fence = fence_for(tail);
        let tail = tail.trim_end();
        push(text, format_args!("\n{title}:\n\n{fence}\n{tail}\n{fence}\n"));
    }
}

/// Returns a code fence that does not occur in `text`.
fn fence_for(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    fence
}

fn section(text: &mut String, title: &str, body: &str) {
    let body = body.trim();
    if !body.is_empty() {
        push(text, format_args!("\n## {title}\n\n{body}\n"));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    match text.write_fmt(arguments) {
        Ok(()) => {}
        Err(_) => unreachable!("writing to a string does not fail"),
    }
}
