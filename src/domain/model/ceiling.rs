//! What a user lets any plan do at most, in settings of their own: those of a plan can only be
//! stricter.

use std::{fmt, time::Duration};

use super::{
    config::{Config, Policy, Role},
    limits,
    task::{Budget, Isolation, TaskSpec},
    time::Exact,
};

/// What becomes of changes that people make in the files of a plan; each is stricter than the one
/// before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edits {
    /// They stay approved, whoever is at work.
    Always,
    /// They stay approved, unless a worker was at work that could have made them.
    Accept,
    /// Each waits for approval.
    Ask,
}

impl Edits {
    /// All words with their meaning.
    pub const NAMED: [(&'static str, Self); 3] =
        [("always", Self::Always), ("accept", Self::Accept), ("ask", Self::Ask)];

    /// Returns the word that stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Accept => "accept",
            Self::Ask => "ask",
        }
    }
}

/// The user's own settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Own {
    /// What becomes of changes that people make; `None` where the user does not say.
    pub edits: Option<Edits>,
    /// Folders in which everything is approved, whatever it says.
    pub folders: Vec<String>,
    /// Branches from which a run may take everything as approved, where it is told to.
    pub protect: Option<Vec<String>>,
    /// What any plan may do at most.
    pub ceiling: Ceiling,
}

/// What any plan may do at most; `None` means whatever it says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ceiling {
    /// Workers side by side.
    pub max_workers: Option<u32>,
    /// What one run may use up.
    pub run_budget: Budget,
    /// What one task may use up.
    pub budget: Budget,
    /// Attempts that may fail before a task failed.
    pub max_attempts: Option<u32>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How far apart a worker is kept at least.
    pub isolation: Option<Isolation>,
    /// Names of variables that workers may get.
    pub env_pass: Option<Vec<String>>,
    /// Bytes of one log.
    pub log_bytes_max: Option<u64>,
}

/// A setting of a plan that is wider than its user allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wider {
    /// The key, with dots where it is nested.
    pub key: &'static str,
    /// What the plan says.
    pub says: String,
    /// What holds.
    pub holds: String,
}

/// Lowers settings, and notes which were wider.
#[derive(Default)]
struct Lowering(Vec<Wider>);

impl Lowering {
    /// Lowers what is said.
    fn lower<T: PartialOrd + Copy>(
        &mut self,
        key: &'static str,
        value: &mut T,
        most: Option<T>,
        shown: impl Fn(T) -> String,
    ) {
        if let Some(most) = most.filter(|most| *value > *most) {
            self.0.push(Wider { key, says: shown(*value), holds: shown(most) });
            *value = most;
        }
    }

    /// Lowers what has a default: of that nobody has to be told, as nobody said it.
    fn lower_default<T: PartialOrd + Copy + fmt::Display>(
        &mut self,
        key: &'static str,
        value: &mut T,
        most: Option<T>,
        default: T,
    ) {
        match *value == default {
            true => *value = most.filter(|most| *value > *most).unwrap_or(*value),
            false => self.lower(key, value, most, text),
        }
    }

    /// Lowers what need not be said; nothing said means no limit, of which nobody has to be told.
    fn lower_option<T: PartialOrd + Copy>(
        &mut self,
        key: &'static str,
        value: &mut Option<T>,
        most: Option<T>,
        shown: impl Fn(T) -> String,
    ) {
        match value {
            Some(value) => self.lower(key, value, most, shown),
            None => *value = most,
        }
    }

    fn lower_budget(&mut self, keys: [&'static str; 4], budget: &mut Budget, most: Budget) {
        let [tokens, cost, time, attempts] = keys;
        self.lower_option(tokens, &mut budget.tokens, most.tokens, text);
        self.lower_option(cost, &mut budget.cost_usd, most.cost_usd, text);
        self.lower_option(time, &mut budget.time, most.time, |time| Exact(time).to_string());
        self.lower_option(attempts, &mut budget.attempts, most.attempts, text);
    }
}

fn text(value: impl fmt::Display) -> String {
    value.to_string()
}

impl Config {
    /// Returns what the file says, whatever its user allows.
    pub fn as_written(&self) -> &Self {
        self.written.as_deref().unwrap_or(self)
    }
}

impl Policy {
    /// Returns what `task`, `role` and `config` say that is wider than their user allows.
    pub fn wider(task: &TaskSpec, role: Option<&Role>, config: &Config) -> Vec<Wider> {
        config.ceiling.lower(&mut Self::written(task, role, config))
    }
}

impl Ceiling {
    /// Returns settings that are nowhere wider than this, and what was.
    pub fn lowered(&self, written: Config) -> (Config, Vec<Wider>) {
        let mut found = Lowering::default();
        let mut config = written.clone();
        let (workers, default) = (&mut config.max_workers, limits::WORKERS_DEFAULT);
        found.lower_default("max_workers", workers, self.max_workers, default);
        let keys =
            ["run.budget.tokens", "run.budget.cost_usd", "run.budget.time", "run.budget.attempts"];
        found.lower_budget(keys, &mut config.run_budget, self.run_budget);
        let (bytes, default) = (&mut config.log_bytes_max, limits::LOG_BYTES_DEFAULT);
        found.lower_default("log.max_size", bytes, self.log_bytes_max, default);
        if let Some(allowed) = &self.env_pass {
            let (kept, refused): (Vec<String>, Vec<String>) =
                config.env_pass.into_iter().partition(|name| allowed.contains(name));
            if !refused.is_empty() {
                let says = refused.join(", ");
                found.0.push(Wider { key: "env.pass", says, holds: kept.join(", ") });
            }
            config.env_pass = kept;
        }
        if *self != Self::default() {
            config.ceiling = self.clone();
            config.written = Some(Box::new(written));
        }
        (config, found.0)
    }

