//! Tasks whose states are others, and what was spent on them in between.

use std::collections::BTreeMap;

use super::Names;
use crate::{
    app::{
        standing::Standing,
        view::diff::{Spent, StateMove},
    },
    domain::{
        model::{
            attempt::{AttemptRecord, Usage},
            id::TaskId,
        },
        scheduler::phase::TaskState,
    },
};

/// Returns the tasks that are in another state, or that were worked on, in the order of their ids.
pub(super) fn moves(before: &Standing, after: &Standing, names: &Names<'_>) -> Vec<StateMove> {
    let mut spent = spent(before, after);
    let mut moves = Vec::new();
    for task in after.plan().indices() {
        let id = after.plan().id(task).as_str();
        let old = before.plan().find(names.before(id));
        let from = old.map(|old| before.state(old));
        let to = after.state(task);
        // What was spent under the name that it had is told of it, too.
        let under = [id, names.before(id)];
        let spent = under.iter().filter_map(|id| spent.remove(*id)).fold(Spent::default(), add);
        let is_moved = match from {
            Some(from) => from != to,
            // Where a new task stands is no news, unless it is past its beginning.
            None => matches!(to, TaskState::Done | TaskState::Failed | TaskState::Review),
        };
        if is_moved || spent.n_attempts > 0 {
            let spec = after.plan().spec(task);
            moves.push(StateMove {
                id: id.to_owned(),
                title: Some(spec.title.clone()).filter(|title| title != id),
                from: from.map(TaskState::as_str),
                to: Some(to.as_str()),
                spent,
            });
        }
    }
    // Tasks that are gone, or never had a file.
    moves.extend(spent.into_iter().map(|(id, spent)| {
        let old = before.plan().find(id);
        StateMove {
            id: id.to_owned(),
            title: None,
            from: old.map(|old| before.state(old).as_str()),
            to: None,
            spent,
        }
    }));
    moves.sort_by(|a, b| a.id.cmp(&b.id));
    moves
}

/// Returns what all moves took together.
pub(super) fn sum(moves: &[StateMove]) -> Spent {
    moves.iter().map(|moved| moved.spent).fold(Spent::default(), add)
}

fn add(one: Spent, other: Spent) -> Spent {
    Spent {
        n_attempts: one.n_attempts + other.n_attempts,
        seconds: one.seconds + other.seconds,
        tokens: one.tokens.saturating_add(other.tokens),
        cost_usd: one.cost_usd + other.cost_usd,
    }
}

/// Returns what attempts took that began or ended in between, by the ids of their tasks.
fn spent<'a>(before: &Standing, after: &'a Standing) -> BTreeMap<&'a str, Spent> {
    let mut spent: BTreeMap<&str, Spent> = BTreeMap::new();
    for (attempt, record) in &after.snapshot.attempts {
        let old = before.snapshot.attempts.get(attempt);
        let has_ended = |record: &AttemptRecord| record.ending.is_some();
        if old.is_some_and(|old| has_ended(old) || !has_ended(record)) {
            continue;
        }
        let (ended, usage) = match &record.ending {
            Some(ending) => (ending.ended.since(record.started).as_secs_f64(), ending.usage),
            None => (0.0, Usage::default()),
        };
        let id: &TaskId = &attempt.task;
        let sum = spent.entry(id.as_str()).or_default();
        let own = Spent {
            n_attempts: 1,
            seconds: ended,
            tokens: usage.tokens(),
            cost_usd: usage.cost_usd,
        };
        *sum = add(*sum, own);
    }
    spent
}
