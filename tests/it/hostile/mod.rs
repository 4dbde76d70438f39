//! Text and files of people who mean harm: nothing of them is run, followed, believed or shown as it
//! is.

mod bombs;
mod corpus;
mod environment;
mod forged;
mod paths;
mod permissions;
mod pushes;
mod shell;
mod shown;
mod source;
#[cfg(target_os = "linux")]
mod swaps;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::cli::Sandbox;

/// What no file may be called after a test.
const CANARY: &str = "canary";

/// Fails where a file below `folder` bears the name that payloads give to what they make.
fn assert_no_canary(folder: &Path, context: &str) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_ne!(entry.file_name(), CANARY, "{context}: {}", entry.path().display());
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    let everywhere = Path::new("/").join(CANARY);
    assert!(!everywhere.exists(), "{context}: {}", everywhere.display());
}

/// What lies below a folder: what of it would be another after a write.
fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let state = (about.size(), about.mode(), about.mtime(), about.mtime_nsec());
            if about.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path, state);
        }
    }
    found
}

/// Returns a call of `orch` that a shell makes after `before`, with the same environment.
fn after(before: &str, sandbox: &Sandbox, args: &[&str]) -> Command {
    let orch = sandbox.command(args);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
    command.arg(orch.get_program()).args(orch.get_args()).current_dir(sandbox.root()).env_clear();
    for (name, value) in orch.get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    command
}

/// Returns `text` as YAML in quotes.
fn quoted(text: &str) -> String {
    let written: String = text
        .chars()
        .map(|c| match c {
            ' ' | '0'..='9' | 'A'..='Z' | 'a'..='z' => c.to_string(),
            c => format!("\\U{:08x}", u32::from(c)),
        })
        .collect();
    format!("\"{written}\"")
}
