//! What a coordinator leaves of landings that wait, for those who only look.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    app::view::explain::LandingWait,
    domain::model::id::{AttemptId, TaskId},
};

/// Landings that wait, by attempt.
pub(super) type Waits = BTreeMap<AttemptId, LandingWait>;

/// Most files that are named.
pub(super) const FILES_MAX: usize = 100;

/// Renders what is in the way of landings, as the process `pid` knows it.
pub(super) fn render(pid: u32, waits: &Waits) -> String {
    let one = |(attempt, wait): (&AttemptId, &LandingWait)| {
        json!({
            "task": attempt.task.as_str(),
            "attempt": attempt.number,
            "what": wait.what,
            "files": wait.files,
            "since": wait.since,
        })
    };
    format!("{}\n", json!({ "pid": pid, "waits": waits.iter().map(one).collect::<Vec<_>>() }))
}

/// Reads what the process `pid` wrote; what another one wrote, or what makes no sense, is as if it
/// were missing.
pub(super) fn parse(pid: u32, bytes: &[u8]) -> Waits {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let is_its = value.get("pid").and_then(Value::as_u64) == Some(u64::from(pid));
    let waits = value.get("waits").and_then(Value::as_array).filter(|_| is_its);
    waits.into_iter().flatten().filter_map(parse_one).collect()
}

fn parse_one(one: &Value) -> Option<(AttemptId, LandingWait)> {
    let text = |key: &str| one.get(key)?.as_str().map(str::to_owned);
    let task = TaskId::parse(&text("task")?).ok()?;
    let number = u32::try_from(one.get("attempt")?.as_u64()?).ok()?;
    let files = one.get("files")?.as_array()?.iter();
    let files = files.filter_map(Value::as_str).map(str::to_owned).collect();
    let wait = LandingWait { what: text("what")?, files, since: text("since")? };
    Some((AttemptId::new(task, number), wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_nothing() {
        let attempt = |task: &str, number| AttemptId::new(TaskId::parse(task).unwrap(), number);
        let wait = |what: &str, files: &[&str]| LandingWait {
            what: what.to_owned(),
            files: files.iter().map(|&file| file.to_owned()).collect(),
            since: "2026-11-20T10:15:00.000Z".to_owned(),
        };
        let waits = Waits::from([
            (attempt("a", 1), wait("local changes are in the way", &["b/c", "d \"e\""])),
            (attempt("a.1", 12), wait("a merge is under way", &[])),
        ]);
        let text = render(7, &waits);
        assert_eq!(parse(7, text.as_bytes()), waits);
        assert_eq!(parse(8, text.as_bytes()), Waits::new());
        for text in
            ["", "{", "[]", "{\"pid\": 7}", "{\"pid\": 7, \"waits\": [1, {\"task\": \"\"}]}"]
        {
            assert_eq!(parse(7, text.as_bytes()), Waits::new(), "{text}");
        }
    }
}
