//! A new `.orch` folder. Nothing that is there is overwritten.

use std::path::Path;

use super::{
    ci::{self, Host},
    trust,
};
use crate::{
    app::{
        error::AppError,
        repository::Repository,
        view::write::{InitFile, Initialized},
    },
    domain::format::layout,
    io::store::{Store, StoreError},
};

/// The task template that `orch new` uses where a repository has none of its own.
pub(super) const TASK_TEMPLATE: &str = include_str!("../../../templates/task.md");

const CONFIG: &str = include_str!("../../../templates/config.yaml");
const FIRST_TASK: &str = include_str!("../../../templates/first-task.md");
const ROLE: &str = include_str!("../../../templates/role.md");
const GITIGNORE: &str = include_str!("../../../templates/gitignore");

/// The name of the role that is made.
const ROLE_NAME: &str = "worker";

/// The id of the task that is made; `orch new` goes on counting from it.
const FIRST_ID: &str = "TASK-001";

/// Makes `.orch` in `folder`, which is made where it is missing, and workflows that check it.
///
/// # Errors
/// [`AppError::Store`] where a file cannot be written.
pub fn init(folder: &Path, ci: Option<Host>) -> Result<Initialized, AppError> {
    let store = Store::at(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
    store.create_root()?;
    store.make_folder(layout::ORCH_DIR)?;
    let above = store.root().parent().map(Store::discover);
    let outer = above.and_then(Result::ok).map(|outer| outer.root().display().to_string());
    let mut files = vec![
        write(&store, layout::CONFIG_PATH, CONFIG)?,
        write(&store, &format!("{}/.gitignore", layout::ORCH_DIR), GITIGNORE)?,
    ];
    files.push(write_first(&store, layout::ROLES_DIR, ROLE_NAME, ROLE)?);
    files.push(write_first(&store, layout::TASKS_DIR, FIRST_ID, FIRST_TASK)?);
    // What was there before is somebody else's word.
    if files.iter().all(|file| file.is_new) {
        trust::approve_own(&Repository::at(store.root()));
    }
    let mut note = None;
    if let Some(host) = ci {
        let (workflows, left) = ci::add(store.root(), host)?;
        files.extend(workflows);
        note = left;
    }
    Ok(Initialized { root: store.root().display().to_string(), files, outer, note })
}

/// Writes a file unless there is one.
pub(super) fn write(store: &Store, path: &str, text: &str) -> Result<InitFile, AppError> {
    let is_new = match store.create(path, text.as_bytes()) {
        Ok(()) => true,
        Err(StoreError::Exists { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(InitFile { path: path.to_owned(), is_new })
}

/// Writes an example into a folder unless somebody began to fill it.
fn write_first(store: &Store, dir: &str, name: &str, text: &str) -> Result<InitFile, AppError> {
    if store.list(dir)?.is_empty() {
        return write(store, &format!("{dir}/{name}.md"), text);
    }
    Ok(InitFile { path: format!("{dir}/"), is_new: false })
}
