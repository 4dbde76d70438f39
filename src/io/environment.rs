//! The environment of this process, as far as workers may see it.

use std::ffi::{OsStr, OsString};

/// What every worker gets: enough to find programs, the home folder and the language. Everything
/// else, secrets above all, must be named in the settings.
const ALWAYS: [&str; 10] =
    ["HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];

/// Returns the variables that workers get: a fixed list, all of `LC_*`, and those in `named`.
pub fn allowed(named: &[String]) -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_allowed(name, named)).collect()
}

/// Returns those of the variables `names` that are set.
pub fn named(names: &[&str]) -> Vec<(OsString, OsString)> {
    let value = |name: &&str| Some((OsString::from(name), std::env::var_os(name)?));
    names.iter().filter_map(value).collect()
}

/// Returns the variables that git gets where it works in this repository alone: what every worker
/// gets, and what is said to git itself. No secret of this process is in reach of what git may start.
pub fn for_git() -> Vec<(OsString, OsString)> {
    let is_for_git = |name: &OsStr| {
        let name = name.to_str().unwrap_or_default();
        name.starts_with("GIT_") || name == "XDG_CONFIG_HOME"
    };
    let wanted = |(name, _): &(OsString, OsString)| is_allowed(name, &[]) || is_for_git(name);
    std::env::vars_os().filter(wanted).collect()
}

/// Adds the folder of this program to the end of `PATH` in `variables`, where it is `orch`: workers
/// report by calling it.
pub fn make_reachable(variables: &mut [(OsString, OsString)]) {
    let Ok(program) = std::env::current_exe() else { return };
    let Some(folder) = program.parent().filter(|_| program.file_name() == Some(OsStr::new("orch")))
    else {
        return;
    };
    let Some((_, path)) = variables.iter_mut().find(|(name, _)| name == "PATH") else { return };
    let mut folders: Vec<_> = std::env::split_paths(path).collect();
    if !folders.iter().any(|known| known == folder) {
        folders.push(folder.to_owned());
        // A folder with a colon in its name cannot be named there.
        if let Ok(joined) = std::env::join_paths(folders) {
            *path = joined;
        }
    }
}

/// Settings of git that have it start nothing by itself.
const QUIET: [(&str, &str); 2] = [("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false")];

/// Returns the variables by which every git below a process runs no hooks and no monitor, whatever
/// the settings of its repository say. Settings that come by such variables already still hold.
pub fn quiet_git() -> Vec<(OsString, OsString)> {
    let count = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|n| n.parse().ok());
    let first: usize = count.unwrap_or(0);
    let mut variables: Vec<(OsString, OsString)> =
        vec![("GIT_CONFIG_COUNT".into(), (first + QUIET.len()).to_string().into())];
    for (n, (key, value)) in (first..).zip(QUIET) {
        variables.push((format!("GIT_CONFIG_KEY_{n}").into(), key.into()));
        variables.push((format!("GIT_CONFIG_VALUE_{n}").into(), value.into()));
    }
    variables
}

fn is_allowed(name: &OsStr, named: &[String]) -> bool {
    let Some(name) = name.to_str() else { return false };
    ALWAYS.contains(&name) || name.starts_with("LC_") || named.iter().any(|known| known == name)
}
