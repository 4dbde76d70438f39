//! The program that makes sandboxes: where it is, whether it can make one here, and how a process in
//! one is told to stop.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::OFlags;

use super::{call::Call, cause_of, program, unix::look, version};
use crate::domain::{
    model::{attempt::Exit, sandbox::Lack},
    sandbox::{
        Bwrap, Strength,
        lack::{self, PROGRAM},
        probe,
    },
};

/// How long it may take to make a sandbox.
const PATIENCE: Duration = Duration::from_secs(10);

/// Finds the program, and how much of a sandbox it makes here. One below `root` counts for nothing:
/// a worker could have put it there.
///
/// # Errors
/// Why there is no sandbox.
pub fn find(root: &Path) -> Result<Bwrap, Lack> {
    let program = file(root)?;
    if let Some((number, path)) = inherited_folder() {
        return Err(lack::way_out(number, &path.to_string_lossy()));
    }
    let mut refusal = String::new();
    for strength in Strength::ALL {
        let bwrap = Bwrap { program: program.clone(), strength };
        match try_out(&bwrap) {
            Ok(()) => return Ok(bwrap),
            // What the strongest one lacks is what others say, too, or nothing but an old version.
            Err(words) => refusal = words,
        }
    }
    Err(lack::refused(&refusal))
}

/// Returns the version of the program; `None` where it tells none.
pub fn version(bwrap: &Bwrap) -> Option<String> {
    version::of(Path::new(&bwrap.program), Path::new("/"), &[])
}

fn file(root: &Path) -> Result<String, Lack> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let is_foreign = |folder: &PathBuf| {
        folder.is_absolute() && folder.canonicalize().is_ok_and(|real| !real.starts_with(&root))
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).filter(is_foreign).collect();
    let path = env::join_paths(folders).unwrap_or_default();
    let variables = [(OsString::from("PATH"), path)];
    let found = program::find(OsStr::new(PROGRAM), Path::new("/"), &variables);
    let found = found.map_err(|reason| lack::missing(&reason))?;
    match found.canonicalize().ok().filter(|real| !real.starts_with(&root)) {
        Some(real) => real
            .into_os_string()
            .into_string()
            .map_err(|_| lack::missing("the path of `bwrap` is no text")),
        None => Err(lack::missing("`bwrap` lies in the folder of the plan")),
    }
}

/// Makes a sandbox, and nothing in it.
///
/// # Errors
/// What the program says.
fn try_out(bwrap: &Bwrap) -> Result<(), String> {
    let argv = probe(bwrap);
    let (_, arguments) = argv.split_first().unwrap_or((&bwrap.program, &[]));
    let call = Call {
        program: Path::new(&bwrap.program),
        arguments,
        folder: Path::new("/"),
        variables: &[],
        input: "",
        timeout: PATIENCE,
    };
    match call.answer() {
        Ok(answer) if answer.exit == Some(Exit::Code(0)) => Ok(()),
        Ok(answer) if answer.exit.is_none() => Err("it takes too long".to_owned()),
        Ok(answer) => Err(answer.stderr),
        Err(error) => Err(cause_of(&error)),
    }
}

/// Returns the process group inside of the sandbox that `pid` has made and waits for: a polite word
/// is for what runs in it, as all of it ends with `pid`. `None` where that is no such process.
pub(super) fn group_inside(pid: u32) -> Option<u32> {
    let is_maker = |pid: u32| {
        let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        name.trim_ascii_end() == PROGRAM.as_bytes()
    };
    if !is_maker(pid) {
        return None;
    }
    // The first process inside leads that group; it hears nothing itself.
    let all = look().into_iter();
    let mut leaders = all.filter(|(own, stat)| stat.parent == pid && stat.group == *own);
    let first = leaders.next().map(|(own, _)| own);
    first.filter(|first| is_maker(*first))
}

/// Returns a folder that is open in this process and stays so in every program that is started: a way
/// out of a sandbox. Its number and its path.
pub fn inherited_folder() -> Option<(u32, PathBuf)> {
    let numbers = fs::read_dir("/proc/self/fdinfo").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.into_iter().find_map(|number| {
        let about = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).ok()?;
        let link = PathBuf::from(format!("/proc/self/fd/{number}"));
        let is_folder = fs::metadata(&link).ok()?.is_dir();
        (is_folder && is_inherited(&about))
            .then(|| (number, fs::read_link(link).ok()))
            .and_then(|(number, path)| Some((number, path?)))
    })
}

/// Says whether what the system tells of a descriptor is that programs inherit it.
fn is_inherited(about: &str) -> bool {
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_none_or(|flags| flags & OFlags::CLOEXEC.bits() == 0)
}

/// A file or folder that is there, without links on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// Its path.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Follows all links to what `path` means; `None` where there is nothing, or its path is no text.
pub fn real(path: &Path) -> Option<Real> {
    let path = path.canonicalize().ok()?;
    let is_folder = fs::metadata(&path).ok()?.is_dir();
    Some(Real { path: path.into_os_string().into_string().ok()?, is_folder })
}

/// Returns the home folders of this user: as the environment names it, and as the system does.
pub fn homes() -> Vec<PathBuf> {
    let named = env::var_os("HOME").map(PathBuf::from);
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_system = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let is_own = fields.get(2) == Some(&uid.as_str());
        is_own.then(|| fields.get(5).map(PathBuf::from)).flatten()
    });
    let mut homes: Vec<PathBuf> = named.into_iter().chain(of_system).collect();
    homes.retain(|home| home.is_absolute());
    homes.dedup();
    homes
}
