//! What a coordinator leaves of claims for those who only look.

use serde_json::{Map, Value, json};

use crate::domain::{model::id::TaskId, scheduler::claims::Claims};

/// Renders claims.
pub(super) fn render(claims: &Claims) -> String {
    let own: Vec<&str> = claims.own.iter().map(TaskId::as_str).collect();
    let others: Map<String, Value> =
        claims.others.iter().map(|(task, who)| (task.to_string(), json!(who))).collect();
    format!("{}\n", json!({ "own": own, "others": others }))
}

/// Reads claims; what makes no sense is as if it were missing.
pub(super) fn parse(bytes: &[u8]) -> Claims {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let task = |text: &str| TaskId::parse(text).ok();
    let own =
        value.get("own").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let others = value.get("others").and_then(Value::as_object).into_iter().flatten();
    let others = others.filter_map(|(id, who)| Some((task(id)?, who.as_str()?.to_owned())));
    Claims { own: own.filter_map(task).collect(), others: others.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_anything_else_is_nothing() {
        let task = |text: &str| TaskId::parse(text).unwrap();
        let others = [(task("c"), "build-7 since \"now\"".to_owned())];
        let claims = Claims { own: [task("a"), task("b.1")].into(), others: others.into() };
        assert_eq!(parse(render(&claims).as_bytes()), claims);
        for text in ["", "{", "[]", "{\"own\": 1, \"others\": [1]}", "{\"own\": [1, \"\"]}"] {
            assert_eq!(parse(text.as_bytes()), Claims::default(), "{text}");
        }
    }
}
