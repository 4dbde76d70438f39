//! What a plan would execute: shown, approved, taken back.

mod show;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    app::{
        approval::{Approval, AsRead, parts, require_hash},
        error::AppError,
        own_settings,
        repository::Repository,
        view::trust::{TrustView, Trusted},
    },
    domain::{
        format::task_file::Reading,
        model::suggest,
        plan::Plan,
        trust::{self, Fingerprint, Part, PartName},
    },
    io::{
        git::{Ground, Head},
        store::lock,
    },
};

/// What a plan would execute at one moment, and what of it is approved.
pub struct Consent {
    approval: Approval,
    plan: Arc<Plan>,
    parts: Vec<Part>,
    repository: Repository,
    /// Tasks for which nothing is started as the records stand.
    settled: BTreeSet<PartName>,
}

/// Looks at the plan. Nothing is approved by that.
///
/// # Errors
/// [`AppError::Store`] where a folder cannot be listed; [`AppError::OwnSettings`],
/// [`AppError::Trust`], [`AppError::Git`].
pub fn look(repository: &Repository) -> Result<Consent, AppError> {
    // First of all: what is checked out later was not looked at.
    let mut approval = Approval::open(repository.root())?;
    let snapshot = repository.read(Reading::Whole)?;
    // Somebody may be at work that changes what is looked at.
    let is_open = |ending: &Option<_>| ending.is_none();
    let had_workers = lock::holder(repository.store())?.is_some()
        || snapshot.attempts.values().any(|record| is_open(&record.ending));
    approval.only_look();
    let errors = snapshot.diagnostics.iter().filter(|found| found.severity.is_error());
    let broken: BTreeSet<&str> = errors.map(|found| &*found.primary.path).collect();
    let is_read = |path: &str| !broken.contains(path);
    let as_read = AsRead { has_errors: !broken.is_empty(), is_read: &is_read };
    approval.look(&snapshot.plan, had_workers, &as_read)?;
    let scheduler = snapshot.scheduler(crate::io::clock::Clock::new().now());
    let plan = Arc::clone(&snapshot.plan);
    let settled = plan.indices().zip(scheduler.states()).filter(|(_, state)| state.is_settled());
    let settled = settled.map(|(task, _)| PartName::Task(plan.id(task).clone())).collect();
    Ok(Consent { approval, parts: parts(&plan), plan, repository: repository.clone(), settled })
}

impl Consent {
    /// Returns the digest of all that the plan would execute.
    pub fn hash(&self) -> String {
        trust::fingerprint(&self.parts).to_string()
    }

    /// Shows everything, or only what waits for approval.
    pub fn view(&self, is_all: bool) -> TrustView {
        show::view(self, is_all)
    }

    /// Refuses where no run can begin, not even with some of the tasks.
    ///
    /// # Errors
    /// [`AppError::Untrusted`].
    pub fn require_beginning(&self) -> Result<(), AppError> {
        self.approval.require_beginning()
    }

    /// Returns what waits for approval, of what is not done or cancelled.
    fn waiting(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| self.is_waiting(part))
    }

    fn is_waiting(&self, part: &Part) -> bool {
        let is_wanted = part.is_open && !self.settled.contains(&part.name);
        is_wanted && self.approval.waits(&part.name).is_some()
    }

    /// Says whether anything waits for approval.
    pub fn has_waiting(&self) -> bool {
        self.waiting().next().is_some()
    }

    /// Approves what waits: all of it, or what is named.
    ///
    /// # Errors
    /// [`AppError::Usage`] where a name is of nothing that would be executed; [`AppError::Trust`].
    pub fn approve(mut self, names: &[String]) -> Result<Trusted, AppError> {
        let wanted = names.iter().map(|name| self.named(name)).collect::<Result<Vec<_>, _>>()?;
        let chosen: Vec<Part> = match names {
            [] => self.waiting().cloned().collect(),
            _ => self.parts.iter().filter(|part| wanted.contains(&part.name)).cloned().collect(),
        };
        self.approve_parts(&chosen)
    }

    /// Approves everything, where that is what `hash` is the digest of.
    ///
    /// # Errors
    /// [`AppError::Untrusted`] where it is not; [`AppError::Trust`].
    pub fn approve_exactly(mut self, hash: Fingerprint) -> Result<Trusted, AppError> {
        require_hash(&self.parts, hash)?;
        self.approve_parts(&self.parts.clone())
    }

    fn approve_parts(&mut self, chosen: &[Part]) -> Result<Trusted, AppError> {
        self.approval.approve(chosen)?;
        let names: BTreeSet<&PartName> = chosen.iter().map(|part| &part.name).collect();
        let n_waiting = self.waiting().filter(|part| !names.contains(&part.name)).count();
        Ok(Trusted {
            approved: chosen.iter().map(|part| part.name.to_string()).collect(),
            n_waiting,
        })
    }

    /// Takes all approvals back.
    ///
    /// # Errors
    /// [`AppError::Trust`].
    pub fn revoke(mut self) -> Result<(), AppError> {
        self.approval.revoke()
    }

    /// Finds a part by its name, or by the id of a task.
    fn named(&self, text: &str) -> Result<PartName, AppError> {
        let names = || self.parts.iter().map(|part| &part.name);
        let is_meant = |name: &&PartName| match name {
            PartName::Task(id) if id.as_str() == text => true,
            name => name.to_string() == text,
        };
        if let Some(name) = names().find(is_meant) {
            return Ok(name.clone());
        }
        let known: Vec<String> = names().map(ToString::to_string).collect();
        let near = suggest::did_you_mean(text, known.iter().map(String::as_str));
        let help = near.map_or_else(
            || "`orch trust --all` lists all that would be executed".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(AppError::usage(format!("this plan executes nothing that is called `{text}`"), help))
    }
}

/// Approves all of a plan that this program has just written itself. Where that cannot be kept, the
/// user is asked later.
pub(super) fn approve_own(repository: &Repository) {
    let approve = || look(repository)?.approve(&[]);
    if let Err(error) = approve() {
        tracing::warn!(%error, "what was written is not approved");
    }
}

/// Refuses `--trust` but on a branch that the user protects: what is there was reviewed.
///
/// # Errors
/// [`AppError::Usage`]; [`AppError::Git`], [`AppError::OwnSettings`], [`AppError::Trust`].
pub fn require_protected(repository: &Repository) -> Result<(), AppError> {
    let protect = own_settings::protected(own_settings::read()?);
    let head = match Ground::find(repository.root())? {
        Some(ground) => ground.head()?,
        None => Head::Detached,
    };
    match head {
        Head::Branch(branch) if protect.contains(&branch) => Ok(()),
        Head::Branch(_) | Head::Unborn | Head::Detached => Err(AppError::usage(
            format!(
                "`--trust` is for a protected branch, and {} is not checked out",
                protect.join(" or ")
            ),
            "name what you approve instead: `--trust-hash HASH`, with the hash that `orch trust \
             --print` prints",
        )),
    }
}
