//! What `orch` finds around it: one function for each thing that is looked at.
//!
//! Nothing is changed but for the probe, which is removed again.

mod disk;
mod git;
mod leftovers;
mod lock;
mod plan;
mod sandbox;
mod security;
mod watching;
mod workers;

pub use self::security::security;

use crate::{
    app::{
        error::AppError,
        repository::Repository,
        standing::Standing,
        view::doctor::{Check, DoctorView, Figures, Verdict},
    },
    domain::format::task_file::Reading,
    io::{git::checkout::Checkout, store::Store},
};

/// What the checks look at.
struct Surroundings<'a> {
    store: &'a Store,
    checkout: Option<Checkout>,
    /// The plan, or why it cannot be read.
    standing: Result<Standing, AppError>,
}

/// One check: it adds what it measured to the figures.
type Look = fn(&Surroundings<'_>, &mut Figures) -> Vec<Check>;

/// All checks, in the order in which they are told.
const LOOKS: [Look; 14] = [
    watching::notices,
    watching::limits,
    git::program,
    git::checkout,
    lock::lock,
    workers::executor,
    leftovers::leftovers,
    sandbox::sandbox,
    workers::programs,
    workers::agents,
    plan::plan,
    disk::room,
    disk::local,
    disk::file_system,
];

/// Looks around.
pub fn doctor(repository: &Repository) -> DoctorView {
    let surroundings = Surroundings::of(repository);
    let mut figures = Figures::default();
    let checks: Vec<Check> =
        LOOKS.iter().flat_map(|look| look(&surroundings, &mut figures)).collect();
    let (n_warnings, n_errors) =
        (n_with(&checks, Verdict::Warning), n_with(&checks, Verdict::Error));
    DoctorView { checks, n_warnings, n_errors, figures }
}

impl<'a> Surroundings<'a> {
    fn of(repository: &'a Repository) -> Self {
        let store = repository.store();
        Self {
            store,
            checkout: Checkout::find(store.root()),
            standing: Standing::read(repository.clone(), Reading::Whole),
        }
    }
}

fn n_with(checks: &[Check], verdict: Verdict) -> usize {
    checks.iter().filter(|check| check.verdict == verdict).count()
}

/// Returns an error with its causes, in one sentence.
fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Returns `n` with its word.
fn counted(n: u64, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}
