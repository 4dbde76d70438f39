//! A look at a plan that may have changed: what of it may be executed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Approval, Scope};
use crate::{
    app::{error::AppError, own_settings},
    domain::{
        format::layout,
        model::{ceiling::Edits, config::Config},
        plan::{Plan, TaskIndex},
        trust::{self, Book, Circumstances, Line, Part, PartName, Ruling, Why},
    },
    io::git::{Moves, Place, is_in_another},
};

/// How long after git wrote the index another commit may come to be checked out: a checkout writes
/// the files first, then the index, and only then says which commit they are of.
const HEAD_FOLLOWS_WITHIN: Duration = Duration::from_secs(2);

/// How the files of a plan were read.
pub(in crate::app) struct AsRead<'a> {
    /// Whether any has errors, so that what it says is not in the plan, or not all of it.
    pub has_errors: bool,
    /// Says whether the plan holds all that a file says now.
    pub is_read: &'a dyn Fn(&str) -> bool,
}

/// What a look goes by.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Judging {
    moves: Moves,
    /// Whether settings that were approved before are in the place of those that wait.
    has_old_config: bool,
    had_workers: bool,
    is_settled: bool,
    edits: Edits,
}

/// What a look comes to.
#[derive(Default)]
struct Judged {
    waiting: BTreeMap<PartName, Why>,
    /// What is to be kept of it.
    lines: Vec<Line>,
}

