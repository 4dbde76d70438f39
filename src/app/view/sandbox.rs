//! Whether tasks can run in sandboxes.

use serde::Serialize;

/// Whether tasks that ask for a sandbox are started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SandboxView {
    /// Why they are not; `null` where they are.
    pub cause: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}
