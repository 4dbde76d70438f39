//! What stands in a claim, and what its ref is called.

use std::path::{Path, PathBuf};

use git2::Repository;

/// What stands in a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Words {
    pub(super) task: String,
    pub(super) host: String,
    pub(super) clone: String,
    pub(super) nonce: String,
    pub(super) at: String,
}

impl Words {
    pub(super) fn render(&self) -> String {
        let Self { task, host, clone, nonce, at } = self;
        format!("claim {task}\n\nhost: {host}\nclone: {clone}\nnonce: {nonce}\nat: {at}\n")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let task = lines.next()?.strip_prefix("claim ")?.to_owned();
        let mut words = Self { task, ..Self::default() };
        for (key, value) in lines.filter_map(|line| line.split_once(": ")) {
            let field = match key {
                "host" => &mut words.host,
                "clone" => &mut words.clone,
                "nonce" => &mut words.nonce,
                "at" => &mut words.at,
                _ => continue,
            };
            value.clone_into(field);
        }
        Some(words)
    }

    pub(super) fn described(&self) -> String {
        let Self { host, clone, at, .. } = self;
        format!("{host} (clone {clone}) since {at}")
    }
}

/// Returns what stands for the folder of the plan in its repository: nothing for the top folder,
/// `services=api=` for `services/api`.
pub(super) fn prefix(root: &Path) -> String {
    let top = Repository::discover(root).ok().and_then(|found| found.workdir().map(canonical));
    let root = canonical(root);
    let below = top.as_ref().and_then(|top| root.strip_prefix(top).ok());
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '%' };
    let parts = below.into_iter().flat_map(Path::iter);
    parts
        .map(|part| part.to_string_lossy().chars().map(plain).chain(['=']).collect::<String>())
        .collect()
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
