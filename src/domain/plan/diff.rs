//! Two plans in, what changed between them out: key by key, whatever the place in the file.

mod executed;
mod facts;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Plan;
use crate::domain::model::{
    config::{Config, Role},
    task::TaskSpec,
};
use facts::{Fact, Value};

pub use executed::{ExecutedDiff, Subject, executed};

/// What changed from one plan to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanDiff {
    /// Tasks, in the order of their ids.
    pub tasks: Vec<ItemDiff>,
    /// Roles, in the order of their names.
    pub roles: Vec<ItemDiff>,
    /// Settings, in the order in which they are documented, and then the parts of level gates.
    pub settings: Vec<FieldDiff>,
}

impl PlanDiff {
    /// Says whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.roles.is_empty() && self.settings.is_empty()
    }
}

/// What became of one task or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemDiff {
    /// Its id or name; where it was removed, the one it had.
    pub id: String,
    /// Its title, where it has one beside its id.
    pub title: Option<String>,
    /// Its file; where it was removed, the one it had.
    pub path: Arc<str>,
    /// What became of it.
    pub fate: Fate,
    /// What is different, in the order in which the keys are documented; empty for what was added
    /// or removed.
    pub fields: Vec<FieldDiff>,
}

/// What became of a task or role as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It had another id or name.
    Renamed {
        /// The one it had.
        was: String,
    },
    /// Parts of it are different.
    Changed,
}

impl Fate {
    /// Returns the word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed { .. } => "renamed",
            Self::Changed => "changed",
        }
    }
}

/// What became of one key, of the body, or of the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldDiff {
    /// The key as it stands in the file, with dots where it is nested (`completion.verify`);
    /// `body`, or `path` where the file was moved.
    pub field: String,
    /// What it was; `None` where it was not said, and for lists and the body.
    pub from: Option<String>,
    /// What it is.
    pub to: Option<String>,
    /// What a list gained, in its order; the names of new environment variables.
    pub added: Vec<String>,
    /// What a list lost; the names of environment variables that are gone.
    pub removed: Vec<String>,
    /// The names of environment variables with another value.
    pub changed: Vec<String>,
}

/// Finds what changed from `before` to `after`.
///
/// Specs that both plans share are the same without a look; nothing here is quadratic.
pub fn diff(before: &Plan, after: &Plan) -> PlanDiff {
    let (old, new) = (tasks(before, after), tasks(after, before));
    PlanDiff {
        tasks: compare(&old, &new),
        roles: match Arc::ptr_eq(&before.roles, &after.roles) {
            true => Vec::new(),
            false => compare(&roles(before), &roles(after)),
        },
        settings: match Arc::ptr_eq(&before.config, &after.config) {
            true => Vec::new(),
            false => settings(&before.config, &after.config),
        },
    }
}

/// Returns what the settings say but for gates, each key with its value as one text; of
/// environment variables only the names.
pub fn settings_as_text(config: &Config) -> Vec<(String, String)> {
    let facts = facts::of_config(config).into_iter();
    facts.map(|fact| (fact.key.into_owned(), fact.value.text())).collect()
}

/// Returns what a role says, but for its name and its body, as keys and values; see
/// [`settings_as_text`].
pub fn role_as_text(role: &Role) -> Vec<(String, String)> {
    let facts = facts::of_role(role).into_iter();
    facts.map(|fact| (fact.key.into_owned(), fact.value.text())).collect()
}

/// A task or a role, as far as both are compared in the same way.
struct Item<'a> {
    name: &'a str,
    path: &'a Arc<str>,
    body: &'a str,
    /// Whether the body was read; otherwise it is empty, whatever the file says.
    is_whole: bool,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Task(&'a Arc<TaskSpec>),
    Role(&'a Role),
}

/// Returns the tasks of `plan` but for those that stand at the same place in `other`.
fn tasks<'a>(plan: &'a Plan, other: &Plan) -> Vec<Item<'a>> {
    let different = plan.indices().filter(|task| !plan.shares_spec(*task, other));
    let items = different.map(|task| plan.shared_spec(task)).map(|spec| Item {
        name: spec.id.value.as_str(),
        path: &spec.path,
        body: &spec.body,
        is_whole: !(spec.digest.is_empty() && spec.body.is_empty()),
        what: What::Task(spec),
    });
    items.collect()
}

