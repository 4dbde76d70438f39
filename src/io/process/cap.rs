//! Keeps a log that several processes append to from growing without end.

use std::{
    io::{self, Write as _},
    path::Path,
};

use rustix::fs::OFlags;

use super::{ProcessError, log, start::open_output};
use crate::io::beneath;

/// Appends `text` to the log `path`, which is made with its folder where it is missing.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn append(path: &Path, text: &str) -> Result<(), ProcessError> {
    let write = || {
        let mut file = open_output(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|source: io::Error| ProcessError::log(path, source))
}

/// Cuts the log `path` down to the last half of `max` bytes where it has more than `max`. Who
/// appends to it meanwhile goes on at its new end; what is written between reading and cutting
/// is lost.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn cap(path: &Path, max: u64) -> Result<(), ProcessError> {
    if log::length(path) <= max {
        return Ok(());
    }
    let n_kept = usize::try_from(max / 2).unwrap_or(usize::MAX);
    let kept = log::tail(path, 0, n_kept)?;
    let cut = || {
        let mut file = beneath::open_to_write(path, OFlags::WRONLY | OFlags::APPEND)?;
        file.set_len(0)?;
        file.write_all(kept.as_bytes())
    };
    cut().map_err(|source| ProcessError::log(path, source))
}
