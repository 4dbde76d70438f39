//! Who is the one coordinator.

use super::{Surroundings, told};
use crate::{
    app::view::{
        doctor::{Check, Figures},
        status::CoordinatorView,
    },
    io::store::lock::{self, LockInfo},
};

const NAME: &str = "lock";

/// Looks who holds the lock, and what a dead process left in it.
pub(super) fn lock(surroundings: &Surroundings<'_>, figures: &mut Figures) -> Vec<Check> {
    let store = surroundings.store;
    let found = lock::holder(store).and_then(|holder| match holder {
        Some(info) => Ok((Some(info), None)),
        None => lock::left_behind(store).map(|left| (None, left)),
    });
    vec![match found {
        Ok((Some(info), _)) => {
            let check = Check::ok(NAME, format!("a coordinator is at work: {info}"));
            let LockInfo { pid, host, started, .. } = info;
            figures.coordinator = Some(CoordinatorView { pid, host, started });
            check
        }
        Ok((None, Some(left))) if left.is_of_this_host() => Check::ok(
            NAME,
            format!(
                "nobody holds it; a dead coordinator left its name there ({left}), which is \
                 harmless: the next coordinator takes it over"
            ),
        ),
        Ok((None, Some(left))) => Check::warning(
            NAME,
            format!("nobody on this machine holds it, but it names another machine: {left}"),
            "make sure that this one has ended; the next coordinator here takes the lock over",
        ),
        Ok((None, None)) => Check::ok(NAME, "no coordinator is at work"),
        Err(error) => Check::error(
            NAME,
            told(&error),
            "keep the repository on a file system with locks, such as a local disk",
        ),
    }]
}
