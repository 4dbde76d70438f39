//! Plans of any files: what changed between two of them, and what is wrong with each.

use std::{collections::BTreeSet, sync::Arc};

use orch::domain::{
    format::{
        config_file, role_file,
        task_file::{self, Reading},
    },
    model::{config::Config, task::TaskSpec},
    plan::{
        Plan, build,
        diff::{Fate, ItemDiff, PlanDiff, diff, executed},
        rules::{self, Progress},
    },
};

/// Two plans, one behind the other: a line `====` stands between them, and each file stands below a
/// line `== ` with the first letter of its kind and its name.
pub(super) fn plan_diff(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_once("\n====\n").unwrap_or((&text, ""));
    let (before, after) = (plan(before), plan(after));
    for plan in [&before, &after] {
        assert_eq!(diff(plan, plan), PlanDiff::default());
        check(plan);
    }
    let (there, back) = (diff(&before, &after), diff(&after, &before));
    assert_eq!(there.is_empty(), back.is_empty());
    assert_items(&there.tasks, &back.tasks, &ids(&before), &ids(&after));
    assert_items(&there.roles, &back.roles, &names(&before), &names(&after));
    assert_eq!(there.settings.len(), back.settings.len());
    let told = executed(&there, &before, &after);
    assert!(told.iter().all(|told| !told.fields.is_empty()));
}

/// Reads the files of a plan.
fn plan(text: &str) -> Plan {
    let (mut tasks, mut roles, mut config) = (Vec::new(), Vec::new(), Config::default());
    let mut known = BTreeSet::new();
    for file in text.split("== ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap_or((file, ""));
        if !known.insert(name) {
            continue;
        }
        match name.split_at_checked(1) {
            Some(("t", name)) => {
                let path = format!(".orch/tasks/{name}.md");
                let file = task_file::parse(&path, text.as_bytes(), Reading::Whole);
                let digest = Arc::from(text);
                tasks.extend(file.spec.map(|spec| Arc::new(TaskSpec { digest, ..spec })));
            }
            Some(("r", name)) => {
                roles
                    .extend(role_file::parse(&format!(".orch/roles/{name}.md"), text.as_bytes()).0);
            }
            _ => config = config_file::parse(".orch/config.yaml", text.as_bytes()).0,
        }
    }
    build(tasks, roles, config)
}

/// Checks what is told of items against their names before and after.
fn assert_items(
    there: &[ItemDiff],
    back: &[ItemDiff],
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) {
    assert!(there.is_sorted_by(|a, b| a.id < b.id), "{there:?}");
    for item in there {
        let (was, is) = (before.contains(&item.id), after.contains(&item.id));
        let fits = match &item.fate {
            Fate::Added => !was && is && item.fields.is_empty(),
            Fate::Removed => was && !is && item.fields.is_empty(),
            Fate::Renamed { was: old } => !was && is && before.contains(old),
            Fate::Changed => was && is && !item.fields.is_empty(),
        };
        assert!(fits, "{item:?}");
    }
    let count = |items: &[ItemDiff], fate: &str| {
        items.iter().filter(|item| item.fate.as_str() == fate).count()
    };
    for (fate, mirrored) in [("changed", "changed"), ("added", "removed"), ("removed", "added")] {
        assert_eq!(count(there, fate), count(back, mirrored), "{there:?}\n{back:?}");
    }
    let n_new = count(there, "added") + count(there, "renamed");
    assert_eq!(n_new, after.difference(before).count(), "{there:?}");
}

fn ids(plan: &Plan) -> BTreeSet<String> {
    plan.specs().map(|spec| spec.id.value.to_string()).collect()
}

fn names(plan: &Plan) -> BTreeSet<String> {
    plan.roles().keys().map(|name| name.0.clone()).collect()
}

/// Goes through all that a plan can be asked.
fn check(plan: &Plan) {
    let recorded = |_| Progress::Open;
    let found = rules::check_all(&rules::Input { plan, unreadable: &[], recorded: &recorded });
    assert!(found.iter().all(|told| !told.message.is_empty()));
    assert_eq!(plan.topological_order().len(), plan.n_tasks());
    let path = plan.critical_path(|_| true);
    assert_eq!(path.is_empty(), plan.n_tasks() == 0);
    for task in plan.indices() {
        assert_eq!(plan.find(plan.id(task).as_str()), Some(task));
        assert!(
            plan.dependencies(task).iter().all(|other| plan.dependents(*other).contains(&task))
        );
        // A task that is written anew as it is changes nothing.
        if let Some(same) = plan.with_spec(plan.shared_spec(task)) {
            assert_eq!(same, *plan);
        }
    }
}
