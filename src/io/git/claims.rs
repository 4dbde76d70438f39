//! Claims of tasks as refs at a remote that all coordinators of a plan see.
//!
//! A claim is a ref that is only ever created: whoever pushes it first has the task, and every later
//! push is refused by the remote, however many push at once and whatever file system it lies on.
//! What the ref points to says who that is. It differs between any two coordinators, as a push of
//! the very same object would succeed for both.
//!
//! The program `git` does the pushing, as it knows how the user gets to the remote. No hook runs,
//! and it asks nobody for a password.

mod error;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use git2::{Repository, Signature};

pub use self::error::ClaimError;

use self::words::{Words, prefix};
use super::{Triggers, program};

/// Where claims are, here and at the remote.
const CLAIMS: &str = "refs/orch/claims/";

/// Where those of a remote are seen, here.
const SEEN: &str = "refs/orch/seen/claims/";

/// The remote that is the repository itself.
const SELF: &str = ".";

/// Most claims in one push: each is an argument.
const BATCH_MAX: usize = 500;

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

/// What became of a push.
#[derive(Debug, Default)]
struct Pushed {
    /// Tasks whose refs were created by it.
    created: BTreeSet<String>,
    /// Other tasks, with what the remote said.
    refused: BTreeMap<String, String>,
}

