//! What should happen: all task specs together, with their graph.
//!
//! A plan is built whole from parsed files and never changed in place; building never fails.

pub mod diff;
pub mod graph;
pub mod rules;

mod adjacency;
mod build;
mod critical_path;
mod index;
mod levels;
mod update;

pub use build::build;

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use graph::Graph;
use index::Index;

use super::model::{
    attempt::Digests,
    config::{Config, Policy, Role},
    id::{RoleName, TaskId},
    task::{CommandLine, Isolation, TaskSpec},
};

/// The number of a task within one [`Plan`]; tasks are numbered in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskIndex(u32);

impl TaskIndex {
    /// Returns the index for `position` in the list of tasks.
    pub(crate) fn new(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }

    /// Returns the position in the list of tasks.
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

/// Why a task can never start, whatever else happens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It depends on an id that no task has.
    UnknownDependency(String),
    /// It is a member of a cycle; the path starts and ends with the same task.
    Cycle(Arc<[TaskId]>),
    /// It depends on this task of a later level, directly or through others.
    LaterLevel(TaskId),
    /// It names a role that does not exist.
    UnknownRole(RoleName),
}

/// All tasks, roles and settings, with the graph of dependencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Sorted by id; the position is the [`TaskIndex`].
    tasks: Vec<Arc<TaskSpec>>,
    index: Arc<Index>,
    /// Tasks whose id one of `tasks` has.
    duplicates: Vec<Arc<TaskSpec>>,
    graph: Arc<Graph>,
    faults: BTreeMap<TaskIndex, Fault>,
    roles: Arc<BTreeMap<RoleName, Role>>,
    config: Arc<Config>,
    /// The command for all tasks, whatever they say.
    worker: Option<CommandLine>,
    /// How long each task is thought to take.
    durations: Vec<Duration>,
    /// Longest path from the start of each task to the end of the plan.
    remaining: Vec<Duration>,
}

impl Plan {
    /// Returns the number of tasks.
    pub fn n_tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Returns all tasks in the order of their ids.
    pub fn indices(
        &self,
    ) -> impl DoubleEndedIterator<Item = TaskIndex> + ExactSizeIterator + Clone {
        (0..self.tasks.len()).map(TaskIndex::new)
    }

    /// Returns what the author of each task wrote, in the order of the ids.
    pub fn specs(&self) -> impl Iterator<Item = &TaskSpec> {
        self.tasks.iter().map(|spec| &**spec)
    }

    /// Returns the tasks that have no place in the plan, because another one has their id.
    pub fn duplicates(&self) -> &[Arc<TaskSpec>] {
        &self.duplicates
    }

    /// Returns what the author of a task wrote.
    ///
    /// # Panics
    /// If `task` comes from another plan.
    pub fn spec(&self, task: TaskIndex) -> &TaskSpec {
        self.shared_spec(task)
    }

    /// As [`Plan::spec`], for whoever keeps it. Plans that follow each other share the specs that
    /// did not change.
    ///
    /// # Panics
    /// If `task` comes from another plan.
    pub fn shared_spec(&self, task: TaskIndex) -> &Arc<TaskSpec> {
        match self.tasks.get(task.position()) {
            Some(spec) => spec,
            None => unreachable!("a task index is only used with the plan it comes from"),
        }
    }

    /// Returns the id of a task.
    pub fn id(&self, task: TaskIndex) -> &TaskId {
        &self.spec(task).id.value
    }

    /// Finds a task by its id.
    pub fn find(&self, id: &str) -> Option<TaskIndex> {
        self.index.find(&self.tasks, id).map(TaskIndex::new)
    }

    /// Returns the tasks that must be done before `task`, in the order of their ids.
    pub fn dependencies(&self, task: TaskIndex) -> &[TaskIndex] {
        self.graph.dependencies(task)
    }

    /// Returns the tasks that wait for `task`, in the order of their ids.
    pub fn dependents(&self, task: TaskIndex) -> &[TaskIndex] {
        self.graph.dependents(task)
    }

    /// Returns all tasks so that each comes after its dependencies; members of a cycle stand
    /// together.
    pub fn topological_order(&self) -> &[TaskIndex] {
        self.graph.topological_order()
    }

    /// Returns why `task` can never start, where that is so.
    pub fn fault(&self, task: TaskIndex) -> Option<&Fault> {
        self.faults.get(&task)
    }

    /// Returns the role of a task, where it names one that exists.
    pub fn role(&self, task: TaskIndex) -> Option<&Role> {
        self.spec(task).role.as_ref().and_then(|name| self.roles.get(&name.value))
    }

    /// Returns all roles.
    pub fn roles(&self) -> &BTreeMap<RoleName, Role> {
        &self.roles
    }

    /// Returns the settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Says whether `other` has the very same spec at the same place.
    pub fn shares_spec(&self, task: TaskIndex, other: &Self) -> bool {
        let spec = other.tasks.get(task.position());
        spec.is_some_and(|spec| Arc::ptr_eq(spec, self.shared_spec(task)))
    }

    /// Returns the digests of the files that an attempt of `task` would be made from.
    pub fn digests(&self, task: TaskIndex) -> Digests {
        Digests::of(self.spec(task), self.role(task))
    }