fn roles(plan: &Plan) -> Vec<Item<'_>> {
    let items = plan.roles.values().map(|role| Item {
        name: &role.name.0,
        path: &role.path,
        body: &role.persona,
        is_whole: true,
        what: What::Role(role),
    });
    items.collect()
}

impl<'a> Item<'a> {
    fn facts(&self) -> Vec<Fact<'a>> {
        match self.what {
            What::Task(spec) => facts::of_task(spec),
            What::Role(role) => facts::of_role(role),
        }
    }

    fn title(&self) -> Option<&'a str> {
        match self.what {
            What::Task(spec) => facts::own_title(spec),
            What::Role(_) => None,
        }
    }

    /// Says whether nothing can have changed; false means that it takes a closer look.
    fn is_same(&self, other: &Self) -> bool {
        match (self.what, other.what) {
            (What::Task(own), What::Task(other)) => Arc::ptr_eq(own, other) || own == other,
            (What::Role(own), What::Role(other)) => own == other,
            (What::Task(_), What::Role(_)) | (What::Role(_), What::Task(_)) => false,
        }
    }

    /// Says whether its file says so little that it is no sign of having been another's before.
    fn is_blank(&self) -> bool {
        let has_facts = match self.what {
            What::Task(spec) => {
                let bare = TaskSpec::new(spec.id.value.clone(), "");
                facts::of_task(spec) != facts::of_task(&bare)
            }
            What::Role(_) => false,
        };
        self.body.trim().is_empty() && !has_facts
    }

    fn told(&self, fate: Fate, fields: Vec<FieldDiff>) -> ItemDiff {
        ItemDiff {
            id: self.name.to_owned(),
            title: self.title().map(str::to_owned),
            path: Arc::clone(self.path),
            fate,
            fields,
        }
    }
}

/// Compares two lists that are sorted by name.
fn compare(before: &[Item<'_>], after: &[Item<'_>]) -> Vec<ItemDiff> {
    let (mut removed, mut added, mut told) = (Vec::new(), Vec::new(), Vec::new());
    let (mut old_items, mut new_items) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old_items.peek(), new_items.peek()) {
            (Some(old), Some(new)) => old.name.cmp(new.name),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let old = if order.is_le() { old_items.next() } else { None };
        let new = if order.is_ge() { new_items.next() } else { None };
        match (old, new) {
            (Some(old), Some(new)) if !old.is_same(new) => {
                let fields = fields(old, new);
                if !fields.is_empty() {
                    told.push(new.told(Fate::Changed, fields));
                }
            }
            (Some(old), None) => removed.push(old),
            (None, Some(new)) => added.push(new),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    let renamed = renamed(&removed, &added);
    let names_before: BTreeSet<&str> = renamed.values().map(|old| old.name).collect();
    removed.retain(|old| !names_before.contains(old.name));
    told.extend(removed.iter().map(|old| old.told(Fate::Removed, Vec::new())));
    told.extend(added.iter().map(|new| match renamed.get(new.name) {
        Some(old) => new.told(Fate::Renamed { was: old.name.to_owned() }, fields(old, new)),
        None => new.told(Fate::Added, Vec::new()),
    }));
    told.sort_by(|a, b| a.id.cmp(&b.id));
    told
}

/// Finds which of `added` are items of `removed` with another name, by their new name.
///
/// Same file: the `id` in it was edited. Same content: the file was renamed, and the id follows
/// its name; this counts only where no other file could be meant.
fn renamed<'i, 'a>(
    removed: &[&'i Item<'a>],
    added: &[&'i Item<'a>],
) -> BTreeMap<&'a str, &'i Item<'a>> {
    let by_path: BTreeMap<&str, &Item<'_>> =
        removed.iter().map(|old| (&**old.path, *old)).collect();
    let mut renamed: BTreeMap<&str, &Item<'_>> = added
        .iter()
        .filter_map(|new| by_path.get(&**new.path).map(|old| (new.name, *old)))
        .collect();
    let taken: BTreeSet<&str> = renamed.values().map(|old| old.name).collect();
    let old_items = || removed.iter().filter(|old| !taken.contains(old.name));
    let new_items: Vec<_> = added.iter().filter(|new| !renamed.contains_key(new.name)).collect();
    // All facts are compared only where body and title give reason to.
    let likely: BTreeSet<_> = new_items.iter().map(|new| (new.body, new.title())).collect();
    let mut by_content: BTreeMap<_, (Vec<&Item<'_>>, Vec<&Item<'_>>)> = BTreeMap::new();
    for old in old_items().filter(|old| likely.contains(&(old.body, old.title()))) {
        by_content.entry((old.body, old.facts())).or_default().0.push(old);
    }
    if by_content.is_empty() {
        return renamed;
    }
    for new in new_items {
        if let Some((_, same)) = by_content.get_mut(&(new.body, new.facts())) {
            same.push(new);
        }
    }
    for (old, new) in by_content.into_values() {
        if let ([old], [new]) = (&*old, &*new)
            && !new.is_blank()
        {
            renamed.insert(new.name, old);
        }
    }
    renamed
}

