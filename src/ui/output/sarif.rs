//! Diagnostics as SARIF 2.1.0, which code scanning services read.

use serde_json::{Map, Value, json};

use crate::domain::model::{
    diagnostic::{Diagnostic, Label, Severity},
    place::Span,
};

/// What the log says of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleText<'a> {
    /// The code of its diagnostics.
    pub code: &'a str,
    /// How much a breach matters.
    pub severity: Severity,
    /// What it finds, on one line.
    pub summary: &'a str,
}

/// Returns the log of one run of `orch check`.
///
/// `rules` should list every code that can occur; a diagnostic with another one is kept, without a
/// description of its rule.
pub fn log(diagnostics: &[Diagnostic], rules: &[RuleText<'_>]) -> Value {
    let results: Vec<Value> = diagnostics.iter().map(|d| result(d, rules)).collect();
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.summary },
                "defaultConfiguration": { "level": rule.severity.as_str() },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "orch",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(diagnostic: &Diagnostic, rules: &[RuleText<'_>]) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{}\n{help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut fields = Map::new();
    fields.insert("ruleId".to_owned(), json!(diagnostic.code));
    if let Some(index) = rules.iter().position(|rule| rule.code == diagnostic.code) {
        fields.insert("ruleIndex".to_owned(), json!(index));
    }
    // SARIF has the same three words for its levels.
    fields.insert("level".to_owned(), json!(diagnostic.severity.as_str()));
    fields.insert("message".to_owned(), json!({ "text": text }));
    fields.insert("locations".to_owned(), json!([location(&diagnostic.primary)]));
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(location).collect();
        fields.insert("relatedLocations".to_owned(), related);
    }
    Value::Object(fields)
}

fn location(label: &Label) -> Value {
    let mut physical = Map::new();
    physical.insert(
        "artifactLocation".to_owned(),
        json!({ "uri": uri(&label.path), "uriBaseId": "%SRCROOT%" }),
    );
    if label.span.is_known() {
        let Span { line, column, length } = label.span;
        let mut region = Map::new();
        region.insert("startLine".to_owned(), json!(line));
        region.insert("startColumn".to_owned(), json!(column));
        region.insert("endColumn".to_owned(), json!(column.saturating_add(length)));
        physical.insert("region".to_owned(), Value::Object(region));
    }
    let mut location = Map::new();
    location.insert("physicalLocation".to_owned(), Value::Object(physical));
    if !label.text.is_empty() {
        location.insert("message".to_owned(), json!({ "text": label.text }));
    }
    Value::Object(location)
}

/// Returns `path` as a relative URI: everything but letters, digits, `-._~` and `/` is encoded.
fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_log_describes_its_rules() {
        let rules =
            [RuleText { code: "known", severity: Severity::Warning, summary: "it is known" }];
        let at = || Label::new("a.md", Span::default(), "");
        let all = [Diagnostic::warning("known", "a", at()), Diagnostic::note("other", "b", at())];
        let log = log(&all, &rules);
        let run = &log["runs"][0];
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(run["tool"]["driver"]["name"], "orch");
        assert_eq!(
            run["tool"]["driver"]["rules"],
            json!([{
                "id": "known",
                "shortDescription": { "text": "it is known" },
                "defaultConfiguration": { "level": "warning" },
            }])
        );
        assert_eq!(
            (&run["results"][0]["ruleId"], &run["results"][0]["ruleIndex"]),
            (&json!("known"), &json!(0))
        );
        assert_eq!(
            (&run["results"][1]["ruleId"], &run["results"][1]["ruleIndex"]),
            (&json!("other"), &Value::Null)
        );
    }

    #[test]
    fn a_result_has_encoded_places_with_words() {
        let place = Label::new(".orch/tasks/a b%ü.md", Span::new(4, 14, 7), "here");
        let diagnostic = Diagnostic::warning("known", "message", place)
            .with_related(Label::new("b.md", Span::default(), "there"))
            .with_help("do it");
        expect![[r#"
            {
              "level": "warning",
              "locations": [
                {
                  "message": {
                    "text": "here"
                  },
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": ".orch/tasks/a%20b%25%C3%BC.md",
                      "uriBaseId": "%SRCROOT%"
                    },
                    "region": {
                      "endColumn": 21,
                      "startColumn": 14,
                      "startLine": 4
                    }
                  }
                }
              ],
              "message": {
                "text": "message\ndo it"
              },
              "relatedLocations": [
                {
                  "message": {
                    "text": "there"
                  },
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "b.md",
                      "uriBaseId": "%SRCROOT%"
                    }
                  }
                }
              ],
              "ruleId": "known"
            }
        "#]]
        .assert_eq(&format!("{:#}\n", result(&diagnostic, &[])));
    }
}
