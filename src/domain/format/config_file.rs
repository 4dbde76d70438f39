//! The settings: `.orch/config.yaml`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    command::Command,
    decode::{UnknownKeys, decode},
    document::{open_yaml, refusal},
    fault::{Fault, in_file},
    field::{Field, List, Table},
    hook::RawHooks,
    milestone::RawMilestone,
    number::{Attempts, Count, Level, LogSize, Rescan, Room, Time, Version, Workers},
    parts::{RawBudget, RawRetry, RawWorker},
    value::{EnvName, Flag, RemoteName, Word},
};
use crate::domain::model::{
    ceiling::Edits,
    config::{BreakerSpec, Config, Durability, LevelGate, OnChange, WatchMode},
    diagnostic::Diagnostic,
    landing::{GitSpec, KeepSpec, LandingMode},
    limits::CHECK_TIMEOUT_DEFAULT,
    remote::{HostWord, RemoteSpec},
    task::Size,
};

/// The version of the format that is read.
const VERSION: u32 = 1;

/// The settings, as they are written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `max_workers`")]
#[schemars(title = "Config", description = "Settings (.orch/config.yaml)")]
pub struct RawConfig {
    /// Version of this format: 1.
    pub version: Field<Version>,
    /// Most workers side by side.
    pub max_workers: Field<Workers>,
    /// For tasks and roles that do not say how they are worked on.
    pub worker: Field<RawWorker>,
    /// For tasks and roles that do not say what happens after a failed attempt.
    pub retry: Field<RawRetry>,
    /// For tasks that do not say what they may use up.
    pub budget: Field<RawBudget>,
    /// What one run may use up.
    pub run: Field<RawRunLimits>,
    /// When so many workers die that nothing is started for a while.
    pub breaker: Field<RawBreaker>,
    /// For plans that several coordinators work on, each on a clone or a machine of its own.
    pub claims: Field<RawClaims>,
    /// What of the environment workers get.
    pub env: Field<RawEnv>,
    /// How much of the output of workers is kept.
    pub log: Field<RawLog>,
    /// How long the sizes S, M, L and XL are.
    pub estimates: Field<Table<Size, Time>>,
    /// Gates after levels, by level.
    pub levels: Field<Table<Level, RawLevelGate>>,
    /// What a record must survive: `process` (the death of the coordinator) or `power` (a power
    /// cut, too).
    pub durability: Field<Durability>,
    /// What becomes of a done task whose file or role changed since: `keep` (it is shown as stale)
    /// or `rerun` (it runs again).
    pub on_change: Field<OnChange>,
    /// How work comes to the branch that is checked out.
    pub git: Field<RawGit>,
    /// How changes of files are noticed.
    pub watch: Field<RawWatch>,
    /// Commands that are run when something happens, beside the run and without a say in it.
    pub hooks: Field<RawHooks>,
    /// What is to happen at milestones, by name.
    pub milestones: Field<Table<Word, RawMilestone>>,
    /// What becomes of changes, where that is to be stricter than the user's own settings.
    pub trust: Field<RawPlanTrust>,
}

/// What becomes of changes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `edits`")]
#[schemars(rename = "PlanTrust")]
pub struct RawPlanTrust {
    /// What becomes of changes that people make in the files: `ask` has each wait for approval.
    pub edits: Field<Edits>,
}

/// What holds for a run as a whole.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `budget`")]
#[schemars(rename = "RunLimits")]
pub struct RawRunLimits {
    /// What all its attempts together may use up.
    pub budget: Field<RawBudget>,
}

/// When so many workers die that nothing is started for a while.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `crashes`, `within` and `pause`")]
#[schemars(rename = "Breaker")]
pub struct RawBreaker {
    /// How many crashes, with no success between them; default: 5.
    pub crashes: Field<Attempts>,
    /// Within which time; default: 1m.
    pub within: Field<Time>,
    /// For how long nothing is started then; default: 5m.
    pub pause: Field<Time>,
}

/// For plans that several coordinators work on, each on a clone or a machine of its own.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `remote`")]
#[schemars(rename = "Claims")]
pub struct RawClaims {
    /// The git remote at which tasks are claimed before they start, `.` for the repository itself.
    pub remote: Field<RemoteName>,
}

