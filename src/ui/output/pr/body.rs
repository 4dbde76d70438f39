//! What a request to merge the branch of the plan says.

use crate::{
    app::view::pr::{LeftGroup, LeftTask, ProposalView},
    ui::output::{
        diff::markdown,
        escape::clean_line,
        figures::{counted, cut, grouped},
        markdown::{BYTES_MAX, Fold, Page, VALUE_MAX, code, value},
        status::figures,
    },
};

/// Most bytes of what is left: the rest is for what the branch does.
const LEFT_BYTES_MAX: usize = 24_000;

/// Room that a milestone needs beside its tasks.
const GROUP_BYTES: usize = 1_500;

/// Most columns of a title: GitHub and GitLab take about 255 characters.
const TITLE_MAX: usize = 200;

/// Characters that are shown of why a task is not done.
const WHY_MAX: usize = 300;

/// Who wrote it.
const FOOTER: &str = "\n*Written by `orch pr`, which writes it anew each time.*\n";

/// Returns the title: how far the milestone is, or the plan.
pub fn title(proposal: &ProposalView) -> String {
    let of = |n_done: usize, n_tasks: usize| {
        format!("{} of {} done", grouped(n_done), counted(n_tasks, "task"))
    };
    let title = match (&proposal.milestone, milestone(proposal)) {
        (Some(name), Some((n_done, n_tasks))) => {
            format!("Milestone {}: {}", clean_line(name), of(n_done, n_tasks))
        }
        _ => {
            let status = &proposal.status;
            format!("{}: {}", clean_line(&proposal.branch), of(status.n_done, status.n_tasks))
        }
    };
    // The figures stand at its end, so a name gives way.
    match title.rsplit_once(": ") {
        Some((name, figures)) => format!("{}: {figures}", cut(name, TITLE_MAX)),
        None => cut(&title, TITLE_MAX),
    }
}

/// Returns the text: how the plan stands, what is left, and what the branch does to the plan; never
/// more than a host takes.
pub fn body(proposal: &ProposalView) -> String {
    let mut page = Page::within(LEFT_BYTES_MAX);
    page.text(&standing(proposal));
    left(&mut page, &proposal.left);
    let head = page.whole() + "\n### What it does to the plan\n\n";
    let room = BYTES_MAX.saturating_sub(head.len() + FOOTER.len());
    let diff = match markdown::render_within(&proposal.diff, room) {
        none if none.is_empty() => "Nothing of the plan is different.\n".to_owned(),
        diff => diff,
    };
    head + &diff + FOOTER
}

/// Returns how many tasks of the milestone are done, and how many it has.
fn milestone(proposal: &ProposalView) -> Option<(usize, usize)> {
    let name = proposal.milestone.as_ref()?;
    let group = proposal.status.milestones.iter().find(|group| group.name == *name)?;
    Some((group.n_done, group.n_tasks))
}

fn standing(proposal: &ProposalView) -> String {
    let status = &proposal.status;
    let mut text = String::new();
    if let (Some(name), Some((n_done, n_tasks))) = (&proposal.milestone, milestone(proposal)) {
        let (n_done, tasks) = (grouped(n_done), counted(n_tasks, "task"));
        text = format!("**Milestone** {}: {n_done} of {tasks} done\n\n", code(name, VALUE_MAX));
    }
    let states = status.states.iter().map(|of| format!("{} {}", grouped(of.n_tasks), of.state));
    let (n_done, tasks) = (grouped(status.n_done), counted(status.n_tasks, "task"));
    let states = states.collect::<Vec<_>>().join(" · ");
    text = format!("{text}**Plan**: {n_done} of {tasks} done ({states})\n\n");
    let figures = figures(status);
    text.extend(figures.lines().map(|line| format!("- {line}\n")));
    text
}

fn left(page: &mut Page, groups: &[LeftGroup]) {
    if groups.is_empty() {
        return;
    }
    page.text("\n### What is left\n");
    for (at, group) in groups.iter().enumerate() {
        if !page.has_room_for(GROUP_BYTES) {
            let n_more: usize = groups.iter().skip(at).map(|group| group.tasks.len()).sum();
            page.text(&format!("\n*And {} of other milestones.*\n", counted(n_more, "task")));
            return;
        }
        let name = match &group.milestone {
            Some(name) => code(name, VALUE_MAX),
            None => "no milestone".to_owned(),
        };
        let (n_done, n_tasks) = (grouped(group.n_done), grouped(group.n_tasks));
        let title = format!("{name}: {n_done} of {n_tasks} done");
        let lines: Vec<String> = group.tasks.iter().map(task).collect();
        page.list(&title, &lines, Fold::WhereLong);
    }
}

fn task(task: &LeftTask) -> String {
    let title = match task.title == task.id {
        true => String::new(),
        false => format!(" {}", value(&task.title)),
    };
    let why = match task.why.as_str() {
        // The state says it already.
        "" | "is ready" | "is on hold" | "is a draft" => String::new(),
        why => format!(": {}", code(why, WHY_MAX)),
    };
    format!("- **{}** {}{title}{why}", task.state, value(&task.id))
}

#[cfg(test)]
mod tests;
