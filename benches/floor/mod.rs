//! What both benches share: generated plans, measured children, medians, the table.

pub(crate) mod measure;
pub(crate) mod plan;
pub(crate) mod table;

use std::{env, error::Error};

/// Anything that keeps a bench from going on.
pub(crate) type Failure = Box<dyn Error>;

/// The program that is measured.
pub(crate) const ORCH: &str = env!("CARGO_BIN_EXE_orch");

/// The plan size that only the full bench takes up.
pub(crate) const FULL: usize = 100_000;

/// Says whether cargo started this program as a bench, and not as one of its tests.
pub(crate) fn is_bench() -> bool {
    env::args().any(|argument| argument == "--bench")
}

/// Says whether the large sizes were asked for: `ORCH_BENCH_FULL=1`, or `full` as an argument.
pub(crate) fn is_full() -> bool {
    env::var("ORCH_BENCH_FULL").is_ok_and(|value| value == "1")
        || env::args().any(|argument| argument == "full")
}

/// Returns the words after `name`, where this program was started as a floor program.
pub(crate) fn floor_arguments(name: &str) -> Option<Vec<String>> {
    let mut arguments = env::args().skip(1);
    (arguments.next().as_deref() == Some(name)).then(|| arguments.collect())
}

/// Makes a folder for plans in the folder for temporary files, gone when dropped.
///
/// Not below `target/`: that lies in a git repository, and `orch` would work in it.
pub(crate) fn scratch() -> Result<tempfile::TempDir, Failure> {
    Ok(tempfile::Builder::new().prefix("orch-bench-").tempdir()?)
}