impl Approval {
    /// Looks at a plan as its files say. `had_workers` says whether a worker that can write there was
    /// at work since the last look.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app) fn look(
        &mut self,
        plan: &Arc<Plan>,
        had_workers: bool,
        as_read: &AsRead<'_>,
    ) -> Result<(), AppError> {
        if self.scope == Scope::Folder {
            self.plan = Some(Arc::clone(plan));
            return Ok(());
        }
        let place = Place::find(&self.root)?;
        let moves = match (&place, self.book.head()) {
            (None, _) => Moves::Files(Default::default()),
            (Some(place), Some(head)) => place.moves(head),
            (Some(_), None) => Moves::Any,
        };
        let is_settled = self.note_index(place.as_ref());
        // What came with a commit came with it still when it is read later, or mended by somebody.
        self.is_incomplete = match &moves {
            Moves::Files(files) => files.iter().any(|path| !(as_read.is_read)(path)),
            Moves::Any => as_read.has_errors,
        };
        let edits = own_settings::edits(&self.own, plan);
        let mut judging = Judging { moves, has_old_config: false, had_workers, is_settled, edits };
        self.is_unsettled = false;
        let settings = Arc::from(layout::CONFIG_PATH);
        let mut judged = Judged::default();
        self.judge(&trust::of_settings(plan, &settings), None, &judging, &mut judged);
        let upon = self.book.waiting(&PartName::Settings);
        let as_written = plan;
        let plan = match (judged.waiting.is_empty(), &self.config) {
            (false, Some(config)) => Arc::new(plan.with_config(config.clone())),
            (false, None) | (true, _) => Arc::clone(plan),
        };
        if judged.waiting.is_empty() {
            self.config = Some(plan.config().clone());
        } else if self.config.is_some() {
            judging.has_old_config = true;
            self.note_commands(as_written, upon, &judging, &mut judged.lines);
        }
        let upon = upon.filter(|_| !judging.has_old_config);
        for part in trust::of_commands(&plan, &settings) {
            self.judge(&part, upon, &judging, &mut judged);
        }
        for part in trust::of_roles(&plan) {
            self.judge(&part, None, &judging, &mut judged);
        }
        let defaults = self.book.waiting(&PartName::Defaults);
        let without = defaults.and_then(|_| self.with_old_defaults(&plan));
        if defaults.is_none() && !judged.waiting.contains_key(&PartName::Defaults) {
            self.defaults = Some(plan.config().as_written().clone());
        }
        for task in self.to_judge(&plan) {
            let part = trust::of_task(&plan, task, &settings);
            let role = plan.role(task).map(|role| PartName::Role(role.name.clone()));
            let upon = role.and_then(|role| self.book.waiting(&role));
            let is_reached = defaults.is_some()
                && without.as_ref().is_none_or(|without| {
                    let same = without.find(plan.id(task).as_str());
                    let same = same.map(|task| trust::of_task(without, task, &settings));
                    same.is_none_or(|same| same.fingerprint != part.fingerprint)
                });
            let upon = upon.or(defaults.filter(|_| is_reached));
            self.judge(&part, upon, &judging, &mut judged);
        }
        let Judged { waiting, mut lines } = judged;
        let head = place.map(|place| place.head).filter(|_| self.has_seen_all());
        // Whoever only looks says when it began.
        let head = head.filter(|_| self.scope != Scope::Look);
        if let Some(head) = head.filter(|head| self.book.head() != Some(head)) {
            self.book.note(Line::Head(head.clone()));
            lines.push(Line::Head(head));
        }
        self.keep(&lines);
        self.plan = Some(plan);
        self.waiting = waiting;
        Ok(())
    }

    /// Returns the plan with what the settings said for tasks when that was approved last.
    fn with_old_defaults(&self, plan: &Plan) -> Option<Plan> {
        let old = self.defaults.clone()?;
        let (worker, retry, budget) = (old.worker, old.retry, old.budget);
        let config = plan.config().as_written().clone();
        Some(plan.with_config(Config { worker, retry, budget, ..config }))
    }

    /// Says whether the last look saw everything that came with commits.
    pub(super) fn has_seen_all(&self) -> bool {
        !self.is_unsettled && !self.is_incomplete
    }

    /// Notes what waits of what settings say that are not in use: it is none the better when they
    /// are.
    fn note_commands(
        &mut self,
        as_written: &Plan,
        made_from: Option<Why>,
        judging: &Judging,
        lines: &mut Vec<Line>,
    ) {
        for part in trust::of_commands(as_written, &Arc::from(layout::CONFIG_PATH)) {
            let before = self.book.waiting(&part.name);
            let ruling = self.rule(&part, made_from, judging);
            if let Ruling::Waits(why) = ruling
                && before != Some(why)
                && why != Why::New
            {
                let line = Line::waits(&part.name, Some(why));
                self.book.note(line.clone());
                lines.push(line);
            }
        }
    }

    /// Returns the tasks that are not as they were at the last look, and those that wait.
    fn to_judge(&self, plan: &Arc<Plan>) -> Vec<TaskIndex> {
        let Some(before) = self
            .plan
            .as_ref()
            .filter(|before| before.config() == plan.config() && before.roles() == plan.roles())
        else {
            return plan.indices().collect();
        };
        let is_known = |task: &TaskIndex| {
            let waits = self.waiting.contains_key(&PartName::Task(plan.id(*task).clone()));
            let same = before.find(plan.id(*task).as_str());
            !waits
                && same.is_some_and(|same| {
                    Arc::ptr_eq(before.shared_spec(same), plan.shared_spec(*task))
                })
        };
        plan.indices().filter(|task| !is_known(task)).collect()
    }

    /// Says whether git is done with what it does to the files.
    fn note_index(&mut self, place: Option<&Place>) -> bool {
        let index = place.and_then(|place| place.index_written);
        let before = std::mem::replace(&mut self.index, index);
        let is_first = self.plan.is_none();
        let age = index.and_then(|at| at.elapsed().ok());
        let is_quiet = is_first
            || before == index && !self.is_unsettled
            || age.is_none_or(|age| age > HEAD_FOLLOWS_WITHIN);
        is_quiet && place.is_none_or(|place| !place.is_under_way)
    }

    fn rule(&self, part: &Part, made_from: Option<Why>, judging: &Judging) -> Ruling {
        let came_with_commit =
            |path: &str| judging.moves.touch(path) || is_in_another(&self.root, path);
        let around = Circumstances {
            edits: judging.edits,
            had_workers: judging.had_workers,
            came_with_commit: &came_with_commit,
            made_from,
        };
        Ruling::of(part, &self.book, &around)
    }

    fn judge(
        &mut self,
        part: &Part,
        made_from: Option<Why>,
        judging: &Judging,
        judged: &mut Judged,
    ) {
        let is_noted = self.book.waiting(&part.name).is_some();
        // What is noted of it is of what the settings say that are not in use.
        let is_old = judging.has_old_config
            && part.sources.iter().any(|path| **path == *layout::CONFIG_PATH);
        let ruling = self.rule(part, made_from, judging);
        let line = match ruling {
            Ruling::OwnEdit if !judging.is_settled => {
                self.is_unsettled = true;
                judged.waiting.insert(part.name.clone(), Why::Commit);
                return;
            }
            Ruling::OwnEdit => Book::approval(part),
            Ruling::Approved if is_noted && !is_old => Line::waits(&part.name, None),
            Ruling::Waits(why) => {
                judged.waiting.insert(part.name.clone(), why);
                if why == Why::New || self.book.waiting(&part.name) == Some(why) {
                    return;
                }
                Line::waits(&part.name, Some(why))
            }
            Ruling::Approved => return,
        };
        self.book.note(line.clone());
        judged.lines.push(line);
    }
}
