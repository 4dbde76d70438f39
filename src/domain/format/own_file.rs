//! The user's own settings: `orch/config.yaml` in the folder for their settings.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    config_file::{RawEnv, RawLog, RawRunLimits},
    decode::{UnknownKeys, decode},
    document::{open_yaml, refusal},
    fault::in_file,
    field::{Field, List},
    number::{Attempts, Time, Workers},
    parts::RawBudget,
    value::Word,
};
use crate::domain::model::{
    ceiling::{Ceiling, Edits, Own},
    diagnostic::Diagnostic,
    task::{Budget, Isolation},
};

/// The user's own settings, as they are written. All but `trust` says what any plan may do at most.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `trust`")]
#[schemars(title = "Own", description = "The user's own settings (orch/config.yaml)")]
pub struct RawOwn {
    /// What counts as approved.
    pub trust: Field<RawTrust>,
    /// Most workers side by side.
    pub max_workers: Field<Workers>,
    /// How long an attempt may take at most, and how far apart a worker is kept at least.
    pub worker: Field<RawOwnWorker>,
    /// How many attempts may fail at most before a task failed.
    pub retry: Field<RawOwnRetry>,
    /// What one task may use up at most.
    pub budget: Field<RawBudget>,
    /// What one run may use up at most.
    pub run: Field<RawRunLimits>,
    /// Which variables workers may get, beside the built-in ones; all that a plan names, where this
    /// says nothing.
    pub env: Field<RawEnv>,
    /// Most room for the log of one attempt.
    pub log: Field<RawLog>,
}

/// What counts as approved.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `edits`, `folders` and `protect`")]
#[schemars(rename = "Trust")]
pub struct RawTrust {
    /// What becomes of changes that you make in the files: `accept` (they stay approved, unless a
    /// worker was at work that could have made them), `always`, or `ask`.
    pub edits: Field<Edits>,
    /// Folders in which everything is approved, whatever it says.
    pub folders: Field<List<Word>>,
    /// Branches for `orch run --trust`; default: `main` and `master`.
    pub protect: Field<List<Word>>,
}

/// How the work is done at most.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the keys `timeout` and `isolation`")]
#[schemars(rename = "OwnWorker")]
pub struct RawOwnWorker {
    /// How long one attempt may take at most.
    pub timeout: Field<Time>,
    /// How far apart a worker is kept at least.
    pub isolation: Field<Isolation>,
}

/// How often it is tried at most.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with the key `max_attempts`")]
#[schemars(rename = "OwnRetry")]
pub struct RawOwnRetry {
    /// How many attempts may fail at most before a task failed.
    pub max_attempts: Field<Attempts>,
}

/// Reads the user's own settings; `path` is what they are called in diagnostics.
pub fn parse(path: &str, bytes: &[u8]) -> (Own, Vec<Diagnostic>) {
    let (text, root) = match open_yaml(bytes) {
        Ok(opened) => opened,
        Err(fault) => return (Own::default(), refusal(fault, path, bytes)),
    };
    let mut faults = Vec::new();
    let raw: RawOwn = decode(&root, UnknownKeys::Warn, &mut faults);
    (own(raw), in_file(faults, path, text))
}

fn own(raw: RawOwn) -> Own {
    let RawOwn { trust, max_workers, worker, retry, budget, run, env, log } = raw;
    let (trust, worker) = (trust.value.unwrap_or_default(), worker.value.unwrap_or_default());
    let words = |list: Field<List<Word>>| {
        list.value.map(|list| list.values().map(|word| word.0).collect::<Vec<_>>())
    };
    let budget_of = |budget: Field<RawBudget>| -> Budget {
        budget.value.map(|budget| budget.spec()).unwrap_or_default()
    };
    let pass = env.value.and_then(|env| env.pass.value);
    let ceiling = Ceiling {
        max_workers: max_workers.value.map(|n| n.0),
        run_budget: budget_of(run.value.unwrap_or_default().budget),
        budget: budget_of(budget),
        max_attempts: retry.value.and_then(|retry| retry.max_attempts.value).map(|n| n.0),
        timeout: worker.timeout.value.map(|time| time.0),
        isolation: worker.isolation.value,
        env_pass: pass.map(|names| names.values().map(|name| name.0).collect()),
        log_bytes_max: log.value.and_then(|log| log.max_size.value).map(|size| size.0),
    };
    Own {
        edits: trust.edits.value,
        folders: words(trust.folders).unwrap_or_default(),
        protect: words(trust.protect),
        ceiling,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_settings_are_read() {
        let text = "trust: {edits: ask, folders: [/home/me/own, ~/x], protect: [main]}\n\
                    max_workers: 2\nworker: {timeout: 1h, isolation: worktree}\n\
                    retry: {max_attempts: 3}\nbudget: {tokens: 10k}\nrun: {budget: {cost_usd: 5}}\n\
                    env: {pass: [A]}\nlog: {max_size: 1MiB}\n";
        let (own, diagnostics) = parse("config.yaml", text.as_bytes());
        assert_eq!(diagnostics, []);
        expect_test::expect![[r#"
            Own {
                edits: Some(
                    Ask,
                ),
                folders: [
                    "/home/me/own",
                    "~/x",
                ],
                protect: Some(
                    [
                        "main",
                    ],
                ),
                ceiling: Ceiling {
                    max_workers: Some(
                        2,
                    ),
                    run_budget: Budget {
                        tokens: None,
                        cost_usd: Some(
                            5.0,
                        ),
                        time: None,
                        attempts: None,
                    },
                    budget: Budget {
                        tokens: Some(
                            10000,
                        ),
                        cost_usd: None,
                        time: None,
                        attempts: None,
                    },
                    max_attempts: Some(
                        3,
                    ),
                    timeout: Some(
                        3600s,
                    ),
                    isolation: Some(
                        Worktree,
                    ),
                    env_pass: Some(
                        [
                            "A",
                        ],
                    ),
                    log_bytes_max: Some(
                        1048576,
                    ),
                },
            }
        "#]]
        .assert_eq(&format!("{own:#?}\n"));
        assert_eq!(parse("config.yaml", b""), (Own::default(), Vec::new()));
    }

    #[test]
    fn faults_are_told_with_their_place() {
        let text = "trust: {edits: never, folder: x}\nmax_workers: no\nenv: [A]\n";
        let told: String = parse("config.yaml", text.as_bytes())
            .1
            .iter()
            .map(|d| format!("{} {}\n", d.primary.span.line, d.message))
            .collect();
        expect_test::expect![[r#"
            1 `never` is not an answer to edits
            1 unknown key `folder` in `trust`
            2 `max_workers` is text where a whole number is expected
            3 `env` is a list where a mapping with the keys `pass` and `secret` is expected
        "#]]
        .assert_eq(&told);
    }
}