/// How work comes to the branch that is checked out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `landing`")]
#[schemars(rename = "Git")]
pub struct RawGit {
    /// How verified work lands: as one commit (`squash`), behind a commit that merges the worker's
    /// own (`merge`), or as the worker's own, put upon the branch one by one (`rebase`).
    pub landing: Field<LandingMode>,
    /// Of how many tasks at most the work is verified together and lands as one commit, where it has
    /// to be verified again before it lands; default: 1.
    pub batch: Field<Workers>,
    /// Whether records and status files without work are committed, too.
    pub commit_state: Field<Flag>,
    /// Branches on which a run does not begin without being told to.
    pub protect: Field<List<Word>>,
    /// How much of what did not land `orch clean` leaves in its place.
    pub keep: Field<RawKeep>,
    /// The git remote to which `orch pr` pushes the branch; default: `origin`.
    pub remote: Field<RemoteName>,
    /// Where that remote must lead: `orch pr` refuses to push anywhere else.
    pub push_url: Field<Word>,
    /// What kind of host that is: `github` (`gh`), `gitlab` (`glab`), or `auto` (by its address).
    pub host: Field<HostWord>,
}

/// How much of what did not land is left in its place: worktrees of tasks that failed or are
/// blocked. The oldest ones beyond it go first.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `worktrees` and `size`")]
#[schemars(rename = "Keep")]
pub struct RawKeep {
    /// Most worktrees; default: 20.
    pub worktrees: Field<Count>,
    /// Most room for them together, as in `10GiB`; default: any.
    pub size: Field<Room>,
}

/// How changes of files are noticed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `rescan` and `mode`")]
#[schemars(rename = "Watch")]
pub struct RawWatch {
    /// Time between two looks at all files, from 100ms to 1h.
    pub rescan: Field<Rescan>,
    /// Who tells of changes: the system where it can (`auto`), or only the looks at all files
    /// (`poll`).
    pub mode: Field<WatchMode>,
}

/// How much of the output of workers is kept.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `max_size`")]
#[schemars(rename = "Log")]
pub struct RawLog {
    /// Most room for the log of one attempt; then its older half goes. From 256KiB; default: 64MiB.
    pub max_size: Field<LogSize>,
}

/// What of the environment workers get.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `pass` and `secret`")]
#[schemars(rename = "Env")]
pub struct RawEnv {
    /// Names of variables that are passed on, beside the built-in ones.
    pub pass: Field<List<EnvName>>,
    /// Names of variables whose values are kept out of logs and status files.
    pub secret: Field<List<EnvName>>,
}

/// What must hold before tasks of a higher level start.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `gate`")]
#[schemars(rename = "LevelGate")]
pub struct RawLevelGate {
    /// Commands, run one after the other in the repository root; all must exit 0.
    pub gate: Field<List<Command>>,
    /// A gate that is not required warns and opens.
    pub required: Field<Flag>,
    /// How long one command may take.
    pub timeout: Field<Time>,
}

impl RawGit {
    /// Returns what it means.
    fn spec(self) -> GitSpec {
        let known = GitSpec::default();
        let remote = RemoteSpec {
            name: self.remote.value.map_or(known.remote.name, |name| name.0),
            push_url: self.push_url.value.map(|url| url.0),
            host: self.host.value.unwrap_or_default(),
        };
        let protect = self.protect.value.map(List::values);
        GitSpec {
            landing: self.landing.value.unwrap_or_default(),
            batch: self.batch.value.map_or(known.batch, |batch| batch.0),
            commits_state: self.commit_state.value.map_or(known.commits_state, |flag| flag.0),
            protect: protect.map_or(known.protect, |all| all.map(|word| word.0).collect()),
            keep: self.keep.value.map(|keep| keep.spec()).unwrap_or_default(),
            remote,
        }
    }
}

impl RawKeep {
    /// Returns what it means.
    fn spec(&self) -> KeepSpec {
        let known = KeepSpec::default();
        KeepSpec {
            worktrees: self.worktrees.value.map_or(known.worktrees, |n| n.0),
            bytes: self.size.value.map(|size| size.0),
        }
    }
}

