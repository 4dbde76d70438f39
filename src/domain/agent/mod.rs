//! Coding agents: how each is started without a person, and what its output tells of what it used
//! and of limits that it ran into.
//!
//! One file per agent holds all that is known of it. Where a prompt can come by standard input it
//! does: arguments are visible to everybody on the machine.

mod aider;
mod claude;
mod codex;
mod copilot;
mod cursor;
mod gemini;
mod line;
mod opencode;
mod resets;
mod state;
mod words;

#[cfg(test)]
mod tests;

use self::{line::Line, state::State};
use super::model::{
    agent::Agent,
    attempt::{Usage, UsageLimit},
    command,
    config::Policy,
    time::LocalTime,
};

/// The variables by which all of them are told how to reach the network.
const NETWORK: &[&str] = &[
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Returns what is started for an attempt, program first: the command where there is one, else the
/// agent. `None` where there is neither. The prompt stands in the file `prompt` and comes by
/// standard input as well.
pub fn started(policy: &Policy, prompt: &str) -> Option<Vec<String>> {
    if let Some(command) = &policy.command {
        return Some(command::argv(command));
    }
    policy.agent.map(|agent| agent.argv(policy.model.as_deref(), prompt))
}

/// Says whether a variable of an agent holds a key: such ones are secret without being named.
pub fn is_key(variable: &str) -> bool {
    variable.ends_with("_KEY") || variable.ends_with("_TOKEN")
}

impl Agent {
    /// Returns how it is started, program first.
    pub fn argv(self, model: Option<&str>, prompt: &str) -> Vec<String> {
        let arguments = match self {
            Self::Claude => claude::ARGUMENTS,
            Self::Codex => codex::ARGUMENTS,
            Self::Gemini => gemini::ARGUMENTS,
            Self::Aider => aider::ARGUMENTS,
            Self::Opencode => opencode::ARGUMENTS,
            Self::Copilot => copilot::ARGUMENTS,
            Self::Cursor => cursor::ARGUMENTS,
        };
        let mut argv = vec![self.program().to_owned()];
        argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        if let Some(model) = model {
            argv.extend(["--model".to_owned(), model.to_owned()]);
        }
        match self {
            // It reads standard input only where it is asked to.
            Self::Codex => argv.push("-".to_owned()),
            Self::Aider => argv.extend(["--message-file".to_owned(), prompt.to_owned()]),
            Self::Claude | Self::Gemini | Self::Opencode | Self::Copilot | Self::Cursor => {}
        }
        argv
    }

    /// Returns the environment variables by which it is told keys, accounts and servers.
    pub fn variables(self) -> Vec<&'static str> {
        let own = match self {
            Self::Claude => claude::VARIABLES,
            Self::Codex => codex::VARIABLES,
            Self::Gemini => gemini::VARIABLES,
            Self::Aider => aider::VARIABLES,
            Self::Opencode => opencode::VARIABLES,
            Self::Copilot => copilot::VARIABLES,
            Self::Cursor => cursor::VARIABLES,
        };
        [own, NETWORK].concat()
    }
}

/// What the output of an agent tells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// What it used so far; empty where it tells nothing.
    pub usage: Usage,
    /// The limit that it stands at: told of, and not followed by further work.
    pub limit: Option<UsageLimit>,
}

/// Reads the output of an agent line by line.
///
/// Only events of its stream, and lines that it writes itself in one known form, count: what an
/// agent says about limits while it works is no limit.
#[derive(Debug, Clone)]
pub struct Reader {
    agent: Agent,
    provider: String,
    state: State,
}

impl Reader {
    /// Starts to read what `agent` with this model writes.
    pub fn new(agent: Agent, model: Option<&str>) -> Self {
        Self { agent, provider: agent.provider(model), state: State::default() }
    }

    /// Reads one line, with or without its end. Any bytes will do; `local` is the time at which it
    /// was written.
    pub fn push(&mut self, line: &[u8], local: LocalTime) {
        let Some(line) = Line::read(line) else { return };
        if matches!(line, Line::Event(_)) {
            self.state.note_event();
        }
        let read = match self.agent {
            Agent::Claude => claude::read,
            Agent::Codex => codex::read,
            Agent::Gemini => gemini::read,
            Agent::Aider => aider::read,
            Agent::Opencode => opencode::read,
            Agent::Copilot => copilot::read,
            Agent::Cursor => cursor::read,
        };
        read(&line, &mut self.state, local);
    }

    /// Returns what was found so far.
    pub fn findings(&self) -> Findings {
        let limit = self.state.limit().map(|limit| UsageLimit {
            provider: self.provider.clone(),
            resets: limit.resets,
            words: limit.words.clone(),
        });
        Findings { usage: self.state.usage(), limit }
    }
}
