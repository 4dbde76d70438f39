//! Finds the file that a command word means.
//!
//! The standard library would do it, too, but not without copying this whole process first
//! (`fork`), because the child's `PATH` is not ours. With the file known, it need not
//! (`posix_spawn`).

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Returns the file that `word` means for a process in `folder` with the environment `env`.
///
/// # Errors
/// Why there is none, as a phrase.
pub fn find(word: &OsStr, folder: &Path, env: &[(OsString, OsString)]) -> Result<PathBuf, String> {
    if word.is_empty() {
        return Err("the command is empty".to_owned());
    }
    if word.as_bytes().contains(&b'/') {
        let path = folder.join(word);
        return match judge(&path) {
            Verdict::Program => Ok(path),
            Verdict::NotExecutable => Err(format!(
                "it is not executable; `chmod +x {}` makes it so",
                Path::new(word).display()
            )),
            Verdict::Folder => Err("it is a folder".to_owned()),
            Verdict::Missing => Err(format!("no such file in {}", folder.display())),
        };
    }
    let path_variable = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value);
    let mut not_executable = None;
    for place in path_variable.map(std::env::split_paths).into_iter().flatten() {
        let path = folder.join(place).join(word);
        match judge(&path) {
            Verdict::Program => return Ok(path),
            Verdict::NotExecutable => not_executable = not_executable.or(Some(path)),
            Verdict::Folder | Verdict::Missing => {}
        }
    }
    let word = Path::new(word).display();
    Err(match (not_executable, path_variable) {
        (Some(path), _) => format!("{} is not executable", path.display()),
        (None, None) => "its environment has no PATH".to_owned(),
        (None, Some(_)) if folder.join(word.to_string()).is_file() => {
            format!("no such program `{word}` in PATH; `./{word}` means the file in the folder")
        }
        (None, Some(_)) => format!("no such program `{word}` in PATH"),
    })
}

enum Verdict {
    Program,
    NotExecutable,
    Folder,
    Missing,
}

fn judge(path: &Path) -> Verdict {
    match fs::metadata(path) {
        Err(_) => Verdict::Missing,
        Ok(about) if about.is_dir() => Verdict::Folder,
        Ok(about) if about.permissions().mode() & 0o111 == 0 => Verdict::NotExecutable,
        Ok(_) => Verdict::Program,
    }
}
