//! A forecast: whose work will not go together with that of others.

use crate::{
    app::{
        error::AppError,
        standing::Standing,
        view::conflicts::{Conflict, ConflictKind, ConflictsView},
    },
    domain::{
        format::layout,
        model::{commit::CommitId, id::TaskId, limits::CONFLICTS_MAX},
        plan::TaskIndex,
        scheduler::phase::TaskState,
    },
    io::git::{Ground, Head},
};

/// Work of a task that is on its branch only.
struct Work {
    task: TaskIndex,
    tip: CommitId,
}

/// Tells what will not go together, as far as it is committed.
///
/// # Errors
/// [`AppError::Git`].
pub fn conflicts(standing: &Standing) -> Result<ConflictsView, AppError> {
    let mut view = ConflictsView::default();
    if let Some(ground) = Ground::find(standing.repository.store().root())?
        && let Head::Branch(branch) = ground.head()?
        && let Some(tip) = ground.tip(&branch)?
    {
        let open = open_work(standing, &ground, &tip)?;
        view.n_branches = open.len();
        merges(standing, &ground, (&branch, &tip), &open, &mut view)?;
        view.branch = Some(branch);
    }
    patterns(standing, &mut view);
    view.conflicts.sort_by_key(|conflict| conflict.kind);
    Ok(view)
}

/// Finds the branches of tasks that are still to be done, with work that has not landed.
fn open_work(standing: &Standing, ground: &Ground, tip: &CommitId) -> Result<Vec<Work>, AppError> {
    let mut found = Vec::new();
    for branch in ground.task_branches()? {
        let Some(task) = standing.plan().find(&branch.task) else { continue };
        let is_over = matches!(standing.state(task), TaskState::Done | TaskState::Cancelled);
        if !is_over && !ground.is_kept_by(&branch.tip, std::slice::from_ref(tip))? {
            found.push(Work { task, tip: branch.tip });
        }
    }
    Ok(found)
}

/// Tries to merge all work with the branch, and with each other.
fn merges(
    standing: &Standing,
    ground: &Ground,
    (branch, tip): (&str, &CommitId),
    open: &[Work],
    view: &mut ConflictsView,
) -> Result<(), AppError> {
    let merges = ground.merges()?;
    for (at, work) in open.iter().enumerate() {
        let files = merges.conflicts(&work.tip, tip)?;
        if !files.is_empty() {
            let (kind, help) = (ConflictKind::Landing, landing_help(standing, work.task, branch));
            push(view, Conflict { kind, tasks: vec![name(standing, work.task)], files, help });
        }
        for other in open.iter().skip(at + 1) {
            let files = merges.conflicts(&work.tip, &other.tip)?;
            if !files.is_empty() {
                let tasks = vec![name(standing, work.task), name(standing, other.task)];
                let help = "whichever lands second gets the conflict to resolve, as an attempt \
                            more; `depends_on` or `files` keep such tasks apart"
                    .to_owned();
                push(view, Conflict { kind: ConflictKind::Merge, tasks, files, help });
            }
        }
    }
    Ok(())
}

fn landing_help(standing: &Standing, task: TaskIndex, branch: &str) -> String {
    let id = standing.plan().id(task);
    match standing.state(task) {
        TaskState::Running | TaskState::Verifying | TaskState::Landing => {
            "its next attempt starts with this conflict, for its worker to resolve".to_owned()
        }
        _ => place_help(id, branch),
    }
}

fn place_help(id: &TaskId, branch: &str) -> String {
    format!(
        "`git merge {branch}` in {} shows the conflict; its next attempt gets it to resolve",
        layout::worktree_path(id)
    )
}

/// Finds tasks that are ready, and whose patterns meet.
fn patterns(standing: &Standing, view: &mut ConflictsView) {
    let plan = standing.plan();
    let ready: Vec<TaskIndex> =
        plan.indices().filter(|task| standing.state(*task) == TaskState::Ready).collect();
    view.n_ready = ready.len();
    let naming: Vec<TaskIndex> =
        ready.into_iter().filter(|task| !plan.spec(*task).files.is_empty()).collect();
    for (at, &one) in naming.iter().enumerate() {
        for &other in naming.iter().skip(at + 1) {
            let files = meeting(standing, one, other);
            if !files.is_empty() {
                let tasks = vec![name(standing, one), name(standing, other)];
                let help = "they never run at once; `depends_on` in one of them says which goes \
                            first, narrower `files` let both go on"
                    .to_owned();
                push(view, Conflict { kind: ConflictKind::Files, tasks, files, help });
                if view.has_more {
                    return;
                }
            }
        }
    }
}

/// Returns the patterns of two tasks that can name the same file.
fn meeting(standing: &Standing, one: TaskIndex, other: TaskIndex) -> Vec<String> {
    let (ours, theirs) = (&standing.plan().spec(one).files, &standing.plan().spec(other).files);
    let mut found = Vec::new();
    for our in ours {
        for their in theirs.iter().filter(|their| our.meets(their)) {
            for text in [our.as_str(), their.as_str()] {
                if !found.iter().any(|known| known == text) {
                    found.push(text.to_owned());
                }
            }
        }
    }
    found
}

fn name(standing: &Standing, task: TaskIndex) -> String {
    standing.plan().id(task).to_string()
}

fn push(view: &mut ConflictsView, conflict: Conflict) {
    if view.conflicts.len() < CONFLICTS_MAX {
        view.conflicts.push(conflict);
    } else {
        view.has_more = true;
    }
}
