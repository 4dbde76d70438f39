//! What a range of commits does to the plan: both ends read, without a checkout.

mod edges;
mod range;
mod states;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use super::plan;
use range::{Ends, Place};

use crate::{
    app::{
        error::AppError,
        files::{Committed, Files, Later},
        repository::Repository,
        snapshot::{Around, Snapshot, assemble},
        standing::Standing,
        view::{
            change::{FaultView, FieldChange, PlanChange},
            diff::{DiffView, ExecutedChange, Outlook},
        },
    },
    domain::{
        forecast,
        format::layout,
        model::{
            diagnostic::{self, Diagnostic, Severity},
            time::Now,
        },
        plan::{
            Plan,
            diff::{self, Fate, PlanDiff, Subject},
        },
        scheduler::{Scheduler, history::Recorded, phase::TaskState},
    },
    io::clock::Clock,
};

/// Compares the plan at two moments.
///
/// `range` is what git calls one: `A..B`, `A...B`, or `A` for what is different since then; by
/// default what the branch did since it left its upstream or the main branch. `folder` is where
/// the plan is within the repository, where nothing on disk tells.
///
/// # Errors
/// [`AppError::Revision`] where the range names nothing, or git cannot be read;
/// [`AppError::Store`] where there is no plan at either end, or the disk cannot be read.
pub fn diff(from: &Path, range: Option<&str>, folder: Option<&str>) -> Result<DiffView, AppError> {
    let place = Place::find(from, folder)?;
    let ends = Ends::find(&place, range)?;
    told(&place, &ends)
}

/// Compares the plan at `head` with that at the last commit that it shares with `base`; each is a
/// name that git knows, with what it is called.
///
/// # Errors
/// As [`diff`].
pub(super) fn since(
    from: &Path,
    base: (&str, &str),
    head: (&str, &str),
) -> Result<DiffView, AppError> {
    let place = Place::find(from, None)?;
    let ends = Ends::since(&place, base, head)?;
    told(&place, &ends)
}

fn told(place: &Place, ends: &Ends) -> Result<DiffView, AppError> {
    let folder = place.folder(ends)?;
    let revisions = &place.revisions;
    let (from, to) = ends.told();
    let unchanged = DiffView { from, to, ..DiffView::default() };
    if let Some(to) = &ends.to
        && revisions.plan_id(&ends.from, &folder)? == revisions.plan_id(to, &folder)?
    {
        return Ok(unchanged);
    }
    let before = Committed::list(revisions, &ends.from, &folder)?;
    let after = match &ends.to {
        Some(to) => After::Committed(Committed::list(revisions, to, &folder)?),
        None => {
            let repository = Repository::at(&place.root(&folder));
            After::OnDisk(Around::look(repository.store())?, repository)
        }
    };
    let [before, after] = stand(&place.root(&folder), &before, after)?;
    let found = compare(&before, &after);
    // Who waits for the answer does not wait until two plans are taken apart.
    drop(thread::Builder::new().spawn(move || drop((before, after))));
    Ok(DiffView { from: unchanged.from, to: unchanged.to, ..found })
}

/// The later moment, on its way to being read.
enum After<'a> {
    Committed(Committed<'a>),
    OnDisk(Around, Repository),
}

/// A plan at one moment, with what is thought to come.
struct Side {
    standing: Standing,
    outlook: Outlook,
}

/// Reads both ends; what follows from each is worked out side by side.
fn stand(root: &Path, before: &Committed<'_>, after: After<'_>) -> Result<[Side; 2], AppError> {
    let now = Clock::new().now();
    let is_committed = matches!(after, After::Committed(_));
    let (old, new) = match after {
        After::Committed(after) => {
            let (old, new) = Files::read_both(before, &Later::Committed(after))?;
            side_by_side(|| assemble(old, None), || assemble(new, None))
        }
        After::OnDisk(around, repository) => {
            let store = repository.store();
            let (old, new) = Files::read_both(before, &Later::OnDisk(store))?;
            let (old, new) = side_by_side(|| assemble(old, None), || around.snapshot(store, new));
            // Who is at work now says the same of both ends.
            let (coordinator, claims) = (new.coordinator.clone(), new.claims.clone());
            (Snapshot { coordinator, running: new.running.clone(), claims, ..old }, new)
        }
    };
    let side = |snapshot| Side::new(Repository::at(root), snapshot, is_committed, now);
    let (old, new) = side_by_side(|| side(old), || side(new));
    Ok([old, new])
}

