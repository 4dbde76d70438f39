//! When a started program reaches its first instruction, and the loop that starts one for every
//! change that raw inotify tells.

use std::{
    fs,
    io::Write as _,
    mem::MaybeUninit,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

use crate::{follow::now, program::Failure};

/// Where started programs announce themselves.
pub(crate) struct Arrivals {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Arrivals {
    /// Opens the place below `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let path = folder.join("arrivals");
        let socket = UnixDatagram::bind(&path)?;
        Ok(Self { path, socket })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next program, and returns when it reached its first instruction.
    pub(crate) fn next(&self, patience: Duration) -> Result<Duration, Failure> {
        self.socket.set_read_timeout(Some(patience))?;
        let mut bytes = [0; 32];
        let n = self.socket.recv(&mut bytes)?;
        let text = std::str::from_utf8(bytes.get(..n).unwrap_or_default())?;
        Ok(Duration::from_nanos(text.parse()?))
    }
}

/// Announces that this program runs; the argument is the place.
pub(crate) fn announce(arguments: &[String]) -> Result<(), Failure> {
    let at = now();
    let [place] = arguments else { return Err("one argument".into()) };
    UnixDatagram::unbound()?.send_to(at.as_nanos().to_string().as_bytes(), place)?;
    Ok(())
}

/// Starts a program that announces itself for every file that is moved into a folder, and prints
/// when it heard of it; the arguments are the folder and the place.
pub(crate) fn react(arguments: &[String]) -> Result<(), Failure> {
    let [folder, place] = arguments else { return Err("two arguments".into()) };
    let program = std::env::current_exe()?;
    let inotify = init(CreateFlags::CLOEXEC)?;
    add_watch(&inotify, folder.as_str(), WatchFlags::MOVED_TO)?;
    let mut out = std::io::stdout();
    writeln!(out, "0")?;
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(inotify, &mut buffer);
    loop {
        reader.next()?;
        let heard = now();
        let mut child = Command::new(&program).arg(super::WORKER).arg(place).spawn()?;
        writeln!(out, "{}", heard.as_nanos())?;
        child.wait()?;
    }
}
