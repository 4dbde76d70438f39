//! What becomes of the output of a worker: a log of limited size, without the values that are
//! secret, and the answer whether a text stood in it. Memory stays flat, however much comes.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use super::place::put_back;
use crate::{
    domain::model::secret::MASK,
    io::{
        beneath,
        process::{log::older_half, start::open_output},
    },
};

/// Most that is written anew where secrets are taken out of a file: what a check printed beyond it
/// goes.
const REWRITTEN_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The output of one worker, on its way into the log.
#[derive(Debug)]
pub(super) struct Output {
    log: CappedLog,
    mask: Mask,
    signal: Option<Finder>,
}

impl Output {
    /// Returns the way into the log `path`, of at most `bytes_max` bytes.
    pub(super) fn new(
        path: PathBuf,
        bytes_max: u64,
        secrets: Vec<Vec<u8>>,
        signal: Option<&str>,
    ) -> Self {
        Self {
            log: CappedLog { path, file: None, n_bytes: 0, half: (bytes_max / 2).max(1) },
            mask: Mask::new(secrets),
            signal: signal.map(|text| Finder::new(text.as_bytes())),
        }
    }

    /// Takes in the next bytes: they are in the log after the next [`Output::flush`].
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Some(signal) = &mut self.signal {
            signal.push(bytes);
        }
        self.mask.push(bytes);
    }

    /// Notes that nothing more will come.
    pub(super) fn close(&mut self) {
        self.mask.close();
    }

    /// Writes what was taken in.
    ///
    /// # Errors
    /// Why it cannot be written now; what is left goes on waiting.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.mask.ready.is_empty() {
            let (front, _) = self.mask.ready.as_slices();
            let n = self.log.write(front)?;
            self.mask.ready.drain(..n);
        }
        Ok(())
    }

    /// Gives up on what could not be written.
    pub(super) fn give_up(&mut self) {
        self.mask.ready.clear();
    }

    /// Says whether the log stands in its place, after putting it there if need be.
    pub(super) fn is_in_place(&mut self) -> bool {
        self.log.is_in_place()
    }

    /// Says whether the text that was looked for came, or none was looked for.
    pub(super) fn has_signal(&self) -> bool {
        self.signal.as_ref().is_none_or(|signal| signal.is_found)
    }
}

/// A log of two files: when the newer one has half of the room, it becomes the older one.
#[derive(Debug)]
struct CappedLog {
    path: PathBuf,
    /// Opened with the first byte: a worker that says nothing has no log.
    file: Option<File>,
    n_bytes: u64,
    half: u64,
}

impl CappedLog {
    /// Says whether all that was written stands in its place, after putting it there if need be.
    fn is_in_place(&mut self) -> bool {
        self.file.as_mut().is_none_or(|file| put_back(file, &self.path).is_ok())
    }

    /// Writes some of `bytes`; returns how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_in_place = self.is_in_place();
        if self.n_bytes >= self.half {
            match &self.file {
                // There is no older half while all of it is taken away.
                Some(file) if !is_in_place => file.set_len(0)?,
                _ => set_aside(&self.path)?,
            }
            self.file = self.file.take().filter(|_| !is_in_place);
            self.n_bytes = 0;
        }
        if self.file.is_none() {
            let file = open_output(&self.path)?;
            self.n_bytes = file.metadata()?.len();
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else { return Ok(0) };
        let room = usize::try_from(self.half.saturating_sub(self.n_bytes)).unwrap_or(usize::MAX);
        let part = bytes.get(..bytes.len().min(room.max(1))).unwrap_or(bytes);
        let n = match file.write(part) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            result => result?,
        };
        self.n_bytes += n as u64;
        Ok(n)
    }
}

/// Makes the newer half of a log the older one.
fn set_aside(path: &Path) -> io::Result<()> {
    let older = older_half(path);
    beneath::rename(path, older.file_name().unwrap_or_default())
}

/// Takes secrets out of a stream, also those that come in pieces.
#[derive(Debug)]
struct Mask {
    /// Longest first: a secret that begins with another one is taken out whole.
    secrets: Vec<Vec<u8>>,
    /// The end of what came, as long as it may be the beginning of a secret.
    held: Vec<u8>,
    /// What may be written.
    ready: VecDeque<u8>,
}

impl Mask {
    fn new(mut secrets: Vec<Vec<u8>>) -> Self {
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets, held: Vec::new(), ready: VecDeque::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.secrets.is_empty() {
            self.ready.extend(bytes);
            return;
        }
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let rest = self.release(&held, false);
        self.held = rest.to_vec();
    }

    fn close(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.release(&held, true);
    }

