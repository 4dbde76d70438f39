//! Workflows for continuous integration: written once, then the user's own.

use std::path::Path;

use super::init::write;
use crate::{
    app::{error::AppError, view::write::InitFile},
    io::{git, store::Store},
};

const GITHUB: &str = include_str!("../../../templates/ci-github.yml");
const GITHUB_COMMENT: &str = include_str!("../../../templates/ci-github-comment.yml");
const GITLAB: &str = include_str!("../../../templates/ci-gitlab.yml");

/// The file that GitLab reads.
const GITLAB_MAIN: &str = ".gitlab-ci.yml";

/// Where ours goes where that file is somebody's already.
const GITLAB_BESIDE: &str = ".gitlab/ci/orch.yml";

/// Where merge requests are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// Writes the workflows for the plan in `root` into the top folder of its repository. Returns the
/// files, and what is left to do by hand.
///
/// # Errors
/// [`AppError::Store`] where a file cannot be written.
pub(super) fn add(root: &Path, host: Host) -> Result<(Vec<InitFile>, Option<String>), AppError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = real(root);
    let top = git::repository_root(&root).map_or_else(|| root.clone(), |top| real(&top));
    let folder = root.strip_prefix(&top).ok().and_then(Path::to_str).unwrap_or_default();
    let folder = if folder.is_empty() { "." } else { folder };
    let filled = |text: &str| text.replace("{{folder}}", &quoted(folder));
    let store = Store::at(&top);
    let mut files = Vec::new();
    let mut note = None;
    match host {
        Host::Github => {
            for (name, text) in [("orch.yml", GITHUB), ("orch-comment.yml", GITHUB_COMMENT)] {
                files.push(write(&store, &format!(".github/workflows/{name}"), &filled(text))?);
            }
        }
        Host::Gitlab => {
            let text = filled(GITLAB);
            let main = write(&store, GITLAB_MAIN, &text)?;
            let is_ours =
                || store.read_file(GITLAB_MAIN).is_ok_and(|bytes| bytes == text.as_bytes());
            if main.is_new || is_ours() {
                files.push(main);
            } else {
                files.push(write(&store, GITLAB_BESIDE, &text)?);
                note =
                    Some(format!("add to {GITLAB_MAIN}: `include: [{{local: {GITLAB_BESIDE}}}]`"));
            }
        }
    }
    // Files are named from the plan on.
    let n_up = if folder == "." { 0 } else { folder.split('/').count() };
    for file in &mut files {
        file.path.insert_str(0, &"../".repeat(n_up));
    }
    Ok((files, note))
}

/// Returns a text as YAML between single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
