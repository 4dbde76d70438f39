//! A look at a plan that may have changed: what of it may be executed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Approval, Scope};
use crate::{
    app::{error::AppError, own_settings},
    domain::{
        format::layout,
        model::ceiling::Edits,
        plan::{Plan, TaskIndex},
        trust::{self, Book, Circumstances, Line, Part, PartName, Ruling, Why},
    },
    io::git::{Moves, Place},
};

/// How long after git wrote the index another commit may come to be checked out: a checkout writes
/// the files first, then the index, and only then says which commit they are of.
const HEAD_FOLLOWS_WITHIN: Duration = Duration::from_secs(2);

/// What a look goes by.
struct Judging {
    moves: Moves,
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
    /// at work since the last look, `read_at` which commit was checked out before all files were read;
    /// `None` where only some were.
    ///
    /// # Errors
    /// [`AppError::Git`].
    pub(in crate::app) fn look(
        &mut self,
        plan: &Arc<Plan>,
        had_workers: bool,
        read_at: Option<&str>,
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
        let brings_nothing = moves.is_none();
        let edits = own_settings::edits(&self.own, plan);
        let judging = Judging { moves, had_workers, is_settled, edits };
        self.is_unsettled = false;
        let settings = Arc::from(layout::CONFIG_PATH);
        let mut judged = Judged::default();
        self.judge(&trust::of_settings(plan, &settings), &judging, &mut judged);
        let plan = match (judged.waiting.is_empty(), &self.config) {
            (false, Some(config)) => Arc::new(plan.with_config(config.clone())),
            (false, None) | (true, _) => Arc::clone(plan),
        };
        if judged.waiting.is_empty() {
            self.config = Some(plan.config().clone());
        }
        for part in trust::of_commands(&plan, &settings) {
            self.judge(&part, &judging, &mut judged);
        }
        for task in self.to_judge(&plan) {
            let part = trust::of_task(&plan, task, &settings);
            self.judge(&part, &judging, &mut judged);
        }
        let Judged { waiting, mut lines } = judged;
        let head = place.map(|place| place.head);
        let head = head.filter(|head| self.book.head() != Some(head) && !self.is_unsettled);
        // Files that are read later are still those that came with it.
        if let Some(head) = head.filter(|head| brings_nothing || read_at == Some(head)) {
            self.book.note(Line::Head(head.clone()));
            lines.push(Line::Head(head));
        }
        self.keep(&lines);
        self.plan = Some(plan);
        self.waiting = waiting;
        Ok(())
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
        is_first
            || before == index && !self.is_unsettled
            || age.is_none_or(|age| age > HEAD_FOLLOWS_WITHIN)
    }

    fn judge(&mut self, part: &Part, judging: &Judging, judged: &mut Judged) {
        let came_with_commit = |path: &str| judging.moves.touch(path);
        let around = Circumstances {
            edits: judging.edits,
            had_workers: judging.had_workers,
            came_with_commit: &came_with_commit,
        };
        let ruling = Ruling::of(part, &self.book, &around);
        let line = match ruling {
            Ruling::OwnEdit if !judging.is_settled => {
                self.is_unsettled = true;
                judged.waiting.insert(part.name.clone(), Why::Commit);
                return;
            }
            Ruling::OwnEdit => Book::approval(part),
            Ruling::Approved if self.book.waiting(&part.name).is_some() => {
                Line::Waits { part: part.name.to_string(), why: None }
            }
            Ruling::Waits(why) => {
                judged.waiting.insert(part.name.clone(), why);
                if why == Why::New || self.book.waiting(&part.name) == Some(why) {
                    return;
                }
                Line::Waits { part: part.name.to_string(), why: Some(why) }
            }
            Ruling::Approved => return,
        };
        self.book.note(line.clone());
        judged.lines.push(line);
    }
}
