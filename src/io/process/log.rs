//! Reads what processes wrote, however much that is, with little memory.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use super::ProcessError;
use crate::io::beneath;

/// How much is searched at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What tells whether a file was written since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// How long it is.
    length: u64,
    /// When it was written last.
    changed: (i64, u64),
}

impl LogState {
    /// Says whether anything stands in it.
    pub fn has_text(&self) -> bool {
        self.length > 0
    }
}

/// Returns the state of the file `path`; `None` where it cannot be looked at.
pub fn state(path: &Path) -> Option<LogState> {
    let about = beneath::about(path)?;
    Some(LogState {
        length: about.st_size.cast_unsigned(),
        changed: (about.st_mtime, about.st_mtime_nsec),
    })
}

/// Returns where the older half of the log `path` is, once it has outgrown half of its room.
pub fn older_half(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

/// Returns the end of what stands in the file `path` behind `from_offset`: at most `max` bytes,
/// whole lines where there are any. A missing file is an empty one.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn tail(path: &Path, from_offset: u64, max: usize) -> Result<String, ProcessError> {
    let read = || {
        let Some(mut file) = open(path)? else { return Ok(Vec::new()) };
        let end = file.metadata()?.len();
        let start = end.saturating_sub(max as u64).max(from_offset);
        // One byte before the start tells whether a line begins there.
        let n_before = u64::from(start > from_offset);
        file.seek(SeekFrom::Start(start - n_before))?;
        let mut bytes = Vec::new();
        file.take(end.saturating_sub(start) + n_before).read_to_end(&mut bytes)?;
        if n_before == 1 {
            bytes.drain(..n_partial(&bytes).min(bytes.len()));
        }
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(source) => Err(ProcessError::log(path, source)),
    }
}

/// As [`tail`] of the whole log `path`, also where its older half was set aside a moment ago.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn tail_of_both(path: &Path, max: usize) -> Result<String, ProcessError> {
    let newer = tail(path, 0, max)?;
    let older = tail(&older_half(path), 0, max.saturating_sub(newer.len()))?;
    Ok(older + &newer)
}

/// Returns at most `max` bytes of the file `path` from `offset` on, and the offset behind them.
///
/// Where the file has become shorter than `offset` it is read from its start: it is a new one.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn read_from(path: &Path, offset: u64, max: usize) -> Result<(Vec<u8>, u64), ProcessError> {
    let read = || {
        let Some(mut file) = open(path)? else { return Ok((Vec::new(), 0)) };
        let start = if file.metadata()?.len() < offset { 0 } else { offset };
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(max as u64).read_to_end(&mut bytes)?;
        let end = start + bytes.len() as u64;
        Ok((bytes, end))
    };
    read().map_err(|source| ProcessError::log(path, source))
}

/// Hands over each line of the file `path`; of a line longer than `max` bytes, nothing. A missing
/// file holds none.
///
/// # Errors
/// [`ProcessError::Log`].
pub fn each_line(path: &Path, max: usize, mut take: impl FnMut(&[u8])) -> Result<(), ProcessError> {
    let mut read = || {
        let Some(mut file) = open(path)? else { return Ok(()) };
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut line = Vec::new();
        let mut is_too_long = false;
        loop {
            let n_read = read_some(&mut file, &mut chunk)?;
            if n_read == 0 {
                break;
            }
            let mut pieces =
                chunk.get(..n_read).unwrap_or_default().split(|b| *b == b'\n').peekable();
            while let Some(piece) = pieces.next() {
                is_too_long |= line.len() + piece.len() > max;
                if is_too_long {
                    line.clear();
                } else {
                    line.extend_from_slice(piece);
                }
                let is_whole = pieces.peek().is_some();
                if is_whole {
                    if !is_too_long {
                        take(&line);
                    }
                    line.clear();
                    is_too_long = false;
                }
            }
        }
        if !line.is_empty() {
            take(&line);
        }
        Ok(())
    };
    read().map_err(|source| ProcessError::log(path, source))
}

/// Returns how long the file `path` is; 0 where it is missing.
pub fn length(path: &Path) -> u64 {
    beneath::about(path).map_or(0, |about| about.st_size.cast_unsigned())
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match beneath::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_some(file: &mut File, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Says whether `needle` is in `bytes`: jumps from one occurrence of its first byte to the next.
pub(crate) fn is_in(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(needle) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// Returns how many bytes at the start of `bytes` belong to a line, or else a character, that
/// began before them.
fn n_partial(bytes: &[u8]) -> usize {
    let end_of_line = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    match end_of_line {
        Some(start) if start < bytes.len() => start,
        // One long line: only its characters are kept whole.
        _ => 1 + bytes.iter().skip(1).take(3).take_while(|byte| **byte & 0xC0 == 0x80).count(),
    }
}
