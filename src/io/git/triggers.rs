//! What the git folder holds that has git start programs or lead it elsewhere: settings, hooks,
//! attributes. Nothing of that runs by what is done here; but what a worker put there would run with
//! the next command that the user gives.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use git2::{Config, Error};

use super::Ground;

/// Most of a file that is compared.
const BYTES_MAX: u64 = 1024 * 1024;

/// Sections of the settings that have git start nothing, and that its own commands change.
const HARMLESS: [&str; 4] = ["branch.", "user.", "gc.", "maintenance."];

/// What has git start programs, by what it is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triggers(BTreeMap<String, Vec<u8>>);

impl Ground {
    /// Looks what the git folder holds that has git start programs or lead it elsewhere.
    pub fn triggers(&self) -> Triggers {
        Triggers::of(self.common_dir())
    }
}

impl Triggers {
    /// Looks at the git folder `common`.
    pub(super) fn of(common: &Path) -> Self {
        let mut found = Self::default();
        found.add_settings(common, "config");
        found.add_settings(common, "config.worktree");
        found.add_file(common, Path::new("info/attributes"));
        found.add_file(common, Path::new("objects/info/alternates"));
        for hook in names_in(&common.join("hooks")) {
            if hook.extension().is_none_or(|end| end != "sample") {
                found.add_file(common, &Path::new("hooks").join(hook));
            }
        }
        for name in names_in(&common.join("worktrees")) {
            let admin = Path::new("worktrees").join(name);
            found.0.insert(shown(common, &admin), Vec::new());
            for file in ["gitdir", "commondir", "config.worktree"] {
                found.add_file(common, &admin.join(file));
            }
        }
        found
    }

    /// As [`Self::changed_since`], of the settings only.
    pub fn settings_changed_since(&self, before: &Self) -> Vec<String> {
        let changes = self.changed_since(before).into_iter();
        changes.filter(|change| change.contains("/config")).collect()
    }

    /// Returns all of them, by what they are called, with what they hold.
    pub fn told(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Says in words what is not as it was before. Worktrees come and go, and are only looked at where
    /// they are on both sides.
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.0.keys().chain(before.0.keys()).collect();
        let is_there = |folder: &str| before.0.contains_key(folder) && self.0.contains_key(folder);
        let tell = |name: &&String| {
            let of_worktree = name.split_once("/worktrees/").map(|(git, rest)| {
                let own = rest.split('/').next().unwrap_or_default();
                format!("{git}/worktrees/{own}")
            });
            if of_worktree.is_some_and(|folder| !is_there(&folder)) {
                return None;
            }
            match (before.0.get(*name), self.0.get(*name)) {
                (Some(old), Some(new)) if old != new => Some(format!("{name} was changed")),
                (None, Some(_)) => Some(format!("{name} is new")),
                (Some(_), None) => Some(format!("{name} is gone")),
                _ => None,
            }
        };
        names.iter().filter_map(tell).collect()
    }

    fn add_file(&mut self, folder: &Path, file: &Path) {
        let path = folder.join(file);
        let Ok(about) = fs::symlink_metadata(&path) else { return };
        let mut content = if about.is_file() && about.len() <= BYTES_MAX {
            fs::read(&path).unwrap_or_default()
        } else {
            // A link is as good as the file: where it leads is what counts.
            let target = fs::read_link(&path).unwrap_or_default();
            format!("{} {}", target.display(), about.len()).into_bytes()
        };
        content.extend(about.permissions().mode().to_le_bytes());
        self.0.insert(shown(folder, file), content);
    }

    /// Adds settings one by one, so that it can be told which of them is another one.
    fn add_settings(&mut self, folder: &Path, file: &str) {
        let path = folder.join(file);
        match settings(&path) {
            Ok(all) => {
                for (key, value) in all {
                    let name = format!("`{key}` in {}", shown(folder, Path::new(file)));
                    self.0.entry(name).or_default().extend(value);
                }
            }
            Err(_) => self.add_file(folder, Path::new(file)),
        }
    }
}

/// Returns the settings in a file, but for those that start nothing.
fn settings(path: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut found = Vec::new();
    Config::open(path)?.entries(None)?.for_each(|entry| {
        let key = String::from_utf8_lossy(entry.name_bytes()).into_owned();
        let is_harmless = HARMLESS.iter().any(|section| key.starts_with(section));
        if !is_harmless || key.ends_with("hook") {
            let value = if entry.has_value() { entry.value_bytes() } else { b"" };
            found.push((key, [value, b"\n"].concat()));
        }
    })?;
    Ok(found)
}

/// Returns the names of all that is in a folder, sorted.
fn names_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.file_name().into()).collect();
    names.sort();
    names
}

/// Returns a file in the git folder as people name it.
fn shown(folder: &Path, file: &Path) -> String {
    Path::new(folder.file_name().unwrap_or_default()).join(file).display().to_string()
}