/// The claims of a plan at one remote, as one coordinator makes and sees them.
#[derive(Debug, Clone)]
pub struct Claims {
    root: PathBuf,
    remote: String,
    host: String,
    clone: String,
    /// The process group of the `git` that runs, for whoever does not want to wait for it.
    running: Arc<AtomicU32>,
    /// What the names of its refs begin with: plans in several folders of a repository have tasks
    /// of their own.
    prefix: String,
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
            running: Arc::default(),
            prefix: prefix(root),
        };
        let repository = claims.repository()?;
        if remote != SELF && repository.find_remote(remote).is_err() {
            return Err(ClaimError::NoRemote { name: remote.to_owned() });
        }
        Ok(claims)
    }

    /// Looks at what has git start programs, or leads it elsewhere.
    ///
    /// # Errors
    /// [`ClaimError::Repository`].
    pub fn triggers(&self) -> Result<Triggers, ClaimError> {
        Ok(Triggers::of(self.repository()?.commondir()))
    }

    /// Returns the number of the process group in which `git` runs, 0 where it does not.
    pub fn running(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.running)
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
            let Pushed { created, refused } = match self.remote == SELF {
                true => self.create(&objects)?,
                false => self.push(&objects)?,
            };
            let mut unclear: BTreeSet<&str> = objects.keys().copied().collect();
            for task in created {
                if let Some((name, claim)) = objects.get_key_value(task.as_str()) {
                    unclear.remove(name);
                    answers.insert(task, claim.clone());
                }
            }
            if !unclear.is_empty() {
                let seen = self.look()?.into_iter();
                answers.extend(seen.filter(|(task, _)| unclear.contains(task.as_str())));
            }
            // Refused, and there is no claim of anybody: a rule of the remote.
            let by_rule = refused.into_iter().find(|(task, said)| {
                !answers.contains_key(task) && said.contains("[remote rejected]")
            });
            if let Some((_, said)) = by_rule {
                let remote = self.remote.clone();
                return Err(ClaimError::Refused { what: "claim tasks", remote, said });
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
            let fetch =
                [&["fetch"], &options[..], &["--no-write-fetch-head", "--", &self.remote, &refs]];
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
            let Some(task) = self.task(name) else { continue };
            claims.insert(task, self.read(&repository, object));
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
            let refs = batch.iter().map(|(task, object)| {
                (task.as_str(), format!(":{}", self.name(task)), object.as_str())
            });
            let output = self.push_refs(refs)?;
            if !output.status.success() {
                return Err(self.refused("give claims back", &output));
            }
        }
        Ok(())
    }

    /// Makes refs for `objects`, by their tasks, in the repository itself: no hook of it runs.
    fn create(&self, objects: &BTreeMap<&str, Claim>) -> Result<Pushed, ClaimError> {
        let repository = self.repository()?;
        let create = |task: &str, object: &str| {
            let object = git2::Oid::from_str(object)?;
            repository.reference(&self.name(task), object, false, "orch: claim").map(drop)
        };
        let mut pushed = Pushed::default();
        for (task, claim) in objects {
            match create(task, &claim.object) {
                Ok(()) => drop(pushed.created.insert((*task).to_owned())),
                // Another process makes one just now, or has made it.
                Err(error)
                    if matches!(
                        error.code(),
                        git2::ErrorCode::Exists | git2::ErrorCode::Locked
                    ) => {}
                Err(source) => return Err(self.failed(source)),
            }
        }
        Ok(pushed)
    }

    /// Removes refs of the repository itself.
    fn remove(&self, own: &BTreeMap<String, String>) -> Result<(), ClaimError> {
        for (task, object) in own {
            // Git does it, where it still points there: libgit2 may take back other refs with it.
            let name = self.name(task);
            let output = self.git(&[
                "update-ref",
                "--no-deref",
                "-d",
                "--",
                name.as_str(),
                object.as_str(),
            ])?;
            if !output.status.success() {
                tracing::debug!(said = %String::from_utf8_lossy(&output.stderr), "a claim stays");
            }
        }
        Ok(())
    }

    /// Pushes `objects`, by their tasks.
    fn push(&self, objects: &BTreeMap<&str, Claim>) -> Result<Pushed, ClaimError> {
        // Nothing may be there.
        let refs = objects
            .iter()
            .map(|(task, claim)| (*task, format!("{}:{}", claim.object, self.name(task)), ""));
        let output = self.push_refs(refs)?;
        let told = String::from_utf8_lossy(&output.stdout);
        let lines = told.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            let (flag, refs, said) = (fields.next()?, fields.next()?, fields.next()?);
            let task = self.task(refs.split_once(':')?.1.strip_prefix(CLAIMS)?)?;
            Some((flag.trim() == "*", task, said.to_owned()))
        });
        let mut pushed = Pushed::default();
        for (is_created, task, said) in lines {
            match is_created {
                true => drop(pushed.created.insert(task)),
                false => drop(pushed.refused.insert(task, said)),
            }
        }
        match pushed.created.is_empty() && pushed.refused.is_empty() {
            true => Err(self.refused("claim tasks", &output)),
            false => Ok(pushed),
        }
    }

    /// Pushes refs: for each the task, what is to be pushed where, and what must be there now,
    /// empty for nothing. The remote compares and writes in one step.
    fn push_refs<'a>(
        &self,
        refs: impl Iterator<Item = (&'a str, String, &'a str)>,
    ) -> Result<Output, ClaimError> {
        let (leases, specs): (Vec<String>, Vec<String>) = refs
            .map(|(task, spec, present)| {
                (format!("--force-with-lease={}:{present}", self.name(task)), spec)
            })
            .unzip();
        let mut arguments: Vec<String> = PUSH.iter().map(ToString::to_string).collect();
        arguments.extend(leases);
        arguments.extend(["--".to_owned(), self.remote.clone()]);
        arguments.extend(specs);
        self.git(&arguments)
    }

    /// Writes a claim of our own as a commit without files.
    fn write(&self, task: &str, nonce: &str, at: &str) -> Result<Claim, ClaimError> {
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
        Ok(Claim { object: object.to_string(), is_own: true, who: words.described() })
    }

    /// Returns the ref of the claim of a task. Dots of ids are not allowed everywhere in refs.
    fn name(&self, task: &str) -> String {
        format!("{CLAIMS}{}{}", self.prefix, task.replace('.', "%"))
    }

    /// Returns the task whose claim has this name; `None` where it is of another plan.
    fn task(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix(&self.prefix)?;
        (!name.contains('=')).then(|| name.replace('%', "."))
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

    fn repository(&self) -> Result<Repository, ClaimError> {
        let open = || {
            let found = Repository::discover(&self.root)?;
            // Of a linked worktree libgit2 looks for a ref in the worktree's own folder, and makes it
            // in the one that all worktrees share: it would never see that there is one.
            if found.is_worktree() { Repository::open(found.commondir()) } else { Ok(found) }
        };
        open().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: git2::Error) -> ClaimError {
        ClaimError::Repository { path: self.root.clone(), source }
    }

    fn git(&self, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Result<Output, ClaimError> {
        let mut command = program::to_remote(&self.root, &self.repository()?);
        command.args(arguments).process_group(0);
        let child = command.spawn().map_err(ClaimError::Program)?;
        self.running.store(child.id(), Ordering::SeqCst);
        let output = child.wait_with_output();
        self.running.store(0, Ordering::SeqCst);
        output.map_err(ClaimError::Program)
    }

    fn refused(&self, what: &'static str, output: &Output) -> ClaimError {
        let said = String::from_utf8_lossy(&output.stderr);
        // After the cause come pieces of advice.
        let cause = said.lines().find(|line| line.starts_with("fatal: "));
        let last = || said.lines().rfind(|line| !line.trim().is_empty());
        let said = cause.or_else(last).unwrap_or("it said nothing").trim().to_owned();
        ClaimError::Refused { what, remote: self.remote.clone(), said }
    }
}

/// What every push begins with.
const PUSH: [&str; 4] = ["push", "--porcelain", "--no-verify", "--no-recurse-submodules"];