/// Returns what is different between two forms of one task or role.
fn fields(old: &Item<'_>, new: &Item<'_>) -> Vec<FieldDiff> {
    let mut fields = differences(&old.facts(), &new.facts());
    if old.is_whole != new.is_whole {
        // One of them was not asked for the commands in its body.
        fields.retain(|field| field.field != facts::VERIFY);
    }
    if old.is_whole && new.is_whole && old.body != new.body {
        fields.push(FieldDiff::of("body"));
    }
    if old.path != new.path {
        let (from, to) = (Some(old.path.to_string()), Some(new.path.to_string()));
        fields.push(FieldDiff { from, to, ..FieldDiff::of("path") });
    }
    fields
}

fn settings(before: &Config, after: &Config) -> Vec<FieldDiff> {
    let mut fields = differences(&facts::of_config(before), &facts::of_config(after));
    for (level, new) in &after.levels {
        if let Some(old) = before.levels.get(level) {
            let (old, new) = (facts::of_level(*level, old), facts::of_level(*level, new));
            fields.extend(differences(&old, &new));
        }
    }
    fields
}

/// Compares two lists of facts with the same keys in the same order.
fn differences(old: &[Fact<'_>], new: &[Fact<'_>]) -> Vec<FieldDiff> {
    let pairs = old.iter().zip(new).filter(|(old, new)| old.value != new.value);
    pairs.filter_map(|(old, new)| difference(&new.key, &old.value, &new.value)).collect()
}

fn difference(key: &str, old: &Value<'_>, new: &Value<'_>) -> Option<FieldDiff> {
    let field = FieldDiff::of(key);
    match (old, new) {
        (Value::One(old), Value::One(new)) => {
            let text = |value: &Option<Cow<'_, str>>| value.as_deref().map(str::to_owned);
            Some(FieldDiff { from: text(old), to: text(new), ..field })
        }
        (Value::Set(old), Value::Set(new)) => {
            let (added, removed) = (missing(new, old), missing(old, new));
            let is_reordered = added.is_empty() && removed.is_empty();
            (!is_reordered).then_some(FieldDiff { added, removed, ..field })
        }
        (Value::Sequence(old), Value::Sequence(new)) => {
            Some(FieldDiff { added: missing(new, old), removed: missing(old, new), ..field })
        }
        (Value::Names(old), Value::Names(new)) => Some(variables(field, old, new)),
        _ => None,
    }
}

fn variables(
    field: FieldDiff,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> FieldDiff {
    let names = |of: &BTreeMap<String, String>, keep: &dyn Fn(&str, &str) -> bool| {
        let kept = of.iter().filter(|(name, value)| keep(name, value));
        kept.map(|(name, _)| name.clone()).collect()
    };
    FieldDiff {
        added: names(new, &|name, _| !old.contains_key(name)),
        removed: names(old, &|name, _| !new.contains_key(name)),
        changed: names(new, &|name, value| old.get(name).is_some_and(|was| was != value)),
        ..field
    }
}

/// Returns what `list` holds more often than `other`, in the order of `list`.
fn missing(list: &[Cow<'_, str>], other: &[Cow<'_, str>]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for item in other {
        *counts.entry(item).or_default() += 1;
    }
    let is_missing = |item: &&Cow<'_, str>| match counts.get_mut(&***item) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    };
    list.iter().filter(is_missing).map(ToString::to_string).collect()
}

impl FieldDiff {
    fn of(field: &str) -> Self {
        Self { field: field.to_owned(), ..Self::default() }
    }
}
