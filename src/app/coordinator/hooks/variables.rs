//! What a hook finds in its environment.

use std::{ffi::OsString, path::Path};

use crate::domain::model::{hook::HookEvent, limits::HOOK_VALUE_CHARACTERS_MAX};

/// What an occasion is about, as far as it is about that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct About {
    pub(super) task: Option<String>,
    pub(super) title: String,
    pub(super) attempt: Option<u32>,
    pub(super) outcome: Option<String>,
    pub(super) reason: String,
    pub(super) milestone: Option<String>,
    pub(super) level: Option<u32>,
}

impl About {
    /// Returns what names it in a line.
    pub(super) fn name(&self) -> String {
        let level = || self.level.map(|level| format!("level {level}"));
        let name = self.task.clone().or_else(|| self.milestone.clone()).or_else(level);
        one_line(&name.unwrap_or_default())
    }
}

/// Returns the variables of a hook. All are there for every hook, so that `set -u` holds; those
/// that do not apply are empty.
pub(super) fn variables(
    event: HookEvent,
    about: &About,
    root: &Path,
    (n_done, n_tasks): (usize, usize),
) -> Vec<(OsString, OsString)> {
    let number = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
    let texts = [
        ("ORCH_EVENT", event.as_str().to_owned()),
        ("ORCH_TASK_ID", about.task.clone().unwrap_or_default()),
        ("ORCH_TITLE", about.title.clone()),
        ("ORCH_ATTEMPT", number(about.attempt)),
        ("ORCH_OUTCOME", about.outcome.clone().unwrap_or_default()),
        ("ORCH_REASON", about.reason.clone()),
        ("ORCH_MILESTONE", about.milestone.clone().unwrap_or_default()),
        ("ORCH_LEVEL", number(about.level)),
        ("ORCH_DONE", n_done.to_string()),
        ("ORCH_TOTAL", n_tasks.to_string()),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name.into(), one_line(&text).into()));
    texts.chain([("ORCH_ROOT".into(), root.into())]).collect()
}

/// Returns `text` on one line, without what a terminal or a mail would act on, and not too long.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(HOOK_VALUE_CHARACTERS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_there_and_on_one_line() {
        let about = About {
            task: Some("API-1".to_owned()),
            title: "a\nb\x1b[31m\0".to_owned(),
            attempt: Some(2),
            reason: "x".repeat(2000),
            ..About::default()
        };
        let told = variables(HookEvent::Failed, &about, Path::new("/r"), (1, 3));
        let text = |(name, value): &(OsString, OsString)| {
            format!("{}={:.20}", name.to_string_lossy(), value.to_string_lossy())
        };
        let told: Vec<String> = told.iter().map(text).collect();
        expect_test::expect![[r#"
            ORCH_EVENT=failed
            ORCH_TASK_ID=API-1
            ORCH_TITLE=a b [31m 
            ORCH_ATTEMPT=2
            ORCH_OUTCOME=
            ORCH_REASON=xxxxxxxxxxxxxxxxxxxx
            ORCH_MILESTONE=
            ORCH_LEVEL=
            ORCH_DONE=1
            ORCH_TOTAL=3
            ORCH_ROOT=/r"#]]
        .assert_eq(&told.join("\n"));
        assert_eq!(one_line(&about.reason).len(), HOOK_VALUE_CHARACTERS_MAX);
    }
}
