//! A small plan in a repository of its own, to see a run in a few seconds.

use std::path::PathBuf;

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        use_case::{branch, trust},
    },
    domain::format::layout,
    io::{git, store::Store},
};

/// Everything that the demo is made of: path and text.
const FILES: [(&str, &str); 15] = [
    (".orch/.gitignore", include_str!("../../../templates/gitignore")),
    (".orch/config.yaml", include_str!("../../../templates/demo/config.yaml")),
    (".orch/roles/writer.md", include_str!("../../../templates/demo/roles/writer.md")),
    (".orch/tasks/PLAN-1.md", include_str!("../../../templates/demo/tasks/PLAN-1.md")),
    (".orch/tasks/PLAN-2.md", include_str!("../../../templates/demo/tasks/PLAN-2.md")),
    (".orch/tasks/PLAN-3.md", include_str!("../../../templates/demo/tasks/PLAN-3.md")),
    (".orch/tasks/BUILD-1.md", include_str!("../../../templates/demo/tasks/BUILD-1.md")),
    (".orch/tasks/BUILD-2.md", include_str!("../../../templates/demo/tasks/BUILD-2.md")),
    (".orch/tasks/BUILD-3.md", include_str!("../../../templates/demo/tasks/BUILD-3.md")),
    (".orch/tasks/BUILD-4.md", include_str!("../../../templates/demo/tasks/BUILD-4.md")),
    (".orch/tasks/BUILD-5.md", include_str!("../../../templates/demo/tasks/BUILD-5.md")),
    (".orch/tasks/CI-1.md", include_str!("../../../templates/demo/tasks/CI-1.md")),
    (".orch/tasks/SHIP-1.md", include_str!("../../../templates/demo/tasks/SHIP-1.md")),
    (".orch/tasks/SHIP-2.md", include_str!("../../../templates/demo/tasks/SHIP-2.md")),
    (".orch/tasks/SHIP-3.md", include_str!("../../../templates/demo/tasks/SHIP-3.md")),
];

/// What is run: the worker of all tasks, and a check.
const PROGRAMS: [(&str, &str); 2] = [
    ("work.sh", include_str!("../../../templates/demo/work.sh")),
    ("check-links.sh", include_str!("../../../templates/demo/check-links.sh")),
];

/// Makes the demo in a new folder for temporary files, which stays; returns it.
///
/// # Errors
/// [`AppError::System`], [`AppError::Store`] or [`AppError::Git`].
pub fn make() -> Result<(PathBuf, Repository), AppError> {
    let folder = tempfile::Builder::new()
        .prefix("orch-demo-")
        .tempdir()
        .map_err(|source| AppError::System { what: "make a temporary folder".to_owned(), source })?
        .keep();
    let store = Store::at(&folder);
    store.make_folder(layout::ORCH_DIR)?;
    for (path, text) in FILES {
        store.create(path, text.as_bytes())?;
    }
    for (path, text) in PROGRAMS {
        store.create_program(path, text.as_bytes())?;
    }
    git::init(&folder)?;
    git::commit_all(&folder, "demo: a plan of twelve tasks")?;
    let repository = Repository::open(&folder)?;
    // What is done lands on a branch of its own.
    branch::begin(&repository, "plan")?;
    trust::approve_own(&repository);
    Ok((folder, repository))
}
