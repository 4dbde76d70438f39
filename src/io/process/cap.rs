//! Keeps a log that several processes append to from growing without end.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use super::{ProcessError, log};

/// Appends `text` to the log `path`, which is made with its folder where it is missing.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn append(path: &Path, text: &str) -> Result<(), ProcessError> {
    let write = || {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        }
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        let mut file =
            options.append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
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
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut file = OpenOptions::new().append(true).custom_flags(flags).open(path)?;
        file.set_len(0)?;
        file.write_all(kept.as_bytes())
    };
    cut().map_err(|source| ProcessError::log(path, source))
}
