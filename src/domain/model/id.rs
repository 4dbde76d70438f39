//! Names: of tasks, attempts, roles and gates.

use std::{borrow::Borrow, fmt, sync::Arc};

use super::limits::TASK_ID_LENGTH_MAX;

/// The name of a task: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, safe as a file name and as a part of a
/// branch name on every platform.
///
/// Cloning is cheap: the text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Arc<str>);

/// Why a text is not a task id. Shown after "task id `…` ".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFault {
    /// The text is empty.
    Empty,
    /// It has more than [`TASK_ID_LENGTH_MAX`] characters.
    TooLong,
    /// It starts with something else than a letter or a digit.
    BadStart(char),
    /// It holds a character outside of `A-Z a-z 0-9 . _ -`.
    BadCharacter(char),
    /// It holds `..`, or ends with `.` or `.lock`: git refuses these in a branch name.
    NotABranchName,
    /// It is a device name on Windows (`con`, `nul`, `com1`, …).
    DeviceName,
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => write!(f, "is longer than {TASK_ID_LENGTH_MAX} characters"),
            Self::BadStart(c) => {
                write!(f, "starts with `{}`, not with a letter or digit", c.escape_debug())
            }
            // Quotes and backslashes can be seen as they are.
            Self::BadCharacter(c @ ('\'' | '"' | '\\')) => write!(f, "contains `{c}`"),
            Self::BadCharacter(c) => write!(f, "contains `{}`", c.escape_debug()),
            Self::NotABranchName => f.write_str(
                "contains `..` or ends with `.` or `.lock`, which git refuses in a branch name",
            ),
            Self::DeviceName => f.write_str("is a device name on Windows"),
        }
    }
}

impl TaskId {
    /// Checks `text` against the rule for ids.
    ///
    /// # Errors
    /// The first fault found, in the order of [`IdFault`].
    pub fn parse(text: &str) -> Result<Self, IdFault> {
        let Some(first) = text.chars().next() else { return Err(IdFault::Empty) };
        if !first.is_ascii_alphanumeric() {
            return Err(IdFault::BadStart(first));
        }
        let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if let Some(c) = text.chars().find(|c| !allowed(c)) {
            return Err(IdFault::BadCharacter(c));
        }
        if text.len() > TASK_ID_LENGTH_MAX {
            return Err(IdFault::TooLong);
        }
        let lower = text.to_ascii_lowercase();
        if text.contains("..") || text.ends_with('.') || lower.ends_with(".lock") {
            return Err(IdFault::NotABranchName);
        }
        if is_device_name(lower.split('.').next().unwrap_or_default()) {
            return Err(IdFault::DeviceName);
        }
        Ok(Self(text.into()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Says whether Windows reserves `stem` (lower case, without extension) for a device.
fn is_device_name(stem: &str) -> bool {
    matches!(stem, "con" | "prn" | "aux" | "nul")
        || ["com", "lpt"].iter().any(|device| {
            stem.strip_prefix(device).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']))
        })
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for TaskId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One try at one task. Numbers start at 1 and only grow.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    /// The task that is tried.
    pub task: TaskId,
    /// Which try it is, from 1.
    pub number: u32,
}

impl AttemptId {
    /// Returns the name of try `number` at `task`.
    pub fn new(task: TaskId, number: u32) -> Self {
        Self { task, number }
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.number)
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The name of a role: the file name below `.orch/roles` without `.md`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(pub String);

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of an outside fact that a task may wait for, for example `approval` or `ci/build`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateName(pub String);

impl GateName {
    /// The gate that `orch approve` opens.
    pub const APPROVAL: &'static str = "approval";

    /// Says whether `text` is a gate name: parts of `[A-Za-z0-9][A-Za-z0-9._-]*` joined by `/`,
    /// so that it is a safe relative path below `.orch/events`.
    pub fn is_valid(text: &str) -> bool {
        text.len() <= 2 * TASK_ID_LENGTH_MAX
            && text.split('/').all(|part| TaskId::parse(part).is_ok())
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_names() {
        let table: &[(&str, Result<(), IdFault>)] = &[
            ("API-012", Ok(())),
            ("a", Ok(())),
            ("1.2_3-x", Ok(())),
            ("", Err(IdFault::Empty)),
            ("-rf", Err(IdFault::BadStart('-'))),
            (".hidden", Err(IdFault::BadStart('.'))),
            ("a/b", Err(IdFault::BadCharacter('/'))),
            ("a\\b", Err(IdFault::BadCharacter('\\'))),
            ("$(touch x)", Err(IdFault::BadStart('$'))),
            ("a b", Err(IdFault::BadCharacter(' '))),
            ("tâche", Err(IdFault::BadCharacter('â'))),
            ("a..b", Err(IdFault::NotABranchName)),
            ("a.", Err(IdFault::NotABranchName)),
            ("a.LOCK", Err(IdFault::NotABranchName)),
            ("NUL", Err(IdFault::DeviceName)),
            ("com1.x", Err(IdFault::DeviceName)),
            ("com", Ok(())),
        ];
        for (text, expected) in table {
            assert_eq!(TaskId::parse(text).map(drop), *expected, "{text:?}");
        }
        assert_eq!(TaskId::parse(&"x".repeat(64)).map(drop), Ok(()));
        assert_eq!(TaskId::parse(&"x".repeat(65)).map(drop), Err(IdFault::TooLong));
    }
}
