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

fn is_allowed(name: &OsStr, named: &[String]) -> bool {
    let Some(name) = name.to_str() else { return false };
    ALWAYS.contains(&name) || name.starts_with("LC_") || named.iter().any(|known| known == name)
}
