//! Builders for tests of rules: tasks with places, and a readable form of what was found.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use expect_test::Expect;

use super::{Input, Progress, check_all};
use crate::domain::{
    model::{
        config::{Config, LevelGate, Role},
        diagnostic::{Diagnostic, Label},
        id::{RoleName, TaskId},
        milestone::MilestoneSpec,
        place::{Located, Span},
        task::{AuthorStatus, Completion, RetrySpec, TaskSpec, WorkerSpec},
    },
    plan::{Plan, build},
};

/// A task under construction; each fact stands on a line of its own, from line 3.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    spec: TaskSpec,
    n_lines: u32,
}

/// Starts a task whose id comes from its file name.
pub(crate) fn task(id: &str) -> Draft {
    let spec = TaskSpec::new(TaskId::parse(id).unwrap(), format!(".orch/tasks/{id}.md"));
    Draft { spec, n_lines: 2 }
}

impl Draft {
    fn span(&mut self, column: u32, text: &str) -> Span {
        self.n_lines += 1;
        Span::new(self.n_lines, column, u32::try_from(text.chars().count()).unwrap())
    }

    pub(crate) fn needs(mut self, id: &str) -> Self {
        let span = self.span(5, id);
        self.spec.depends_on.push(Located::new(id.to_owned(), span));
        self
    }

    pub(crate) fn level(mut self, level: u32) -> Self {
        let span = self.span(8, &level.to_string());
        self.spec.level = Some(Located::new(level, span));
        self
    }

    pub(crate) fn role(mut self, name: &str) -> Self {
        let span = self.span(7, name);
        self.spec.role = Some(Located::new(RoleName(name.to_owned()), span));
        self
    }

    pub(crate) fn milestone(mut self, name: &str) -> Self {
        self.spec.milestone = Some(name.to_owned());
        self
    }

    pub(crate) fn estimate(mut self, minutes: u64) -> Self {
        let time = Duration::from_secs(minutes * 60);
        self.spec.estimate = Some(crate::domain::model::task::Estimate::Time(time));
        self
    }

    pub(crate) fn status(mut self, status: AuthorStatus) -> Self {
        let span = self.span(9, status.as_str());
        self.spec.status = Located::new(status, span);
        self
    }

    /// Moves the task to another file, where its id is written on line 2.
    pub(crate) fn at(mut self, path: &str) -> Self {
        self.spec.path = path.into();
        let length = u32::try_from(self.spec.id.value.as_str().len()).unwrap();
        self.spec.id.span = Span::new(2, 5, length);
        self
    }

    pub(crate) fn spec(&self) -> TaskSpec {
        self.spec.clone()
    }
}

/// A plan and what is known of it beside the tasks.
pub(crate) struct Case {
    specs: Vec<TaskSpec>,
    roles: Vec<Role>,
    config: Config,
    unreadable: Vec<(String, Option<TaskId>)>,
    recorded: BTreeMap<String, Progress>,
}

impl Case {
    pub(crate) fn of(drafts: &[Draft]) -> Self {
        Self {
            specs: drafts.iter().map(Draft::spec).collect(),
            roles: Vec::new(),
            config: Config::default(),
            unreadable: Vec::new(),
            recorded: BTreeMap::new(),
        }
    }

    pub(crate) fn roles(mut self, names: &[&str]) -> Self {
        self.roles.extend(names.iter().map(|name| Role {
            name: RoleName((*name).to_owned()),
            path: Arc::from(format!(".orch/roles/{name}.md")),
            max_workers: None,
            worker: WorkerSpec::default(),
            retry: RetrySpec::default(),
            completion: Completion::default(),
            repeat: None,
            persona: String::new(),
            digest: Arc::default(),
        }));
        self
    }

    pub(crate) fn gates(mut self, levels: &[u32]) -> Self {
        let gate = LevelGate { run: Vec::new(), is_required: true, timeout: Duration::ZERO };
        self.config.levels.extend(levels.iter().map(|level| (*level, gate.clone())));
        self
    }

    pub(crate) fn milestones(mut self, names: &[&str]) -> Self {
        let spec = MilestoneSpec::default();
        let named = names.iter().map(|name| ((*name).to_owned(), spec.clone()));
        self.config.milestones.extend(named);
        self
    }

    pub(crate) fn unreadable(mut self, path: &str, id: &str) -> Self {
        self.unreadable.push((path.to_owned(), TaskId::parse(id).ok()));
        self
    }

    pub(crate) fn recorded(mut self, id: &str, progress: Progress) -> Self {
        self.recorded.insert(id.to_owned(), progress);
        self
    }

    /// Runs all rules.
    pub(crate) fn found(&self) -> Vec<Diagnostic> {
        let plan: Plan = build(
            self.specs.iter().cloned().map(Into::into).collect(),
            self.roles.clone(),
            self.config.clone(),
        );
        let recorded =
            |task| self.recorded.get(plan.id(task).as_str()).copied().unwrap_or(Progress::Open);
        check_all(&Input { plan: &plan, unreadable: &self.unreadable, recorded: &recorded })
    }

    /// Compares what all rules find with `expected`.
    pub(crate) fn check(&self, expected: &Expect) {
        let mut text = String::new();
        for found in self.found() {
            let (at, label) = (place(&found.primary), &found.primary.text);
            let (code, severity, message) = (found.code, found.severity.as_str(), found.message);
            writeln!(text, "{code} {severity} {at}: {message} ({label})").unwrap();
            for label in found.related {
                writeln!(text, "  {}: {}", place(&label), label.text).unwrap();
            }
            if let Some(help) = found.help {
                writeln!(text, "  help: {help}").unwrap();
            }
        }
        expected.assert_eq(&text);
    }
}

/// Compares what all rules find in a plan of `drafts` with `expected`.
pub(crate) fn check(drafts: &[Draft], expected: &Expect) {
    Case::of(drafts).check(expected);
}

fn place(label: &Label) -> String {
    let Span { line, column, length } = label.span;
    if line == 0 {
        return label.path.clone();
    }
    format!("{}:{line}:{column}+{length}", label.path)
}
