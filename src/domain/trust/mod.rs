//! What a plan would execute, in parts that a person approves by content.
//!
//! A part is named after what is executed (a task, a gate, a hook), and holds all that decides how,
//! after task, role and settings have spoken. So a changed role concerns its own tasks only, and
//! whatever is the same as before stays approved.

mod book;
mod parts;
mod ruling;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256};

use super::model::{
    hook::HookEvent,
    id::{RoleName, TaskId},
};

pub use book::{Book, Line};
pub use parts::{fingerprint, of_commands, of_plan, of_roles, of_settings, of_task};
pub use ruling::{Circumstances, Ruling, Why};

/// What is executed, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartName {
    /// What the settings say for all: variables, remotes, limits.
    Settings,
    /// What the settings say where neither task nor role does.
    Defaults,
    /// The commands for an event.
    Hook(HookEvent),
    /// The commands for a milestone.
    Milestone(String),
    /// The gate after a level.
    Gate(u32),
    /// What a role says, whether a task has it or not.
    Role(RoleName),
    /// The worker of a task, and what verifies its work.
    Task(TaskId),
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => f.write_str("settings"),
            Self::Defaults => f.write_str("defaults"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Hook(event) => write!(f, "hook {}", event.as_str()),
            Self::Milestone(name) => write!(f, "milestone {name}"),
            Self::Gate(level) => write!(f, "gate {level}"),
            Self::Task(id) => write!(f, "task {id}"),
        }
    }
}

impl PartName {
    /// Reads a name as it is shown.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ').unwrap_or((text, ""));
        let hook = |event: &HookEvent| event.as_str() == name;
        match kind {
            "settings" if name.is_empty() => Some(Self::Settings),
            "defaults" if name.is_empty() => Some(Self::Defaults),
            "role" => Some(Self::Role(RoleName(name.to_owned()))),
            "hook" => HookEvent::ALL.into_iter().find(hook).map(Self::Hook),
            "milestone" => Some(Self::Milestone(name.to_owned())),
            "gate" => name.parse().ok().map(Self::Gate),
            "task" => TaskId::parse(name).ok().map(Self::Task),
            _ => None,
        }
    }
}

/// A SHA-256 digest of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut bytes = [0; 32];
        for (at, slot) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
            *slot = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        is_hex.then_some(Self(bytes))
    }

    /// Returns that of a list of texts; no two lists have the same bytes.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        Self(hash.finalize().into())
    }

    /// Returns the first digits: enough to tell two apart by eye.
    pub fn short(self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One thing that would be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub name: PartName,
    /// Digest of its name and of all that decides how it is executed.
    pub fingerprint: Fingerprint,
    /// The files that say so, relative to the folder of the plan.
    pub sources: Vec<Arc<str>>,
    /// The same in words, a line for each fact, for a person. A text that is too long to be shown,
    /// and the value of a variable, have a few digits of their digest instead.
    pub lines: Vec<String>,
    /// Whether its author wants it done; of what is done or cancelled nothing is executed.
    pub is_open: bool,
}
