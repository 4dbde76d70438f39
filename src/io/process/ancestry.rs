//! For whose plans the processes work that this one stems from.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use super::{
    leftovers::{NONCE_VARIABLE, ROOT_VARIABLE, variable_of},
    unix::stat,
};
use crate::domain::format::layout;

/// Most processes that are looked at on the way up.
const DEPTH_MAX: usize = 256;

/// Returns the folders of the plans that this process, or one that it stems from, is a worker of: it
/// has the environment of one, or sees to them. What left its parents and its environment behind for
/// good is not found; where there is no `/proc`, only this process is looked at.
pub fn plans_worked_for() -> BTreeSet<PathBuf> {
    let mut plans = BTreeSet::new();
    if std::env::var_os(NONCE_VARIABLE).is_some() {
        plans.extend(std::env::var_os(ROOT_VARIABLE).map(PathBuf::from));
    }
    let parent = |pid: &u32| stat(*pid).map(|stat| stat.parent).filter(|parent| *parent > 1);
    for pid in std::iter::successors(Some(std::process::id()), parent).take(DEPTH_MAX) {
        let root = || variable_of(pid, ROOT_VARIABLE).map(OsString::from_vec).map(PathBuf::from);
        plans.extend(variable_of(pid, NONCE_VARIABLE).and_then(|_| root()));
        plans.extend(plan_of_supervisor(pid));
    }
    plans
}

/// Returns the folder of the plan whose ledger a process was given: so is who starts workers.
fn plan_of_supervisor(pid: u32) -> Option<PathBuf> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut arguments =
        line.split(|byte| *byte == 0).map(|word| Path::new(OsStr::from_bytes(word)));
    arguments.find_map(|path| {
        let folder = path.parent()?;
        let root =
            folder.ancestors().nth(Path::new(layout::SUPERVISORS_DIR).components().count())?;
        let is_ledger = folder == root.join(layout::SUPERVISORS_DIR) && root.is_absolute();
        is_ledger.then(|| root.to_owned())
    })
}