    /// Lowers how a task is carried out; returns what was wider.
    pub(super) fn lower(&self, policy: &mut Policy) -> Vec<Wider> {
        let mut found = Lowering::default();
        let keys = ["budget.tokens", "budget.cost_usd", "budget.time", "budget.attempts"];
        found.lower_budget(keys, &mut policy.budget, self.budget);
        let (attempts, default) = (&mut policy.max_attempts, limits::ATTEMPTS_DEFAULT);
        found.lower_default("retry.max_attempts", attempts, self.max_attempts, default);
        let shown = |time| Exact(time).to_string();
        found.lower_option("worker.timeout", &mut policy.timeout, self.timeout, shown);
        if let Some(least) = self.isolation {
            match policy.isolation {
                Some(isolation) if isolation < least => {
                    let (says, holds) = (isolation.as_str(), least.as_str());
                    let (says, holds) = (says.to_owned(), holds.to_owned());
                    found.0.push(Wider { key: "worker.isolation", says, holds });
                }
                Some(_) | None => {}
            }
            policy.isolation = policy.isolation.max(Some(least));
        }
        found.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{id::TaskId, task::TaskSpec};

    fn own() -> Ceiling {
        Ceiling {
            max_workers: Some(2),
            run_budget: Budget { cost_usd: Some(5.0), ..Budget::default() },
            budget: Budget { tokens: Some(100), ..Budget::default() },
            max_attempts: Some(3),
            timeout: Some(Duration::from_secs(60)),
            isolation: Some(Isolation::Worktree),
            env_pass: Some(vec!["A".to_owned()]),
            log_bytes_max: Some(1000),
        }
    }

    fn told(found: &[Wider]) -> String {
        let lines = found.iter().map(|w| format!("{} {}→{}", w.key, w.says, w.holds));
        lines.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn settings_are_lowered_and_never_raised() {
        let mut config = Config { max_workers: 8, log_bytes_max: 2000, ..Config::default() };
        config.env_pass = ["A", "B", "C"].map(str::to_owned).to_vec();
        config.run_budget.cost_usd = Some(6.0);
        let (lowered, found) = own().lowered(config);
        assert_eq!(
            told(&found),
            "max_workers 8→2; run.budget.cost_usd 6→5; log.max_size 2000→1000; env.pass B, C→A"
        );
        assert_eq!((lowered.max_workers, lowered.env_pass.len()), (2, 1));
        let strict = Config { max_workers: 1, log_bytes_max: 10, ..Config::default() };
        let (kept, found) = own().lowered(strict.clone());
        assert_eq!((kept.max_workers, kept.log_bytes_max, told(&found)), (1, 10, String::new()));
        // Where the plan says nothing, the user's word holds, and needs no telling.
        assert_eq!(kept.run_budget.cost_usd, Some(5.0));
        assert_eq!(Ceiling::default().lowered(strict.clone()), (strict, Vec::new()));
    }

    #[test]
    fn each_task_is_lowered_and_never_raised() {
        let mut spec = TaskSpec::new(TaskId::parse("a").unwrap(), "a.md");
        let policy = |spec: &TaskSpec| Policy::of(spec, None, &own().lowered(Config::default()).0);
        let bare = policy(&spec);
        assert_eq!(bare.timeout, Some(Duration::from_secs(60)));
        assert_eq!(bare.isolation, Some(Isolation::Worktree));
        spec.worker.timeout = Some(Duration::from_secs(90));
        spec.worker.isolation = Some(Isolation::None);
        spec.retry.max_attempts = Some(9);
        spec.budget.tokens = Some(101);
        let wide = policy(&spec);
        assert_eq!((wide.timeout, wide.isolation), (bare.timeout, bare.isolation));
        assert_eq!((wide.max_attempts, wide.budget.tokens), (3, Some(100)));
        let mut written = Policy::of(&spec, None, &Config::default());
        assert_eq!(
            told(&own().lower(&mut written)),
            "budget.tokens 101→100; retry.max_attempts 9→3; worker.timeout 1m30s→1m; \
             worker.isolation none→worktree"
        );
        spec.worker.timeout = Some(Duration::from_secs(5));
        spec.retry.max_attempts = Some(1);
        let strict = policy(&spec);
        assert_eq!((strict.timeout, strict.max_attempts), (Some(Duration::from_secs(5)), 1));
    }
}
