//! Limits of providers: all tasks whose workers share one wait until it is lifted.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{
    Scheduler,
    effect::{Effect, Notice},
    retry,
};
use crate::domain::model::{
    attempt::UsageLimit,
    id::{AttemptId, TaskId},
    time::{Tick, Timestamp},
};

/// A limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderLimit {
    /// Until when, for decisions.
    pub until: Tick,
    /// Until when, for people.
    pub until_wall: Timestamp,
    /// How often in a row it was reached again after a wait.
    n_in_row: u32,
    /// The attempt that ran into it last.
    by: AttemptId,
}

impl Scheduler {
    /// Takes up the limits that are on record.
    pub(super) fn recall_limits(&mut self) {
        let found: Vec<_> = self
            .histories
            .iter()
            .filter_map(|(id, history)| {
                let limit = history.limit(self.outside.retried_after(id, history.last))?;
                let ended = history.ending.as_ref()?.ended;
                let attempt = AttemptId::new(id.clone(), history.last);
                Some((attempt, limit.clone(), ended, history.n_alike))
            })
            .collect();
        for (attempt, limit, ended, n_in_row) in found {
            let wait = retry::limit_wait(&limit, ended, n_in_row);
            let rest = wait.saturating_sub(self.now.wall.since(ended));
            if !rest.is_zero() {
                self.extend_limit(&limit.provider, rest, n_in_row, attempt);
            }
        }
    }

    /// Forgets the limits whose attempts a person set aside: they say that it is lifted.
    pub(super) fn drop_retried_limits(&mut self) {
        let (outside, histories) = (&self.outside, &self.histories);
        let last = |id: &TaskId| histories.get(id).map_or(0, |history| history.last);
        self.limits.retain(|_, limit| {
            let by = &limit.by;
            by.number > outside.retried_after(&by.task, last(&by.task))
        });
    }

    /// Notes that an attempt ran into the limit of its provider.
    pub(super) fn note_limit(
        &mut self,
        attempt: &AttemptId,
        limit: &UsageLimit,
        effects: &mut Vec<Effect>,
    ) {
        let known = self.limits.get(&limit.provider);
        let is_known = known.is_some_and(|known| known.until > self.now.tick);
        // Workers that run side by side reach it side by side.
        let n_in_row = known.map_or(0, |known| known.n_in_row) + u32::from(!is_known);
        let wait = retry::limit_wait(limit, self.now.wall, n_in_row);
        self.extend_limit(&limit.provider, wait, n_in_row, attempt.clone());
        if !is_known && let Some(known) = self.limits.get(&limit.provider) {
            effects.push(Effect::Announce(Notice::LimitReached {
                provider: limit.provider.clone(),
                until: known.until_wall,
                words: limit.words.clone(),
            }));
        }
    }

    fn extend_limit(&mut self, provider: &str, rest: Duration, n_in_row: u32, by: AttemptId) {
        let until = self.now.tick.plus(rest);
        let until_wall = self.now.wall.plus(rest);
        let limit = ProviderLimit { until, until_wall, n_in_row, by };
        let known = self.limits.entry(provider.to_owned()).or_insert_with(|| limit.clone());
        if known.until <= until {
            *known = limit;
        }
    }

    /// Notes that a worker of `provider` ended well: the next limit is the first again.
    pub(super) fn forget_limit(&mut self, provider: Option<&str>) {
        let is_over = |limit: &ProviderLimit| limit.until <= self.now.tick;
        if let Some(provider) = provider
            && self.limits.get(provider).is_some_and(is_over)
        {
            self.limits.remove(provider);
        }
    }

    /// Returns the limit of `provider`, while it holds.
    pub fn limit_of(&self, provider: &str) -> Option<&ProviderLimit> {
        self.limits.get(provider).filter(|limit| limit.until > self.now.tick)
    }

    /// Returns the moment at which the next limit is lifted.
    pub(super) fn next_limit_end(&self) -> Option<Tick> {
        self.limits.values().map(|limit| limit.until).filter(|until| *until > self.now.tick).min()
    }
}
