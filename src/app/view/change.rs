//! What changed in the files of the plan, for lines and for JSON.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::{
    model::diagnostic::Diagnostic,
    plan::diff::{Fate, FieldDiff, ItemDiff, PlanDiff},
};

/// What an edit, a checkout or a merge did to the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// Tasks, in the order of their ids.
    pub tasks: Vec<ItemChange>,
    /// Roles, in the order of their names.
    pub roles: Vec<ItemChange>,
    /// Settings.
    pub settings: Vec<FieldChange>,
}

impl PlanChange {
    /// Says whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.roles.is_empty() && self.settings.is_empty()
    }
}

/// What became of one task or role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemChange {
    /// Its id or name.
    pub id: String,
    /// `added`, `removed`, `renamed` or `changed`.
    pub change: &'static str,
    /// Its title, where it is a task that has one beside its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its id before, where it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Its file; where it was removed, the one it had.
    pub path: String,
    /// What is different, in the order in which the keys are documented; empty for what was added
    /// or removed.
    pub fields: Vec<FieldChange>,
}

/// What became of one key, or of the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The key as it stands in the file, with dots where it is nested (`completion.verify`);
    /// `body`, or `path` where the file was moved.
    pub field: String,
    /// What it was; `None` where it was not said, and for lists and the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What a list gained, in its order; of environment variables only the names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// What a list lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Environment variables with another value: it may be secret, so only their names are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

impl From<PlanDiff> for PlanChange {
    fn from(diff: PlanDiff) -> Self {
        Self {
            tasks: diff.tasks.into_iter().map(ItemChange::from).collect(),
            roles: diff.roles.into_iter().map(ItemChange::from).collect(),
            settings: diff.settings.into_iter().map(FieldChange::from).collect(),
        }
    }
}

impl From<ItemDiff> for ItemChange {
    fn from(diff: ItemDiff) -> Self {
        let change = diff.fate.as_str();
        let was = match diff.fate {
            Fate::Renamed { was } => Some(was),
            Fate::Added | Fate::Removed | Fate::Changed => None,
        };
        Self {
            id: diff.id,
            change,
            title: diff.title,
            was,
            path: diff.path.to_string(),
            fields: diff.fields.into_iter().map(FieldChange::from).collect(),
        }
    }
}

impl From<FieldDiff> for FieldChange {
    fn from(diff: FieldDiff) -> Self {
        let FieldDiff { field, from, to, added, removed, changed } = diff;
        Self { field, from, to, added, removed, changed }
    }
}

/// A fault in a file, in one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FaultView {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The name of the rule.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file, below the repository root.
    pub path: String,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// From 1; 0 where the whole line is meant.
    pub column: u32,
    /// What to do.
    pub help: Option<String>,
}

impl From<&Diagnostic> for FaultView {
    fn from(found: &Diagnostic) -> Self {
        Self {
            severity: found.severity.as_str(),
            code: found.code,
            message: found.message.clone(),
            path: found.primary.path.clone(),
            line: found.primary.span.line,
            column: found.primary.span.column,
            help: found.help.clone(),
        }
    }
}

impl FaultView {
    /// Returns those of `now` that are not in `before`, and the other way round. A fault that only
    /// moved to another line is the same.
    pub(in crate::app) fn news(
        before: &BTreeSet<Self>,
        now: &BTreeSet<Self>,
    ) -> (Vec<Self>, Vec<Self>) {
        let key = |fault: &Self| (fault.code, fault.message.clone(), fault.path.clone());
        let other = |one: &BTreeSet<Self>, than: &BTreeSet<Self>| -> Vec<Self> {
            let known: BTreeSet<_> = than.iter().map(key).collect();
            one.iter().filter(|fault| !known.contains(&key(fault))).cloned().collect()
        };
        (other(now, before), other(before, now))
    }
}
