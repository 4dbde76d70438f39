//! A request to merge the branch of the plan.

use serde::Serialize;

use super::{diff::DiffView, status::StatusView};

/// What a request to merge the branch of the plan tells.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposalView {
    /// The branch of the plan.
    pub branch: String,
    /// The milestone that it is about, where it is about one.
    pub milestone: Option<String>,
    /// What the branch does to the plan since it left its base.
    pub diff: DiffView,
    /// How the plan stands.
    pub status: StatusView,
    /// How many tasks, roles and settings are other ones here than in what is pushed.
    pub n_uncommitted: usize,
    /// What is not done, by milestone: the one that it is about first, tasks without one last.
    pub left: Vec<LeftGroup>,
}

/// Tasks of a milestone that are not done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftGroup {
    /// The milestone; `None` for tasks without one.
    pub milestone: Option<String>,
    /// How many tasks it has, cancelled ones left out.
    pub n_tasks: usize,
    /// How many are done.
    pub n_done: usize,
    /// The others.
    pub tasks: Vec<LeftTask>,
}

/// A task that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftTask {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: &'static str,
    /// Why it is not done, to be read on from its id; empty where nothing tells.
    pub why: String,
}

/// A request to merge the branch of the plan, as it was made or would be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RequestView {
    /// What was done: `created`, `updated`, or `none` in a dry run.
    pub action: &'static str,
    /// The number of the request.
    pub number: Option<u64>,
    /// Where it is seen.
    pub url: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text, in markdown.
    pub body: String,
    /// The branch with the work.
    pub branch: String,
    /// The branch that it is for.
    pub base: String,
    /// The commit that is pushed.
    pub commit: String,
    /// How many commits it has that the base has not, as far as this clone knows.
    pub n_commits: usize,
    /// How many tasks, roles and settings are not committed, and so not pushed.
    pub n_uncommitted: usize,
    /// The milestone that it is about.
    pub milestone: Option<String>,
    /// The git remote.
    pub remote: String,
    /// Where that leads, without passwords.
    pub push_url: String,
    /// What is pushed where.
    pub refspec: String,
    /// Whether the remote got commits by this; `false` where it had them.
    pub is_pushed: bool,
    /// What the repository is on: `github` or `gitlab`.
    pub host: &'static str,
    /// What a request is called there.
    pub noun: &'static str,
    /// What stands before its number there.
    pub sign: char,
    /// The program that is asked.
    pub program: &'static str,
    /// Where that is to be had, where it is not installed.
    pub program_home: Option<&'static str>,
    /// What was called, or would be; a body that is an argument is left out.
    pub commands: Vec<Vec<String>>,
}
