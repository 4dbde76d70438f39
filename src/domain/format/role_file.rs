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
    parts::{RawCompletion, RawLoop, RawRetry, RawWorker},
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
    /// For tasks that do not say whether they are a loop.
    #[serde(rename = "loop")]
    pub repeat: Field<RawLoop>,
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
        repeat: raw.repeat.value.map(|repeat| repeat.spec()),
        persona: file.body.trim().to_owned(),
        digest: Arc::default(),
    });
    (role, in_file(faults, path, file.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_role_has_limits_and_a_persona() {
        let text = "---\ndescription: servers\nmax_workers: 2\nworker: {timeout: 5m}\n\
                    completion: {verify: make}\nretrys: {}\n---\nYou write servers.\n";
        let (role, diagnostics) = parse(".orch/roles/backend.md", text.as_bytes());
        let codes: Vec<_> = diagnostics.iter().map(|d| (d.code, d.help.as_deref())).collect();
        assert_eq!(codes, [("unknown-key", Some("did you mean `retry`?"))]);
        let role = role.unwrap();
        assert_eq!((role.name.0.as_str(), role.max_workers), ("backend", Some(2)));
        assert_eq!(role.worker.timeout, Some(Duration::from_secs(300)));
        assert_eq!(role.completion.verify.len(), 1);
        assert_eq!(role.persona, "You write servers.");
    }

    #[test]
    fn a_role_needs_no_front_matter() {
        let (role, diagnostics) = parse(".orch/roles/a.md", b"You write.\n");
        assert_eq!((role.unwrap().persona.as_str(), diagnostics), ("You write.", Vec::new()));
        let (role, diagnostics) = parse(".orch/roles/a b.md", b"");
        assert_eq!((role, diagnostics.first().map(|d| d.code)), (None, Some("bad-role")));
    }
}
