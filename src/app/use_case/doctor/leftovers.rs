//! How what a worker leaves running is found.

use super::Surroundings;
use crate::{
    app::view::doctor::{Check, Figures},
    io::process::cgroup,
};

const NAME: &str = "leftovers";

/// Says whether a worker can leave something running that nobody finds.
pub(super) fn leftovers(_: &Surroundings<'_>, _: &mut Figures) -> Vec<Check> {
    vec![match cgroup::why_none() {
        None => Check::ok(NAME, "all that a worker leaves running is found: by control group"),
        Some(reason) => Check::ok(
            NAME,
            format!(
                "what a worker leaves running is found by parent, environment and group; \
                 not by control group: {reason}"
            ),
        ),
    }]
}
