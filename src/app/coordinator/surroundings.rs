//! What workers get of the settings beside their task: variables, secrets, and room for their log.

use std::{ffi::OsString, path::Path};

use crate::{
    domain::agent::is_key,
    domain::model::{agent::Agent, config::Config, config::Policy, secret},
    io::environment,
};

/// The variable that names the variables whose values are secret.
const SECRETS_VARIABLE: &str = "ORCH_SECRETS";

/// What holds for all workers.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// What all of them have in their environment.
    pub variables: Vec<(OsString, OsString)>,
    /// Names of variables whose values are kept out of logs and status files.
    secret: Vec<String>,
    /// Most bytes of one log.
    pub log_bytes_max: u64,
}

impl Surroundings {
    /// Returns what the settings say, with the present environment of this process.
    pub(super) fn of(config: &Config) -> Self {
        let mut variables = environment::allowed(&config.env_pass);
        environment::make_reachable(&mut variables);
        Self { variables, secret: config.env_secret.clone(), log_bytes_max: config.log_bytes_max }
    }

    /// Returns the environment of a worker under `policy`, as far as it is not its own.
    pub(super) fn variables_for(&self, policy: &Policy) -> Vec<(OsString, OsString)> {
        let mut names = policy.agent.map(Agent::variables).unwrap_or_default();
        names.retain(|name| !policy.env.contains_key(*name));
        let mut variables = self.variables.clone();
        variables.extend(environment::named(&names));
        let own = policy.env.iter().map(|(name, value)| (name.into(), value.into()));
        variables.extend(own);
        let secret: Vec<&str> = self.secret_names(policy).collect();
        if !secret.is_empty() {
            variables.push((SECRETS_VARIABLE.into(), secret.join(",").into()));
        }
        variables
    }

    /// Returns the values of `variables` that are kept out of logs and status files.
    pub(super) fn secrets(
        &self,
        policy: &Policy,
        variables: &[(OsString, OsString)],
    ) -> Vec<String> {
        values_of(variables, &self.secret_names(policy).collect::<Vec<_>>())
    }

    /// Returns the values that are kept out of the logs of gates and hooks, which belong to no worker.
    pub(super) fn common_secrets(&self) -> Vec<String> {
        let names: Vec<&str> = self.secret.iter().map(String::as_str).collect();
        values_of(&self.variables, &names)
    }

    /// The keys of agents are secret without being named.
    fn secret_names<'a>(&'a self, policy: &Policy) -> impl Iterator<Item = &'a str> {
        let of_agent = policy.agent.map(Agent::variables).unwrap_or_default();
        self.secret
            .iter()
            .map(String::as_str)
            .chain(of_agent.into_iter().filter(|name| is_key(name)))
    }
}

/// Returns the values of those of `variables` that have one of `names`.
fn values_of(variables: &[(OsString, OsString)], names: &[&str]) -> Vec<String> {
    let is_secret = |name: &OsString| names.iter().any(|secret| name == *secret);
    let found = variables.iter().filter(|(name, _)| is_secret(name));
    let values: Vec<String> =
        found.filter_map(|(_, value)| value.to_str().map(str::to_owned)).collect();
    secret::values(&values).into_iter().map(str::to_owned).collect()
}

/// Says whether a file holds one of `secrets`, and returns it without them.
pub(super) fn masked(bytes: &[u8], secrets: &[String]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_there = secrets.iter().any(|value| text.contains(value.as_str()));
    is_there.then(|| secret::mask(text, secrets))
}

/// Takes secrets out of what stands in the log `path` behind `offset`.
pub(super) fn mask_log(path: &Path, offset: u64, secrets: &[String]) {
    let secrets: Vec<Vec<u8>> = secrets.iter().map(|value| value.clone().into_bytes()).collect();
    if let Err(error) = crate::io::supervisor::mask_file(path, offset, secrets) {
        tracing::warn!(%error, "secrets may stand in a log");
    }
}
