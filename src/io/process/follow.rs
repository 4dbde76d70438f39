//! Reads a log from front to end, also while it is written and its older half is set aside.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{ProcessError, log::older_half};
use crate::io::beneath;

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A log that is being read.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// The files that are left to be read, the oldest first.
    parts: VecDeque<File>,
}

impl Follower {
    /// Begins at the front of the log `path`; one that is not there yet is empty.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub fn open(path: &Path) -> Result<Self, ProcessError> {
        let open = || {
            let halves = [older_half(path), path.to_owned()];
            let parts = halves.iter().filter_map(|half| open(half).transpose());
            parts.collect::<io::Result<VecDeque<File>>>()
        };
        let parts = open().map_err(|source| ProcessError::log(path, source))?;
        Ok(Self { path: path.to_owned(), parts })
    }

    /// Returns the next bytes; none where there are no more now.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub fn read(&mut self) -> Result<Vec<u8>, ProcessError> {
        self.next().map_err(|source| ProcessError::log(&self.path, source))
    }

    fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let has_more = self.parts.len() > 1;
            let Some(part) = self.parts.front_mut() else {
                match open(&self.path)? {
                    None => return Ok(Vec::new()),
                    Some(file) => self.parts.push_back(file),
                }
                continue;
            };
            let mut bytes = Vec::new();
            part.take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
            if !bytes.is_empty() {
                return Ok(bytes);
            }
            if has_more {
                self.parts.pop_front();
                continue;
            }
            // Another file may have taken its name; then what came last into this one is read
            // before the other.
            let is_current = beneath::about(&self.path).is_some_and(|now| {
                part.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (now.st_dev, now.st_ino))
            });
            match open(&self.path)?.filter(|_| !is_current) {
                Some(newer) => self.parts.push_back(newer),
                None => return Ok(Vec::new()),
            }
        }
    }

    /// Goes to where the last `n_lines` lines begin that are there now.
    ///
    /// # Errors
    /// [`ProcessError::Log`].
    pub fn skip_to_last(&mut self, n_lines: usize) -> Result<(), ProcessError> {
        self.skip(n_lines).map_err(|source| ProcessError::log(&self.path, source))
    }

    fn skip(&mut self, n_lines: usize) -> io::Result<()> {
        // Where the last lines begin: one more than asked for, as the last may have no text yet.
        let mut starts = VecDeque::from([(0, 0)]);
        let mut end = (0, 0);
        for (number, part) in self.parts.iter_mut().enumerate() {
            let mut offset = 0;
            loop {
                let mut bytes = Vec::new();
                part.take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
                if bytes.is_empty() {
                    break;
                }
                for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
                    starts.push_back((number, offset + at as u64 + 1));
                    if starts.len() > n_lines.saturating_add(1) {
                        starts.pop_front();
                    }
                }
                offset += bytes.len() as u64;
            }
            end = (number, offset);
        }
        if starts.back() != Some(&end) && starts.len() > n_lines {
            starts.pop_front();
        }
        let (number, offset) = starts.front().copied().filter(|_| n_lines > 0).unwrap_or(end);
        self.parts.drain(..number.min(self.parts.len()));
        for (at, part) in self.parts.iter_mut().enumerate() {
            part.seek(SeekFrom::Start(if at == 0 { offset } else { 0 }))?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match beneath::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    fn all(follower: &mut Follower) -> String {
        let mut text = Vec::new();
        loop {
            match follower.read().unwrap() {
                bytes if bytes.is_empty() => return String::from_utf8(text).unwrap(),
                bytes => text.extend(bytes),
            }
        }
    }

    #[test]
    fn nothing_is_lost_where_the_older_half_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        let mut follower = Follower::open(&path).unwrap();
        assert_eq!(all(&mut follower), "");
        fs::write(&path, "one\n").unwrap();
        assert_eq!(all(&mut follower), "one\n");
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"two\n").unwrap();
        fs::rename(&path, older_half(&path)).unwrap();
        fs::write(&path, "three\n").unwrap();
        assert_eq!(all(&mut follower), "two\nthree\n");
        assert_eq!(all(&mut Follower::open(&path).unwrap()), "one\ntwo\nthree\n");
    }

    #[test]
    fn the_last_lines_are_found_in_both_halves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        fs::write(older_half(&path), "one\ntwo\n").unwrap();
        fs::write(&path, "three\nfour").unwrap();
        let expected = ["", "four", "three\nfour", "two\nthree\nfour", "one\ntwo\nthree\nfour"];
        for (n_lines, expected) in expected.iter().enumerate() {
            let mut follower = Follower::open(&path).unwrap();
            follower.skip_to_last(n_lines).unwrap();
            assert_eq!(all(&mut follower), *expected, "{n_lines}");
        }
    }
}
