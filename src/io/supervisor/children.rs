//! What workers left running: the orphans that the supervisor took in.
//!
//! As the subreaper of everything below it, the supervisor becomes the parent of every process
//! whose own parent ended. So whatever it has as a child and did not start itself is left of a
//! worker; and a worker of which it has no such child left nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::io::process::{
    Stat, children_of_main_thread,
    leftovers::{Exact, nonce_of},
    look, stat,
};

/// A worker, as far as orphans may be its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family<'a> {
    /// The word in the environment of its processes.
    pub(super) nonce: &'a str,
    /// Its process, and the group of that.
    pub(super) pid: u32,
    /// When that started.
    pub(super) start_ticks: u64,
}

/// Returns the processes that were taken in and still run, `known` being those that were started
/// here.
pub(super) fn orphans(known: impl Fn(u32) -> bool) -> BTreeMap<u32, Stat> {
    let children = children_of_main_thread();
    let strangers = children.into_iter().filter(|pid| !known(*pid));
    strangers
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, stat)| stat.is_running())
        .collect()
}

/// Returns the orphans that belong to the ended worker `family`, and all that they started.
///
/// It is told by the environment, else by the process group; one that got rid of both belongs to
/// it where no worker of `others` that still runs could have started it.
pub(super) fn left_by(
    family: Family<'_>,
    others: &[Family<'_>],
    orphans: &BTreeMap<u32, Stat>,
) -> BTreeSet<Exact> {
    let is_own = |pid: u32, stat: &Stat| match nonce_of(pid) {
        Some(nonce) => nonce == family.nonce,
        None if stat.group == family.pid => true,
        None => !others
            .iter()
            .any(|other| stat.group == other.pid || other.start_ticks <= stat.start_ticks),
    };
    let roots = orphans.iter().filter(|(pid, stat)| is_own(**pid, stat));
    let mut found: BTreeSet<Exact> = roots.map(|(pid, stat)| (*pid, stat.start_ticks)).collect();
    if found.is_empty() {
        return found;
    }
    let all = look();
    let mut parents: Vec<u32> = found.iter().map(|(pid, _)| *pid).collect();
    while let Some(parent) = parents.pop() {
        for (pid, stat) in all.iter().filter(|(_, stat)| stat.parent == parent) {
            if stat.is_running() && found.insert((*pid, stat.start_ticks)) {
                parents.push(*pid);
            }
        }
    }
    found
}
