//! A new task file, made from a template and checked before it is written.

use crate::{
    app::{
        error::AppError,
        repository::{Repository, find_task},
        snapshot::Snapshot,
        view::write::Created,
    },
    domain::{
        format::{
            layout,
            task_file::{self, Reading},
            template::{self, NewTask},
        },
        model::{
            diagnostic::{Diagnostic, Severity},
            id::{RoleName, TaskId},
            next_id, suggest,
        },
    },
    io::store::{StoreError, read::ReadFault},
};

/// What is asked for, as it was typed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What the task is about.
    pub title: String,
    /// Its id; default: the next of the plan, or one made from the title.
    pub id: Option<String>,
    /// Who works on it.
    pub role: Option<String>,
    /// What must be done first.
    pub depends_on: Vec<String>,
    /// Its priority.
    pub priority: Option<String>,
    /// How long it takes.
    pub estimate: Option<String>,
    /// The target that it belongs to.
    pub milestone: Option<String>,
    /// Its level.
    pub level: Option<String>,
    /// The template in `.orch/templates`; default: `task`, or the built-in one.
    pub template: Option<String>,
}

/// The template that is used where none is named.
const TEMPLATE_DEFAULT: &str = "task";

/// Makes a task file.
///
/// # Errors
/// [`AppError::Usage`] where something that was typed does not fit the plan;
/// [`AppError::Store`] where the file cannot be written.
pub fn new(repository: &Repository, wanted: &Wanted) -> Result<Created, AppError> {
    let snapshot = repository.read(Reading::Head)?;
    let title = template::one_line(&wanted.title);
    if title.is_empty() {
        return Err(AppError::usage("the title is empty", "say in a few words what is to be done"));
    }
    let id = match &wanted.id {
        Some(id) => free_id(&snapshot, id)?,
        None => default_id(&snapshot, &title),
    };
    let task = NewTask {
        role: wanted.role.as_deref().map(|role| known_role(&snapshot, role)).transpose()?,
        depends_on: dependencies(&snapshot, &wanted.depends_on)?,
        priority: wanted.priority.clone(),
        estimate: wanted.estimate.clone(),
        milestone: wanted.milestone.clone(),
        level: wanted.level.clone(),
        title: title.clone(),
    };
    let (template_path, template) = find_template(repository, wanted.template.as_deref())?;
    let path = layout::task_path(&id);
    let unfit = |reason: String| {
        let message = format!("no task can be made from `{template_path}`: {reason}");
        AppError::usage(message, "mend the template, or name another with `--template`")
    };
    let unset = NewTask { title: title.clone(), ..NewTask::default() };
    let plain = template::fill(&template, &id, &unset).map_err(|fault| unfit(fault.to_string()))?;
    if let Some(fault) = first_error(&path, &plain) {
        return Err(unfit(fault.message));
    }
    let text = template::fill(&template, &id, &task).map_err(|fault| unfit(fault.to_string()))?;
    if let Some(fault) = first_error(&path, &text) {
        let help = fault.help.unwrap_or_else(|| "`orch new --help` says what it may be".to_owned());
        return Err(AppError::usage(fault.message, help));
    }
    repository.store().create(&path, text.as_bytes()).map_err(|error| match error {
        StoreError::Exists { path } => exists(&format!("`{path}` exists already")),
        error => error.into(),
    })?;
    Ok(Created { id: id.to_string(), title, path })
}

/// Returns the first error that a task file would have.
fn first_error(path: &str, text: &str) -> Option<Diagnostic> {
    let file = task_file::parse(path, text.as_bytes(), Reading::Whole);
    file.diagnostics.into_iter().find(|diagnostic| diagnostic.severity == Severity::Error)
}

fn exists(message: &str) -> AppError {
    AppError::usage(message, "choose another id with `--id`")
}

/// Checks an id that was typed.
fn free_id(snapshot: &Snapshot, typed: &str) -> Result<TaskId, AppError> {
    let id = TaskId::parse(typed).map_err(|fault| {
        let help = "use letters, digits, `.`, `_` and `-`, at most 64, as in `API-012`";
        AppError::usage(format!("task id `{typed}` {fault}"), help)
    })?;
    let plan = &snapshot.plan;
    if let Some(same) = plan.indices().find(|task| {
        let known = plan.id(*task).as_str();
        known.eq_ignore_ascii_case(typed)
    }) {
        let (known, path) = (plan.id(same), &plan.spec(same).path);
        let message = match known.as_str() == typed {
            true => format!("task `{known}` exists already: `{path}`"),
            false => format!("task `{known}` differs from `{typed}` by case only: `{path}`"),
        };
        return Err(exists(&message));
    }
    if let Some(record) = snapshot.attempts_of(&id).next() {
        let path = layout::run_path(&record.attempt);
        return Err(exists(&format!("an earlier task `{id}` left its record: `{path}`")));
    }
    Ok(id)
}

/// Returns the next id of the plan, which no task and no record has.
fn default_id(snapshot: &Snapshot, title: &str) -> TaskId {
    let plan = &snapshot.plan;
    let known = plan.indices().map(|task| plan.id(task).as_str());
    let recorded = snapshot.attempts.keys().map(|attempt| attempt.task.as_str());
    // A file that could not be read has no id in the plan, but a name.
    let faulty = snapshot.diagnostics.iter().map(|found| layout::stem(&found.primary.path));
    next_id::next_id(known, recorded.chain(faulty), title)
}

fn known_role(snapshot: &Snapshot, typed: &str) -> Result<RoleName, AppError> {
    let roles = snapshot.plan.roles();
    let name = RoleName(typed.to_owned());
    if roles.contains_key(&name) {
        return Ok(name);
    }
    let names = || roles.keys().map(|name| name.0.as_str());
    let help = match suggest::did_you_mean(typed, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if roles.is_empty() => format!("write `{}` first", layout::role_path(&name)),
        None => format!("known roles: {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(AppError::usage(format!("there is no role `{typed}`"), help))
}

/// Returns the dependencies that were typed, each once.
fn dependencies(snapshot: &Snapshot, typed: &[String]) -> Result<Vec<TaskId>, AppError> {
    let mut ids: Vec<TaskId> = Vec::new();
    for id in typed.iter().map(|id| id.trim()).filter(|id| !id.is_empty()) {
        let task = find_task(snapshot, id)?;
        let id = snapshot.plan.id(task);
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    Ok(ids)
}

/// Returns the template with this name, and what to call it.
fn find_template(
    repository: &Repository,
    name: Option<&str>,
) -> Result<(String, String), AppError> {
    let name = name.unwrap_or(TEMPLATE_DEFAULT);
    let path = format!("{}/{name}.md", layout::TEMPLATES_DIR);
    let store = repository.store();
    if TaskId::parse(name).is_err() {
        return Err(AppError::usage(
            format!("`{name}` is no name of a template"),
            format!("name a file of `{}` without `.md`", layout::TEMPLATES_DIR),
        ));
    }
    let fault = match store.read_file(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Ok((path, text)),
            Err(_) => "is not UTF-8".to_owned(),
        },
        Err(ReadFault::Missing) if name == TEMPLATE_DEFAULT => {
            return Ok(("the built-in template".to_owned(), super::init::TASK_TEMPLATE.to_owned()));
        }
        Err(fault) => fault.to_string(),
    };
    let names = store.list(layout::TEMPLATES_DIR)?;
    let known: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".md")).collect();
    let help = match suggest::did_you_mean(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave out `--template` for the built-in one".to_owned(),
        None => format!("known templates: {}", known.join(", ")),
    };
    Err(AppError::usage(format!("`{path}` {fault}"), help))
}
