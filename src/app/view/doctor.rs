//! What `orch` finds around it.

use serde::Serialize;

use super::status::CoordinatorView;

/// What was looked at, and the figures behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DoctorView {
    /// One line for each thing that was looked at.
    pub checks: Vec<Check>,
    /// How many of them are warnings.
    pub n_warnings: usize,
    /// How many of them are errors.
    pub n_errors: usize,
    /// What was measured.
    #[serde(flatten)]
    pub figures: Figures,
}

/// How each protection stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SecurityView {
    /// One line for each thing that was looked at.
    pub checks: Vec<Check>,
    /// How many of them are warnings.
    pub n_warnings: usize,
    /// How many of them are errors.
    pub n_errors: usize,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// How it is, in words.
    pub message: String,
    /// What to do about it, where it is not well.
    pub help: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something works less well than it could.
    Warning,
    /// Something will not work.
    Error,
}

impl Verdict {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Check {
    /// Something is as it should be.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, message: message.into(), help: None }
    }

    /// Something works less well than it could.
    pub fn warning(
        name: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (message, help) = (message.into(), Some(help.into()));
        Self { name, verdict: Verdict::Warning, message, help }
    }

    /// Something will not work.
    pub fn error(name: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { verdict: Verdict::Error, ..Self::warning(name, message, help) }
    }
}

/// What was measured; `null` where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Whether the system told of the file that was written to find out.
    pub has_notices: Option<bool>,
    /// How many folders `orch watch` would watch.
    pub n_folders: u64,
    /// Most folders that one user may watch.
    pub max_user_watches: Option<u64>,
    /// Most watchers that one user may have.
    pub max_user_instances: Option<u64>,
    /// Most notices that wait to be read.
    pub max_queued_events: Option<u64>,
    /// The version of the program `git`.
    pub git_version: Option<String>,
    /// Since how many seconds a git command holds the index.
    pub index_locked_seconds: Option<u64>,
    /// The coordinator that is at work now.
    pub coordinator: Option<CoordinatorView>,
    /// Tasks of the plan.
    pub n_tasks: Option<usize>,
    /// Errors of the plan.
    pub n_plan_errors: Option<usize>,
    /// Warnings of the plan.
    pub n_plan_warnings: Option<usize>,
    /// Bytes that may still be written.
    pub free_bytes: Option<u64>,
    /// Bytes that the file system has.
    pub total_bytes: Option<u64>,
    /// Files that may still be made.
    pub free_inodes: Option<u64>,
    /// Files that the file system has room for.
    pub total_inodes: Option<u64>,
    /// Bytes of what is local: logs and prompts.
    pub local_bytes: u64,
    /// The type of the file system.
    pub file_system: Option<String>,
}
