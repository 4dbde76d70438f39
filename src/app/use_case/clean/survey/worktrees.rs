//! Worktrees that are whole: which of them go, and where their work is then.

use super::{Survey, Thing};
use crate::{
    app::{
        error::AppError,
        use_case::clean::judge::{Case, Judgement, Work, judge},
        view::clean::ThingKind,
    },
    domain::{
        format::layout,
        model::{config::OnChange, id::TaskId},
    },
    io::{
        git::{GitError, TaskWorktree},
        process::cause_of,
    },
};

/// Where the work of a worktree is once that is gone.
struct Whereabouts {
    words: String,
    /// The names under which it would be kept.
    rescued: Vec<String>,
}

impl Survey<'_> {
    pub(super) fn worktrees(
        &self,
        whole: &[(TaskId, TaskWorktree)],
    ) -> Result<Vec<Thing>, AppError> {
        let (mut things, mut counted) = (Vec::new(), Vec::new());
        for (id, _) in whole {
            let mut thing = self.thing(ThingKind::Worktree, &layout::worktree_path(id), id);
            match judge(self.case(id)?) {
                Judgement::Goes(why) => self.let_go(&mut thing, id, why),
                Judgement::Stays(why) => thing.stays(why),
                Judgement::Counts(why) => {
                    counted.push((self.last_seen(id), things.len(), id, why));
                }
            }
            things.push(thing);
        }
        // The newest first: the oldest ones are too many.
        counted.sort_by(|a, b| b.cmp(a));
        let keep = self.standing.plan().config().git.keep;
        let (mut n_kept, mut bytes, mut is_full) = (0_u64, 0_u64, false);
        for (_, at, id, why) in counted {
            let Some(thing) = things.get_mut(at) else { continue };
            bytes = bytes.saturating_add(thing.told.bytes);
            is_full |= n_kept >= keep.worktrees || keep.bytes.is_some_and(|most| bytes > most);
            if is_full {
                self.let_go(thing, id, &format!("{why}, and {}", newer(n_kept)));
            } else {
                n_kept += 1;
                thing.stays(format!("{why}; `git: {{keep: …}}` in the settings leaves it"));
            }
        }
        Ok(things)
    }

    fn case(&self, id: &TaskId) -> Result<Case, AppError> {
        let base = self.ground.base_of(id.as_str());
        let is_of_branch = base.map(|base| self.is_on_branch(&base)).transpose()?;
        let runs_again = self.standing.plan().config().on_change == OnChange::Rerun;
        let work = match (self.is_at_work(id), self.has_coordinator) {
            (true, is_seen_to) => Work::Open { is_seen_to },
            (false, true) => Work::MayBegin { runs_again },
            (false, false) => Work::None,
        };
        Ok(Case {
            state: self.state(id),
            work,
            is_of_branch: is_of_branch.unwrap_or(true),
            has_errors: self.standing.snapshot.has_errors(),
        })
    }

    /// Notes that a worktree can go, and what becomes of the work in it; or why it cannot.
    fn let_go(&self, thing: &mut Thing, id: &TaskId, why: &str) {
        match self.whereabouts(id) {
            Ok(Whereabouts { words, rescued }) => {
                thing.goes(format!("{why}; {words}"));
                thing.told.rescued = rescued;
            }
            Err(reason) => thing.stays(format!("{why}, but {reason}")),
        }
    }

    /// Says where the work in a worktree is once that is gone, or why it would be lost.
    fn whereabouts(&self, id: &TaskId) -> Result<Whereabouts, String> {
        let failed = |error: GitError| cause_of(&error);
        let (task, ground) = (id.as_str(), self.ground);
        if !ground.is_ready(task, &self.place(id)) {
            let words = "git and its folder do not know each other; see `git worktree repair`";
            return Err(words.to_owned());
        }
        let state = ground.worktree_state(task).map_err(failed)?;
        if let Some(path) = state.foreign.first() {
            return Err(format!("a git repository lies in it, in {path}, which is in no commit"));
        }
        if state.is_unfinished {
            return Err("git has begun something in it that is not finished".to_owned());
        }
        let mut keepers = self.keepers();
        let (mut n_lost, mut is_landed) = (0, true);
        for commit in ground.commits_of(task).map_err(failed)? {
            is_landed &= self.is_on_branch(&commit).map_err(failed)?;
            let is_left = commit == state.head && state.n_changed > 0;
            if is_left || !ground.is_kept_by(&commit, &keepers).map_err(failed)? {
                n_lost += 1;
                keepers.push(commit);
            }
        }
        let rescued = self.free_names(task, n_lost);
        let words = match (&rescued[..], state.n_changed) {
            ([], _) if is_landed => format!("all of its work is on {}", self.branch),
            ([], _) => "its work is kept apart already".to_owned(),
            (names, 0) => format!("its work is kept as {}", names.join(", ")),
            (names, n) => {
                let files = if n == 1 { "file is" } else { "files are" };
                format!("{n} uncommitted {files} committed, and kept as {}", names.join(", "))
            }
        };
        Ok(Whereabouts { words, rescued })
    }
}

fn newer(n: u64) -> String {
    match n {
        0 => "none of its like is to stay".to_owned(),
        1 => "a newer one of its like stays".to_owned(),
        n => format!("{n} newer ones of its like stay"),
    }
}
