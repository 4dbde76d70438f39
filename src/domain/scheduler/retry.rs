//! How long to wait between two attempts.

use std::time::Duration;

use crate::domain::model::{
    attempt::UsageLimit,
    id::AttemptId,
    limits::{BACKOFF_MAX, LIMIT_WAIT_FIRST, LIMIT_WAIT_MAX},
    time::Timestamp,
};

/// Returns the wait after the `n_failed`-th failure: `base` doubled for each earlier failure, up
/// to one hour, plus up to a quarter that depends on the attempt, so that tasks which failed
/// together do not come back together. The same attempt always waits equally long.
pub(super) fn backoff(base: Duration, n_failed: u32, attempt: &AttemptId) -> Duration {
    let doubled =
        base.saturating_mul(1_u32.checked_shl(n_failed.saturating_sub(1)).unwrap_or(u32::MAX));
    let capped = doubled.min(BACKOFF_MAX);
    let jitter_percent = fnv1a(attempt.to_string().as_bytes()) % 26;
    capped.saturating_add(capped.saturating_mul(u32::try_from(jitter_percent).unwrap_or(0)) / 100)
}

/// Returns how long tasks wait for a provider whose limit was reached at `ended`, for the
/// `n_in_row`-th time: until it is lifted, where that is told and still to come, else a minute,
/// doubled each time, up to an hour. Where it was reached again right after it was said to be
/// lifted, what is told is no longer believed to be enough.
pub(super) fn limit_wait(limit: &UsageLimit, ended: Timestamp, n_in_row: u32) -> Duration {
    let doubled = |n: u32| {
        let factor = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        LIMIT_WAIT_FIRST.saturating_mul(factor).min(BACKOFF_MAX)
    };
    match limit.resets {
        Some(resets) if resets > ended => {
            let told = resets.since(ended).min(LIMIT_WAIT_MAX);
            if n_in_row > 1 { told.max(doubled(n_in_row - 1)) } else { told }
        }
        Some(_) | None => doubled(n_in_row),
    }
}

/// Returns the 64-bit FNV-1a hash of `bytes`: the same on every machine and in every version.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::id::TaskId;

    #[test]
    fn waits_double_up_to_an_hour() {
        let wait = |base_s, n_failed| {
            let attempt = AttemptId::new(TaskId::parse("a").unwrap(), n_failed);
            backoff(Duration::from_secs(base_s), n_failed, &attempt).as_secs()
        };
        for (n_failed, at_least) in [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (500, 3600)]
        {
            let seconds = wait(10, n_failed);
            assert!((at_least..=at_least * 5 / 4).contains(&seconds), "{n_failed}: {seconds}");
        }
        assert_eq!(wait(0, 7), 0);
        assert_eq!(wait(10, 3), wait(10, 3));
    }

    #[test]
    fn a_limit_that_is_reached_again_at_once_is_waited_out_longer() {
        let wait = |resets_s: Option<i64>, n_in_row| {
            let resets = resets_s.map(|s| Timestamp(s * 1000));
            let limit = UsageLimit { provider: String::new(), resets, words: String::new() };
            limit_wait(&limit, Timestamp(0), n_in_row).as_secs()
        };
        let near = [(1, 1), (2, 60), (3, 120), (4, 240)];
        for (n_in_row, seconds) in near {
            assert_eq!(wait(Some(1), n_in_row), seconds, "{n_in_row}");
        }
        assert_eq!(wait(Some(7_200), 2), 7_200, "what is told may be longer");
        assert_eq!([wait(None, 1), wait(None, 2)], [60, 120]);
    }
}
