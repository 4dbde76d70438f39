//! Why a task is not running, in words.

use crate::domain::scheduler::explain::Reason;

/// Returns a reason in words, and what to do about it.
pub fn words(reason: &Reason) -> (String, String) {
    (format!("{reason:?}"), String::new())
}
