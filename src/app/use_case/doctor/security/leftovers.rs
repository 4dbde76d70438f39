//! Whether a worker can leave something running.

use super::{super::leftovers as found, Surroundings};
use crate::app::view::doctor::{Check, Figures};

/// As `orch doctor` tells it.
pub(super) fn leftovers(surroundings: &Surroundings<'_>) -> Vec<Check> {
    found::leftovers(surroundings, &mut Figures::default())
}