impl RawBreaker {
    /// Returns what it means.
    fn spec(&self) -> BreakerSpec {
        let known = BreakerSpec::default();
        BreakerSpec {
            crashes: self.crashes.value.map_or(known.crashes, |n| n.0),
            within: self.within.value.map_or(known.within, |time| time.0),
            pause: self.pause.value.map_or(known.pause, |time| time.0),
        }
    }
}

/// Reads the settings; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Config, Vec<Diagnostic>) {
    let (text, root) = match open_yaml(bytes) {
        Ok(opened) => opened,
        Err(fault) => return (Config::default(), refusal(fault, path, bytes)),
    };
    let mut faults = Vec::new();
    let raw: RawConfig = decode(&root, UnknownKeys::Warn, &mut faults);
    if let Some(Version(version)) = raw.version.value.filter(|version| version.0 != VERSION) {
        let message = format!("version {version} of the settings is not known");
        faults.push(
            Fault::error("unknown-version", raw.version.span, message)
                .with_help(format!("write `version: {VERSION}`, or use a newer `orch`")),
        );
    }
    let config = config(raw, &mut faults);
    (config, in_file(faults, path, text))
}

fn config(raw: RawConfig, faults: &mut Vec<Fault>) -> Config {
    let mut config = Config::default();
    if let Some(Workers(n)) = raw.max_workers.value {
        config.max_workers = n;
    }
    config.worker = raw.worker.value.map(RawWorker::spec).unwrap_or_default();
    config.retry = raw.retry.value.map(|retry| retry.spec()).unwrap_or_default();
    config.budget = raw.budget.value.map(|budget| budget.spec()).unwrap_or_default();
    let run = raw.run.value.and_then(|run| run.budget.value);
    config.run_budget = run.map(|budget| budget.spec()).unwrap_or_default();
    let claims = raw.claims.value.and_then(|claims| claims.remote.value);
    config.claim_remote = claims.map(|name| name.0);
    config.breaker = raw.breaker.value.map(|breaker| breaker.spec()).unwrap_or_default();
    let RawEnv { pass, secret } = raw.env.value.unwrap_or_default();
    let names = |list: Field<List<EnvName>>| {
        let names = list.value.map(List::values).into_iter().flatten();
        names.map(|name| name.0).collect::<Vec<String>>()
    };
    (config.env_pass, config.env_secret) = (names(pass), names(secret));
    if let Some(LogSize(bytes)) = raw.log.value.and_then(|log| log.max_size.value) {
        config.log_bytes_max = bytes;
    }
    for (size, time) in raw.estimates.value.map(|table| table.0).unwrap_or_default() {
        if let (Some(size), Some(Time(time))) = (size.value, time.value) {
            config.sizes.insert(size, time);
        }
    }
    for (level, gate) in raw.levels.value.map(|table| table.0).unwrap_or_default() {
        let (span, Some(Level(level)), Some(gate)) = (level.span, level.value, gate.value) else {
            continue;
        };
        let has_gate = gate.gate.span.is_known();
        let run: Vec<_> =
            gate.gate.value.map(List::values).into_iter().flatten().map(|c| c.0).collect();
        if run.is_empty() && !has_gate {
            let message = format!("level {level} has no `gate`");
            faults.push(
                Fault::warning("empty-gate", span, message)
                    .with_help("name its commands in `gate`, or remove the level"),
            );
            continue;
        }
        let is_required = gate.required.value.is_none_or(|flag| flag.0);
        let timeout = gate.timeout.value.map_or(CHECK_TIMEOUT_DEFAULT, |time| time.0);
        config.levels.insert(level, LevelGate { run, is_required, timeout });
    }
    config.durability = raw.durability.value.unwrap_or_default();
    config.on_change = raw.on_change.value.unwrap_or_default();
    if let Some(git) = raw.git.value {
        config.git = git.spec();
    }
    if let Some(watch) = raw.watch.value {
        config.watch.rescan = watch.rescan.value.map_or(config.watch.rescan, |time| time.0);
        config.watch.mode = watch.mode.value.unwrap_or_default();
    }
    config.hooks = raw.hooks.value.map(RawHooks::hooks).unwrap_or_default();
    let milestones = raw.milestones.value.map(|table| table.0).unwrap_or_default();
    let milestones = milestones.into_iter().filter_map(|(name, raw)| {
        Some((name.value?.0, raw.value.map(RawMilestone::spec).unwrap_or_default()))
    });
    config.milestones = milestones.collect();
    config.edits = raw.trust.value.and_then(|trust| trust.edits.value);
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use std::time::Duration;

    const PATH: &str = ".orch/config.yaml";

    #[test]
    fn all_settings_are_read() {
        let text = include_str!("../../../fixtures/format/config.yaml");
        let (config, diagnostics) = parse(PATH, text.as_bytes());
        assert_eq!(diagnostics, []);
        expect_test::expect_file!["../../../fixtures/format/config.txt"]
            .assert_eq(&format!("{config:#?}\n"));
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        for text in ["", "# all commented\n", "version: 1\n", "worker:\nlevels: {}\n"] {
            assert_eq!(parse(PATH, text.as_bytes()), (Config::default(), Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn faulty_settings_fall_back() {
        let text = "version: 2\nmax_workers: [4]\nenv: {pass: [PATH, a-b]}\nmax_worker: 2\n\
                    estimates: {S: 10m, XXL: 3h, M: soon}\n\
                    levels: {x: {gate: a}, 1: {required: no}, 2: {gate: a, timeout: 1h}}\ndurability: disk\non_change: redo\n\
                    watch: {rescan: 50ms, mode: events, often: x}\n\
                    hooks: {doen: a, done: [[]], failed: {run: a, timout: 1s}, review: {run: {}}}\n\
                    milestones: {a: {trigger: some}, b: {trigger: {percent: 101}}, c: [x]}\n";
        let (config, diagnostics) = parse(PATH, text.as_bytes());
        assert_eq!(config.max_workers, Config::default().max_workers);
        assert_eq!(config.env_pass, ["PATH"]);
        assert_eq!(config.sizes.get(&Size::S), Some(&Duration::from_secs(600)));
        assert_eq!((config.on_change, config.watch), Default::default());
        assert_eq!(config.levels.keys().copied().collect::<Vec<_>>(), [2]);
        let told: String = diagnostics
            .iter()
            .map(|d| {
                let (span, help) = (d.primary.span, d.help.as_deref().unwrap_or("-"));
                format!("{}:{} {} {} | {help}\n", span.line, span.column, d.code, d.message)
            })
            .collect();
        expect![[r#"
            1:10 unknown-version version 2 of the settings is not known | write `version: 1`, or use a newer `orch`
            2:14 wrong-type `max_workers` is a list where a whole number is expected | -
            3:20 bad-env-name `a-b` is not a name of an environment variable | use letters, digits and `_`, with no digit first
            4:1 unknown-key unknown key `max_worker` | did you mean `max_workers`?
            5:21 bad-estimate `XXL` is not a size | did you mean `XL`?
            5:33 bad-duration `soon` is not a duration | write it as `90s`, `30m`, `1h30m` or `2d`
            6:10 wrong-type a key of `levels` is text where a whole number is expected | -
            6:24 empty-gate level 1 has no `gate` | name its commands in `gate`, or remove the level
            6:38 wrong-type `levels.1.required` is text where `true` or `false` is expected | -
            7:13 bad-word `disk` is not a durability | write one of `process`, `power`
            8:12 bad-word `redo` is not an answer to a change | write one of `keep`, `rerun`
            9:17 bad-duration `50ms` is out of range | write a time from `100ms` to `1h`
            9:29 bad-word `events` is not a way to watch | write one of `auto`, `poll`
            9:37 unknown-key unknown key `often` in `watch` | the keys here are `rescan`, `mode`
            10:9 unknown-key unknown key `doen` in `hooks` | did you mean `done`?
            10:25 empty-command a command is empty | write a command, or remove the key
            10:47 unknown-key unknown key `timout` in `hooks.failed` | did you mean `timeout`?
            10:74 wrong-type `hooks.review.run` is a mapping where a list is expected | -
            11:27 bad-word `some` is not a trigger | write one of `all`, `first-failure`
            11:57 bad-number `101` is out of range | write a number from 0 to 100
            11:67 wrong-type `milestones.c` is a list where a mapping with keys such as `trigger` is expected | -
        "#]].assert_eq(&told);
    }
}
