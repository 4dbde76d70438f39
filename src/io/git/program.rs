//! The program `git`, where it knows better: it runs nothing of the user's, tidies nothing up and asks
//! nobody for anything.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use git2::{Error, ErrorCode, Oid, Repository};

use super::{Ground, ground::despite_locks};
use crate::io::environment;

/// What holds for every call: nothing of the user's runs, nothing is tidied up.
const SETTINGS: [&str; 4] =
    ["core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false"];

/// What holds beside that for calls that go to a remote: no address is a command, and nobody is waited
/// for without end.
const REMOTE: [&str; 5] = [
    "protocol.ext.allow=never",
    "push.gpgSign=false",
    "push.followTags=false",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=30",
];

/// Returns a call of `git` in `folder`, without its arguments. It gets little of the environment.
pub(super) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command
        .current_dir(folder)
        .env_clear()
        .envs(environment::for_git())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// As [`git`], for a call that goes to a remote of `repository`: it does not wait for ever. It has the
/// environment of this process, as whatever knows the user's passwords may need any of it.
pub(super) fn to_remote(folder: &Path, repository: &Repository) -> Command {
    let mut command = git(folder);
    command.envs(std::env::vars_os().filter(|(name, _)| name != "LC_ALL"));
    for setting in REMOTE {
        command.args(["-c", setting]);
    }
    // Whoever says how ssh is started knows best.
    let is_said = std::env::var_os("GIT_SSH_COMMAND").is_some()
        || std::env::var_os("GIT_SSH").is_some()
        || repository.config().is_ok_and(|config| config.get_string("core.sshCommand").is_ok());
    if !is_said {
        command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20");
    }
    command
}

impl Ground {
    /// Deletes a ref; one that is not there is fine.
    ///
    /// Git does it: libgit2 writes the file of packed refs anew from what it read before it had the
    /// lock on it, and so takes back whatever git has packed meanwhile, be it of another ref.
    pub(super) fn delete_ref(&self, name: &str) -> Result<(), Error> {
        self.delete_ref_at(name, None)
    }

    /// Deletes a ref as [`Self::delete_ref`] does, where it still stands for `old`.
    pub(super) fn delete_ref_at(&self, name: &str, old: Option<Oid>) -> Result<(), Error> {
        let value = old.map(|old| old.to_string());
        despite_locks(|| {
            let repository = self.shared()?;
            let mut found = match repository.find_reference(name) {
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
                other => other?,
            };
            if old.is_some() && found.target() != old {
                return Err(Error::from_str("it was moved meanwhile"));
            }
            let call = git(self.common_dir())
                .args(["update-ref", "--no-deref", "-d", "--", name])
                .args(&value)
                .output();
            match call {
                Ok(output) if output.status.success() => Ok(()),
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    let code = match said.contains("lock") {
                        true => ErrorCode::Locked,
                        false => ErrorCode::GenericError,
                    };
                    Err(Error::new(code, git2::ErrorClass::Reference, said.trim()))
                }
                // Without the program, nobody packs refs either.
                Err(_) => found.delete(),
            }
        })
    }

    /// Deletes a ref that was made a moment ago, as [`Self::delete_ref`] does, but at less cost where
    /// nobody has packed it since.
    pub(super) fn delete_loose_ref(&self, name: &str) -> Result<(), Error> {
        match std::fs::remove_file(self.common_dir().join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(_) => return self.delete_ref(name),
        }
        self.delete_ref(name)
    }
}