    /// Releases what is decided; returns the rest. `is_end` says that nothing more will come.
    fn release<'a>(&mut self, bytes: &'a [u8], is_end: bool) -> &'a [u8] {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let mut candidates = self.secrets.iter().filter(|secret| secret.first() == Some(first));
            let may_become =
                |secret: &Vec<u8>| secret.len() > rest.len() && secret.starts_with(rest);
            if !is_end && candidates.clone().any(may_become) {
                return rest;
            }
            if let Some(secret) = candidates.find(|secret| rest.starts_with(secret)) {
                rest = rest.get(secret.len()..).unwrap_or_default();
                self.ready.extend(MASK.as_bytes());
            } else {
                self.ready.push_back(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        rest
    }
}

/// Takes `secrets` out of what stands in the file `path` behind `offset`, at most
/// [`REWRITTEN_BYTES_MAX`] of it.
pub(super) fn mask_file(path: &Path, offset: u64, secrets: Vec<Vec<u8>>) -> io::Result<()> {
    let mut mask = Mask::new(secrets);
    if mask.secrets.is_empty() {
        return Ok(());
    }
    let mut file = match beneath::open_to_write(path, OFlags::RDWR) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    (&mut file).take(REWRITTEN_BYTES_MAX).read_to_end(&mut bytes)?;
    mask.push(&bytes);
    mask.close();
    let clean = mask.ready.make_contiguous();
    if *clean != *bytes {
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(clean)?;
    }
    Ok(())
}

/// Looks for a text in a stream.
#[derive(Debug)]
struct Finder {
    needle: Vec<u8>,
    /// The end of what came, one byte shorter than the text.
    tail: Vec<u8>,
    is_found: bool,
}

impl Finder {
    fn new(needle: &[u8]) -> Self {
        Self { needle: needle.to_vec(), tail: Vec::new(), is_found: needle.is_empty() }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.is_found {
            return;
        }
        self.tail.extend_from_slice(bytes);
        self.is_found = crate::io::process::log::is_in(&self.tail, &self.needle);
        let n_kept = self.needle.len().saturating_sub(1).min(self.tail.len());
        self.tail.drain(..self.tail.len() - n_kept);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Masks `text`, cut into pieces of `n` bytes.
    fn masked(text: &str, secrets: &[&str], n: usize) -> String {
        let secrets = secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect();
        let mut mask = Mask::new(secrets);
        for piece in text.as_bytes().chunks(n) {
            mask.push(piece);
        }
        mask.close();
        String::from_utf8(mask.ready.into_iter().collect()).unwrap()
    }

    #[test]
    fn secrets_are_taken_out_however_they_arrive() {
        let table = [
            ("key=hunter22 end", &["hunter22"][..], "key=*** end"),
            ("hunter22hunter22", &["hunter22"], "******"),
            ("hunter2", &["hunter22"], "hunter2"),
            ("hhunter22", &["hunter22"], "h***"),
            ("hunter222222", &["hunter22", "hunter222222"], "***"),
            ("hunter2222", &["hunter22", "hunter222222"], "***22"),
            ("ab ab", &["ab"], "*** ***"),
            ("aaaaab", &["aaab"], "aa***"),
            ("", &["hunter22"], ""),
        ];
        for (text, secrets, expected) in table {
            for n in 1..=text.len().max(1) {
                assert_eq!(masked(text, secrets, n), expected, "{text:?} in pieces of {n}");
            }
        }
    }

    #[test]
    fn a_text_is_found_however_it_arrives() {
        let table = [("xxDONExx", true), ("DONE", true), ("DON E", false), ("DODONE", true)];
        for (text, expected) in table {
            for n in 1..=text.len() {
                let mut finder = Finder::new(b"DONE");
                text.as_bytes().chunks(n).for_each(|piece| finder.push(piece));
                assert_eq!(finder.is_found, expected, "{text:?} in pieces of {n}");
            }
        }
    }

    #[test]
    fn a_log_never_takes_more_than_its_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/1.log");
        let mut output = Output::new(path.clone(), 1_000, Vec::new(), None);
        for n in 0..1_000 {
            output.push(format!("line {n}\n").as_bytes());
            output.flush().unwrap();
            let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
            assert!(size(&path) + size(&older_half(&path)) <= 1_000);
        }
        let newer = fs::read_to_string(&path).unwrap();
        let older = fs::read_to_string(older_half(&path)).unwrap();
        let both = format!("{older}{newer}");
        assert!(both.ends_with("line 998\nline 999\n"));
        assert!(both.len() > 500, "at least the newer half stays");
    }
}