    /// Returns the tasks whose files or roles may be others than in `before`.
    pub fn edited_since(&self, before: &Self) -> impl Iterator<Item = TaskIndex> {
        let has_same_roles = Arc::ptr_eq(&self.roles, &before.roles);
        let is_shared = move |task: &TaskIndex| {
            let has_same_role = has_same_roles || self.spec(*task).role.is_none();
            has_same_role && self.shares_spec(*task, before)
        };
        self.indices().filter(move |task| !is_shared(task))
    }

    /// Returns how `task` is carried out, after task, role and config have spoken.
    pub fn policy(&self, task: TaskIndex) -> Policy {
        let policy = Policy::of(self.spec(task), self.role(task), &self.config);
        Policy { command: self.worker.clone().or(policy.command), ..policy }
    }

    /// Returns whose limits the worker of `task` shares with others.
    pub fn provider(&self, task: TaskIndex) -> Option<Cow<'_, str>> {
        Policy::provider_of(self.spec(task), self.role(task), &self.config)
    }

    /// Returns the milestone of `task`, where that has a budget.
    pub fn budgeted_milestone(&self, task: TaskIndex) -> Option<&str> {
        let name = self.spec(task).milestone.as_deref()?;
        let milestone = self.config.milestones.get(name)?;
        (!milestone.budget.is_empty()).then_some(name)
    }

    /// Says whether anybody says what is to be started for `task`.
    pub fn has_command(&self, task: TaskIndex) -> bool {
        self.worker.is_some()
            || self.spec(task).worker.is_startable()
            || self.role(task).is_some_and(|role| role.worker.is_startable())
            || self.config.worker.is_startable()
    }

    /// Says whether `task` is to run in a sandbox.
    pub fn is_sandboxed(&self, task: TaskIndex) -> bool {
        let spec = self.spec(task).worker.isolation;
        let role = || self.role(task).and_then(|role| role.worker.isolation);
        let said = spec.or_else(role).or(self.config.worker.isolation);
        said.max(self.config.ceiling.isolation) == Some(Isolation::Sandbox)
    }

    /// Returns how long `task` is thought to take: its estimate, or size M where it has none.
    pub fn duration(&self, task: TaskIndex) -> Duration {
        self.durations.get(task.position()).copied().unwrap_or_default()
    }

    /// Returns the longest path from the start of `task` to the end of the plan.
    pub fn remaining(&self, task: TaskIndex) -> Duration {
        self.remaining.get(task.position()).copied().unwrap_or_default()
    }

    /// Says whether all tasks have as long a way to the end of the plan as in `other`.
    pub fn has_same_lengths(&self, other: &Self) -> bool {
        self.remaining == other.remaining
    }

    /// Returns this plan with further tasks, built anew.
    #[must_use]
    pub fn with_tasks(&self, tasks: Vec<Arc<TaskSpec>>) -> Self {
        let specs = self.tasks.iter().cloned().chain(tasks).collect();
        let plan = build(specs, self.roles.values().cloned(), Config::clone(&self.config));
        Self { worker: self.worker.clone(), ..plan }
    }

    /// Returns this plan with other settings, built anew.
    #[must_use]
    pub fn with_config(&self, config: Config) -> Self {
        let plan = build(
            self.tasks.iter().chain(&self.duplicates).cloned().collect(),
            self.roles.values().cloned(),
            config,
        );
        Self { worker: self.worker.clone(), ..plan }
    }

    /// Returns this plan with another number of workers side by side.
    #[must_use]
    pub fn with_max_workers(mut self, max_workers: u32) -> Self {
        Arc::make_mut(&mut self.config).max_workers = max_workers;
        self
    }

    /// Returns this plan without any limit on the time or the silence of an attempt.
    #[must_use]
    pub fn without_timeouts(mut self) -> Self {
        // Plans share their specs: only what says otherwise is copied.
        let is_limited = |task: &&mut Arc<TaskSpec>| {
            task.worker.timeout.is_some() || task.worker.heartbeat.is_some()
        };
        let tasks = self.tasks.iter_mut().filter(is_limited);
        let workers = tasks.map(|task| &mut Arc::make_mut(task).worker);
        let roles = Arc::make_mut(&mut self.roles).values_mut();
        let workers = workers.chain(roles.map(|role| &mut role.worker));
        for worker in workers.chain([&mut Arc::make_mut(&mut self.config).worker]) {
            worker.timeout = None;
            worker.heartbeat = None;
        }
        self
    }

    /// Returns this plan with one command for all tasks.
    #[must_use]
    pub fn with_worker(self, command: &CommandLine) -> Self {
        Self { worker: Some(command.clone()), ..self }
    }

    /// Says whether `other` was given the same command for all tasks, or none as well.
    pub fn has_same_worker(&self, other: &Self) -> bool {
        self.worker == other.worker
    }

    /// Returns the longest chain among the tasks that `counts` lets through.
    pub fn critical_path(&self, counts: impl Fn(TaskIndex) -> bool) -> Vec<TaskIndex> {
        critical_path::longest_chain(self, &self.durations, counts)
    }
}
