//! Claims of tasks as refs at a remote that all coordinators of a plan see.
//!
//! A claim is a ref that is only ever created: whoever pushes it first has the task, and every later
//! push is refused by the remote, however many push at once and whatever file system it lies on.
//! What the ref points to says who that is. It differs between any two coordinators, as a push of
//! the very same object would succeed for both.
//!
//! The program `git` does the pushing, as it knows how the user gets to the remote. No hook runs,
//! and it asks nobody for a password.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use git2::{Repository, Signature};

/// Where claims are, here and at the remote.
const CLAIMS: &str = "refs/orch/claims/";

/// Where those of a remote are seen, here.
const SEEN: &str = "refs/orch/seen/claims/";

/// The remote that is the repository itself.
const SELF: &str = ".";

/// Most claims in one push: each is an argument.
const BATCH_MAX: usize = 500;

/// Why claims are not known.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// There is no repository, or it cannot be read or written.
    #[error("claims need a git repository in {}", path.display())]
    Repository {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
    /// There is no such remote.
    #[error("there is no git remote `{name}`, at which tasks are to be claimed")]
    NoRemote {
        /// Its name.
        name: String,
    },
    /// The program `git` cannot be started.
    #[error("failed to start `git`")]
    Program(#[source] io::Error),
    /// It did not do what it was asked to.
    #[error("failed to {what} at the git remote `{remote}`: {said}")]
    Refused {
        /// What it was asked to do.
        what: &'static str,
        /// The remote.
        remote: String,
        /// The last that it said.
        said: String,
    },
}

/// A claim, as it is seen at the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What its ref points to.
    pub object: String,
    /// Whether it is one of ours.
    pub is_own: bool,
    /// Whose it is, in words.
    pub who: String,
}

/// What stands in a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Words {
    task: String,
    host: String,
    clone: String,
    nonce: String,
    at: String,
}

/// The claims of a plan at one remote, as one coordinator makes and sees them.
#[derive(Debug, Clone)]
pub struct Claims {
    root: PathBuf,
    remote: String,
    host: String,
    clone: String,
}

impl Claims {
    /// Returns the claims of the repository at `root` at the remote called `remote`, for the
    /// coordinator of the clone `clone` on the machine `host`.
    ///
    /// # Errors
    /// [`ClaimError::Repository`], [`ClaimError::NoRemote`].
    pub fn at(root: &Path, remote: &str, host: &str, clone: &str) -> Result<Self, ClaimError> {
        let claims = Self {
            root: root.to_owned(),
            remote: remote.to_owned(),
            host: host.to_owned(),
            clone: clone.to_owned(),
        };
        let repository = claims.repository()?;
        if remote != SELF && repository.find_remote(remote).is_err() {
            return Err(ClaimError::NoRemote { name: remote.to_owned() });
        }
        Ok(claims)
    }

