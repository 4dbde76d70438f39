//! Barriers between levels, and the gates on them.

use std::collections::BTreeMap;

use super::{Effect, Notice, Phase, Scheduler, phase::Course, retry::fnv1a};
use crate::domain::{
    model::{
        attempt::{CheckResult, GateRecord},
        config::LevelGate,
    },
    plan::{Plan, TaskIndex},
};

/// All levels of the plan, lowest first, and how far the plan has come through them.
///
/// A level has ended when each of its tasks is done or cancelled. A failed task keeps it open, as
/// it keeps its dependents waiting.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    /// By level: its tasks, and how many of them have not ended.
    members: BTreeMap<u32, Level>,
    /// The lowest level that has not ended, or whose gate is not open; `None` after the last.
    current: Option<u32>,
    gate: Gate,
    /// The last run of each gate.
    records: BTreeMap<u32, GateRecord>,
}

#[derive(Debug, Clone, Default)]
struct Level {
    tasks: Vec<TaskIndex>,
    n_open: usize,
}

/// The gate of the current level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Gate {
    /// Not run for this level yet.
    #[default]
    Pending,
    /// Being run, with this number.
    Running(u32),
    /// Run and failed, and it is required.
    Shut,
}

impl Levels {
    /// Starts from what is on record.
    pub(super) fn new(records: BTreeMap<u32, GateRecord>) -> Self {
        Self { records, ..Self::default() }
    }

    /// Counts the tasks of each level anew; the gate that runs goes on.
    pub(super) fn build(&mut self, plan: &Plan) {
        self.members = BTreeMap::new();
        for task in plan.indices() {
            if let Some(level) = &plan.spec(task).level {
                let level = self.members.entry(level.value).or_default();
                level.tasks.push(task);
                level.n_open += 1;
            }
        }
        if !self.is_gate_running() {
            self.gate = Gate::Pending;
            self.current = self.members.keys().next().copied();
        }
    }

    /// Notes that a task ended well.
    pub(super) fn settle(&mut self, plan: &Plan, task: TaskIndex) {
        if let Some(level) = self.level_mut(plan, task) {
            level.n_open = level.n_open.saturating_sub(1);
        }
    }

    /// Notes that a task that had ended well is open again.
    pub(super) fn reopen(&mut self, plan: &Plan, task: TaskIndex) {
        if let Some(level) = self.level_mut(plan, task) {
            level.n_open += 1;
        }
    }

    fn level_mut(&mut self, plan: &Plan, task: TaskIndex) -> Option<&mut Level> {
        let level = plan.spec(task).level.as_ref()?;
        self.members.get_mut(&level.value)
    }

    /// Says whether tasks of `level` may start.
    pub(super) fn is_open(&self, level: Option<u32>) -> bool {
        level.is_none_or(|level| self.current.is_none_or(|current| level <= current))
    }

    /// Says whether gate commands are being run.
    pub(super) fn is_gate_running(&self) -> bool {
        matches!(self.gate, Gate::Running(_))
    }

    /// Returns the level that the plan has come to; `None` after the last.
    pub(super) fn current(&self) -> Option<u32> {
        self.current
    }

    /// Returns the tasks of `level`.
    pub(super) fn tasks(&self, level: u32) -> &[TaskIndex] {
        self.members.get(&level).map_or(&[], |level| &level.tasks)
    }

    /// Returns all levels, lowest first.
    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.members.keys().copied()
    }

    fn has_ended(&self, level: u32) -> bool {
        self.members.get(&level).is_none_or(|level| level.n_open == 0)
    }

    fn next_after(&self, level: u32) -> Option<u32> {
        let after = (std::ops::Bound::Excluded(level), std::ops::Bound::Unbounded);
        self.members.range(after).next().map(|(level, _)| *level)
    }
}

impl Scheduler {
    /// Moves on through the levels that have ended, up to the first whose gate must be run.
    pub(super) fn pass_ended_levels(&mut self) {
        while let Some(level) = self.levels.current {
            let stays = !self.levels.has_ended(level)
                || self.levels.gate != Gate::Pending
                || (self.gate_of(level).is_some() && !self.has_judged(level));
            if stays {
                return;
            }
            self.open_next(level);
        }
    }

