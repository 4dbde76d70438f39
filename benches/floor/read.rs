//! The limit of every load: list the folders, then open and read each file into one buffer.

use std::{
    hint::black_box,
    os::fd::OwnedFd,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};

use crate::floor::Failure;

/// The size of the one buffer that each thread reads into.
const BUFFER_BYTES: usize = 64 * 1024;

/// What is done with each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Its size and times are asked for.
    Stat,
    /// It is opened and read.
    Read,
}

/// An open folder and the names of the files in it.
struct Folder {
    handle: OwnedFd,
    names: Vec<std::ffi::CString>,
}

/// Touches every file two levels below `tasks` and returns how long that took and their bytes.
pub(crate) fn touch_all(
    tasks: &Path,
    touch: Touch,
    n_threads: usize,
) -> Result<(Duration, u64), Failure> {
    let start = Instant::now();
    let folders = list(tasks)?;
    let files: Vec<(&OwnedFd, &std::ffi::CString)> = folders
        .iter()
        .flat_map(|folder| folder.names.iter().map(move |name| (&folder.handle, name)))
        .collect();
    let share = files.len().div_ceil(n_threads.max(1)).max(1);
    let n_bytes = thread::scope(|scope| -> Result<u64, Failure> {
        let mut shares = files.chunks(share);
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> =
            shares.map(|share| scope.spawn(move || touch_share(share, touch))).collect();
        let mut n_bytes = touch_share(own, touch)?;
        for other in others {
            n_bytes += other.join().map_err(|_| "a reading thread died")??;
        }
        Ok(n_bytes)
    })?;
    Ok((start.elapsed(), black_box(n_bytes)))
}

fn list(tasks: &Path) -> Result<Vec<Folder>, Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = rustix::fs::openat(CWD, tasks, flags, Mode::empty())?;
    let mut folders = Vec::new();
    for entry in Dir::read_from(&parent)? {
        let entry = entry?;
        if entry.file_name().to_bytes().starts_with(b".") {
            continue;
        }
        let handle = rustix::fs::openat(&parent, entry.file_name(), flags, Mode::empty())?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&handle)? {
            let entry = entry?;
            if entry.file_name().to_bytes().ends_with(b".md") {
                names.push(entry.file_name().to_owned());
            }
        }
        folders.push(Folder { handle, names });
    }
    Ok(folders)
}

fn touch_share(
    files: &[(&OwnedFd, &std::ffi::CString)],
    touch: Touch,
) -> Result<u64, rustix::io::Errno> {
    let mut buffer = vec![0_u8; BUFFER_BYTES];
    let mut n_bytes = 0;
    for (folder, name) in files {
        if touch == Touch::Stat {
            let stat = rustix::fs::statat(folder, *name, AtFlags::SYMLINK_NOFOLLOW)?;
            n_bytes += u64::try_from(stat.st_size).unwrap_or(0);
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, *name, flags, Mode::empty())?;
        n_bytes += rustix::io::read(&file, &mut buffer[..])? as u64;
        black_box(&buffer);
    }
    Ok(n_bytes)
}