    /// Claims tasks, each with a word that nobody else has, `at` a moment; returns whose they are.
    /// One that is ours already is ours. A task that is not among them was not answered, for now.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn take(
        &self,
        tasks: &[(String, String)],
        at: &str,
    ) -> Result<BTreeMap<String, Claim>, ClaimError> {
        let mut answers = BTreeMap::new();
        for batch in tasks.chunks(BATCH_MAX) {
            let mut objects = BTreeMap::new();
            for (task, nonce) in batch {
                objects.insert(task.as_str(), self.write(task, nonce, at)?);
            }
            let created = match self.remote == SELF {
                true => self.create(&objects)?,
                false => self.push(&objects)?,
            };
            let mut unclear: BTreeSet<&str> = objects.keys().copied().collect();
            for task in created {
                if let Some((task, object)) = objects.get_key_value(task.as_str()) {
                    let who = self.described(at);
                    let claim = Claim { object: object.clone(), is_own: true, who };
                    answers.insert((*task).to_owned(), claim);
                    unclear.remove(task);
                }
            }
            if !unclear.is_empty() {
                let seen = self.look()?.into_iter();
                answers.extend(seen.filter(|(task, _)| unclear.contains(task.as_str())));
            }
        }
        Ok(answers)
    }

    /// Returns every claim that is at the remote.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn look(&self) -> Result<BTreeMap<String, Claim>, ClaimError> {
        let folder = if self.remote == SELF { CLAIMS } else { SEEN };
        if self.remote != SELF {
            let refs = format!("+{CLAIMS}*:{SEEN}*");
            let options = ["--quiet", "--prune", "--no-tags", "--no-recurse-submodules"];
            let fetch = [&["fetch"], &options[..], &["--no-write-fetch-head", &self.remote, &refs]];
            let output = self.git(&fetch.concat())?;
            if !output.status.success() {
                return Err(self.refused("look for claims", &output));
            }
        }
        let repository = self.repository()?;
        let failed = |source| self.failed(source);
        let mut claims = BTreeMap::new();
        for found in repository.references_glob(&format!("{folder}*")).map_err(failed)? {
            let found = found.map_err(failed)?;
            let name = found.name().ok().and_then(|name| name.strip_prefix(folder));
            let (Some(name), Some(object)) = (name, found.target()) else { continue };
            claims.insert(decoded(name), self.read(&repository, object));
        }
        Ok(claims)
    }

    /// Gives claims back, where they still point to what they did.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn release(&self, own: &BTreeMap<String, String>) -> Result<(), ClaimError> {
        if self.remote == SELF {
            return self.remove(own);
        }
        let own: Vec<(&String, &String)> = own.iter().collect();
        for batch in own.chunks(BATCH_MAX) {
            let leases = batch
                .iter()
                .map(|(task, object)| format!("--force-with-lease={}:{object}", name(task)));
            let mut arguments: Vec<String> =
                PUSH.iter().map(ToString::to_string).chain(leases).collect();
            arguments.push(self.remote.clone());
            arguments.extend(batch.iter().map(|(task, _)| format!(":{}", name(task))));
            let output = self.git(&arguments)?;
            if !output.status.success() {
                return Err(self.refused("give claims back", &output));
            }
        }
        Ok(())
    }

    /// Makes refs for `objects`, by their tasks, in the repository itself: no hook of it runs.
    fn create(&self, objects: &BTreeMap<&str, String>) -> Result<BTreeSet<String>, ClaimError> {
        let repository = self.repository()?;
        let create = |task: &str, object: &str| {
            let object = git2::Oid::from_str(object)?;
            repository.reference(&name(task), object, false, "orch: claim").map(drop)
        };
        let mut created = BTreeSet::new();
        for (task, object) in objects {
            match create(task, object) {
                Ok(()) => drop(created.insert((*task).to_owned())),
                // Another process makes one just now, or has made it.
                Err(error)
                    if matches!(
                        error.code(),
                        git2::ErrorCode::Exists | git2::ErrorCode::Locked
                    ) => {}
                Err(source) => return Err(self.failed(source)),
            }
        }
        Ok(created)
    }

    /// Removes refs of the repository itself.
    fn remove(&self, own: &BTreeMap<String, String>) -> Result<(), ClaimError> {
        let repository = self.repository()?;
        for (task, object) in own {
            let found = repository.find_reference(&name(task));
            let is_same = |found: &git2::Reference<'_>| {
                found.target().is_some_and(|target| target.to_string() == *object)
            };
            match found {
                Ok(mut found) if is_same(&found) => {
                    found.delete().map_err(|source| self.failed(source))?;
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Pushes `objects`, by their tasks; returns the tasks whose refs were created by it.
    fn push(&self, objects: &BTreeMap<&str, String>) -> Result<BTreeSet<String>, ClaimError> {
        // Nothing may be there: the remote compares and writes in one step.
        let leases = objects.keys().map(|task| format!("--force-with-lease={}:", name(task)));
        let mut arguments: Vec<String> =
            PUSH.iter().map(ToString::to_string).chain(leases).collect();
        arguments.push(self.remote.clone());
        arguments.extend(objects.iter().map(|(task, object)| format!("{object}:{}", name(task))));
        let output = self.git(&arguments)?;
        let told = String::from_utf8_lossy(&output.stdout);
        let lines = told.lines().filter_map(|line| line.split_once('\t'));
        let refs: Vec<(&str, &str)> = lines
            .filter_map(|(flag, rest)| {
                let (_, to) = rest.split('\t').next()?.split_once(':')?;
                Some((flag.trim(), to.strip_prefix(CLAIMS)?))
            })
            .collect();
        if refs.is_empty() {
            return Err(self.refused("claim tasks", &output));
        }
        let created = refs.into_iter().filter(|(flag, _)| *flag == "*");
        Ok(created.map(|(_, name)| decoded(name)).collect())
    }

    /// Writes a claim as a commit without files, and returns its name.
    fn write(&self, task: &str, nonce: &str, at: &str) -> Result<String, ClaimError> {
        let words = Words {
            task: task.to_owned(),
            host: self.host.clone(),
            clone: self.clone.clone(),
            nonce: nonce.to_owned(),
            at: at.to_owned(),
        };
        let message = words.render();
        let write = |repository: &Repository| {
            let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
            let author = Signature::now("orch", "orch@localhost")?;
            repository.commit(None, &author, &author, &message, &tree, &[])
        };
        let object = write(&self.repository()?).map_err(|source| self.failed(source))?;
        Ok(object.to_string())
    }

    /// Reads a claim; one that nobody understands is somebody's.
    fn read(&self, repository: &Repository, object: git2::Oid) -> Claim {
        let commit = repository.find_commit(object).ok();
        let message = commit.and_then(|commit| commit.message().map(str::to_owned).ok());
        let words = message.and_then(|text| Words::parse(&text));
        Claim {
            object: object.to_string(),
            is_own: words.as_ref().is_some_and(|w| w.host == self.host && w.clone == self.clone),
            who: words.map_or_else(|| "somebody".to_owned(), |words| words.described()),
        }
    }

    fn described(&self, at: &str) -> String {
        described(&self.host, &self.clone, at)
    }

    fn repository(&self) -> Result<Repository, ClaimError> {
        Repository::discover(&self.root).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: git2::Error) -> ClaimError {
        ClaimError::Repository { path: self.root.clone(), source }
    }

    fn git(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Result<Output, ClaimError> {
        let mut command = Command::new("git");
        // Nothing of the user's runs, nothing is tidied up, nothing waits for ever.
        for setting in [
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            "gc.auto=0",
            "maintenance.auto=false",
            "push.gpgSign=false",
            "http.lowSpeedLimit=1",
            "http.lowSpeedTime=30",
        ] {
            command.args(["-c", setting]);
        }
        if std::env::var_os("GIT_SSH_COMMAND").is_none() {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20");
        }
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(ClaimError::Program)
    }

    fn refused(&self, what: &'static str, output: &Output) -> ClaimError {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        let said = last.unwrap_or("it said nothing").trim().to_owned();
        ClaimError::Refused { what, remote: self.remote.clone(), said }
    }
}

/// What every push begins with.
const PUSH: [&str; 4] = ["push", "--porcelain", "--no-verify", "--no-recurse-submodules"];

impl Words {
    fn render(&self) -> String {
        let Self { task, host, clone, nonce, at } = self;
        format!("claim {task}\n\nhost: {host}\nclone: {clone}\nnonce: {nonce}\nat: {at}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let task = lines.next()?.strip_prefix("claim ")?.to_owned();
        let mut words = Self { task, ..Self::default() };
        for (key, value) in lines.filter_map(|line| line.split_once(": ")) {
            let field = match key {
                "host" => &mut words.host,
                "clone" => &mut words.clone,
                "nonce" => &mut words.nonce,
                "at" => &mut words.at,
                _ => continue,
            };
            value.clone_into(field);
        }
        Some(words)
    }

    fn described(&self) -> String {
        described(&self.host, &self.clone, &self.at)
    }
}

fn described(host: &str, clone: &str, at: &str) -> String {
    format!("{host} (clone {clone}) since {at}")
}

/// Returns the ref of the claim of a task. Dots of ids are not allowed everywhere in refs.
fn name(task: &str) -> String {
    format!("{CLAIMS}{}", task.replace('.', "%"))
}

/// Returns the task whose claim has this name.
fn decoded(name: &str) -> String {
    name.replace('%', ".")
}
