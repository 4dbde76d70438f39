//! Commands of others that are at work in a folder.

use std::{fs, path::Path};

use super::unix::pids;

/// Commands of git that neither change the checkout nor count on the branch staying where it is.
const READERS: [&str; 43] = [
    "annotate",
    "archive",
    "blame",
    "bundle",
    "cat-file",
    "commit-graph",
    "config",
    "count-objects",
    "credential",
    "credential-cache--daemon",
    "daemon",
    "describe",
    "diff",
    "fetch",
    "for-each-ref",
    "fsck",
    "fsmonitor--daemon",
    "gc",
    "grep",
    "help",
    "instaweb",
    "log",
    "ls-files",
    "ls-remote",
    "ls-tree",
    "maintenance",
    "multi-pack-index",
    "pack-objects",
    "pack-refs",
    "prune",
    "prune-packed",
    "push",
    "reflog",
    "remote",
    "repack",
    "rev-list",
    "rev-parse",
    "shortlog",
    "show",
    "status",
    "upload-pack",
    "web--browse",
    "worktree",
];

/// Commands of git that remove objects.
const TIDIERS: [&str; 5] = ["gc", "maintenance", "prune", "prune-packed", "repack"];

/// Folders of the checkout in which workers run git as they like.
const WORKTREES: &str = ".orch/local";

/// Returns what git is doing in the checkout `top`, as a phrase: a command that began before and may
/// count on index and branch staying as they are. `None` where nothing is, and where the system does
/// not tell.
pub fn git_at_work(top: &Path) -> Option<String> {
    let top = top.canonicalize().ok()?;
    pids().find_map(|pid| command_in(pid, &top))
}

/// Says whether any command of git runs in the checkout `top` or below, be it a worker's.
pub fn git_runs_in(top: &Path) -> bool {
    let Ok(top) = top.canonicalize() else { return false };
    pids().any(|pid| words_of(pid, &top).is_some())
}

/// Says whether git tidies up the repository with the git folder `git_dir`: then it may remove objects
/// that nothing refers to, be they just made.
pub fn git_tidies_up(git_dir: &Path) -> bool {
    let note = fs::read_to_string(git_dir.join("gc.pid"));
    let pid = note.ok().and_then(|note| note.split_whitespace().next()?.parse::<u32>().ok());
    if pid.is_some_and(|pid| fs::metadata(format!("/proc/{pid}")).is_ok()) {
        return true;
    }
    let Some(top) = git_dir.canonicalize().ok().and_then(|dir| dir.parent().map(Path::to_owned))
    else {
        return false;
    };
    pids().any(|pid| {
        let words = words_of(pid, &top);
        words.is_some_and(|words| command_of(&words).is_some_and(|name| TIDIERS.contains(&name)))
    })
}

/// Returns the words of a call of git that runs in `top` or below.
fn words_of(pid: u32, top: &Path) -> Option<Vec<String>> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    if name.trim_ascii_end() != b"git" {
        return None;
    }
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    if !folder.starts_with(top) {
        return None;
    }
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = line.split(|byte| *byte == 0);
    Some(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

fn command_in(pid: u32, top: &Path) -> Option<String> {
    let words = words_of(pid, top)?;
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    if folder.to_string_lossy().contains(WORKTREES) {
        return None;
    }
    let command = command_of(&words).unwrap_or_default();
    if READERS.contains(&command) {
        return None;
    }
    Some(format!("`git {command}` is at work (process {pid})"))
}

/// Returns the command of a call of git: the first word that is no option of git itself.
fn command_of(words: &[String]) -> Option<&str> {
    let mut words = words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-c" | "-C" | "--git-dir" | "--work-tree" | "--namespace" | "--exec-path"
            | "--config-env" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_stands_behind_the_options_of_git() {
        let table = [
            ("git commit -m x", Some("commit")),
            ("git -c a=b -C /x --no-pager log", Some("log")),
            ("/usr/lib/git-core/git merge --ff", Some("merge")),
            ("git", None),
            ("git --version", None),
        ];
        for (line, expected) in table {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(command_of(&words), expected, "{line}");
        }
    }
}