    /// Starts the gate of the current level where its tasks have ended.
    pub(super) fn advance_levels(&mut self, effects: &mut Vec<Effect>) {
        self.pass_ended_levels();
        let Some(level) = self.levels.current else { return };
        let may_start = self.may_start() && self.levels.gate == Gate::Pending;
        let Some(gate) = self.gate_of(level).cloned().filter(|_| may_start) else { return };
        if !self.levels.has_ended(level) || self.unapproved_gate(level).is_some() {
            return;
        }
        let number = self.levels.records.get(&level).map_or(0, |last| last.number) + 1;
        let record = GateRecord {
            level,
            number,
            started: self.now.wall,
            ended: None,
            is_passed: false,
            judged: self.work_up_to(level),
            checks: Vec::new(),
        };
        self.levels.gate = Gate::Running(number);
        self.levels.records.insert(level, record.clone());
        effects.push(Effect::RecordGate(Box::new(record)));
        effects.push(Effect::StartGate { level, number, gate });
        effects.push(Effect::Announce(Notice::GateStarted { level }));
    }

    /// Returns the lowest level that has not ended, or whose gate is not open; `None` after the
    /// last, and where no task has a level.
    pub fn current_level(&self) -> Option<u32> {
        self.levels.current()
    }

    fn gate_of(&self, level: u32) -> Option<&LevelGate> {
        self.plan.config().levels.get(&level).filter(|gate| !gate.run.is_empty())
    }

    /// Says whether the gate of `level` was run on exactly this work, and opened.
    fn has_judged(&self, level: u32) -> bool {
        let is_required = self.gate_of(level).is_some_and(|gate| gate.is_required);
        self.levels.records.get(&level).is_some_and(|last| {
            let opened = last.is_passed || (last.ended.is_some() && !is_required);
            opened && last.judged == self.work_up_to(level)
        })
    }

    /// Says whether all tasks of the current level ended and its gate failed the last time.
    pub(super) fn is_gate_shut(&self) -> bool {
        self.levels.current.is_some_and(|level| {
            self.levels.has_ended(level)
                && !self.levels.is_gate_running()
                && self.gate_failed(level)
        })
    }

    /// Says whether all tasks of the current level ended and its gate waits for approval.
    pub(super) fn is_gate_unapproved(&self) -> bool {
        self.levels.current.is_some_and(|level| {
            let waits = self.gate_of(level).and(self.unapproved_gate(level));
            self.levels.has_ended(level) && !self.levels.is_gate_running() && waits.is_some()
        })
    }

    /// Says whether the last run of the gate of `level` failed.
    pub(super) fn gate_failed(&self, level: u32) -> bool {
        let last = self.levels.records.get(&level);
        last.is_some_and(|last| last.ended.is_some() && !last.is_passed)
    }

    pub(super) fn gate_finished(
        &mut self,
        level: u32,
        number: u32,
        results: Vec<CheckResult>,
        effects: &mut Vec<Effect>,
    ) {
        if self.levels.gate != Gate::Running(number) || self.levels.current != Some(level) {
            return;
        }
        let Some(record) = self.levels.records.get_mut(&level) else { return };
        let failed = results.iter().find(|result| !result.is_success());
        let reason = failed.map_or_else(String::new, |failed| {
            format!("`{}` failed: {}", failed.command, failed.ending())
        });
        let is_passed = failed.is_none() && !results.is_empty();
        record.ended = Some(self.now.wall);
        record.is_passed = is_passed;
        record.checks = results;
        effects.push(Effect::RecordGate(Box::new(record.clone())));
        let gate = self.plan.config().levels.get(&level);
        let opens = is_passed
            || (self.course == Course::Running && gate.is_none_or(|gate| !gate.is_required));
        effects.push(Effect::Announce(Notice::GateEnded { level, opens, is_passed, reason }));
        self.levels.gate = Gate::Shut;
        if opens {
            self.open_next(level);
        }
    }

    fn open_next(&mut self, level: u32) {
        self.levels.gate = Gate::Pending;
        self.levels.current = self.levels.next_after(level);
        if let Some(next) = self.levels.current {
            for task in self.levels.tasks(next).to_vec() {
                self.refresh_ready(task);
            }
        }
    }

    /// Returns a digest of the work that the gate of `level` judges: which tasks up to this level
    /// are done, and by which attempt.
    fn work_up_to(&self, level: u32) -> String {
        let mut text = String::new();
        for task in self.levels.members.range(..=level).flat_map(|(_, level)| &level.tasks) {
            if matches!(self.phases.get(task.position()), Some(Phase::Done)) {
                let id = self.plan.id(*task);
                let last = self.histories.get(id).map_or(0, |history| history.last);
                text.push_str(id.as_str());
                text.push('.');
                text.push_str(&last.to_string());
                text.push('\n');
            }
        }
        format!("{:016x}", fnv1a(text.as_bytes()))
    }
}