/// Calls both functions at once.
fn side_by_side<R: Send>(one: impl FnOnce() -> R + Send, other: impl FnOnce() -> R) -> (R, R) {
    thread::scope(|scope| {
        let helper = scope.spawn(one);
        let other = other();
        match helper.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl Side {
    /// Derives where every task stands. Between two commits an attempt without an ending is one
    /// that runs: nothing on this machine tells what became of it.
    fn new(repository: Repository, snapshot: Snapshot, is_committed: bool, now: Now) -> Self {
        let recorded = snapshot.recorded();
        let is_live = recorded.is_live || is_committed;
        let recorded = Recorded { is_live, ..recorded };
        let scheduler = Scheduler::recover(Arc::clone(&snapshot.plan), recorded, now);
        let states = scheduler.states();
        let standing = Standing { repository, snapshot, scheduler, states, now };
        let outlook = outlook(&standing);
        Self { standing, outlook }
    }
}

fn outlook(standing: &Standing) -> Outlook {
    let plan = standing.plan();
    let calibration = plan::calibration(standing);
    let length = |task| plan::length_from_now(standing, &calibration, task);
    let forecast = forecast::forecast(&standing.scheduler, standing.now, length);
    let mut runs = vec![false; plan.n_tasks()];
    for entry in &forecast.entries {
        if let Some(slot) = runs.get_mut(entry.task.position()) {
            *slot = true;
        }
    }
    let critical = plan.critical_path(|task| runs.get(task.position()) == Some(&true));
    let lengths = critical.iter().map(|task| length(*task));
    let n_in = |state| standing.states.iter().filter(|found| **found == state).count();
    let n_faults = |severity| diagnostic::count(&standing.snapshot.diagnostics, severity);
    Outlook {
        n_tasks: plan.n_tasks() - n_in(TaskState::Cancelled),
        n_done: n_in(TaskState::Done),
        n_to_run: forecast.entries.len(),
        n_errors: n_faults(Severity::Error),
        n_warnings: n_faults(Severity::Warning),
        critical_path_seconds: lengths.fold(Duration::ZERO, Duration::saturating_add).as_secs_f64(),
        critical_path: critical.iter().map(|task| plan.id(*task).to_string()).collect(),
        end_seconds: forecast.end.as_secs_f64(),
    }
}

/// Says what is different between two moments.
fn compare(before: &Side, after: &Side) -> DiffView {
    let (old, new) = (before.standing.plan(), after.standing.plan());
    let diff = diff::diff(old, new);
    let executed = executed(old, new, &diff);
    let names = Names::of(&diff);
    let (edges_added, edges_removed) = edges::changed(old, new, &diff, &names);
    let graph = edges::graph(old, new, &diff, (&edges_added, &edges_removed));
    let moves = states::moves(&before.standing, &after.standing, &names);
    let (faults_new, faults_gone) = faults(&before.standing.snapshot, &after.standing.snapshot);
    let PlanChange { tasks, roles, settings } = diff.into();
    let view = DiffView {
        executed,
        tasks,
        roles,
        settings,
        edges_added,
        edges_removed,
        spent: states::sum(&moves),
        moves,
        before: Some(before.outlook.clone()),
        after: Some(after.outlook.clone()),
        faults_new,
        faults_gone,
        graph,
        ..DiffView::default()
    };
    DiffView { is_changed: is_changed(&view), ..view }
}

fn is_changed(view: &DiffView) -> bool {
    let is_same = view.executed.is_empty()
        && view.tasks.is_empty()
        && view.roles.is_empty()
        && view.settings.is_empty()
        && view.moves.is_empty()
        && view.faults_new.is_empty()
        && view.faults_gone.is_empty()
        && view.before == view.after;
    !is_same
}

fn executed(before: &Plan, after: &Plan, diff: &PlanDiff) -> Vec<ExecutedChange> {
    let told = diff::executed(diff, before, after).into_iter().map(|told| {
        let what = match told.subject {
            Subject::Settings => "settings",
            Subject::Role => "role",
            Subject::Task => "task",
        };
        ExecutedChange {
            what,
            id: (told.subject != Subject::Settings).then_some(told.id),
            change: told.fate.as_str(),
            path: told.path.map_or_else(|| layout::CONFIG_PATH.to_owned(), |path| path.to_string()),
            fields: told.fields.into_iter().map(FieldChange::from).collect(),
        }
    });
    told.collect()
}

/// Tells which errors and warnings came up, and which are gone.
fn faults(before: &Snapshot, after: &Snapshot) -> (Vec<FaultView>, Vec<FaultView>) {
    let told = |snapshot: &Snapshot| -> BTreeSet<FaultView> {
        let matters = |found: &&Diagnostic| found.severity != Severity::Note;
        snapshot.diagnostics.iter().filter(matters).map(FaultView::from).collect()
    };
    let by_place = |mut faults: Vec<FaultView>| {
        faults.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        faults
    };
    let (new, gone) = FaultView::news(&told(before), &told(after));
    (by_place(new), by_place(gone))
}

/// What tasks are called at both moments.
struct Names<'a> {
    now: BTreeMap<&'a str, &'a str>,
    before: BTreeMap<&'a str, &'a str>,
}

impl<'a> Names<'a> {
    fn of(diff: &'a PlanDiff) -> Self {
        let renamed = || {
            diff.tasks.iter().filter_map(|item| match &item.fate {
                Fate::Renamed { was } => Some((was.as_str(), item.id.as_str())),
                Fate::Added | Fate::Removed | Fate::Changed => None,
            })
        };
        Self { now: renamed().collect(), before: renamed().map(|(was, id)| (id, was)).collect() }
    }

    /// Returns what a task is called now that was called `id`.
    fn now(&self, id: &'a str) -> &'a str {
        self.now.get(id).copied().unwrap_or(id)
    }

    /// Returns what a task was called that is called `id` now.
    fn before<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.before.get(id).copied().unwrap_or(id)
    }
}
