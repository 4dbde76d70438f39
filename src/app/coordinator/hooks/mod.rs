//! Tells hooks and milestones what comes about in a run. Neither can stop, delay or fail it.

mod queue;
mod variables;

use std::collections::BTreeSet;

use self::{
    queue::{Job, Queue, Trouble},
    variables::{About, variables},
};
use super::{Coordinator, Sources};
use crate::{
    app::{
        error::AppError,
        use_case::explain,
        view::{
            hook::{HookFailure, ReachedMilestone},
            run::Happened,
        },
    },
    domain::{
        format::{layout, milestone},
        model::{
            config::Durability,
            hook::{Hook, HookEvent},
            limits::{HOOKS_END_PATIENCE, HOOKS_LEAVE_PATIENCE},
            milestone::{MilestoneRecord, Reach, Trigger},
        },
        occasion::{Glance, Occasion},
        plan::TaskIndex,
        trust::PartName,
    },
    io::store::StoreError,
};

/// Most milestones whose names give the same path.
const SAME_PATH_MAX: u32 = 100;

/// What hooks and milestones know.
#[derive(Default)]
pub(super) struct Hooks {
    /// The plan when it was last looked at; `None` before the first time.
    glance: Option<Glance>,
    /// Milestones that were told, in this run or before.
    told: BTreeSet<String>,
    /// Milestones whose records cannot be written, as far as that was told.
    unwritten: BTreeSet<String>,
    /// Open once there was a hook to run.
    queue: Option<Queue>,
}

impl Hooks {
    /// Starts with the milestones that were told before.
    pub(super) fn new<'a>(records: impl Iterator<Item = &'a MilestoneRecord>) -> Self {
        Self { told: records.map(|record| record.name.clone()).collect(), ..Self::default() }
    }
}

impl Coordinator {
    /// Looks at what came about since the last time: records milestones, and has hooks run.
    pub(super) fn fire_hooks(&mut self) {
        let config = self.scheduler.plan().config();
        if config.hooks.is_empty() && config.milestones.is_empty() {
            self.hooks.glance = None;
            self.tell_troubles();
            return;
        }
        let glance = Glance::at(&self.scheduler);
        self.fire_started(&glance);
        let news = match &self.hooks.glance {
            Some(before) => glance.news_since(before),
            None => Vec::new(),
        };
        // The end of the plan comes last, after the milestones that it brought.
        let is_end = |occasion: &Occasion| *occasion == Occasion::PlanFinished;
        let (end, others): (Vec<_>, Vec<_>) = news.into_iter().partition(is_end);
        self.fire_all(others, &glance);
        for (name, trigger, reach) in glance.reached(&self.hooks.told) {
            self.reach(&name, trigger, reach, &glance);
        }
        self.fire_all(end, &glance);
        self.hooks.glance = Some(glance);
        self.tell_troubles();
    }

    fn fire_all(&mut self, occasions: Vec<Occasion>, glance: &Glance) {
        for occasion in occasions {
            let (event, about) = self.about(occasion, glance);
            self.fire(event, &about, glance, None);
        }
    }

    /// Has hooks run for the attempts that started in this turn.
    fn fire_started(&mut self, glance: &Glance) {
        let started = self.outbox.iter().filter_map(|event| match &event.happened {
            Happened::Started { task, attempt, title } => Some(About {
                task: Some(task.clone()),
                title: title.clone(),
                attempt: Some(*attempt),
                ..About::default()
            }),
            _ => None,
        });
        let started: Vec<About> = started.collect();
        for about in started {
            self.fire(HookEvent::Started, &about, glance, None);
        }
    }

    /// Returns the hook for an occasion, and what it is told.
    fn about(&self, occasion: Occasion, glance: &Glance) -> (HookEvent, About) {
        match occasion {
            Occasion::Task(event, task) => (event, self.about_task(task, glance)),
            Occasion::LevelDone(level) => {
                (HookEvent::LevelDone, About { level: Some(level), ..About::default() })
            }
            Occasion::PlanFinished => {
                let (n_done, n_tasks) = glance.n_done();
                let outcome = if n_done == n_tasks { "done" } else { "finished" };
                let outcome = Some(outcome.to_owned());
                (HookEvent::PlanFinished, About { outcome, ..About::default() })
            }
        }
    }

    fn about_task(&self, task: TaskIndex, glance: &Glance) -> About {
        let plan = self.scheduler.plan();
        let spec = plan.spec(task);
        let history = self.scheduler.history(&spec.id.value);
        let ending = history.and_then(|history| history.ending.as_ref());
        let reasons = self.scheduler.explain(task, glance.states());
        let reason = reasons.first().map(|reason| explain::told(&self.scheduler, task, reason));
        About {
            task: Some(spec.id.value.to_string()),
            title: spec.title.clone(),
            attempt: history.map(|history| history.last).filter(|last| *last > 0),
            outcome: ending.map(|ending| ending.outcome.as_str().to_owned()),
            reason: reason.map(|reason| reason.sentence).unwrap_or_default(),
            milestone: spec.milestone.clone(),
            level: spec.level.as_ref().map(|level| level.value),
        }
    }

