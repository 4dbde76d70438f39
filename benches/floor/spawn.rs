//! The limit of every run: start one process per task as soon as its dependencies ended, no record.

use std::{path::PathBuf, process::Command};

use rustix::process::{WaitOptions, wait};

use crate::floor::{Failure, plan::Shape};

/// The program that does nothing.
pub(crate) fn nothing() -> PathBuf {
    let known = ["/bin/true", "/usr/bin/true"].map(PathBuf::from);
    known.into_iter().find(|path| path.exists()).unwrap_or_else(|| PathBuf::from("true"))
}

/// Starts `nothing` for each of `n_tasks` tasks, at most `n_slots` at once.
pub(crate) fn spawn_all(shape: Shape, n_tasks: usize, n_slots: usize) -> Result<(), Failure> {
    let program = nothing();
    let mut dependents = vec![Vec::new(); n_tasks];
    let mut n_open = Vec::with_capacity(n_tasks);
    for at in 0..n_tasks {
        let needs = shape.dependencies(at);
        n_open.push(needs.len());
        for need in needs {
            dependents.get_mut(need).ok_or("a dependency lies above its task")?.push(at);
        }
    }
    let is_free = |(at, n): (usize, &usize)| (*n == 0).then_some(at);
    let mut ready: Vec<usize> = n_open.iter().enumerate().rev().filter_map(is_free).collect();
    // The standard library cannot wait for any child: pid and task are kept beside each other.
    let mut running: Vec<(i32, usize)> = Vec::with_capacity(n_slots);
    let mut n_ended = 0;
    while n_ended < n_tasks {
        while running.len() < n_slots
            && let Some(at) = ready.pop()
        {
            let child = Command::new(&program).spawn()?;
            running.push((i32::try_from(child.id())?, at));
        }
        let (pid, _) = wait(WaitOptions::empty())?.ok_or("nothing to wait for")?;
        let pid = pid.as_raw_nonzero().get();
        let slot = running.iter().position(|(running, _)| *running == pid);
        let Some(slot) = slot else { continue };
        let (_, at) = running.swap_remove(slot);
        n_ended += 1;
        for next in dependents.get(at).into_iter().flatten() {
            let n = n_open.get_mut(*next).ok_or("a dependent lies outside of the plan")?;
            *n -= 1;
            if *n == 0 {
                ready.push(*next);
            }
        }
    }
    Ok(())
}
