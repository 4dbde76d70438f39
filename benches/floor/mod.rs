//! What the benches of whole runs share: generated plans, measured children, medians, the table.

pub(crate) mod measure;
pub(crate) mod plan;
pub(crate) mod program;
pub(crate) mod table;

use std::env;

pub(crate) use program::{Failure, ORCH, floor_arguments, is_bench, scratch};

/// The plan size that only the full bench takes up.
pub(crate) const FULL: usize = 100_000;

/// Says whether the large sizes were asked for: `ORCH_BENCH_FULL=1`, or `full` as an argument.
pub(crate) fn is_full() -> bool {
    env::var("ORCH_BENCH_FULL").is_ok_and(|value| value == "1")
        || env::args().any(|argument| argument == "full")
}