    /// Puts a hook into the queue; `own` is what is run beside the hook of the settings.
    fn fire(&mut self, event: HookEvent, about: &About, glance: &Glance, own: Option<&Hook>) {
        let hook = self.scheduler.plan().config().hooks.get(&event);
        let hook = hook.filter(|_| self.is_approved(&PartName::Hook(event)));
        let hooks: Vec<Hook> =
            own.into_iter().chain(hook).filter(|hook| !hook.run.is_empty()).cloned().collect();
        if hooks.is_empty() {
            return;
        }
        let secrets = self.surroundings.common_secrets();
        let mut env = self.surroundings.variables.clone();
        env.extend(variables(event, about, self.store.root(), glance.n_done()));
        let (folder, log) =
            (self.store.root().to_owned(), self.store.path(&layout::hooks_log_path()));
        let queue = self.hooks.queue.get_or_insert_with(|| Queue::open(folder, log));
        for hook in hooks {
            let (env, secrets) = (env.clone(), secrets.clone());
            queue.push(Job { event, about: about.name(), hook, env, secrets });
        }
    }

    /// Records a milestone, tells of it, and has its hooks run. One that cannot be recorded is
    /// tried again the next time.
    fn reach(&mut self, name: &str, trigger: Trigger, reach: Reach, glance: &Glance) {
        let record = MilestoneRecord {
            name: name.to_owned(),
            trigger: trigger.to_string(),
            reached: self.clock.now().wall,
            n_done: reach.n_done,
            n_tasks: reach.n_tasks,
        };
        match self.record_milestone(&record) {
            Ok(true) => {}
            Ok(false) => {
                self.hooks.told.insert(name.to_owned());
                return;
            }
            Err(error) => {
                if self.hooks.unwritten.insert(name.to_owned()) {
                    let reason = format!("it cannot be recorded yet: {error}");
                    self.tell_hook_failed(HookEvent::Milestone, name, String::new(), reason);
                }
                return;
            }
        }
        self.hooks.told.insert(name.to_owned());
        self.tell(Happened::MilestoneReached(ReachedMilestone {
            milestone: name.to_owned(),
            trigger: record.trigger.clone(),
            n_done: reach.n_done,
            n_tasks: reach.n_tasks,
        }));
        let own = self.scheduler.plan().config().milestones.get(name);
        let own = own.map(|spec| spec.hook.clone());
        let own = own.filter(|_| self.is_approved(&PartName::Milestone(name.to_owned())));
        let about = About {
            milestone: Some(name.to_owned()),
            outcome: Some(record.trigger),
            ..About::default()
        };
        self.fire(HookEvent::Milestone, &about, glance, own.as_ref());
    }

    /// Writes the record of a milestone; says whether it is the first one of it.
    fn record_milestone(&mut self, record: &MilestoneRecord) -> Result<bool, AppError> {
        // One that nobody can read may be of this one: twice is worse than never.
        let prefix = layout::milestone_prefix(&record.name);
        let is_of_it = |path: String| {
            let bytes = self.store.read_file(&path).unwrap_or_default();
            milestone::parse(&path, &bytes).0.is_none_or(|other| other.name == record.name)
        };
        let names = self.store.list(layout::RUNS_DIR)?.into_iter();
        let known = names.map(|name| format!("{}/{name}", layout::RUNS_DIR));
        if known.filter(|path| path.starts_with(&prefix)).any(is_of_it) {
            return Ok(false);
        }
        let text = milestone::render(record);
        for number in 1..=SAME_PATH_MAX {
            let path = layout::milestone_path(&record.name, &self.mark, number);
            match self.store.create(&path, text.as_bytes()) {
                Ok(()) => {
                    if self.scheduler.plan().config().durability == Durability::Power {
                        self.store.sync_all(&[&path])?;
                    }
                    self.note_unsaved(path.clone());
                    self.kept.insert(path, text);
                    return Ok(true);
                }
                // Another name gives the same path.
                Err(StoreError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    /// Gives hooks that have not run yet some time, at the end of a run.
    pub(super) async fn finish_hooks(&mut self, sources: &mut Sources) {
        self.tell_troubles();
        self.send_outbox();
        let Some(queue) = self.hooks.queue.take() else { return };
        let patience = if self.is_left { HOOKS_LEAVE_PATIENCE } else { HOOKS_END_PATIENCE };
        let troubles = queue.finish(patience, sources.stop_asked()).await;
        self.tell_all(troubles);
    }

    /// Kills the hook that runs, where a run cannot go on.
    pub(super) async fn stop_hooks(&mut self) {
        if let Some(queue) = self.hooks.queue.take() {
            drop(queue.finish(std::time::Duration::ZERO, std::future::ready(())).await);
        }
    }

    fn tell_troubles(&mut self) {
        let troubles = self.hooks.queue.as_ref().map(Queue::troubles).unwrap_or_default();
        self.tell_all(troubles);
    }

    fn tell_all(&mut self, troubles: Vec<Trouble>) {
        for trouble in troubles {
            match trouble {
                Trouble::Failed { event, about, command, reason } => {
                    self.tell_hook_failed(event, &about, command, reason);
                }
                Trouble::Skipped(n_commands) => self.tell(Happened::HooksSkipped { n_commands }),
            }
        }
    }

    fn tell_hook_failed(&mut self, event: HookEvent, about: &str, command: String, reason: String) {
        let (hook, about) = (event.as_str(), about.to_owned());
        self.tell(Happened::HookFailed(HookFailure { hook, about, command, reason }));
    }
}
