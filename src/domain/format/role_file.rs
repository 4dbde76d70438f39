//! Role files: `.orch/roles/<name>.md`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    decode::{UnknownKeys, decode},
    document::{open_markdown, refusal},
    fault::{Fault, in_file},
    field::Field,
    layout,
    number::Workers,
    parts::{RawCompletion, RawRetry, RawWorker},
    value::{FromText as _, Word},
};
use crate::domain::model::{config::Role, diagnostic::Diagnostic, id::RoleName, place::Span};

/// The front matter of a role, as it is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, expecting = "a mapping with keys such as `max_workers`")]
#[schemars(title = "Role", description = "Front matter of a role file (.orch/roles/<name>.md)")]
pub struct RawRole {
    /// What the role is for, on one line.
    pub description: Field<Word>,
    /// Most workers of this role side by side.
    pub max_workers: Field<Workers>,
    /// For tasks that do not say how they are worked on.
    pub worker: Field<RawWorker>,
    /// For tasks that do not say what happens after a failed attempt.
    pub retry: Field<RawRetry>,
    /// For tasks that name no verify commands.
    pub completion: Field<RawCompletion>,
}

/// Reads a role file; `path` is relative to the repository root, with `/`.
pub fn parse(path: &str, bytes: &[u8]) -> (Option<Role>, Vec<Diagnostic>) {
    let file = match open_markdown(bytes) {
        Ok(file) => file,
        Err(fault) => return (None, refusal(fault, path, bytes)),
    };
    let mut faults = Vec::new();
    let raw: RawRole = match &file.head {
        Some(head) => decode(head, UnknownKeys::Warn, &mut faults),
        None => RawRole::default(),
    };
    let name = match RoleName::from_text(layout::stem(path)) {
        Ok(name) => Some(name),
        Err(fault) => {
            let fault = Fault::error(fault.code, Span::new(1, 1, 0), fault.message);
            faults.push(fault.with_help("rename the file"));
            None
        }
    };
    let role = name.map(|name| Role {
        name,
        path: Arc::from(path),
        max_workers: raw.max_workers.value.map(|n| n.0),
        worker: raw.worker.value.map(RawWorker::spec).unwrap_or_default(),
        retry: raw.retry.value.map(|retry| retry.spec()).unwrap_or_default(),
        completion: raw.completion.value.map(RawCompletion::spec).unwrap_or_default(),
        persona: file.body.trim().to_owned(),
    });
    (role, in_file(faults, path, file.text))
}
